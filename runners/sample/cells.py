"""The cells of a unit and their names."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from runners.sample.expressions import item

# The cells of one unit in three groups. Unit 0 has the names of the real cells; unit n adds ten
# times n to the site number.
SHARED_CELLS = tuple(
    "1A 1B 1C 3A 3B 3C 4A 4B 4C 6A 6B 6C 6U 6V 6W 7A 7B 7C 7U 7V 7W "
    "8A 8B 8C 9A 9B 10A 10B 10C".split()
)
CELLS_WITHOUT_SAMPLES = tuple("1U 1V 1W 3U 3V 3W 4U 4V 4W 8U 8V 8W 9C 9U 9V 9W 10U 10V 10W".split())
CELLS_WITHOUT_CUSTOMERS = ("2A", "5A", "5B", "5C")
CELLS = (*SHARED_CELLS, *CELLS_WITHOUT_SAMPLES, *CELLS_WITHOUT_CUSTOMERS)
SAMPLED_CELLS_PER_UNIT = len(SHARED_CELLS) + len(CELLS_WITHOUT_CUSTOMERS)
CUSTOMER_CELLS_PER_UNIT = len(SHARED_CELLS) + len(CELLS_WITHOUT_SAMPLES)
SITES_PER_UNIT = 10


def cell_name(unit: Column, cell: Column) -> Column:
    """Return the name, such as 6VLTE, from the unit and the place in CELLS (both bigint)."""
    site = item([int(name[:-1]) for name in CELLS], cell) + unit * SITES_PER_UNIT
    return F.concat(site.cast("string"), item([name[-1] for name in CELLS], cell), F.lit("LTE"))
