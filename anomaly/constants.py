"""Settings of a profile as a constant of the plan."""

import json
from collections.abc import Iterable, Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def constant_array(rows: Iterable[Mapping[str, object]], fields: str) -> Column:
    """An array of structs (their fields as a DDL text) that Spark folds to one literal.

    One column however many rows: each column that Python makes costs a call to the JVM.
    """
    return F.from_json(F.lit(json.dumps([*rows])), f"array<struct<{fields}>>")


def array_of(columns: Iterable[str], type_: str) -> Column:
    """An array of columns, each cast to the one type."""
    return F.expr(f"array({', '.join(f'CAST(`{column}` AS {type_})' for column in columns)})")
