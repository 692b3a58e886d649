"""The stages, each a process of its own where they are deployed, make what one run makes."""

import hmac
from datetime import date, timedelta

import pytest

from anomaly import InputError, Run, parse_profile
from anomaly.pipeline.output_tables import TABLES_OF_A_RUN, TABLES_OF_ALARMS
from anomaly.pipeline.stages import PUBLISH, STAGES
from anomaly.schema.inputs import HISTORY, SAMPLES
from anomaly.schema.tables import ALARMS_TABLE, CUSTOMER_TABLE, REJECTED_TABLE
from runners.dataproc.batch import main
from runners.local import run_locally
from runners.services.exit_codes import BAD_CONFIGURATION
from runners.services.progress import Progress
from runners.services.staged_run import StageRun
from runners.storage.places import destination_of
from tests.builders.dated_inputs import PROFILE_TEXT, write_days
from tests.builders.small_inputs import SmallInputs, profile_text

DAY = date(2026, 11, 1)


class Staged:
    """The stages of one run, on small inputs, with a folder for each."""

    def __init__(self, spark, folder, text=None, inputs=None, hash_key=None):
        self.spark, self.folder, self.hash_key = spark, folder, hash_key
        self.inputs = inputs or SmallInputs().write(folder / "in")
        self.profile = parse_profile(text or profile_text())
        self.folders = {stage: f"file://{folder}/{stage}" for stage in STAGES}

    def stage_run(self, run_id, day=DAY):
        run = Run(day, run_id)
        return StageRun(self.spark, self.profile, run, self.folders, Progress(), self.hash_key)

    def write(self, stage, day=DAY):
        # Each stage under a run id of its own, as where each is a batch of its own.
        self.stage_run(stage.replace("-", ""), day).write(
            stage, self.inputs, self.folders[stage].removeprefix("file://")
        )

    def run(self, day=DAY):
        for stage in STAGES:
            if stage != PUBLISH:
                self.write(stage, day)
        out = destination_of(str(self.folder / "staged"))
        return self.stage_run("r1", day).publish(out)


def check_equals_a_run_at_once(staged, day, tables):
    """Every table, but for the id of the run, the seconds that it took, and why its engine."""
    staged.run(day)
    single = destination_of(str(staged.folder / "single"))
    run_locally(staged.profile, staged.inputs, single, day, key=staged.hash_key)
    for table in tables:
        found, expected = (
            sorted(
                repr(row)
                for row in staged.spark.read.parquet(f"{staged.folder}/{out}/{table}")
                .drop("run_id")
                .collect()
                if row.asDict().get("section") not in ("engine", "seconds")
            )
            for out in ("staged", "single")
        )
        assert found, table
        assert found == expected, table
        run_ids = staged.spark.read.parquet(f"{staged.folder}/staged/{table}").select("run_id")
        assert [row.run_id for row in run_ids.distinct().collect()] == ["r1"], table


@pytest.mark.slow
def test_stages_publish_the_tables_of_one_run(spark, tmp_path):
    staged = Staged(spark, tmp_path)
    check_equals_a_run_at_once(staged, DAY, TABLES_OF_A_RUN)


@pytest.mark.slow
def test_stages_raise_alarms_rest_on_older_samples_and_hash_customers(spark, tmp_path):
    monday = date(2026, 1, 12)
    # Seven days of four cells, of which 1A is loaded and 2B silent on the Monday after them.
    loads = {"1A": [10] * 7 + [40], "2B": [10] * 7 + [None], "3C": [10] * 8, "4D": [10] * 8}
    places = write_days(tmp_path / "in", monday - timedelta(days=7), loads)
    inputs = {source: path.replace("{run_date}", str(monday)) for source, path in places.items()}
    inputs[HISTORY] = places[SAMPLES].replace("/{run_date}", "")
    key = b"thirty-two bytes that nobody has"
    staged = Staged(spark, tmp_path, PROFILE_TEXT, inputs, key)
    tables = (*(table for table in TABLES_OF_A_RUN if table != REJECTED_TABLE), *TABLES_OF_ALARMS)
    check_equals_a_run_at_once(staged, monday, tables)

    alarms = spark.read.parquet(f"{tmp_path}/staged/{ALARMS_TABLE}").select("CellName").collect()
    assert sorted(row.CellName for row in alarms) == ["1A", "2B"]
    customers = spark.read.parquet(f"{tmp_path}/staged/{CUSTOMER_TABLE}").collect()
    # HMAC-SHA256 of the numbers 1 to 4 as texts, by Python's own module.
    hashes = {hmac.new(key, str(n).encode(), "sha256").hexdigest() for n in (1, 2, 3, 4)}
    assert {row.customerID for row in customers} == hashes


@pytest.mark.slow
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
        "the call_statistics input is missing",
        "--read customers-with-samples=FOLDER is missing",
        "--run-id 'A b'",
        "--write-to 'here' would be lost with the batch",
    ):
        assert fault in told
