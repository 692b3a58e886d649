"""What `deploy-dag` reads from its settings, without any service."""

import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from anomaly import ConfigurationError
from runners.cli.main import main
from runners.composer.deploy.schedule import problems_of_schedule
from runners.composer.deploy.settings import load_deployment
from runners.composer.run_settings import INPUTS
from runners.dataproc.settings import load_settings
from runners.services.exit_codes import BAD_CONFIGURATION

SHIPPED = Path(__file__).parents[3] / "conf" / "dataproc.toml"
BATCHES, HEADER, COMPOSER = SHIPPED.read_text().partition("[composer]")
SMALLEST = """
bucket = "my-dags"
[composer.run]
customers = "gs://my-data/customers"
samples = "gs://my-data/samples/{run_date}"
calls = "gs://my-data/{run_date}/calls"
steps = "gs://my-data/steps"
out = "gs://my-data/out"
"""


def deployment_with(folder: Path, *changes: tuple[str, str], composer=COMPOSER, bucket=None):
    """The settings with changes of the part of the DAG."""
    for old, new in changes:
        assert old in composer
        composer = composer.replace(old, new, 1)
    (folder / "dataproc.toml").write_text(BATCHES + HEADER + composer)
    return load_deployment(str(folder / "dataproc.toml"), bucket, {})


def faults_with(folder: Path, *changes: tuple[str, str]):
    with pytest.raises(ConfigurationError) as told:
        deployment_with(folder, *changes)
    return told.value.problems


def test_the_shipped_settings_have_no_fault_for_either_command():
    settings, composer = load_deployment(str(SHIPPED), None, {})
    assert settings == load_settings(str(SHIPPED), {})
    assert (composer.environment, composer.bucket) == ("my-environment", "")
    assert composer.run["samples"] == "gs://my-data-bucket/samples/{run_date}"
    assert composer.run["out"] == "bq://my-project.cell_towers"


def test_what_a_file_leaves_out_is_as_in_the_shipped_one(tmp_path):
    _, shipped = load_deployment(str(SHIPPED), None, {})
    _, smallest = deployment_with(tmp_path, composer=SMALLEST)
    assert smallest.schedule == "0 3 * * *"
    assert smallest.start_date == date(2026, 1, 1)
    assert smallest.tags == ("cell-tower-anomaly",)
    assert smallest.run["largest_required_share"] == 0.5
    places = {key: smallest.run[key] for key in (*INPUTS, "steps", "out")}
    run = {**shipped.run, **places}
    assert smallest == replace(shipped, environment="", bucket="my-dags", run=run)


def test_a_bucket_that_is_given_replaces_that_of_the_file(tmp_path):
    _, composer = deployment_with(tmp_path, ('"my-environment"', '""'), bucket="given")
    assert (composer.environment, composer.bucket) == ("", "given")
    with pytest.raises(ConfigurationError, match="bucket 'gs://given' is not a bucket name"):
        deployment_with(tmp_path, bucket="gs://given")


