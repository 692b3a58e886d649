"""A month of days into BigQuery: in turn, late, again and killed, it is the same as all at once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import NotFound

from tests.builders.thirty_days import Days, Inputs, Rows, assert_thirty_days_are_alike
from tests.doubles.services import CloudServices

pytestmark = [pytest.mark.killed, pytest.mark.cloud, pytest.mark.real_data]

TIMEOUT = 60.0


def dataset_reader(client: Any, dataset: str) -> Callable[[str], Rows]:
    def read(table: str) -> Rows:
        try:
            job = client.query(f"SELECT * FROM `p1.{dataset}.{table}`", timeout=TIMEOUT)
            return [dict(row) for row in job.result(timeout=TIMEOUT)]
        except NotFound:
            return []

    return read


def test_a_month_in_bigquery(
    cloud: CloudServices,
    cloud_jars: list[Path],
    cloud_spark: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", cloud.bigquery_url)
    environment = {"SPARK_CONF_DIR": str(cloud.write_spark_defaults(cloud_jars))}
    client = cloud.bigquery_client()
    (tmp_path / "in").mkdir()
    inputs = Inputs(tmp_path / "in")
    places = []
    for dataset in ("each", "whole"):
        client.create_dataset(dataset, timeout=TIMEOUT)
        reader = dataset_reader(client, dataset)
        places.append(Days(cloud_spark, inputs, f"bq://p1.{dataset}", reader, environment))
    assert_thirty_days_are_alike(*places)
    # What killed runs left behind has an end.
    staged = [table for table in client.list_tables("each") if "_staging_" in table.table_id]
    assert all(client.get_table(table, timeout=TIMEOUT).expires for table in staged)
