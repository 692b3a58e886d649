"""The same rows on Spark 3.5 and 4.x, classic and through Spark Connect.

This session's Spark is the one side; the Python that OTHER_PYTHON names has the other Spark.
"""

import os
import subprocess
from datetime import date
from pathlib import Path

import duckdb
import pytest

from anomaly import load_profile
from runners.local import run_locally
from runners.storage.places import destination_of
from tests.builders.small_inputs import SmallInputs, families_text

pytestmark = pytest.mark.other_python
ROOT = Path(__file__).parents[2]
RUN_DATE = date(2026, 11, 1)


def other_python(*arguments: object) -> str:
    """What the other Python prints; it is told nothing of this process's session."""
    told = {name: value for name, value in os.environ.items() if "SPARK" not in name}
    command = [os.environ["OTHER_PYTHON"], *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def outputs(spark, tmp_path_factory):
    """The folders of two runs of one profile on the same inputs: this Spark's and the other's."""
    folder = tmp_path_factory.mktemp("versions")
    inputs = SmallInputs().write(folder / "in", files=2)
    profile = folder / "small.toml"
    profile.write_text(families_text())
    run_locally(load_profile(str(profile)), inputs, destination_of(str(folder / "this")), RUN_DATE)
    other_python(
        *("-m", "runners.cli.main", "run", "--master", "local[2]"),
        *("--profile", profile, "--customers", inputs["customers"]),
        *("--samples", inputs["samples"], "--calls", inputs["call_statistics"]),
        *("--run-date", RUN_DATE, "--out", folder / "other"),
    )
    return folder / "this", folder / "other"


def published(out, table):
    """Column names and types of a table, and its rows as sorted texts: every bit of a number."""
    rows = duckdb.sql(f"select * exclude (run_id) from '{out}/{table}/*/*.parquet'")
    return rows.columns, rows.types, sorted(map(repr, rows.fetchall()))


def test_the_other_spark_is_of_another_version(spark):
    other = other_python("-c", "import pyspark; print(pyspark.__version__)").strip()
    assert other.split(".")[0] != spark.version.split(".")[0]


@pytest.mark.parametrize(
    ("table", "least_rows"),
    [
        ("customer_service_metrics_data", 41),
        ("cell_tower_performance_data", 12),
        ("rejected_rows", 10),
    ],
)
def test_rows_are_the_same_to_the_last_bit(outputs, table, least_rows):
    ours, others = (published(out, table) for out in outputs)
    assert len(ours[2]) >= least_rows
    assert ours == others
