"""Small tables of a run, published to BigQuery, and what BigQuery's own client finds there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from anomaly import Run, parse_profile
from anomaly.pipeline.output_tables import table_columns
from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE, REJECTED_TABLE, SUMMARY_TABLE
from runners.storage.bigquery import BigQueryDataset
from runners.storage.bigquery_dataset import Dataset
from runners.storage.destination import Publishing
from tests.builders.small_inputs import profile_text

TIMEOUT = 60.0
PROFILE = parse_profile(profile_text())
DAY, NEXT_DAY = date(2026, 11, 1), date(2026, 11, 2)
TABLES = (REJECTED_TABLE, CUSTOMER_TABLE, CELL_TABLE, SUMMARY_TABLE)
COLUMNS = table_columns(PROFILE, TABLES)


def evidence(value: float | None) -> dict[str, Any]:
    """One KPI's evidence, with a value or none."""
    return {
        "kpi": "s0",
        "status": "CRIT" if value else "NO_DATA",
        "flag": 1 if value else None,
        "value": value,
        "unit": "users",
        "bound": 1.25,
        "direction": "above",
        "method": "median_iqr",
        "baseline": 0.1,
        "spread": None,
        "baseline_count": 3,
        "value_count": 2**40,
        "deviation": -1e-300,
        "deviation_unit": "spreads",
        "reason": "größer als\nerlaubt; 'quoted' \\ `ticks`",
        "family": "traffic",
        "peers": None,
        "scale": "log",
        "log_offset": 0.5,
        "standard_error": value,
    }


def rows(run: Run, cells: Mapping[str, float | None]) -> dict[str, list[dict[str, Any]]]:
    """A row of each table for each cell; what is not said here is NULL."""
    of_run = {"run_date": run.run_date, "run_id": run.run_id, "profile": "small@0"}
    # A run without any cell tells of that in its summary.
    nothing = dict.fromkeys((column.name for column in COLUMNS[SUMMARY_TABLE]), None)
    found: dict[str, list[dict[str, Any]]] = {
        name: [nothing | of_run] if name == SUMMARY_TABLE and not cells else [] for name in TABLES
    }
    for number, (cell, value) in enumerate(cells.items(), start=1):
        judged = {"CellName": cell, "avg_s0": value, "evidence": [evidence(value)] * number}
        specific = {
            CUSTOMER_TABLE: {"customerID": number, **judged},
            CELL_TABLE: {
                "severity_rank": number,
                "Maintainence_Required": "Required",
                "failed_families": ["traffic", "größer"],
                **judged,
            },
            REJECTED_TABLE: {"source": "samples", "column": cell, "source_row": number},
            SUMMARY_TABLE: {"section": "kpi", "subject": cell, "value": value},
        }
        for name, columns in COLUMNS.items():
            # BigQuery has no array that is NULL.
            empty = {
                column.name: [] if column.type.startswith("array") else None for column in columns
            }
            found[name].append(empty | specific[name] | of_run)
    return found


def frames(spark: Any, found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """The same as DataFrames with the columns of their contracts."""
    return {
        name: spark.createDataFrame(
            [tuple(row.values()) for row in found[name]],
            ", ".join(f"`{column.name}` {column.type}" for column in columns),
        )
        for name, columns in COLUMNS.items()
    }


class Published:
    """A dataset of a test's own, and the tables that runs publish there."""

    def __init__(self, spark: Any, client: Any, dataset: str) -> None:
        self.spark, self.client = spark, client
        self.place = Dataset(f"bq://{client.project}.{dataset}", Publishing("x"))

    def destination(self, run: Run, **options: Any) -> BigQueryDataset:
        """The destination of a run, not entered."""
        publishing = replace(self.place.publishing, **options)
        place = replace(self.place, publishing=publishing)
        return BigQueryDataset(self.spark, place, run, COLUMNS)

    def publish(self, run: Run, cells: Mapping[str, float | None], **options: Any) -> None:
        """What a run does with its tables."""
        with self.destination(run, **options) as destination:
            for name, frame in frames(self.spark, rows(run, cells)).items():
                destination.stage(name, frame)
            destination.publish()

    def query(self, sql: str) -> list[dict[str, Any]]:
        """Rows that BigQuery's own client finds; `{TABLE}` stands for the full name of a table."""
        for name in TABLES:
            sql = sql.replace(f"{{{name}}}", f"`{self.place.full_name(name)}`")
        job = self.client.query(sql, timeout=TIMEOUT, job_retry=None)
        return [dict(row) for row in job.result(timeout=TIMEOUT)]

    def found(self) -> dict[str, list[dict[str, Any]]]:
        """All rows of all tables, each table in the order of its rows' texts."""
        return {name: sorted(self.query(f"SELECT * FROM {{{name}}}"), key=str) for name in TABLES}

    def metadata(self) -> dict[str, Any]:
        """What is said of each table, without what each write changes."""
        kept = ("schema", "timePartitioning", "clustering", "description", "labels")
        return {
            name: {
                part: self.client.get_table(self.place.full_name(name), timeout=TIMEOUT)
                .to_api_repr()
                .get(part)
                for part in kept
            }
            for name in TABLES
        }

    def table_names(self) -> set[str]:
        """Every table of the dataset, staging tables too."""
        return {
            table.table_id for table in self.client.list_tables(self.place.dataset, timeout=TIMEOUT)
        }


def expected(*runs: tuple[Run, Mapping[str, float | None]]) -> dict[str, list[dict[str, Any]]]:
    """The rows of these runs as `Published.found` gives them."""
    return {
        name: sorted((row for run in runs for row in rows(*run)[name]), key=str) for name in TABLES
    }
