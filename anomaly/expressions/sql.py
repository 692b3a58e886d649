"""SQL text where many columns are alike.

Each column object that Python makes costs a call to the JVM of about two milliseconds; a text of
SQL with fifty columns costs one.
"""

import json
from collections.abc import Iterable, Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def column(name: str) -> Column:
    """The column of a name, whatever characters it has."""
    return F.col(quoted(name))


def try_cast(value: Column, type_: str) -> Column:
    """The value as another type; NULL where it is none, with ANSI, too.

    PySpark has it as a method since version 4 only. The text of the lambda names no column.
    """
    cast = F.expr(f"value -> try_cast(value AS {type_})")
    return F.get(F.call_function("transform", F.array(value), cast), F.lit(0))


def quoted(column: str) -> str:
    """The name of a column as SQL writes it, whatever characters it has."""
    return "`" + column.replace("`", "``") + "`"


def text(value: str | None) -> str:
    """A text as SQL writes it, whatever characters it has; NULL for none."""
    if value is None:
        return "CAST(NULL AS string)"
    escaped = "".join(
        f"\\u{ord(character):04x}" if character < " " else character
        for character in value.replace("\\", "\\\\").replace("'", "\\'")
    )
    return f"'{escaped}'"


def literal(value: str | float) -> str:
    """A text or a number as SQL writes it."""
    if isinstance(value, str):
        return text(value)
    return f"{value!r}D" if isinstance(value, float) else str(value)


def texts(values: Iterable[str]) -> str:
    """Texts as SQL lists them, with commas between."""
    return ", ".join(map(text, values))


def array_of(columns: Iterable[str], type_: str) -> str:
    """The SQL of an array of columns, each cast to the one type."""
    return f"array({', '.join(f'CAST({quoted(column)} AS {type_})' for column in columns)})"


def constant_array(rows: Iterable[Mapping[str, object]], fields: str) -> Column:
    """An array of structs (their fields as a DDL text) that Spark folds to one literal."""
    return F.from_json(F.lit(json.dumps([*rows])), f"array<struct<{fields}>>")
