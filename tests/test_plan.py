"""What the plans of a run cost, counted: jobs, scans, windows, joins. No wall time."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from anomaly import parse_profile
from anomaly.contracts import REJECTED_TABLE
from runners import run
from runners.local import run_locally
from runners.storage.parquet_folder import ParquetFolder
from tests.small_inputs import SmallInputs, profile_text

pytestmark = pytest.mark.classic
MOST_JOBS = 8


class RecordedRun:
    """One run of the pipeline, with the plan and the jobs of each table that it staged.

    Its input files are removed as soon as the rejected rows are written: whoever reads an input
    once more fails.
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

        before = jobs_so_far()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ParquetFolder, "stage", stage)
            # Jobs are told apart by the stage that is under way.
            patch.setattr(run, "BESIDE", ())
            finished = run_locally(
                parse_profile(profile_text(kpis)), inputs, str(folder / "out"), date(2026, 11, 1)
            )
        self.summary = finished.summary
        self.jobs["whole run"] = jobs_so_far() - before


@pytest.fixture(scope="module")
def runs(spark, tmp_path_factory):
    return {
        kpis: RecordedRun(spark, tmp_path_factory.mktemp(f"kpis{kpis}"), kpis) for kpis in (5, 50)
    }


def test_jobs_do_not_grow_with_the_catalogue_and_are_few(runs):
    jobs = [run.jobs["whole run"] - run.jobs[REJECTED_TABLE] for run in runs.values()]
    assert jobs[0] == jobs[1]
    assert jobs[0] <= MOST_JOBS, runs[5].jobs


def test_no_cartesian_product_and_no_task_that_takes_all_rows(runs):
    for name, plan in runs[5].plans.items():
        assert "CartesianProduct" not in plan, name
        assert "BroadcastNestedLoopJoin" not in plan, name
        assert "SinglePartition" not in plan, name


def test_each_input_file_is_read_by_one_scan(runs):
    figures = {(row.section, row.subject, row.item): row.value for row in runs[5].summary}
    assert figures["join", "all inputs", "customers"] == 60
    read = [row.value for row in runs[5].summary if (row.section, row.item) == ("input", "rows in")]
    assert sorted(read) == [30, 30, 60, 75, 75]
