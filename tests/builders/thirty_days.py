"""Thirty days with faults, as they come to an operator: in turn, late, again, and with kills."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
from pyspark.sql import SparkSession

from anomaly import parse_profile
from anomaly.pipeline.output_tables import TABLES_OF_A_RUN, TABLES_OF_ALARMS
from anomaly.schema.tables import CELL_TABLE, HISTORY_TABLE, SUMMARY_TABLE
from runners.cli.backfill import Backfill, run_days
from runners.services.pipeline_run import new_run, run_pipeline
from runners.services.progress import Progress
from runners.storage.places import destination_of
from tests.builders.real_inputs import REAL_DATA

ROOT = Path(__file__).parents[2]
TABLES = (*TABLES_OF_A_RUN, *TABLES_OF_ALARMS)

# Days are numbered from 1, a Monday.
MONDAY, DAYS = date(2026, 1, 5), 30
CELLS = 8
RERUN, RERUN_AFTER = 12, 20
LATE, LATE_AFTER = 15, 29
# The alarms of a day rest on its week and the one before: on day 15, those of days 16 to 28.
REDONE = range(LATE, 29)
KILLS = 10

# Each benchmark of four weeks has its faults in the last one; five of those make our thirty days.
SEEDS = range(1, 6)
WEEK_OF_FAULTS = date(2026, 1, 26)

PROFILE_TEXT = """
name = "thirty_days"
[join]
keep_cells_without_customers = true
keep_customers_without_samples = true
[verdict]
minimum_defects = 1
minimum_evaluated = 1
[kpis.samples]
PRBUsageDL = { unit = "%", minimum = 0, maximum = 100 }
meanThr_DL = { unit = "Mbps" }
[kpis.call_statistics]
drop_vce_Mean = { unit = "calls" }
[rules.PRBUsageDL]
bad_when = "above"
method = "median_iqr"
k = 2
[rules.meanThr_DL]
bad_when = "below"
method = "median_iqr"
k = 1
[alarms]
period_minutes = 15
history_days = 7
baseline_days = 7
smoothed_periods = 4
largest_deviation = 5
raise_periods = 2
raise_within = 3
silent_periods = 2
clear_periods = 2
clear_level = 1.3
[alarms.kpis.downlink_resource_blocks]
meaning = "downlink resource blocks in use"
of = ["PRBUsageDL"]
unit = "%"
scale = "log"
offset = 3
bad_when = "above"
method = "median_iqr"
groups = ["cell", "slot"]
neighbouring_slots = 1
smallest_spread = 0.3
minimum_samples = 8
warn = 2
crit = 4
"""
PROFILE = parse_profile(PROFILE_TEXT)

# The rows of a table, each by its columns.
Rows = list[dict[str, Any]]


def day_of(number: int) -> date:
    """The date of a day that is numbered from 1."""
    return MONDAY + timedelta(days=number - 1)


class Inputs:
    """The samples of each day that has come, in a folder of its own; customers and calls are real.

    The same customers and calls are read on each day: those of the cells that have samples.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.profile = folder / "thirty_days.toml"
        self.profile.write_text(PROFILE_TEXT)
        self.places = {
            "customers": f"{folder}/customers.parquet",
            "samples": f"{folder}/samples/{{run_date}}",
            "call_statistics": f"{REAL_DATA}/data/call_statistics_first1136.csv",
        }
        (folder / "samples").mkdir()
        self._write()

    def arrive(self, number: int) -> None:
        """The samples of a day come; of the one whose data is late, those of the morning."""
        shutil.move(self.folder / "coming" / str(number), self._of_day(number))

    def arrive_late(self) -> None:
        """The afternoon of the day whose data is late comes."""
        shutil.move(self.folder / "coming" / "late.csv", self._of_day(LATE) / "late.csv")

    def of_day(self, number: int) -> dict[str, str]:
        """Where the inputs of a day lie."""
        day = str(day_of(number))
        return {source: place.replace("{run_date}", day) for source, place in self.places.items()}

    def _of_day(self, number: int) -> Path:
        return Path(self.of_day(number)["samples"])

    def _write(self) -> None:
        # One value of each hour is no number, so that each day has rejected rows.
        load = "if(Time[15:] = '00:00', 'N/A', PRBUsageDL) as PRBUsageDL"
        weeks = " union all ".join(
            f"select Time::timestamp + interval ({7 * week - 21}) day as begin, CellName, "
            f"{load}, meanThr_DL from read_csv('{self._benchmark(seed)}', all_varchar = true) "
            f"where Time >= '{WEEK_OF_FAULTS}'"
            for week, seed in enumerate(SEEDS)
        )
        made = duckdb.connect()
        made.sql(
            f"create table cells as "
            f"select distinct CellName from ({weeks}) order by CellName limit {CELLS}"
        )
        made.sql(f"create table samples as from ({weeks}) semi join cells using (CellName)")
        for number in range(1, DAYS + 1):
            folder = self.folder / "coming" / str(number)
            folder.mkdir(parents=True)
            end = f"{day_of(number)} 12:00" if number == LATE else str(day_of(number + 1))
            self._copy(made, str(day_of(number)), end, folder / "samples.csv")
        late = self.folder / "coming" / "late.csv"
        self._copy(made, f"{day_of(LATE)} 12:00", str(day_of(LATE + 1)), late)
        customers = f"select * from '{REAL_DATA}/data/customers/*.parquet'"
        made.sql(
            f"copy (from ({customers}) semi join cells on CellTower = CellName) "
            f"to '{self.places['customers']}' (format parquet)"
        )

    def _copy(self, made: duckdb.DuckDBPyConnection, begin: str, end: str, file: Path) -> None:
        made.sql(
            "copy (select strftime(begin, '%Y-%m-%d %H:%M:%S') as Time, * exclude (begin) "
            f"from samples where begin >= '{begin}' and begin < '{end}' order by all) to '{file}'"
        )

    def _benchmark(self, seed: int) -> Path:
        """The samples of the benchmark of alarms, which its own environment makes."""
        python, folder = ROOT / ".venv-detection/bin/python", self.folder / "benchmark" / str(seed)
        command = [str(python), "-m", "benchmarks.detection.dataset", str(seed), str(folder)]
        subprocess.run(command, cwd=ROOT, check=True)
        return folder / "samples.csv"


