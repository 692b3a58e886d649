"""Values with their units, written as in the sentences of the tables."""

from decimal import ROUND_HALF_UP, Context, Decimal

# The smallest size that has so many digits behind the point, once it is rounded: three significant
# digits (anomaly.expressions.texts.measure_text writes the same).
DIGITS = {99.95: 0, 9.995: 1, 0.9995: 2, 0.09995: 3, 0.000995: 4, 9.5e-6: 6}

# More digits than any double has.
ANY_SIZE = Context(prec=400)


def amount(value: float, unit: str) -> float:
    """The number to write: a share is written in per cent."""
    return 100 * value if unit == "share" else value


def unit_name(unit: str) -> str:
    """The unit to write."""
    return "%" if unit == "share" else unit


def quantity(value: float | None, unit: str) -> str:
    """A value with its unit."""
    if value is None:
        return "no data"
    # Nothing has no sign.
    number = float(_rounded(amount(value, unit), 9)) + 0.0
    return f"{_number(number)} {unit_name(unit)}".rstrip()


def _rounded(number: float, digits: int) -> Decimal:
    """A number to so many digits behind the point.

    Engines round the digits that are written, and halves up; Python would round what is stored.
    """
    return Decimal(repr(number)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP, ANY_SIZE)


def _number(number: float) -> str:
    size = abs(number)
    if size >= 999.5 or number == int(number):
        return f"{number:,.0f}"
    digits = next((digits for least, digits in DIGITS.items() if size >= least), None)
    if digits is None:
        return f"{float(_rounded(number, 1 - Decimal(repr(number)).adjusted())):.1e}"
    return f"{_rounded(number, digits):f}"
