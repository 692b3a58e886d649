"""Numbers as people write them."""

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.expressions.arrays import let

# Three significant digits: the form of a number from this size on. It is the smallest size that has
# so many digits behind the point, once it is rounded.
FORMS = {
    99.95: "%.0f",
    9.995: "%.1f",
    0.9995: "%.2f",
    0.09995: "%.3f",
    0.000995: "%.4f",
    9.5e-6: "%.6f",
}
# From here on three digits are fewer than the whole number has.
WHOLE_FROM = 999.5


def measure_text(value: Column, unit: Column) -> Column:
    """A value with its unit as people write them: 45.5 %, 3.96 users.

    Three significant digits, whole numbers as they are; a share is told in per cent.
    """
    is_share = unit == "share"
    number = F.round(F.when(is_share, 100.0 * value).otherwise(value), 9)
    words = F.when(is_share, "%").otherwise(unit)
    return F.rtrim(F.concat(let(number, _number_text), F.lit(" "), words))


def _number_text(number: Column) -> Column:
    size = F.abs(number)
    whole = F.when((size >= WHOLE_FROM) | (number == F.floor(number)), F.format_number(number, 0))
    cases = reduce(
        lambda text, form: text.when(size >= form[0], F.format_string(form[1], number)),
        FORMS.items(),
        whole,
    )
    return cases.otherwise(F.format_string("%.1e", number))
