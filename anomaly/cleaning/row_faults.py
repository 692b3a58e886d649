"""Faults of rows as a whole: those of every input, and those that a profile asks for."""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.cleaning.values import trimmed
from anomaly.expressions.sql import column, try_cast
from anomaly.profile.sections import InputRules
from anomaly.schema.inputs import MALFORMED_LINE
from anomaly.schema.reasons import REASONS

OPERATORS: Mapping[str, Callable[[Column, Column], Column]] = {
    "=": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


@dataclass(frozen=True)
class Fault:
    """A fault of the row as a whole, where a condition holds."""

    condition: Column
    column: str | None
    reason: str

    def __post_init__(self) -> None:
        assert REASONS[self.reason].rejects_row


def malformed() -> Fault:
    """That a line has more or fewer fields than the header."""
    return Fault(F.col(MALFORMED_LINE), None, "malformed_line")


def suspects(rules: InputRules) -> list[Fault]:
    """A fault for each `suspect_where` that holds (a missing value does not)."""

    def holds(name: str, operator: str, value: str | float) -> Column:
        if isinstance(value, str):
            found = F.lower(trimmed(column(name).cast("string")))
            return OPERATORS[operator](found, F.lit(value.lower()))
        return OPERATORS[operator](try_cast(column(name), "double"), F.lit(value))

    return [
        Fault(F.coalesce(holds(*condition), F.lit(False)), condition[0], "suspect")
        for condition in rules.suspect_where
    ]


def filters(rules: InputRules, compared: Mapping[str, Column]) -> list[Fault]:
    """A fault for each `keep_where` that does not hold (a missing value does not)."""

    def holds(name: str, operator: str, value: str | float) -> Column:
        kind = "string" if isinstance(value, str) else "double"
        return OPERATORS[operator](try_cast(compared[name], kind), F.lit(value))

    return [
        Fault(~F.coalesce(holds(*condition), F.lit(False)), condition[0], "filtered_by_profile")
        for condition in rules.keep_where
    ]