@dataclass
class Days:
    """Days that are run into one place; `read` gives the rows of a table there.

    `environment` is what a run in a process of its own needs to find the place.
    """

    spark: SparkSession
    inputs: Inputs
    out: str
    read: Callable[[str], Rows]
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, first: int, last: int) -> dict[int, list[str]]:
        """Run what has to be run; returns the reasons for each day that was."""
        out = destination_of(self.out)
        backfill = Backfill(PROFILE, self.inputs.places, out, day_of(first), day_of(last))
        return {
            (done.day - MONDAY).days + 1: [*done.reasons]
            for done in run_days(self.spark, backfill)
            if done.reasons
        }

    def rerun(self, number: int) -> None:
        """Run a day again, with the week before it as its history."""
        inputs: dict[str, Any] = dict(self.inputs.of_day(number))
        inputs["history"] = [
            self.inputs.of_day(before)["samples"] for before in range(max(number - 14, 1), number)
        ]
        run = new_run(day_of(number))
        out = destination_of(self.out)
        run_pipeline(self.spark, PROFILE, inputs, out, run, Progress())

    def start(self, number: int) -> subprocess.Popen[str]:
        """A day that is run in a process group of its own, to which a JVM belongs as well."""
        places, day = self.inputs.places, str(day_of(number))
        command = [sys.executable, "-m", "runners.cli.main", "backfill", "--from", day, "--to", day]
        command += ["--profile", str(self.inputs.profile), "--out", self.out]
        command += ["--customers", places["customers"], "--samples", places["samples"]]
        command += ["--calls", places["call_statistics"]]
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def killed(self, number: int, seconds: float) -> bool:
        """Start a day and kill it after so long; False where it was done before."""
        process = self.start(number)
        try:
            process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        # Returns when nobody holds the pipe any more: a JVM is gone as well.
        told, _ = process.communicate()
        assert process.returncode in (0, -signal.SIGKILL), told
        return process.returncode != 0

    def rows(self) -> dict[str, list[str]]:
        """The rows of each table, in order, without what tells runs of the same inputs apart."""
        found = {}
        for table in TABLES:
            rows = [{**row, "run_id": None} for row in self.read(table)]
            if table == SUMMARY_TABLE:
                # Runs that are killed are processes of their own, which choose in their own way.
                of_process = ("seconds", "origin", "engine")
                rows = [row for row in rows if row["section"] not in of_process]
            found[table] = sorted(repr(sorted(row.items())) for row in rows)
        return found

    def runs(self) -> dict[tuple[str, int], set[str]]:
        """The runs whose rows a table holds of a day; each is one."""
        found: dict[tuple[str, int], set[str]] = {}
        for table in TABLES:
            for row in self.read(table):
                key = table, (row["run_date"] - MONDAY).days + 1
                found.setdefault(key, set()).add(row["run_id"])
        assert all(len(runs) == 1 for runs in found.values()), found
        return found

    def days(self) -> int:
        """How many days are published; all tables that always have rows have the same ones."""
        found = self.runs()
        of_cells = {day for table, day in found if table == CELL_TABLE}
        assert of_cells == {day for table, day in found if table == SUMMARY_TABLE}
        assert of_cells == {day for table, day in found if table == HISTORY_TABLE}
        assert of_cells == set(range(1, len(of_cells) + 1))
        return len(of_cells)


