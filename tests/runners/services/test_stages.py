"""The stages, each a process of its own where they are deployed, make what one run makes."""

from datetime import date

import pytest

from anomaly import InputError, Run, parse_profile
from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE, REJECTED_TABLE, SUMMARY_TABLE
from runners.dataproc.batch import main
from runners.local import run_locally
from runners.services.console import Progress
from runners.services.exit_codes import BAD_CONFIGURATION
from runners.services.staged_run import PUBLISH_STAGE, STAGES, StageRun
from runners.storage.destination import DEFAULT_PUBLISHING
from tests.builders.small_inputs import SmallInputs, profile_text

DAY = date(2026, 11, 1)


class Staged:
    """The stages of one run, on small inputs, with a folder for each."""

    def __init__(self, spark, folder, text=None):
        self.spark, self.folder = spark, folder
        self.inputs = SmallInputs().write(folder / "in")
        self.profile = parse_profile(text or profile_text())
        self.folders = {stage: f"file://{folder}/{stage}" for stage in STAGES}

    def stage_run(self, run_id, day=DAY):
        return StageRun(self.spark, self.profile, Run(day, run_id), self.folders, Progress())

    def write(self, stage, day=DAY):
        # Each stage under a run id of its own, as where each is a batch of its own.
        self.stage_run(stage.replace("-", ""), day).write(
            stage, self.inputs, self.folders[stage].removeprefix("file://")
        )

    def write_all(self):
        for stage in STAGES:
            if stage != PUBLISH_STAGE:
                self.write(stage)


def rows_of(spark, folder, table, *without):
    frame = spark.read.parquet(f"{folder}/{table}").drop(*without)
    return sorted(map(repr, frame.collect()))


@pytest.mark.slow
def test_stages_publish_the_tables_of_one_run(spark, tmp_path):
    staged = Staged(spark, tmp_path)
    staged.write_all()
    staged.stage_run("r1").publish(str(tmp_path / "staged"), DEFAULT_PUBLISHING)
    run_locally(staged.profile, staged.inputs, str(tmp_path / "single"), DAY)

    for table in (CUSTOMER_TABLE, CELL_TABLE, REJECTED_TABLE):
        found = rows_of(spark, tmp_path / "staged", table, "run_id")
        assert found
        assert found == rows_of(spark, tmp_path / "single", table, "run_id")

    # The summaries differ in the seconds, and in the files that only a whole run lists.
    figures = [
        spark.read.parquet(f"{tmp_path / out}/{SUMMARY_TABLE}").where(
            "section not in ('seconds', 'origin')"
        )
        for out in ("staged", "single")
    ]
    staged_rows, single_rows = (
        sorted(map(repr, frame.drop("run_id").collect())) for frame in figures
    )
    assert len(staged_rows) > 30
    assert staged_rows == single_rows

    for table in (CUSTOMER_TABLE, CELL_TABLE, REJECTED_TABLE, SUMMARY_TABLE):
        of_run = spark.read.parquet(f"{tmp_path / 'staged'}/{table}").select("run_id").distinct()
        assert [row.run_id for row in of_run.collect()] == ["r1"]


def test_a_stage_refuses_what_is_unfinished_or_of_another_day(spark, tmp_path):
    staged = Staged(spark, tmp_path)
    with pytest.raises(InputError, match="customers-with-samples: holds no results of a stage"):
        staged.write("with-call-statistics")
    staged.write("customers-with-samples")
    with pytest.raises(InputError, match="its day is 2026-11-01, this run's is 2026-11-02"):
        staged.write("with-call-statistics", date(2026, 11, 2))
    staged.profile = parse_profile(profile_text().replace("k = 1.5", "k = 1.6"))
    with pytest.raises(InputError, match=r"its profile is .*; repeat the earlier stages"):
        staged.write("with-call-statistics")


@pytest.mark.slow
def test_a_limit_stops_the_stage_that_joins_all_inputs(spark, tmp_path):
    # Of the customers of the small inputs fewer than all have samples and calls.
    staged = Staged(spark, tmp_path, profile_text() + "\n[limits]\nsmallest_match_rate = 1.0\n")
    staged.write("customers-with-samples")
    with pytest.raises(InputError, match=r"smallest_match_rate of 100\.0%"):
        staged.write("with-call-statistics")


def test_a_stage_is_told_all_that_its_arguments_lack(capsys):
    arguments = ["--stage", "with-call-statistics", "--write-to", "here", "--run-id", "A b"]
    assert main(arguments) == BAD_CONFIGURATION
    told = capsys.readouterr().out
    for fault in (
        "the call_statistics input is not named",
        "--read customers-with-samples=FOLDER is missing",
        "--run-id 'A b'",
        "--write-to 'here' does not outlive the batch",
    ):
        assert fault in told
