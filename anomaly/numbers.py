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


def exact_mean(value: Column) -> Column:
    """Aggregate: the mean of the non-NULL values, NULL where there is none.

    A plain `avg` adds doubles in whatever order the partitions arrive, and its last bits vary
    from run to run. Here whole units and fractions are summed as integers, which is exact in any
    order. Requires |value| <= LARGEST_NUMBER.
    """
    whole = F.floor(value)
    parts = F.round((value - whole) * PARTS_PER_UNIT).cast("bigint")
    total = F.try_sum(whole) + F.try_sum(parts) / F.lit(PARTS_PER_UNIT)
    return F.when(F.count(value) > 0, total / F.count(value))


def ratio(numerator: Column, denominator: Column) -> Column:
    """numerator / denominator; NULL where the denominator is zero, in ANSI mode too."""
    return numerator / F.when(denominator != 0, denominator)


def exceeds(value: Column, bound: Column) -> Column:
    """Whether value > bound by more than rounding can explain (TIE_TOLERANCE, relative)."""
    return value - bound > TIE_TOLERANCE * F.greatest(F.abs(value), F.abs(bound))


def rounded_for_quantiles(value: Column) -> Column:
    """The value to QUANTILE_DIGITS significant digits."""
    size = F.ceil(F.log10(F.when(value != 0, F.abs(value)))).cast("double")
    scale = F.pow(F.lit(10.0), QUANTILE_DIGITS - size)
    return F.coalesce(F.round(value * scale) / scale, value)
