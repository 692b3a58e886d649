"""What a run sends between its tasks, and the files it leaves, counted. No wall time."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE, HISTORY_TABLE, SUMMARY_TABLE
from runners.engines.spark.session import SETTINGS
from tests.builders.small_inputs import SmallInputs, profile_text

pytestmark = [pytest.mark.slow, pytest.mark.classic]
ROOT = Path(__file__).parents[2]
TIMES_MORE = 8
COUNTS = ("jobs", "stages", "rows")


def events(folder: Path, place: Path, inputs: SmallInputs, kpis: int) -> list[dict]:
    """The events that Spark logs of a run of the console command in a process of its own.

    The inputs are written to the same place each time: by the names of the files it is decided
    which task counts their rows.
    """
    places = inputs.write(place)
    (folder / "log").mkdir()
    (folder / "profile.toml").write_text(profile_text(kpis))
    # One file of plain text, on Spark 4, too.
    log = f"-Dspark.eventLog.enabled=true -Dspark.eventLog.dir=file://{folder}/log"
    log += " -Dspark.eventLog.rolling.enabled=false -Dspark.eventLog.compress=false"
    command = ["-m", "runners.cli.main", "run", "--profile", folder / "profile.toml"]
    command += ["--customers", places["customers"], "--samples", places["samples"]]
    command += ["--calls", places["call_statistics"], "--out", folder / "out"]
    subprocess.run(
        [sys.executable, *command, "--master", "local[2]"],
        cwd=ROOT,
        env={**os.environ, "SPARK_SUBMIT_OPTS": log},
        check=True,
        capture_output=True,
    )
    (written,) = (folder / "log").iterdir()
    # By line feeds alone: plans have other characters that end lines, too.
    return [json.loads(line) for line in written.read_text().split("\n") if line]


def counted(found: list[dict]) -> Counter[str]:
    """Jobs and stages of a run, and the rows and bytes that its tasks wrote for others."""
    of_run: Counter[str] = Counter()
    for event in found:
        of_run["jobs"] += event["Event"] == "SparkListenerJobStart"
        of_run["stages"] += event["Event"] == "SparkListenerStageCompleted"
        if event["Event"] == "SparkListenerTaskEnd":
            written = event["Task Metrics"]["Shuffle Write Metrics"]
            of_run["rows"] += written["Shuffle Records Written"]
            of_run["bytes"] += written["Shuffle Bytes Written"]
    return of_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("usual")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("in") / "in"


@pytest.fixture(scope="module")
def usual(folder, place):
    return counted(events(folder, place, SmallInputs(), kpis=6))


def test_more_rows_of_a_customer_are_averaged_before_they_are_sent(usual, place, tmp_path):
    inputs = SmallInputs()
    header, *rows = inputs.calls
    inputs.calls = [header, *rows * TIMES_MORE]
    many = counted(events(tmp_path, place, inputs, kpis=6))
    assert [many[what] for what in COUNTS] == [usual[what] for what in COUNTS]
    # The averages are the same, but not how well they are packed.
    assert many["bytes"] < usual["bytes"] * 1.1


def test_more_customers_cost_no_stages_and_send_in_proportion(usual, place, tmp_path):
    inputs = SmallInputs()
    header, *calls = inputs.calls
    # The numbers of customers and callers are below 100.
    added = [100 * times for times in range(TIMES_MORE)]
    inputs.calls = [header] + [
        [f"100{int(caller[3:]) + number:04d}", *values]
        for number in added
        for caller, *values in calls
    ]
    inputs.customers = [
        [customer + number, *others] for number in added for customer, *others in inputs.customers
    ]
    many = counted(events(tmp_path, place, inputs, kpis=6))
    assert (many["jobs"], many["stages"]) == (usual["jobs"], usual["stages"])
    for what in ("rows", "bytes"):
        assert usual[what] < many[what] <= usual[what] * TIMES_MORE


def test_more_kpis_cost_no_jobs_and_no_stages(usual, place, tmp_path):
    many = counted(events(tmp_path, place, SmallInputs(kpis=50), kpis=50))
    assert (many["jobs"], many["stages"]) == (usual["jobs"], usual["stages"])
    # Each KPI sends rows of its own, and nothing that grows faster.
    assert usual["rows"] < many["rows"] < usual["rows"] * 50 / 6


def test_a_table_has_no_more_files_than_a_shuffle_has_tasks_and_none_without_rows(usual, folder):
    files = {
        table: [pq.read_metadata(file) for file in (folder / "out" / table).rglob("*.parquet")]
        for table in (CUSTOMER_TABLE, CELL_TABLE, HISTORY_TABLE, SUMMARY_TABLE)
    }
    assert len(files[SUMMARY_TABLE]) == 1
    for table, found in files.items():
        assert 1 <= len(found) <= int(SETTINGS["spark.sql.shuffle.partitions"]), table
        assert all(file.num_rows > 0 for file in found), table
