"""Columns by any name, and what the Python API of the oldest supported Spark lacks."""

import json
from collections.abc import Iterable, Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def column(name: str) -> Column:
    """The column of a name, whatever characters it has."""
    return F.col(quoted(name))


def quoted(name: str) -> str:
    """The name of a column as SQL writes it, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"


def try_cast(value: Column, type_: str) -> Column:
    """The value as another type; NULL where it is none, with ANSI, too.

    PySpark has it as a method since version 4 only. The text of SQL names no column.
    """
    cast = F.expr(f"value -> try_cast(value AS {type_})")
    return F.get(F.call_function("transform", F.array(value), cast), F.lit(0))


def constant_array(rows: Iterable[Mapping[str, object]], fields: Mapping[str, str]) -> Column:
    """An array of structs with these fields (by their types) that Spark folds to one literal."""
    values = json.dumps([{name: row[name] for name in fields} for row in rows])
    types = ", ".join(f"{name}: {type_}" for name, type_ in fields.items())
    return F.from_json(F.lit(values), f"array<struct<{types}>>")
