"""Columns by any name, and what the Python API of the oldest supported Spark lacks."""

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
