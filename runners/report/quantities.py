"""Values with their units, written as in the sentences of the tables."""

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
    return f"{_number(round(amount(value, unit), 9))} {unit_name(unit)}".rstrip()


def _number(number: float) -> str:
    size = abs(number)
    if size >= 999.5 or number == int(number):
        return f"{number:,.0f}"
    digits = next((digits for least, digits in DIGITS.items() if size >= least), None)
    return f"{number:.1e}" if digits is None else f"{number:.{digits}f}"
