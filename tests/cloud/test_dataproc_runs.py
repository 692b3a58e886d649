"""Runs submitted as batches: the real client, a service of this machine, a real spark-submit."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE
from runners.cli.main import main
from runners.services.exit_codes import (
    BAD_CONFIGURATION,
    BATCH_CANCELLED,
    BATCH_FAILED,
    BATCH_TIMED_OUT,
)
from tests.builders.real_inputs import REAL_DATA
from tests.cloud.published_rows import (
    KEYS,
    in_bigquery,
    in_parquet,
    without_run_id,
)
from tests.doubles.dataproc_fake import DataprocFake, Fault, FaultKind, LocalSubmit, State
from tests.doubles.services import ACCESS_TOKEN, CloudServices
from tests.doubles.spark_submit import spark_submit

pytestmark = pytest.mark.cloud

TIMEOUT = 60.0
ROOT = Path(__file__).parents[2]
SETTINGS = (ROOT / "conf" / "dataproc.toml").read_text()
CODE, DATA = "my-code-bucket", "batch-inputs"
# How a line of ours begins; Spark logs lines with braces too.
JSON_LINE = '{"severity": '


class Batches:
    """A service of batches, settings that name it, and inputs that are only names."""

    def __init__(self, fake: DataprocFake, settings: Path) -> None:
        self.fake, self.settings = fake, settings

    def arguments(self, command: str, *others: str) -> list[str]:
        """A command with its settings."""
        return [command, "--settings", str(self.settings), *others]

    def change(self, *changes: tuple[str, str]) -> None:
        """Other settings from here on."""
        text = self.settings.read_text()
        for old, new in changes:
            assert old in text
            text = text.replace(old, new, 1)
        self.settings.write_text(text)

    def submit(self, *others: str, out: str = f"gs://{DATA}/out") -> int:
        """Submit a run that is the same each time."""
        named = [
            part
            for source in ("customers", "samples", "calls")
            for part in (f"--{source}", f"gs://{DATA}/{source}")
        ]
        usual = ["--out", out, "--run-date", "2026-11-01", "--poll-seconds", "0.05"]
        return main(self.arguments("submit", *named, *usual, *others))

    def created(self) -> list[Any]:
        """The requests for new batches."""
        return [call.request for call in self.fake.requests if call.method == "CreateBatch"]

    def batch_id(self) -> str:
        """The id of the newest batch that was asked for."""
        return str(self.created()[-1].batch_id)


@pytest.fixture(scope="module")
def environment(cloud: CloudServices) -> Iterator[None]:
    """Google's clients find the services of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", cloud.bigquery_url)
        patch.setenv("STORAGE_EMULATOR_HOST", cloud.gcs_url)
        for bucket in (CODE, DATA):
            cloud.create_bucket(bucket)
        yield


def service(
    run_batch: LocalSubmit, folder: Path, patch: pytest.MonkeyPatch, **options: Any
) -> Iterator[Batches]:
    """A service that the product's own clients are pointed to."""
    settings = folder / "dataproc.toml"
    quick = SETTINGS.replace('partitions" = "32"', 'partitions" = "2"')
    settings.write_text(quick.replace("ttl_minutes = 240", "ttl_minutes = 10"))
    with DataprocFake(run_batch, **options) as fake:
        patch.setenv("DATAPROC_EMULATOR_HOST", fake.address)
        yield Batches(fake, settings)


@pytest.fixture
def batches(
    environment: None, cloud: CloudServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Batches]:
    """A service whose batches end at once, without Spark: the code is loaded, nothing is run."""
    command = [sys.executable, "-c", "print('started')"]
    yield from service(LocalSubmit(command, cloud.storage_root, tmp_path), tmp_path, monkeypatch)


@pytest.fixture
def spark_batches(
    environment: None,
    cloud: CloudServices,
    cloud_jars: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Batches]:
    """A service that runs batches with spark-submit, which reaches gs:// and BigQuery."""
    run_batch = spark_submit(cloud, cloud_jars, tmp_path)
    yield from service(run_batch, tmp_path, monkeypatch)