def as_they_come(days: Days) -> None:
    """Day by day; ten runs are killed and repeated, day 12 is run again, day 15 has late data."""
    chance = random.Random(30)
    days.inputs.arrive(1)
    began = time.monotonic()
    told, _ = (process := days.start(1)).communicate()
    assert process.returncode == 0, told
    seconds = time.monotonic() - began
    kills = published_though_killed = 0
    for number in range(2, DAYS + 1):
        days.inputs.arrive(number)
        # A run that is done before it is killed does not count.
        if kills < KILLS and days.killed(number, chance.uniform(0, seconds)):
            kills += 1
            there = days.days()
            assert there in (number - 1, number)
            published_though_killed += there == number
        days.run(number, number)
        assert days.days() == number
        if number == RERUN_AFTER:
            _run_again(days)
        if number == LATE_AFTER:
            _late_data(days)
    assert kills == KILLS
    print(f"{kills} runs of {seconds:.0f} s killed, {published_though_killed} had published")


def _run_again(days: Days) -> None:
    """A day that is run again from the same inputs changes its run's name and nothing else."""
    rows, runs = days.rows(), days.runs()
    days.rerun(RERUN)
    assert days.rows() == rows
    assert changed(runs, days.runs()) == {RERUN}


def _late_data(days: Days) -> None:
    """Late data changes its day and those whose alarms rest on it; other days keep their runs."""
    runs = days.runs()
    days.inputs.arrive_late()
    reasons = days.run(1, LATE_AFTER)
    assert list(reasons) == list(REDONE)
    assert reasons[LATE] == ["the samples changed (1 file before, 2 now)"]
    for number in REDONE[1:]:
        (reason,) = reasons[number]
        assert reason.startswith("the samples of earlier days, which its alarms depend on, changed")
    assert changed(runs, days.runs()) == set(REDONE)
    assert days.run(1, LATE_AFTER) == {}


def changed(
    before: Mapping[tuple[str, int], set[str]], after: Mapping[tuple[str, int], set[str]]
) -> set[int]:
    """The days of which a table has rows of another run, but for the history, which follows.

    A table without rows of a day, such as alarms, has no run of it either.
    """
    return {
        day
        for table, day in {*before, *after}
        if table != HISTORY_TABLE and before.get((table, day)) != after.get((table, day))
    }


def assert_thirty_days_are_alike(each: Days, whole: Days) -> None:
    """Days as they come, and all of them at once when everything has come, make the same rows."""
    as_they_come(each)
    assert sorted(whole.run(1, DAYS)) == list(range(1, DAYS + 1))
    rows = whole.rows()
    assert each.rows() == rows
    states = {row["state"] for row in whole.read(HISTORY_TABLE)}
    assert {"HEALTHY", "NEW", "PERSISTING", "RECOVERED"} <= states
    assert all(rows.values())
    print({table: len(found) for table, found in rows.items()}, sorted(states))