@pytest.mark.parametrize(
    "changes",
    [
        [('"0 3 * * *"', '""')],
        [('"cell-tower-anomaly"', f'"{"x" * 63}"')],
        [('"staged"', '"single"'), ('"gs://my-data-bucket/steps"', '""')],
        [('marker = ""', 'marker = "_SUCCESS"')],
        [('alert_callable = ""', 'alert_callable = "ours.alerts.tell"')],
        [("bq://my-project.cell_towers", "gs://my-data-bucket/out")],
        [('staging_bucket = ""', 'staging_bucket = "my-staging-bucket"')],
        [("= 0.0", "= 0"), ("= 0.5", "= 1")],
    ],
)
def test_other_settings_have_no_fault_either(tmp_path, changes):
    deployment_with(tmp_path, *changes)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"my-environment"', '"My_Env"', "[composer] environment 'My_Env' is not a valid"),
        ('"my-environment"', '""', "[composer] environment and bucket are empty"),
        ('bucket = ""', 'bucket = "gs://b"', "[composer] bucket 'gs://b' is not a bucket name"),
        (
            '"cell-tower-anomaly"',
            '"Cell"',
            "dag_id 'Cell': use at most 63 lower-case letters, digits and inner",
        ),
        ('"cell-tower-anomaly"', '"a_b"', "dag_id 'a_b': use at most 63 lower-case letters"),
        ('"cell-tower-anomaly"', f'"{"x" * 64}"', "at most 63"),
        ('"staged"', '"stages"', "shape is 'stages'; it must be staged or single"),
        ('"0 3 * * *"', '"@daily"', "[composer] schedule '@daily': give minute, hour, day of the"),
        (
            '"0 3 * * *"',
            '"0 24 * * *"',
            "[composer] schedule '0 24 * * *': '24' is not a valid hour",
        ),
        ("2026-01-01", '"2026-01-01"', "start_date is '2026-01-01'; it must be a day such as"),
        ("2026-01-01", "2026-01-01T00:00:00Z", "it must be a day such as 2026-01-01"),
        ('"network-operations"', '" "', "[composer] owner is empty"),
        ('["cell-tower-anomaly"]', '[""]', "[composer] tags: each must have 1 to 100 characters"),
        ('["cell-tower-anomaly"]', "[1]", "tags is [1]; it must be a list, each element text"),
        ("retries = 2", "retries = -1", "[composer] retries -1 is not between 0 and 100"),
        (
            "retry_minutes = 5",
            "retry_minutes = 1441",
            "retry_minutes 1441 is not between 0 and 1440",
        ),
        (
            "input_hours = 12",
            "input_hours = 0",
            "[composer] input_hours 0 is not between 1 and 168",
        ),
        ("input_hours = 12", "hours = 12", "[composer] unknown setting 'hours'"),
        ("deferrable = true", "deferrable = 1", "deferrable is 1; it must be true or false"),
        ('"google_cloud_default"', '"a b"', "[composer] connection 'a b' is not a valid Airflow"),
        (
            "samples = ",
            "# samples = ",
            "[composer.run] samples is missing; it must be: samples of the",
        ),
        ("samples/{run_date}", "{date}", "samples is 'gs://my-data-bucket/{date}'; it must be: "),
        ("gs://my-data-bucket/samples/", "in/", "samples is 'in/{run_date}'; it must be: samples"),
        ("my-data-bucket/samples", "my-{run_date}", "samples is 'gs://my-{run_date}/{run_date}'"),
        (
            'marker = ""',
            'marker = "a/b"',
            "[composer.run] marker is 'a/b'; it must be: name of an object",
        ),
        ('"gs://my-data-bucket/steps"', '""', "[composer.run] steps is empty: name a folder"),
        ("bucket/steps", "bucket/{run_date}", "steps is 'gs://my-data-bucket/{run_date}'; it "),
        ("bucket/steps", "bucket/calls/{run_date}/x", "steps is 'gs://my-data-bucket/calls/{run_"),
        ("bq://my-project.cell_towers", "out", "out is 'out'; it must be: place of the tables:"),
        ("bq://my-project.cell_towers", "s3://b/out", "out is 's3://b/out'; it must be: place"),
        ("bq://my-project.cell_towers", "gs://out/{run_date}", "out is 'gs://out/{run_date}'; it"),
        ("bq://my-project.cell_towers", "bq://x", "[composer.run] out is 'bq://x'; it must be: p"),
        (
            "bq://my-project.cell_towers",
            "gs://my-data-bucket/steps",
            "[composer.run] out gs://my-data-bucket/steps and steps gs://my-data-bucket/steps",
        ),
        ('\nprefix = ""', '\nprefix = "a-b"', "[composer.run] prefix is 'a-b'; it must be: prefix"),
        ('staging_bucket = ""', 'staging_bucket = "B"', "[composer.run] staging_bucket is 'B'; i"),
        ("= 0.0", "= 0.6", "smallest_required_share is above largest_required_share"),
        ("= 0.5", "= 1.1", "[composer.run] largest_required_share is 1.1; it must be from 0 to 1"),
        (
            'alert_callable = ""',
            'alert_callable = "tell"',
            "is 'tell'; it must be: PACKAGE.MODULE.",
        ),
        ("add_columns = false", "add_columns = 1", "add_columns is 1; it must be of type bool"),
        ('\nprefix = ""', "\ncolour = 1", "[composer.run] colour is not a setting"),
        ('\nprefix = ""', '\narchive = "gs://my-code/a.zip"', "archive is not a setting"),
        ('alert_connection = ""', 'alert_connection = "a b"', "alert_connection is 'a b'; it m"),
    ],
)
def test_a_fault_of_the_settings_is_told(tmp_path, old, new, said):
    (fault,) = faults_with(tmp_path, (old, new))
    assert said in fault


def test_options_for_bigquery_alone_are_named_as_in_the_file(tmp_path):
    changes = [
        ("bq://my-project.cell_towers", "gs://my-data-bucket/out"),
        ('\nprefix = ""', '\nprefix = "lab"'),
        ("add_columns = false", "add_columns = true"),
    ]
    (fault,) = faults_with(tmp_path, *changes)
    assert fault == "[composer.run] prefix and add_columns: only for an out on bq://"


