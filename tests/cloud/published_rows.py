"""The rows of published tables, as tools other than Spark read them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE

TIMEOUT = 60.0
KEYS = {CELL_TABLE: ("CellName",), CUSTOMER_TABLE: ("customerID", "CellName")}


def in_bigquery(client: Any, dataset: str, table: str, keys: tuple[str, ...]) -> dict[Any, Any]:
    """The rows of a table by their keys, as BigQuery's own client reads them."""
    job = client.query(f"SELECT * FROM `p1.{dataset}.{table}`", timeout=TIMEOUT)
    rows = [dict(row) for row in job.result(timeout=TIMEOUT)]
    return {tuple(row[key] for key in keys): row for row in rows}


def in_parquet(folder: Path, table: str, keys: tuple[str, ...]) -> dict[Any, Any]:
    """The rows of a table by their keys, as DuckDB reads them."""
    cursor = duckdb.execute(f"SELECT * FROM '{folder}/{table}/*/*.parquet'")
    names = [column[0] for column in cursor.description or ()]
    rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
    return {tuple(row[key] for key in keys): row for row in rows}


def without_run_id(rows: dict[Any, Any]) -> dict[Any, Any]:
    return {
        key: {name: value for name, value in row.items() if name != "run_id"}
        for key, row in rows.items()
    }
