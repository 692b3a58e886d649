"""Stands in for Spark where a test is about what Airflow does: writes a few rows in a second.

    python quick_batch.py MAIN_FILE ARGUMENTS

The arguments are those of `runners/dataproc/batch.py`. Where the stage publishes, three cells and
two customers of the run go to BigQuery in place of the day's rows, or to a folder of a bucket. The
variable QUICK_BATCH names what goes wrong.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from datetime import UTC, date, datetime
from typing import Any

import pyarrow.parquet
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

CUSTOMERS, CELLS = 2, 3
CUSTOMER_TABLE = "customer_service_metrics_data"
CELL_TABLE = "cell_tower_performance_data"
SUMMARY_TABLE = "run_summary"
COLUMNS = {
    CUSTOMER_TABLE: {"customerID": "INT64"},
    CELL_TABLE: {"CellName": "STRING", "Maintainence_Required": "STRING"},
    SUMMARY_TABLE: {"section": "STRING", "subject": "STRING", "item": "STRING", "value": "FLOAT64"},
}


def rows_of(run: dict[str, Any], fault: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of each table; one of three cells is Required, but with a fault none or all."""
    lost = fault == "a row is lost"
    required = {"all are required": CELLS, "none is required": 0}.get(fault, 1)
    said = {"customer": CUSTOMERS, "cell": CELLS}
    return {
        CUSTOMER_TABLE: [{"customerID": one} | run for one in range(CUSTOMERS - lost)],
        CELL_TABLE: [
            {
                "CellName": f"{one}ALTE",
                "Maintainence_Required": "Required" if one < required else "Not Required",
            }
            | run
            for one in range(CELLS)
        ],
        SUMMARY_TABLE: [
            {"section": "kpi", "subject": level, "item": "rows", "value": float(count)} | run
            for level, count in said.items()
        ],
    }


def to_bigquery(place: str, prefix: str, run: dict[str, Any], rows: dict[str, Any]) -> None:
    """Replace the rows of the day."""
    project, dataset = place.removeprefix("bq://").split(".")
    client = bigquery.Client(project, credentials=AnonymousCredentials())
    for name, members in rows.items():
        table = f"`{project}.{dataset}.{prefix}{'_' if prefix else ''}{name}`"
        columns = COLUMNS[name] | {"run_date": "DATE", "run_id": "STRING"}
        named = ", ".join(f"{column} {kind}" for column, kind in columns.items())
        values = ", ".join(
            "(" + ", ".join(literal(row[column]) for column in columns) + ")" for row in members
        )
        for statement in (
            f"CREATE TABLE IF NOT EXISTS {table} ({named})",
            f"DELETE FROM {table} WHERE run_date = {literal(run['run_date'])}",
            f"INSERT INTO {table} ({', '.join(columns)}) VALUES {values}",
        ):
            client.query(statement).result(timeout=60)


def literal(value: object) -> str:
    """A value in SQL."""
    if isinstance(value, date):
        return f"DATE '{value}'"
    return repr(value)


def to_storage(place: str, run: dict[str, Any], rows: dict[str, Any]) -> None:
    """Write Parquet as a run does, and then the object that publishes it."""
    published = {"run_id": run["run_id"], "published_at": datetime.now(UTC)}
    tables = {f"runs/{run['run_id']}/{name}": members for name, members in rows.items()}
    client = storage.Client("p1", credentials=AnonymousCredentials())
    for name, members in {**tables, f"published/{run['run_id']}": [published]}.items():
        content = io.BytesIO()
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(members), content)
        blob = storage.Blob.from_uri(f"{place}/{name}/part-0.parquet", client=client)
        blob.upload_from_string(content.getvalue(), timeout=60)


def main() -> int:
    parser = argparse.ArgumentParser()
    for option in ("--stage", "--run-id", "--run-date", "--out"):
        parser.add_argument(option)
    parser.add_argument("--prefix", default="")
    options, _ = parser.parse_known_args(sys.argv[2:])
    fault = os.environ.get("QUICK_BATCH", "")
    run = {"run_id": options.run_id, "run_date": date.fromisoformat(options.run_date)}
    if options.stage in ("publish", "single"):
        rows = rows_of(run, fault)
        if options.out.startswith("bq://"):
            to_bigquery(options.out, options.prefix, run, rows)
        else:
            to_storage(options.out, run, rows)
    is_first = options.run_id.endswith("t1")
    return int(is_first and fault in ("first try fails", f"first try of {options.stage} fails"))


if __name__ == "__main__":
    sys.exit(main())
