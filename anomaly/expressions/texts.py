"""Numbers as people write them, and as Java does.

Engines round ties in their own ways: 45.55 to one digit is 45.6 for Java and 45.5 for Sail, which
takes the binary number for what it is, a little less. Decimals they all round alike.
"""

from functools import reduce

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.expressions.arrays import let

# Three significant digits: from this size on a number has so many behind the point. It is the
# smallest size that has them, once it is rounded.
DIGITS = {99.95: 0, 9.995: 1, 0.9995: 2, 0.09995: 3, 0.000995: 4, 9.5e-6: 6}
# What is smaller is so many times a negative power of ten, with one digit behind the point.
POWERS = {9.95e-7: 6, 9.95e-8: 7, 9.5e-9: 8, 0.0: 9}
# From here on three digits are fewer than the whole number has.
WHOLE_FROM = 999.5


def measure_text(value: Column, unit: Column) -> Column:
    """A value with its unit as people write them: 45.5 %, 3.96 users.

    Three significant digits, whole numbers as they are; a share is told in per cent.
    """
    is_share = unit == "share"
    # 0.0 is added because Sail keeps the sign of nothing: -0.
    number = F.round(F.when(is_share, 100.0 * value).otherwise(value), 9) + 0.0
    words = F.when(is_share, "%").otherwise(unit)
    return F.rtrim(F.concat(let(number, _number_text), F.lit(" "), words))


def _number_text(number: Column) -> Column:
    size = F.abs(number)
    whole = F.when((size >= WHOLE_FROM) | (number == F.floor(number)), F.format_number(number, 0))
    # A decimal has no place for all that is larger.
    small = F.when(size < WHOLE_FROM, number)
    plain = reduce(
        lambda text, form: text.when(size >= form[0], _rounded(small, form[1])),
        DIGITS.items(),
        whole,
    )
    return reduce(
        lambda text, form: text.when(size >= form[0], _with_power(small, form[1])),
        POWERS.items(),
        plain,
    )


def _rounded(number: Column, digits: int) -> Column:
    """The text of a number below 1e9 with so many digits behind the point, ties away from zero."""
    return F.round(number.cast("decimal(18,9)"), digits).cast("string")


def _with_power(number: Column, power: int) -> Column:
    return F.concat(_rounded(number * float(10**power), 1), F.lit(f"e-{power:02}"))


def java_text(number: Column) -> Column:
    """The text of a double as Java writes it, where engines differ: 45.5, 10.0, 1.25E7, 1.0E-4."""
    size = F.abs(number)
    exponent = F.floor(F.log10(size)).cast("int")
    mantissa = F.round(number / F.pow(F.lit(10.0), exponent), 14).cast("string")
    with_power = F.concat(mantissa, F.lit("E"), exponent.cast("string"))
    text = number.cast("string")
    is_plain = ((size >= 1e-3) & (size < 1e7)) | (number == 0)
    return F.when(is_plain | text.contains("E"), text).otherwise(with_power)