def test_all_that_is_written_is_kept_apart_from_what_is_read(tmp_path):
    """A step's results among the inputs would be read as input by the next run."""
    changes = [
        ("/customers/{run_date}", ""),
        ("samples/{run_date}", "out/samples"),
        ("bq://my-project.cell_towers", "gs://my-data-bucket/out"),
    ]
    at = "gs://my-data-bucket"
    assert faults_with(tmp_path, *changes) == tuple(
        f"[composer.run] {fault} overlap"
        for fault in (
            f"steps {at}/steps and the customers input {at}",
            f"out {at}/out and the customers input {at}",
            f"out {at}/out and the samples input {at}/out/samples",
        )
    )


def test_all_faults_of_batches_and_dag_are_told_at_once(tmp_path):
    changes = [('"my-environment"', '"E"'), ("retries = 2", "retries = -1"), ("= 0.5", "= 2")]
    deployment_with(tmp_path)
    text = (tmp_path / "dataproc.toml").read_text()
    for old, new in [*changes, ('"my-project"', '"P"'), ("ttl_minutes = 240", "ttl_minutes = 1")]:
        text = text.replace(old, new, 1)
    (tmp_path / "dataproc.toml").write_text(text)
    with pytest.raises(ConfigurationError) as told:
        load_deployment(str(tmp_path / "dataproc.toml"), None, {})
    words = ("project", "[batch]", "environment", "retries", "[composer.run]")
    assert len(told.value.problems) == 5
    assert all(word in fault for word, fault in zip(words, told.value.problems, strict=True))


def test_a_file_of_batches_alone_is_refused(tmp_path):
    (tmp_path / "dataproc.toml").write_text(BATCHES)
    with pytest.raises(ConfigurationError, match="top level: table 'composer' is missing"):
        load_deployment(str(tmp_path / "dataproc.toml"), None, {})
    load_settings(str(tmp_path / "dataproc.toml"), {})


@pytest.mark.parametrize(
    "schedule",
    ["", "0 3 * * *", "*/15 0-6,22 1 jan-MAR mon,WED", "59 23 31 12 7", "5/10 * * * *"],
)
def test_a_schedule_of_cron_has_no_fault(schedule):
    assert problems_of_schedule(schedule) == []


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("0 3 * *", "give minute, hour, day of the month, month, day of the week, such as"),
        ("0 0 3 * * *", "give minute, hour"),
        ("60 3 * * *", "'60' is not a valid minute"),
        ("0 -1 * * *", "'-1' is not a valid hour"),
        ("0 22-2 * * *", "'22-2' is not a valid hour"),
        ("0 3 0 * *", "'0' is not a valid day of the month"),
        ("0 3 * mon *", "'mon' is not a valid month"),
        ("0 3 * * 8", "'8' is not a valid day of the week"),
        ("*/0 3 * * *", "'*/0' is not a valid minute"),
        ("1,,2 3 * * *", "'1,,2' is not a valid minute"),
        ("٣ 3 * * *", "'٣' is not a valid minute"),
    ],
)
def test_another_schedule_has_one(schedule, said):
    (fault,) = problems_of_schedule(schedule)
    assert said in fault


def test_each_field_of_a_schedule_that_is_wrong_is_told():
    assert problems_of_schedule("60 24 * * x") == [
        "schedule '60 24 * * x': '60' is not a valid minute",
        "schedule '60 24 * * x': '24' is not a valid hour",
        "schedule '60 24 * * x': 'x' is not a valid day of the week",
    ]


def test_missing_clients_are_told(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "google.cloud.orchestration.airflow.service_v1", None)
    assert main(["deploy-dag", "--settings", str(SHIPPED)]) == BAD_CONFIGURATION
    assert "pip install 'cell-tower-anomaly[gcp]'" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a.csv", "B.CSV", "a.csv.gz", "a.Csv.bz2", "a.PARQUET"])
def test_an_input_that_is_one_file_has_no_marker_whatever_its_kind(tmp_path, name):
    calls = ("gs://my-data-bucket/calls/{run_date}", f"gs://my-data-bucket/{{run_date}}/{name}")
    faults = faults_with(tmp_path, ('marker = ""', 'marker = "_SUCCESS"'), calls)
    assert list(faults) == ["[composer.run] marker: an input that is a single file has none"]
