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


def limit_above(bound: str) -> str:
    """The SQL of the limit beyond which a value exceeds a bound (its SQL), as `exceeds` has it.

    It follows from the bound alone, so that a comparison with many values costs no more than `>`.
    """
    return _farther(bound, f"{bound} >= 0")


def limit_below(bound: str) -> str:
    """The SQL of the limit below which a value is exceeded by a bound (its SQL)."""
    return _farther(bound, f"{bound} <= 0")


def _farther(bound: str, is_away_from_zero: str) -> str:
    # Beyond the bound, away from zero the value is the larger of the two, otherwise the bound is.
    nearly_one = f"(1D - {TIE_TOLERANCE!r}D)"
    return (
        f"CASE WHEN {is_away_from_zero} THEN {bound} / {nearly_one} ELSE {bound} * {nearly_one} END"
    )


def measure_text(value: str, unit: str) -> str:
    """The SQL of a value with its unit (their SQLs) as people write them: 45.5 %, 3.96 users.

    Three significant digits, whole numbers as they are; a share is told in per cent.
    """
    number = f"round(CASE WHEN {unit} = 'share' THEN 100D * {value} ELSE {value} END, 9)"
    # The smallest size that has so many digits behind the point, once it is rounded.
    forms = {
        99.95: "%.0f",
        9.995: "%.1f",
        0.9995: "%.2f",
        0.09995: "%.3f",
        0.000995: "%.4f",
        9.5e-6: "%.6f",
    }
    cases = " ".join(
        f"WHEN abs(number) >= {size!r}D THEN format_string('{form}', number)"
        for size, form in forms.items()
    )
    text = (
        "CASE WHEN abs(number) >= 999.5D OR number = floor(number) THEN format_number(number, 0) "
        f"{cases} ELSE format_string('%.1e', number) END"
    )
    # Named, because it is used so often.
    named = f"get(transform(array({number}), number -> {text}), 0)"
    return f"rtrim(concat({named}, ' ', CASE WHEN {unit} = 'share' THEN '%' ELSE {unit} END))"


def rounded_for_quantiles(value: str) -> str:
    """The SQL of the value of an SQL to QUANTILE_DIGITS significant digits."""
    scale = f"power(10D, {QUANTILE_DIGITS} - ceil(log10(abs(nullif({value}, 0)))))"
    return f"coalesce(round({value} * {scale}) / {scale}, {value})"
