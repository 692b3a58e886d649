"""The cells of a scale unit: names and bands."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from runners.sample.expressions import item

# The cells of one unit, in three groups. Unit 0 has the names of the real cells; unit n adds 10 n
# to the site numbers.
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

# The cells of a site share a band. These sites of unit 0, and the corresponding ones of other
# units, have the low band, with a long reach and a narrow carrier.
LOW_BAND_SITES = (1, 2, 3, 4, 5)
LOW_BAND, HIGH_BAND = "L800", "L1800"


def cell_name(unit: Column, cell: Column) -> Column:
    """Return the name, such as 6VLTE, from the unit and the place in CELLS (both bigint)."""
    site = item(_sites(), cell) + unit * SITES_PER_UNIT
    return F.concat(site.cast("string"), item([name[-1] for name in CELLS], cell), F.lit("LTE"))


def band(cell: Column) -> Column:
    """Return the name of a cell's band, such as L800, from the index in CELLS (bigint)."""
    bands = [LOW_BAND if site in LOW_BAND_SITES else HIGH_BAND for site in _sites()]
    return item(bands, cell)


def _sites() -> list[int]:
    """The site of each of CELLS in unit 0."""
    return [int(name[:-1]) for name in CELLS]