def log_of(folder: Path, batch_id: str) -> str:
    return (folder / f"{batch_id}.log").read_text(encoding="utf-8")


# --- a whole run -----------------------------------------------------------------------------


@pytest.mark.real_data
def test_a_batch_publishes_what_the_local_run_writes(
    spark_batches: Batches, cloud: CloudServices, local_run: Path, tmp_path: Path
) -> None:
    """Every value of both tables, on the real inputs; its log is lines of JSON and no secret."""
    data = tmp_path / "data"
    shutil.copytree(REAL_DATA / "data/customers", data / "customers")
    for name, file in (
        ("samples", "service_threshold_data.csv"),
        ("calls", "call_statistics_first1136.csv"),
    ):
        (data / name).mkdir()
        shutil.copy(REAL_DATA / "data" / file, data / name / file)
    spark_batches.change(
        ('"my-project"', '"p1"'),
        ('data_bucket = ""', f'data_bucket = "{DATA}"'),
        ('dataset = ""', 'dataset = "batches"'),
    )
    assert main(spark_batches.arguments("provision", "--inputs", str(data))) == 0

    assert spark_batches.submit("--prefix", "lab", out="bq://p1.batches") == 0, log_of(
        tmp_path, spark_batches.batch_id()
    )

    client = cloud.bigquery_client()
    for table, keys in KEYS.items():
        expected = without_run_id(in_parquet(local_run, table, keys))
        found = without_run_id(in_bigquery(client, "batches", f"lab_{table}", keys))
        assert len(expected) == {CELL_TABLE: 52, CUSTOMER_TABLE: 780}[table]
        assert found == expected

    text = log_of(tmp_path, spark_batches.batch_id())
    lines = [json.loads(line) for line in text.splitlines() if line.startswith(JSON_LINE)]
    assert lines[-1]["message"] == "run ended"
    assert lines[-1]["figures"]["samples rows in"] == 36904
    assert ACCESS_TOKEN not in text


