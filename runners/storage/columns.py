"""The columns of published tables against those of a run: what is new, gone, or of another type."""

import logging
from collections.abc import Mapping, Sequence

from pyspark.sql import DataFrame

from anomaly.errors import OutputError
from anomaly.expressions.sql import quoted
from anomaly.schema.inputs import Column

LOG = logging.getLogger(__name__)
# Of each table, the type of each column by its name.
Types = dict[str, dict[str, str]]
REMEDY = (
    "--add-columns adds new columns, which are NULL on older days; another --out, or --prefix, "
    "makes new tables"
)


def types_of(columns: Mapping[str, Sequence[Column]]) -> Types:
    """The types of the columns of each table, as contracts write them."""
    return {
        table: {column.name: column.type for column in of_table}
        for table, of_table in columns.items()
    }


def removed_columns(place: str, published: Types, wanted: Types, add_columns: bool) -> Types:
    """The published columns that a run has no longer, of each of its tables; said as a warning.

    Raises OutputError with every column of another type, and with every new one unless it may be
    added.
    """
    faults, removed = [], {}
    for table, columns in wanted.items():
        there = published.get(table, columns)
        faults += [
            f"{table}: column {name} is {there[name]} there, {columns[name]} here"
            for name in columns
            if name in there and there[name] != columns[name]
        ]
        if not add_columns:
            faults += [
                f"{table}: column {name} ({columns[name]}) is missing there"
                for name in columns
                if name not in there
            ]
        removed[table] = {name: there[name] for name in there if name not in columns}
    if faults:
        raise differing(place, faults)
    for table, columns in removed.items():
        warn_of_removed(table, columns)
    return removed


def differing(place: str, faults: Sequence[str]) -> OutputError:
    """The error of tables that do not take the rows of a run, before anything is written."""
    listed = "\n".join(f"  - {fault}" for fault in faults)
    return OutputError(
        f"{place}: nothing was written; the tables there differ from this run's. {REMEDY}.\n"
        f"{listed}"
    )


def warn_of_removed(table: str, columns: Mapping[str, str] | Sequence[str]) -> None:
    """Say that columns stay, and that this run has no values for them."""
    if columns:
        LOG.warning("%s: no longer filled, NULL from now on: %s", table, ", ".join(columns))


def with_removed(frame: DataFrame, removed: Mapping[str, str]) -> DataFrame:
    """Adds columns that older days have, without values."""
    if not removed:
        return frame
    return frame.selectExpr(
        "*", *(f"CAST(NULL AS {type_}) AS {quoted(name)}" for name, type_ in removed.items())
    )
