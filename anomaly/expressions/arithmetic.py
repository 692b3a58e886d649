"""Column arithmetic whose result does not depend on how Spark split and ordered the rows."""

from pyspark.sql import Column
from pyspark.sql import functions as F

# A larger number is refused at cleaning: up to here, sums over nine million rows stay exact.
LARGEST_NUMBER = 1e12
# Numbers are summed in steps of 1e-11; what is smaller is rounded away.
PARTS_PER_UNIT = 1e11
# A square has so many digits before the point, and its fraction is summed in steps of 1e-12.
SQUARE_TYPE, PARTS_OF_SQUARE = "decimal(26,0)", 1e12
# Two numbers closer than this, relative to the larger, are equal: a tie is never a defect.
TIE_TOLERANCE = 1e-9
# Quantiles are taken of values rounded to this many digits (an error of at most 0.05 %), so that
# the memory they need is bounded however many customers there are.
QUANTILE_DIGITS = 4


def exact_mean(value: Column, where: Column | None = None) -> Column:
    """An aggregate: the mean of the non-NULL values, NULL where there is none.

    A plain `avg` adds doubles in whatever order the partitions arrive, and its last bits vary
    from run to run. Here whole units and fractions are summed as integers, which is exact in any
    order. Requires |value| <= LARGEST_NUMBER. `where`: the rows to use.
    """
    used = value if where is None else F.when(where, value)
    whole = F.floor(used)
    parts = F.floor((used - whole) * PARTS_PER_UNIT + 0.5)
    total = F.sum(whole) + F.sum(parts) / PARTS_PER_UNIT
    return ratio(total, F.count(used))


def exact_sum_of_squares(square: Column) -> Column:
    """An aggregate: the sum of squares (or products) of means, exact in any order.

    NULL where it is too large, and not an error. Whole units are summed as decimals and fractions
    as integers, because engines round a double to a decimal with a fraction in their own ways.
    """
    whole = square.cast(SQUARE_TYPE)
    parts = F.floor((square - whole.cast("double")) * PARTS_OF_SQUARE + 0.5)
    return F.try_sum(whole).cast("double") + F.sum(parts) / PARTS_OF_SQUARE


def ratio(part: Column, whole: Column) -> Column:
    """The quotient, NULL where the whole is 0.

    With ANSI, and on Sail, a division by zero ends the job; `nullif` finds -0.0 on Spark alone.
    """
    return part / F.when(whole != 0, whole)


def exceeds(value: Column, bound: Column) -> Column:
    """Whether value > bound by more than rounding can explain (TIE_TOLERANCE, relative)."""
    return value - bound > TIE_TOLERANCE * F.greatest(F.abs(value), F.abs(bound))


def limit_above(bound: Column) -> Column:
    """The limit beyond which a value exceeds a bound, as `exceeds` has it.

    It follows from the bound alone, so that a comparison with many values costs no more than `>`.
    """
    return _farther(bound, bound >= 0)


def limit_below(bound: Column) -> Column:
    """The limit below which a value is exceeded by a bound."""
    return _farther(bound, bound <= 0)


def _farther(bound: Column, is_away_from_zero: Column) -> Column:
    # Beyond the bound, away from zero the value is the larger of the two, otherwise the bound is.
    nearly_one = 1.0 - TIE_TOLERANCE
    return F.when(is_away_from_zero, bound / nearly_one).otherwise(bound * nearly_one)


def rounded_for_quantiles(value: Column) -> Column:
    """The value to QUANTILE_DIGITS significant digits."""
    digits = F.ceil(F.log10(F.abs(F.when(value != 0, value))))
    scale = F.pow(F.lit(10.0), QUANTILE_DIGITS - digits)
    return F.coalesce(F.round(value * scale) / scale, value)