def test_a_batch_that_is_refused_fails_with_its_exit_code(
    spark_batches: Batches, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Here because the inputs are not there."""
    assert spark_batches.submit("--customers", f"gs://{DATA}/nowhere") == BATCH_FAILED
    text = log_of(tmp_path, spark_batches.batch_id())
    lines = [json.loads(line) for line in text.splitlines() if line.startswith(JSON_LINE)]
    assert lines[-1]["severity"] == "ERROR"
    assert lines[-1]["exit_code"] == 3
    assert f"gs://{DATA}/nowhere does not exist" in lines[-1]["message"]
    assert "Traceback" not in text
    assert "FAILED" in capfd.readouterr().err


# --- what is sent ----------------------------------------------------------------------------


def test_what_is_sent_is_what_the_settings_say(batches: Batches) -> None:
    assert batches.submit() == 0
    (request,) = batches.created()
    assert request.parent == "projects/my-project/locations/europe-west1"
    assert re.fullmatch("cell-tower-anomaly-20261101-[0-9a-f]{10}", request.batch_id)
    batch = request.batch
    assert batch.runtime_config.version == "2.3"
    assert batch.environment_config.execution_config.ttl.total_seconds() == 600
    assert batch.labels["application"] == "cell-tower-anomaly"
    properties = dict(batch.runtime_config.properties)
    assert properties["spark.dynamicAllocation.maxExecutors"] == "10"
    # The client's own wait, which ends after 900 s, would ask for the operation.
    assert {call.method for call in batches.fake.requests} == {"CreateBatch", "GetBatch"}
    (archive,) = batch.pyspark_batch.python_file_uris
    assert re.fullmatch(f"gs://{CODE}/cell-tower-anomaly/[0-9a-f]{{16}}/code.zip", archive)
    assert not batch.pyspark_batch.jar_file_uris
    assert list(batch.pyspark_batch.args)[-4:] == [
        "--out",
        f"gs://{DATA}/out",
        "--run-date",
        "2026-11-01",
    ]


def test_a_history_server_and_a_subnetwork_are_sent_where_there_are_any(batches: Batches) -> None:
    assert batches.submit("--no-wait") == 0
    execution = batches.created()[0].batch.environment_config
    assert not execution.execution_config.subnetwork_uri
    assert not execution.peripherals_config.spark_history_server_config.dataproc_cluster
    batches.change(
        ('subnetwork = ""', 'subnetwork = "projects/p1/regions/europe-west1/subnetworks/inner"'),
        ('service_account = ""', 'service_account = "runs@my-project.iam.gserviceaccount.com"'),
        ('history_server = ""', 'history_server = "histories"'),
        ('history_bucket = ""', 'history_bucket = "made-history"'),
    )
    assert batches.submit("--no-wait", "--rerun", "1") == 0
    execution = batches.created()[1].batch.environment_config
    assert execution.execution_config.subnetwork_uri.endswith("/subnetworks/inner")
    assert execution.execution_config.service_account.startswith("runs@")
    assert execution.peripherals_config.spark_history_server_config.dataproc_cluster == (
        "projects/my-project/regions/europe-west1/clusters/histories"
    )


def test_a_runtime_whose_python_is_too_old_is_refused(
    batches: Batches, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from runners.dataproc import checks

    monkeypatch.setattr(checks, "metadata", lambda name: {"Requires-Python": ">=3.12"})
    assert batches.submit() == BAD_CONFIGURATION
    assert "has Python 3.11; this package needs 3.12" in capfd.readouterr().err
    assert batches.fake.requests == []


def test_an_upload_is_not_repeated(batches: Batches, capfd: pytest.CaptureFixture[str]) -> None:
    assert batches.submit() == 0
    capfd.readouterr()
    assert batches.submit("--rerun", "1") == 0
    assert "uploaded" not in capfd.readouterr().out


def test_a_dry_run_sends_nothing(batches: Batches, capfd: pytest.CaptureFixture[str]) -> None:
    assert batches.submit("--dry-run") == 0
    printed = json.loads(capfd.readouterr().out)
    assert printed["batch"]["environmentConfig"]["executionConfig"]["ttl"] == "600s"
    assert [address.rsplit("/", 1)[1] for address in printed["uploads"]] == [
        "code.zip",
        "batch.py",
        "profile.toml",
    ]
    assert batches.fake.requests == []


@pytest.mark.parametrize(
    ("others", "out", "said"),
    [
        (("--samples", "data/samples"), f"gs://{DATA}/out", "samples input data/samples is not on"),
        (("--samples", "gs://nowhere-1/x"), f"gs://{DATA}/out", "there is no bucket nowhere-1"),
        ((), "out", "--out out is neither gs://BUCKET/FOLDER nor bq://PROJECT.DATASET"),
        (("--prefix", "x"), f"gs://{DATA}/out", "--prefix is only for bq://"),
        ((), f"gs://{DATA}/samples/out", "lies inside the samples input"),
        ((), "bq://p1.nowhere", "there is no dataset bq://p1.nowhere"),
        (("--staging-bucket", "nowhere-2"), "bq://p1.nowhere", "there is no bucket nowhere-2"),
        (("--profile", "nowhere.toml"), f"gs://{DATA}/out", "no such file"),
    ],
)
def test_what_would_stop_a_batch_is_told_before_anything_is_sent(
    batches: Batches, capfd: pytest.CaptureFixture[str], others: Any, out: str, said: str
) -> None:
    assert batches.submit(*others, out=out) == BAD_CONFIGURATION
    assert said in capfd.readouterr().err
    assert batches.fake.requests == []


# --- one batch for one run -------------------------------------------------------------------


def test_a_lost_answer_makes_no_second_batch(batches: Batches) -> None:
    batches.fake.faults.append(Fault(FaultKind.ANSWER_LOST))
    assert batches.submit() == 0
    assert len(batches.created()) == 2
    assert len({request.request_id for request in batches.created()}) == 1


def test_a_service_that_is_away_for_a_moment_is_asked_again(batches: Batches) -> None:
    batches.fake.faults += [Fault(FaultKind.UNAVAILABLE), Fault(FaultKind.UNAVAILABLE, "GetBatch")]
    assert batches.submit() == 0


def test_the_same_submit_attaches_to_the_batch_under_way(
    batches: Batches, capfd: pytest.CaptureFixture[str]
) -> None:
    batches.fake.faults.append(Fault(FaultKind.BATCH_HANGS))
    assert batches.submit("--no-wait") == 0
    assert batches.submit("--no-wait") == 0
    told = capfd.readouterr()
    assert f"{batches.batch_id()} exists already" in told.err
    assert told.out.count(f"batch    {batches.batch_id()}\n") == 2
    assert len({request.batch_id for request in batches.created()}) == 1


def test_a_batch_that_is_cancelled_is_a_failure(
    batches: Batches, capfd: pytest.CaptureFixture[str]
) -> None:
    batches.fake.faults.append(Fault(FaultKind.BATCH_HANGS))
    ended: list[int] = []
    submit = threading.Thread(target=lambda: ended.append(batches.submit()))
    submit.start()
    while not batches.created():
        assert submit.is_alive()
    name = batches.batch_id()
    batches.fake.wait_for(name, State.RUNNING, timeout=TIMEOUT)
    assert main(batches.arguments("status", name)) == 0
    assert "state    RUNNING" in capfd.readouterr().out
    assert main(batches.arguments("cancel", name)) == 0
    submit.join(TIMEOUT)
    assert ended == [BATCH_CANCELLED]
    assert batches.submit() == BATCH_FAILED
    assert "exists already and is CANCELLED; --rerun N" in capfd.readouterr().err


@pytest.mark.parametrize("kind", [None, FaultKind.BATCH_DIES])
def test_a_batch_that_has_ended_is_neither_done_nor_run_again_unasked(
    batches: Batches, capfd: pytest.CaptureFixture[str], kind: FaultKind | None
) -> None:
    batches.fake.faults += [Fault(kind)] if kind else []
    assert batches.submit() == (BATCH_FAILED if kind else 0)
    capfd.readouterr()
    assert batches.submit() == BATCH_FAILED
    state = "FAILED" if kind else "SUCCEEDED"
    assert f"exists already and is {state}; --rerun N" in capfd.readouterr().err
    assert batches.submit("--rerun", "1") == 0
    assert len({request.batch_id for request in batches.created()}) == 2


def test_two_submits_at_once_make_one_batch(batches: Batches) -> None:
    batches.fake.faults.append(Fault(FaultKind.BATCH_HANGS))
    ended: list[int] = []
    both = [
        threading.Thread(target=lambda: ended.append(batches.submit("--no-wait"))) for _ in range(2)
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(TIMEOUT)
    assert ended == [0, 0]
    assert len({request.batch_id for request in batches.created()}) == 1


# --- how batches end -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (FaultKind.QUOTA, "lower maximum_executors, or ask for more quota"),
        (FaultKind.DENIED, "its start was not confirmed: 403"),
        (FaultKind.BATCH_DIES, "FAILED: "),
    ],
)
def test_a_batch_that_fails_says_why(
    batches: Batches, capfd: pytest.CaptureFixture[str], kind: FaultKind, said: str
) -> None:
    batches.fake.faults.append(Fault(kind))
    assert batches.submit() == BATCH_FAILED
    assert said in capfd.readouterr().err
    assert len(batches.created()) == 1


def test_a_batch_that_outlives_its_ttl_is_a_failure(
    environment: None,
    cloud: CloudServices,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    run_batch = LocalSubmit([sys.executable], cloud.storage_root, tmp_path)
    for batches in service(run_batch, tmp_path, monkeypatch, ttl_factor=1 / 3000):
        batches.fake.faults.append(Fault(FaultKind.BATCH_HANGS))
        assert batches.submit() == BATCH_TIMED_OUT
        assert "its ttl was 0:10:00" in capfd.readouterr().err


def test_ctrl_c_asks_the_batch_to_stop(batches: Batches) -> None:
    batches.fake.faults.append(Fault(FaultKind.BATCH_HANGS))
    named = [
        part
        for source in ("customers", "samples", "calls")
        for part in (f"--{source}", f"gs://{DATA}/{source}")
    ]
    others = ["--out", f"gs://{DATA}/out", "--poll-seconds", "0.05"]
    process = subprocess.Popen(
        [sys.executable, "-m", "runners.cli.main", *batches.arguments("submit", *named, *others)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "RUNNING" in line:
            break
    process.send_signal(signal.SIGINT)
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait(TIMEOUT) == BATCH_CANCELLED
    assert "interrupted; asked it to stop" in told
    batches.fake.wait_for(batches.batch_id(), State.CANCELLED, timeout=TIMEOUT)


def test_logs_are_printed_with_where_they_are(
    batches: Batches, cloud: CloudServices, capfd: pytest.CaptureFixture[str]
) -> None:
    assert batches.submit() == 0
    name = batches.batch_id()
    output = batches.fake.wait_for(name, State.SUCCEEDED, timeout=TIMEOUT).runtime_info.output_uri
    bucket, folder = output.removeprefix("gs://").split("/", 1)
    cloud.create_bucket(bucket)
    for part, text in ((".000000000", "first\n"), (".000000001", "second\n")):
        blob = cloud.storage_client().bucket(bucket).blob(f"{folder}{part}")
        blob.upload_from_string(text, timeout=TIMEOUT)
    capfd.readouterr()
    assert main(batches.arguments("logs", name)) == 0
    printed = capfd.readouterr().out
    assert printed.endswith("first\nsecond\n\n")
    assert f"console  https://console.cloud.google.com/dataproc/batches/europe-west1/{name}/" in (
        printed
    )
    assert f"%22{name}%22" in printed


def test_a_batch_that_is_not_there_is_told(
    batches: Batches, capfd: pytest.CaptureFixture[str]
) -> None:
    for command in ("status", "logs", "cancel"):
        assert main(batches.arguments(command, "no-such-batch")) == BATCH_FAILED
        assert "batch no-such-batch: 404" in capfd.readouterr().err


# --- provision -------------------------------------------------------------------------------


def test_provision_makes_what_is_missing_and_leaves_the_rest(
    batches: Batches, cloud: CloudServices, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    batches.change(
        ('"my-project"', '"p1"'),
        ('code_bucket = "my-code-bucket"', 'code_bucket = "made-code"'),
        ('history_server = ""', 'history_server = "histories"'),
        ('data_bucket = ""', 'data_bucket = "made-data"'),
        ('history_bucket = ""', 'history_bucket = "made-history"'),
        ('dataset = ""', 'dataset = "made"'),
    )
    (tmp_path / "in" / "samples").mkdir(parents=True)
    (tmp_path / "in" / "samples" / "a b.csv").write_text("CellName\n")
    arguments = batches.arguments("provision", "--inputs", str(tmp_path / "in"))

    assert main([*arguments, "--dry-run"]) == 0
    commands = capfd.readouterr().out.splitlines()
    assert [command.split()[0] for command in commands] == ["gcloud"] * 3 + ["bq"] + ["gcloud"] * 2
    assert "gs://made-history --project=p1 --location=europe-west1" in commands[2]
    assert "--single-node --enable-component-gateway" in commands[4]
    assert (
        "spark:spark.history.fs.logDirectory=gs://made-history/*/spark-job-history" in commands[4]
    )
    assert commands[5].endswith("'gs://made-data/samples/a b.csv'")
    assert batches.fake.requests == []

    subjects = [
        "gs://made-code",
        "gs://made-data",
        "gs://made-history",
        "bq://p1.made",
        "history server histories",
        "gs://made-data/samples/a b.csv",
    ]
    for outcome in ("created", "exists "):
        assert main(arguments) == 0
        found = capfd.readouterr().out.splitlines()
        assert found == [f"{outcome}  {subject}" for subject in subjects]
    (tmp_path / "in" / "samples" / "a b.csv").write_text("cellName\n")
    assert main(arguments) == 0
    found = capfd.readouterr().out.splitlines()
    assert found == [
        f"{'created' if '.csv' in subject else 'exists '}  {subject}" for subject in subjects
    ]
    assert (
        cloud.storage_client().bucket("made-data").blob("samples/a b.csv").exists(timeout=TIMEOUT)
    )
    cloud.bigquery_client().get_dataset("made", timeout=TIMEOUT)
