"""Values with their units, written as in the sentences of the tables."""

from decimal import ROUND_HALF_UP, Decimal

# The smallest size that has so many digits behind the point, once it is rounded: three significant
# digits (anomaly.expressions.texts.measure_text writes the same).
DIGITS = {99.95: 0, 9.995: 1, 0.9995: 2, 0.09995: 3, 0.000995: 4, 9.5e-6: 6}


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
    number = round(amount(value, unit), 9) + 0.0
    return f"{_number(number)} {unit_name(unit)}".rstrip()


def _number(number: float) -> str:
    size = abs(number)
    if size >= 999.5 or number == int(number):
        return f"{number:,.0f}"
    digits = next((digits for least, digits in DIGITS.items() if size >= least), None)
    # Spark rounds the digits that are written, and halves up; Python would round what is stored.
    written = Decimal(repr(number))
    last = written.adjusted() - 1 if digits is None else -digits
    rounded = written.quantize(Decimal(1).scaleb(last), ROUND_HALF_UP)
    return f"{float(rounded):.1e}" if digits is None else f"{rounded:f}"
