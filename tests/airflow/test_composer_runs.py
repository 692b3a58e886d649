"""Whole runs of the DAG on the real inputs: real operators, real spark-submit, tables in BigQuery.

Their rows are those of the local runner, whatever the shape and whichever try wrote them.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE
from runners.cli.main import main
from tests.airflow.deployed import DAY, Deployed
from tests.airflow.harness import Run
from tests.builders.real_inputs import REAL_DATA
from tests.doubles.services import CloudServices

try:
    from tests.cloud.fetch_jars import fetch_jars
    from tests.cloud.published_rows import KEYS, in_parquet, without_run_id
    from tests.doubles.dataproc_fake import LocalSubmit
    from tests.doubles.spark_submit import spark_submit
except ModuleNotFoundError:
    pass  # any environment can collect (and deselect) these tests; selected there, they fail

pytestmark = [pytest.mark.airflow, pytest.mark.real_data]

FAIL_FIRST = Path(__file__).with_name("fail_first.py")
INPUTS = {
    "customers": REAL_DATA / "data/customers",
    "samples": REAL_DATA / "data/service_threshold_data.csv",
    "calls": REAL_DATA / "data/call_statistics_first1136.csv",
}
RUN_SECONDS = 600.0


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the local runner writes for the same day, by table and key."""
    out = tmp_path_factory.mktemp("local")
    inputs = [part for name, path in INPUTS.items() for part in (f"--{name}", str(path))]
    assert main(["run", *inputs, "--out", str(out), "--run-date", DAY]) == 0
    return {table: without_run_id(in_parquet(out, table, keys)) for table, keys in KEYS.items()}


@pytest.fixture
def run_batch(cloud: CloudServices, tmp_path: Path) -> LocalSubmit:
    """Batches with Spark; the first try of `publish` fails when it has published."""
    jars = fetch_jars(Path(__file__).parents[2] / ".jars")
    return spark_submit(cloud, jars, tmp_path / "batches", sys.executable, str(FAIL_FIRST))


@pytest.fixture
def deployed(deployed: Deployed) -> Deployed:
    """With the real inputs, and as few partitions as suit them."""
    deployed.airflow.timeout_seconds = RUN_SECONDS
    deployed.change('"spark.sql.shuffle.partitions" = "32"', '"spark.sql.shuffle.partitions" = "2"')
    for name, path in INPUTS.items():
        for file in [path] if path.is_file() else sorted(path.iterdir()):
            if file.suffix in (".csv", ".parquet"):
                deployed.put(f"{name}/{DAY}/{file.name}", file.read_bytes())
    return deployed


def test_tables_are_those_of_the_local_runner(
    deployed: Deployed, local: dict[str, Any], tmp_path: Path
) -> None:
    """A staged run whose publishing fails after writing, and the same day in one batch."""
    run = deployed.run(deployed.deploy(shape="staged"))
    assert run.state == "success", run.log
    assert {name: task.tries for name, task in run.tasks.items() if task.tries > 1} == {
        "publish": 2
    }
    check_tables(deployed, run, local, "t2")

    deployed.rename("cell-tower-anomaly-at-once")
    run = deployed.run(deployed.deploy(shape="single"))
    assert run.state == "success", run.log
    check_tables(deployed, run, local, "t1")

    batches = list(deployed.arguments())
    assert len(batches) == 7
    log = (tmp_path / "batches" / f"{batches[-1]}.log").read_text()
    assert '"message": "run ended"' in log


def check_tables(deployed: Deployed, run: Run, local: dict[str, Any], attempt: str) -> None:
    """Both tables in BigQuery are what the local runner writes, no row twice, none missing."""
    run_id = run.tasks["plan"].left["return_value"]["key"] + attempt
    client = deployed.cloud.bigquery_client()
    for table, keys in KEYS.items():
        query = f"SELECT * FROM `{deployed.cloud.project}.{deployed.name}.{table}`"
        rows = [dict(row) for row in client.query(query).result(timeout=RUN_SECONDS)]
        assert {row["run_id"] for row in rows} == {run_id}
        assert len(rows) == len(local[table]) == {CELL_TABLE: 52, CUSTOMER_TABLE: 780}[table]
        found = {tuple(row[name] for name in keys): row for row in rows}
        assert without_run_id(found) == local[table]
    assert run.tasks["check-result"].left["return_value"] == {
        **{"run_id": run_id, "customers": 780, "cells": 52, "required": 1},
    }
