"""KPIs by their names: side by side as a struct, or an array of structs to be judged alike."""

import json
from collections.abc import Callable, Iterable, Mapping
from itertools import chain

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.expressions.sql import quoted

# What stands for a struct without any field, which Parquet does not know.
NO_FIELD = "struct<none:double>"


def let(value: Column, use: Callable[[Column], Column]) -> Column:
    """What a function makes of a value that it uses often, and that is computed once."""
    return F.transform(F.array(value), use)[0]


def field(struct: Column, name: str) -> Column:
    """A field of a struct, NULL where the struct is.

    Sail gives what is stored in its place: SELECT s.a FROM (SELECT if(x > 1, s, NULL) AS s FROM t)
    has all values of s.a.
    """
    return F.when(struct.isNotNull(), struct[name])


def struct_of(fields: Mapping[str, Column]) -> Column:
    """A struct of columns by their names."""
    if not fields:
        return F.lit(None).cast(NO_FIELD)
    # Not F.struct, which doubles the time that Sail plans what is inside it.
    return F.named_struct(*chain(*((F.lit(name), field) for name, field in fields.items())))


def struct_type(fields: Mapping[str, str]) -> str:
    """The type of a struct with fields of these types, each of which may be NULL."""
    typed = ", ".join(f"{quoted(name)}: {type_}" for name, type_ in fields.items())
    return f"struct<{typed}>" if typed else NO_FIELD


def null_struct(names: Iterable[str], type_: str) -> Column:
    """A missing struct with these fields, all of one type."""
    return F.lit(None).cast(struct_type(dict.fromkeys(names, type_)))


def constant_array(rows: Iterable[Mapping[str, object]], fields: Mapping[str, str]) -> Column:
    """An array of structs with these fields, by their types, that Spark folds to one literal."""
    values = [{name: row[name] for name in fields} for row in rows]
    return F.from_json(F.lit(json.dumps(values)), f"array<{struct_type(fields)}>")


def named_array(kpis: Mapping[str, Mapping[str, Column]]) -> Column:
    """An array with a struct for each KPI: `kpi`, its name, and its fields.

    All KPIs have the same fields, of the same types. `by_name` opens the array again.
    """
    return F.array(*(struct_of({"kpi": F.lit(kpi), **fields}) for kpi, fields in kpis.items()))


def transform_zipped(use: Callable[[Column], Column], *arrays: str) -> Column:
    """An array of what a function makes of each KPI, from arrays of the same KPIs.

    The function is given a struct with a field for each array, by the name of its column.
    """
    return F.transform(F.arrays_zip(*arrays), use)


def by_name(array: Column, kpis: Iterable[str]) -> dict[str, Column]:
    """The elements of an array by the names of the KPIs that it was made for (`named_array`).

    `F.transform` leaves them in their places; what is filtered or sorted has no places any more.
    """
    return {kpi: array[place] for place, kpi in enumerate(kpis)}
