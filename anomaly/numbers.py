"""Column arithmetic whose result does not depend on how Spark split and ordered the rows."""

from pyspark.sql import Column
from pyspark.sql import functions as F

# A larger number is refused at cleaning: up to here, sums over nine million rows stay exact.
LARGEST_NUMBER = 1e12
# Numbers are summed in steps of 1e-11; what is smaller is rounded away.
PARTS_PER_UNIT = 1e11
# Two numbers closer than this, relative to the larger, are equal: a tie is never a defect.
TIE_TOLERANCE = 1e-9
# Quantiles are taken of values rounded to this many digits (an error of at most 0.05 %), so that
# the memory they need is bounded however many customers there are.
QUANTILE_DIGITS = 4


def exact_mean(value: str, where: str = "TRUE") -> str:
    """The SQL of an aggregate: the mean of the non-NULL values of an SQL, NULL where there is none.

    A plain `avg` adds doubles in whatever order the partitions arrive, and its last bits vary
    from run to run. Here whole units and fractions are summed as integers, which is exact in any
    order. Requires |value| <= LARGEST_NUMBER. `where` names a boolean column of the rows to use.
    """
    rows = f"FILTER (WHERE {where})" if where != "TRUE" else ""
    parts = f"floor(({value} - floor({value})) * {PARTS_PER_UNIT}D + 0.5D)"
    total = f"(try_sum(floor({value})) {rows} + try_sum({parts}) {rows} / {PARTS_PER_UNIT}D)"
    return f"{total} / nullif(count({value}) {rows}, 0)"


def exceeds(value: Column, bound: Column) -> Column:
    """Whether value > bound by more than rounding can explain (TIE_TOLERANCE, relative)."""
    return value - bound > TIE_TOLERANCE * F.greatest(F.abs(value), F.abs(bound))


def rounded_for_quantiles(value: str) -> str:
    """The SQL of the value of an SQL to QUANTILE_DIGITS significant digits."""
    scale = f"power(10D, {QUANTILE_DIGITS} - ceil(log10(abs(nullif({value}, 0)))))"
    return f"coalesce(round({value} * {scale}) / {scale}, {value})"
