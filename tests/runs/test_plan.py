"""What the plans of a run cost, counted: jobs, scans, windows, joins. No wall time."""

import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from anomaly import parse_profile
from anomaly.pipeline.graph import at_once
from anomaly.pipeline.levels import rules_of_levels
from anomaly.schema.tables import HISTORY_TABLE, REJECTED_TABLE
from runners.cli.alarms import AlarmInputs, run_alarms
from runners.local import run_locally
from runners.services.materializer import Materializer
from runners.storage.parquet_folder import ParquetFolder
from runners.storage.places import destination_of
from tests.builders.alarm_kpis import HEAD, OF_PEERS, kpi
from tests.builders.small_inputs import SmallInputs, profile_text, write_csv

pytestmark = [pytest.mark.classic, pytest.mark.on_each_spark]
MOST_JOBS = 8
# The columns of the one row that is sent to each task to meet every row there, by level and group.
LIMITS = ["rule", "baseline", "bounds"]
SENT = "BroadcastExchange IdentityBroadcastMode"
OF_ONE_ROW = r".*Project \[(.*)\]\n.*Filter .* = level#\d+\) AND .* = peers#\d+\)"
ONE_ROW = re.compile(rf"ReusedExchange \[(.*)\], {SENT}|- {SENT}.*\n{OF_ONE_ROW}")


class RecordedRun:
    """A run of the pipeline as it is, and one more with the plan and the jobs of each table.

    The input files of that one are removed as soon as the rejected rows are written: whoever reads
    an input once more fails.
    """

    def __init__(self, spark, folder: Path, kpis: int) -> None:
        self.plans: dict[str, str] = {}
        self.jobs: dict[str, int] = {}
        inputs = SmallInputs(kpis=kpis).write(folder / "in", files=2)
        write = ParquetFolder.stage

        def jobs_so_far() -> int:
            return spark.sparkContext._jsc.sc().dagScheduler().numTotalJobs()

        def stage(destination, name, frame):
            before = jobs_so_far()
            self.plans[name] = frame._jdf.queryExecution().executedPlan().toString()
            kept = write(destination, name, frame)
            self.jobs[name] = jobs_so_far() - before
            if name == REJECTED_TABLE:
                shutil.rmtree(folder / "in")
            return kept

        profile = parse_profile(profile_text(kpis))
        before = jobs_so_far()
        run_locally(profile, inputs, destination_of(str(folder / "as it is")), date(2026, 11, 1))
        self.jobs["whole run"] = jobs_so_far() - before
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ParquetFolder, "stage", stage)
            # Jobs are told apart by the stage that is under way.
            patch.setattr(Materializer, "submit", lambda _, work: at_once(work))
            finished = run_locally(
                profile, inputs, destination_of(str(folder / "out")), date(2026, 11, 1)
            )
        self.summary = finished.summary


@pytest.fixture(scope="module")
def runs(spark, tmp_path_factory):
    return {
        kpis: RecordedRun(spark, tmp_path_factory.mktemp(f"kpis{kpis}"), kpis) for kpis in (5, 50)
    }


@pytest.mark.slow
def test_jobs_do_not_grow_with_the_catalogue_and_are_few(runs):
    # What judges the day; the rejected rows and the history over days stand beside it.
    beside = (REJECTED_TABLE, HISTORY_TABLE)
    jobs = [run.jobs["whole run"] - sum(map(run.jobs.get, beside)) for run in runs.values()]
    assert jobs[0] == jobs[1]
    assert jobs[0] <= MOST_JOBS, runs[5].jobs
    assert [run.jobs[HISTORY_TABLE] for run in runs.values()] == [1, 1]


@pytest.mark.slow
def test_no_cartesian_product_and_no_task_that_takes_all_rows(runs):
    for name, plan in runs[5].plans.items():
        assert "CartesianProduct" not in plan, name
        # Rows meet the one row of limits of their level, whose keys Spark knows as constants, and
        # nothing else without a key.
        sides = [re.findall(r"(\w+)#\d+", "".join(side)) for side in ONE_ROW.findall(plan)]
        assert sides == [LIMITS] * plan.count("BroadcastNestedLoopJoin"), name
        assert "SinglePartition" not in plan, name


@pytest.mark.slow
def test_each_input_file_is_read_by_one_scan(runs):
    figures = {(row.section, row.subject, row.item): row.value for row in runs[5].summary.rows}
    assert figures["join", "all inputs", "customers"] == 60
    read = [
        row.value for row in runs[5].summary.rows if (row.section, row.item) == ("input", "rows in")
    ]
    assert sorted(read) == [30, 30, 60, 75, 75]


def test_only_rules_that_measure_from_the_centre_cost_a_second_aggregate(spark):
    """And all of them the same, however many there are."""

    def scans(profile):
        judged = parse_profile(profile)
        kpis = f"struct<{', '.join(f'{kpi.name}: double' for kpi in judged.published_kpis)}>"
        rows = spark.createDataFrame(
            [("cell", (1.0,) * len(judged.published_kpis), None, None)],
            f"level string, kpis {kpis}, errors {kpis}, peers string",
        )
        rules = rules_of_levels([rows], judged)
        return rules._jdf.queryExecution().executedPlan().toString().count("Scan ExistingRDD")

    by_median = profile_text(8)
    by_mad = by_median.replace('"median_iqr"', '"median_mad"')
    one_by_deviation = by_median.replace('"median_iqr"', '"mean_std"', 1)
    assert [scans(text) for text in (by_median, by_mad, one_by_deviation)] == [1, 2, 2]


class RecordedAlarms:
    """One run for alarms of so many KPIs, with the plan of each frame that was written.

    Its input is removed as soon as the periods are written: whoever reads it once more fails.
    """

    def __init__(self, folder: Path, kpis: int) -> None:
        self.plans: dict[str, str] = {}
        samples = [
            [f"2026-01-{day:02} {hour:02}:00", cell, 5, 3, "A"]
            for cell in ("1A", "2B")
            for day in range(5, 20)
            for hour in (0, 6, 12, 18)
        ]
        header = ["Time", "CellName", "load", "users", "Vendor"]
        write_csv(folder / "samples.csv", header, samples)
        slots = 'groups = ["cell", "slot"]\nminimum_samples = 5'
        text = "".join(kpi(f"kpi{n}", "median_iqr", more=slots) for n in range(kpis))
        write = ParquetFolder.stage

        def stage(destination, name, frame):
            self.plans[name] = frame._jdf.queryExecution().executedPlan().toString()
            kept = write(destination, name, frame)
            if name == "alarm_periods":
                (folder / "samples.csv").unlink()
            return kept

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ParquetFolder, "stage", stage)
            patch.setattr(Materializer, "submit", lambda _, work: at_once(work))
            inputs = AlarmInputs(str(folder / "samples.csv"))
            profile = parse_profile(HEAD + text + OF_PEERS)
            run_alarms(profile, inputs, destination_of(str(folder / "out")), date(2026, 11, 1))

    def count(self, operator: str) -> dict[str, int]:
        """How often an operator stands in each plan."""
        return {name: plan.count(operator) for name, plan in self.plans.items()}


@pytest.mark.slow
def test_alarms_of_many_kpis_cost_no_more_scans_exchanges_and_windows(spark, tmp_path):
    few, many = (RecordedAlarms(tmp_path / str(kpis), kpis) for kpis in (2, 12))
    for operator in ("Exchange hashpartitioning", "FileScan", "+- Window", "Join"):
        assert few.count(operator) == many.count(operator), operator
    for name, plan in few.plans.items():
        assert "CartesianProduct" not in plan, name
