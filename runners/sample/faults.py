"""The faults: which cells have one, and what it does to them."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from runners.sample.cells import SHARED_CELLS, cell_name
from runners.sample.draws import seeded_hash
from runners.sample.expressions import item, quotient
from runners.sample.scale import checked_scale

# In the order of their codes, which start at 1; code 0 is a healthy cell.
FAULTS = {
    "congestion": "PRB usage and users far too high, throughput low",
    "sleeping_cell": "almost no users and no throughput",
    "uplink_interference": "PRBUsageUL high, meanThr_UL low",
    "call_drops": "the customers of the cell have many dropped and blocked calls",
}
CALL_DROPS = 4
# Distance between the faulty cells of a unit: four of them fit into the shared cells.
FAULT_STRIDE = 7

# What each fault (by code, healthy first) multiplies.
USERS_EFFECT = (1.0, 4.0, 0.02, 1.0, 1.0)
PRB_DL_EFFECT = (1.0, 40.0, 0.03, 1.0, 1.0)
PRB_UL_EFFECT = (1.0, 14.0, 0.03, 12.0, 1.0)
THROUGHPUT_DL_EFFECT = (1.0, 0.35, 0.02, 1.0, 1.0)
THROUGHPUT_UL_EFFECT = (1.0, 0.35, 0.02, 0.15, 1.0)
CALL_TROUBLE = 6.0


def truth(spark: SparkSession, scale: int, seed: int) -> DataFrame:
    """Return the faulty cells (CellName, fault, detail): one of each kind per scale unit."""
    rows = spark.range(0, len(FAULTS) * checked_scale(scale), 1, 1)
    unit = quotient(F.col("id"), len(FAULTS))
    kind = F.col("id") % len(FAULTS)
    cell = (_first_faulty_cell(seed, unit) + kind * FAULT_STRIDE) % len(SHARED_CELLS)
    return rows.select(
        cell_name(unit, cell).alias("CellName"),
        item(list(FAULTS), kind).alias("fault"),
        item(list(FAULTS.values()), kind).alias("detail"),
    )


def fault_code(seed: int, unit: Column, cell: Column) -> Column:
    """Return the code (int) of a cell's fault, 0 where it is healthy."""
    distance = F.pmod(cell - _first_faulty_cell(seed, unit), F.lit(len(SHARED_CELLS)))
    faulty = (
        (cell < len(SHARED_CELLS))
        & (distance % FAULT_STRIDE == 0)
        & (distance < FAULT_STRIDE * len(FAULTS))
    )
    return F.when(faulty, quotient(distance, FAULT_STRIDE) + 1).otherwise(0).cast("int")


def _first_faulty_cell(seed: int, unit: Column) -> Column:
    return F.pmod(seeded_hash(seed, "faults", unit), F.lit(len(SHARED_CELLS)))
