"""Whether two results are equal: the same rows by their keys, and the same values in them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb

KEYS = {
    "customer_service_metrics_data": ("customerID", "CellName"),
    "cell_tower_performance_data": ("CellName",),
}
# Columns that differ between any two runs, or whose contents other columns have.
LEFT_OUT = ("run_id", "evidence")
# Relative to the larger of two averages. Our own sums count in steps of 1e-11, so that what is
# nearly 0, such as a difference of two averages, is as exact as that and no more.
RELATIVE_TOLERANCE, ABSOLUTE_TOLERANCE = 1e-9, 1e-10


class DifferentResultsError(Exception):
    """Two results differ; the message names the columns."""


def check_equal(
    expected: Path, found: Path, columns: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Raises DifferentResultsError unless both folders have equal tables.

    `columns` has the columns of each table that are compared, by default all that `expected` has.
    """
    database = duckdb.connect()
    faults = []
    for table, keys in KEYS.items():
        for view, folder in (("expected", expected), ("found", found)):
            database.read_parquet(files_of(folder / table)).create_view(view, replace=True)
        names = columns[table] if columns else database.view("expected").columns
        compared = [name for name in names if name not in (*keys, *LEFT_OUT)]
        faults += [f"{table}: {fault}" for fault in differences(database, keys, compared)]
    if faults:
        raise DifferentResultsError(f"{found} is not equal to {expected}: {'; '.join(faults)}")


def files_of(table: Path) -> list[str]:
    """The Parquet files of a table; its folder may be a link to the published version."""
    return [str(file) for file in sorted(table.resolve().rglob("*.parquet"))]


def differences(
    database: duckdb.DuckDBPyConnection, keys: Sequence[str], columns: Sequence[str]
) -> list[str]:
    """What differs between the views `expected` and `found`, in words."""
    missing = [name for name in columns if name not in database.view("found").columns]
    if missing:
        return [f"columns {', '.join(missing)} are missing"]
    expected = database.view("expected")
    types = dict(zip(expected.columns, expected.types, strict=True))
    conditions = [differs(name, str(types[name])) for name in columns]
    ((expected_rows, found_rows, same_rows, *counts),) = database.execute(
        f"SELECT (SELECT count(*) FROM expected), (SELECT count(*) FROM found), count(*), "
        f"{', '.join(f'count_if({condition})' for condition in conditions)} "
        f"FROM expected JOIN found USING ({', '.join(keys)})"
    ).fetchall()
    if not expected_rows == found_rows == same_rows:
        return [f"{expected_rows} rows are expected, {found_rows} found, {same_rows} with the keys"]
    return [
        f"{name} differs in {count} of {same_rows} rows"
        for name, count in zip(columns, counts, strict=True)
        if count
    ]


def differs(name: str, kind: str) -> str:
    """The SQL of whether a column differs between a row that is expected and the one found."""
    expected, found = f'expected."{name}"', f'found."{name}"'
    if kind != "DOUBLE":
        return f"{expected} IS DISTINCT FROM {found}"
    distance, largest = f"abs({expected} - {found})", f"greatest(abs({expected}), abs({found}))"
    tolerance = f"{RELATIVE_TOLERANCE} * {largest} + {ABSOLUTE_TOLERANCE}"
    # In DuckDB no number is larger than one that is not a number.
    is_near = f"coalesce(isfinite({distance}) AND {distance} <= {tolerance}, FALSE)"
    return f"{expected} IS DISTINCT FROM {found} AND NOT {is_near}"
