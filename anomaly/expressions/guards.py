"""What a transform needs of the frame that it is given."""

from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql.types import NumericType

from anomaly.errors import InputError
from anomaly.expressions.sql import column

MOST_NAMED = 40


def require_columns(frame: DataFrame, names: Iterable[str], step: str) -> None:
    """Raise InputError that names the columns that a frame lacks for a step, and those it has."""
    there = frame.columns
    missing = [name for name in dict.fromkeys(names) if name not in there]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        raise InputError(f"{step} needs the {noun} {', '.join(missing)}. {columns_there(there)}")


def require_numbers(frame: DataFrame, names: Iterable[str], step: str) -> None:
    """Raise InputError that names the columns of a frame that a step needs as numbers."""
    fields = frame.select(*map(column, dict.fromkeys(names))).schema.fields
    others = [
        f"{field.name} is {field.dataType.simpleString()}"
        for field in fields
        if not isinstance(field.dataType, NumericType)
    ]
    if others:
        raise InputError(
            f"{step} needs numbers, and {', '.join(others)}. clean_samples reads texts as numbers"
        )


def columns_there(names: Iterable[str]) -> str:
    """The columns that are there in words, the first of them by name."""
    listed = list(names)
    there = f"Columns that are there: {', '.join(listed[:MOST_NAMED])}"
    if len(listed) > MOST_NAMED:
        there += f" and {len(listed) - MOST_NAMED} more"
    return there
