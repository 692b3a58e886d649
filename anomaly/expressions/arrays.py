"""Arrays of structs that carry the name of a KPI each, and names for what is used often."""

from collections.abc import Callable, Iterable, Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F


def let(value: Column, use: Callable[[Column], Column]) -> Column:
    """What a function makes of a value that it uses often, and that is computed once."""
    return F.get(F.transform(F.array(value), use), F.lit(0))


def named_array(fields: Mapping[str, Mapping[str, Column]]) -> Column:
    """An array of a struct per KPI: `kpi`, its name, and its fields. `by_name` opens it again.

    The fields of all KPIs have the same names and types.
    """
    return F.array(
        *(
            F.struct(
                F.lit(kpi).alias("kpi"), *(field.alias(name) for name, field in of_kpi.items())
            )
            for kpi, of_kpi in fields.items()
        )
    )


def by_name(array: Column, kpis: Iterable[str]) -> dict[str, Column]:
    """The elements of an array by the names of the KPIs that it was made for (`named_array`).

    `F.transform` keeps their order; what filters or sorts an array ends this.
    """
    return {kpi: F.get(array, F.lit(place)) for place, kpi in enumerate(kpis)}
