"""What a transform needs of the frame that it is given."""

from collections.abc import Iterable

from pyspark.sql import DataFrame

from anomaly.errors import InputError

MOST_NAMED = 40


def require_columns(frame: DataFrame, names: Iterable[str], step: str) -> None:
    """Raise InputError that names the columns that a frame lacks for a step, and those it has."""
    missing = [name for name in dict.fromkeys(names) if name not in frame.columns]
    if missing:
        noun = "column" if len(missing) == 1 else "columns"
        raise InputError(
            f"{step} needs the {noun} {', '.join(missing)}. {columns_there(frame.columns)}"
        )


def columns_there(names: Iterable[str]) -> str:
    """The columns that are there in words, the first of them by name."""
    listed = list(names)
    there = f"Columns that are there: {', '.join(listed[:MOST_NAMED])}"
    if len(listed) > MOST_NAMED:
        there += f" and {len(listed) - MOST_NAMED} more"
    return there
