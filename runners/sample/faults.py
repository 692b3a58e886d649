"""The injected faults: which cells have one, and its effects."""

from dataclasses import dataclass
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from runners.sample.cells import SHARED_CELLS, cell_name
from runners.sample.draws import seeded_hash
from runners.sample.expressions import item, quotient
from runners.sample.scale import checked_scale


@dataclass(frozen=True)
class Fault:
    """One kind of fault, with the factors by which it changes a cell and its callers."""

    name: str
    detail: str
    users: float = 1.0
    prb_dl: float = 1.0
    prb_ul: float = 1.0
    throughput_dl: float = 1.0
    throughput_ul: float = 1.0
    days_sent: float = 1.0
    dropped_calls: float = 1.0
    blocked_calls: float = 1.0
    incomplete_calls: float = 1.0


# In the order of their codes, which start at 1; code 0 is a healthy cell. The multipliers of
# resource blocks apply to the demand, before saturation.
FAULTS = (
    Fault(
        "congestion",
        "PRB usage and users are far too high, throughput is low",
        users=4.0, prb_dl=120.0, prb_ul=36.0, throughput_dl=0.35, throughput_ul=0.35,
    ),
    Fault(
        "sleeping_cell",
        "the cell has almost no users and no throughput",
        users=0.02, prb_dl=0.03, prb_ul=0.03, throughput_dl=0.02, throughput_ul=0.02,
    ),
    Fault(
        "uplink_interference",
        "PRBUsageUL is high, meanThr_UL is low",
        prb_ul=25.0, throughput_ul=0.15,
    ),
    Fault(
        "call_drops",
        "the customers of the cell have many dropped calls",
        dropped_calls=6.0,
    ),
    Fault(
        "throughput_collapse",
        "throughput is an eighth of the usual, with PRB usage and users as ever",
        throughput_dl=0.12, throughput_ul=0.12,
    ),
    Fault(
        "blocked_calls",
        "the customers of the cell have many blocked calls",
        blocked_calls=6.0,
    ),
    Fault(
        "calls_not_completed",
        "the customers of the cell have many calls that are not completed",
        incomplete_calls=3.0,
    ),
    Fault(
        "stopped_sending",
        "the cell has sent samples in the first third of the days only",
        days_sent=1 / 3,
    ),
)  # fmt: skip
# Distance between the faulty cells of a unit, so that all of them fit into the shared cells.
FAULT_STRIDE = 3


def truth(spark: SparkSession, scale: int, seed: int) -> DataFrame:
    """Return the faulty cells (CellName, fault, detail): one per kind and scale unit."""
    rows = spark.range(0, len(FAULTS) * checked_scale(scale), 1, 1)
    unit = quotient(F.col("id"), len(FAULTS))
    kind = F.col("id") % len(FAULTS)
    cell = _faulty_cell(seed, unit, kind)
    return rows.select(
        cell_name(unit, cell).alias("CellName"),
        item([fault.name for fault in FAULTS], kind).alias("fault"),
        item([fault.detail for fault in FAULTS], kind).alias("detail"),
    )


def fault_code(seed: int, unit: Column, cell: Column) -> Column:
    """Return the code (int) of a cell's fault, 0 for a healthy cell."""
    distance = F.pmod(cell - _first_faulty_cell(seed, unit), F.lit(len(SHARED_CELLS)))
    faulty = (
        (cell < len(SHARED_CELLS))
        & (distance % FAULT_STRIDE == 0)
        & (distance < FAULT_STRIDE * len(FAULTS))
    )
    return F.when(faulty, quotient(distance, FAULT_STRIDE) + 1).otherwise(0).cast("int")


def multiplier(name: str) -> Column:
    """Return a multiplier of the fault of a row (its code is in the column `fault`).

    `name` is the field of `Fault`; a healthy cell has 1.
    """
    return item([1.0, *(float(getattr(fault, name)) for fault in FAULTS)], F.col("fault"))


def is_silent(seed: int, unit: Column, cell: Column, elapsed: Column) -> Column:
    """Return whether a cell no longer sends when this share of the days has elapsed.

    It compares with the faulty cells directly: Spark filters before it computes columns, and would
    evaluate the whole `fault_code` again for each row.
    """
    silent = [
        (elapsed >= fault.days_sent) & (cell == _faulty_cell(seed, unit, F.lit(kind)))
        for kind, fault in enumerate(FAULTS)
        if fault.days_sent < 1.0
    ]
    return reduce(or_, silent, F.lit(False))


def _faulty_cell(seed: int, unit: Column, kind: Column) -> Column:
    return (_first_faulty_cell(seed, unit) + kind * FAULT_STRIDE) % len(SHARED_CELLS)


def _first_faulty_cell(seed: int, unit: Column) -> Column:
    return F.pmod(seeded_hash(seed, "faults", unit), F.lit(len(SHARED_CELLS)))
