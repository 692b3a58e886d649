"""Column arithmetic that all tables share."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

Literal = str | float | None


def whole(number: Column) -> Column:
    """Return the number (double or bigint) without its decimals, as bigint."""
    return number.cast("long")


def quotient(number: Column, divisor: int) -> Column:
    """Return the integer quotient of number and divisor, as bigint."""
    return whole(number / divisor)


def cut(number: Column, per_one: int = 100) -> Column:
    """Truncate to two decimals (double); `round` would create a BigDecimal for each value."""
    return whole(number * per_one) / float(per_one)


def item(values: Sequence[Literal], index: Column) -> Column:
    """Return the value at an index (bigint, from 0 on)."""
    # A single expression to parse: literals would each be a call to the JVM.
    literals = ", ".join(_sql_literal(value) for value in values)
    return F.element_at(F.expr(f"array({literals})"), (index + 1).cast("int"))


def _sql_literal(value: Literal) -> str:
    if value is None:
        return "NULL"
    return f"{value!r}D" if isinstance(value, float) else repr(value)
