"""`deploy-dag` with Google's own clients, against Cloud Storage and Composer of this machine."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anomaly.profile.files import whole_text
from runners.cli.main import main
from runners.dataproc.settings import load_settings
from runners.services.exit_codes import BAD_CONFIGURATION, BATCH_FAILED
from tests.doubles.services import CloudServices

try:
    from google.cloud import dataproc_v1
    from google.cloud.orchestration.airflow.service_v1 import Environment
    from grpc import StatusCode

    from runners.dataproc.calls import batch_client
    from runners.dataproc.request import batch_of
    from runners.dataproc.uploads import code_for
    from tests.doubles.composer_fake import ComposerFake
    from tests.doubles.dataproc_fake import DataprocFake, Fault, FaultKind, LocalSubmit
except ModuleNotFoundError:
    pass  # any environment can collect (and deselect) these tests; selected there, they fail

pytestmark = pytest.mark.cloud

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "conf" / "dataproc.toml"
LOCATION = "projects/my-project/locations/europe-west1"
READY, UNREADY = (f"{LOCATION}/environments/{name}" for name in ("my-environment", "unready"))
FOLDER, FORMER = "dags/dag_cell_tower_anomaly", "dags/cell-tower-anomaly"
CODE = ["code.zip", "batch.py", "profile.toml"]
SOURCES = {path.name: path.read_text() for path in (ROOT / "runners" / "composer").glob("*.py")}
NAMES = [*CODE, ".airflowignore", "schema.json", "deployment.json"]
NAMES += [*sorted(SOURCES.keys() - {"dag.py"}), "addresses.py", "dag.py"]
SOURCES["addresses.py"] = (ROOT / "runners" / "storage" / "addresses.py").read_text()


class Deploying:
    """An environment to deploy to, and settings that name it."""

    def __init__(
        self, folder: Path, bucket: str, cloud: CloudServices, composer: ComposerFake
    ) -> None:
        self.bucket, self.composer = bucket, composer
        self._cloud = cloud
        self.settings, self.profile = folder / "dataproc.toml", folder / "profile.toml"
        shutil.copy(SHIPPED, self.settings)
        shutil.copy(ROOT / "conf" / "default.toml", self.profile)

    def change(self, old: str, new: str) -> None:
        """Other settings from here on."""
        text = self.settings.read_text()
        assert old in text
        self.settings.write_text(text.replace(old, new, 1))

    def deploy(self, *others: str) -> int:
        """Deploy what is there now."""
        named = ["--settings", str(self.settings), "--profile", str(self.profile)]
        return main(["deploy-dag", *named, *others])

    def put(self, name: str) -> None:
        """An object that is in the bucket already."""
        bucket = self._cloud.storage_client().bucket(self.bucket)
        bucket.blob(name).upload_from_string(b"a", timeout=10)

    def objects(self) -> dict[str, bytes]:
        """All that is in the bucket."""
        client = self._cloud.storage_client()
        return {
            blob.name: blob.download_as_bytes(timeout=10)
            for blob in client.list_blobs(self.bucket, timeout=10)
        }

    def description(self, folder: str = FOLDER) -> Any:
        """What deployment.json says."""
        return json.loads(self.objects()[f"{folder}/deployment.json"])


@pytest.fixture
def deploying(
    cloud: CloudServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deploying]:
    """A bucket of its own for each test."""
    bucket = re.sub("[^a-z0-9]+", "-", f"dags-{tmp_path.name}".lower()).strip("-")[:60].rstrip("-")
    cloud.create_bucket(bucket)
    environments = {
        READY: Environment(name=READY, config={"dag_gcs_prefix": f"gs://{bucket}/dags"}),
        UNREADY: Environment(name=UNREADY, state=Environment.State.CREATING),
    }
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", cloud.gcs_url)
    with ComposerFake(environments) as composer:
        monkeypatch.setenv("COMPOSER_EMULATOR_HOST", composer.address)
        yield Deploying(tmp_path, bucket, cloud, composer)


def told(capfd: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """What was said of each object: the word, and the address."""
    return [
        (word, address) for word, address in map(str.split, capfd.readouterr().out.splitlines())
    ]


# --- what is uploaded ------------------------------------------------------------------------


def test_code_and_dag_are_uploaded_once(
    deploying: Deploying, capfd: pytest.CaptureFixture[str]
) -> None:
    assert deploying.deploy() == 0
    first = told(capfd)
    assert [word for word, _ in first] == ["uploaded"] * len(NAMES)
    assert [address.rsplit("/", 1)[1] for _, address in first] == NAMES
    code = f"gs://{deploying.bucket}/cell-tower-anomaly/[0-9a-f]{{16}}/"
    assert all(re.match(code, address) for _, address in first[:3])
    assert {address.rsplit("/", 1)[0] for _, address in first[3:]} == {
        f"gs://{deploying.bucket}/{FOLDER}"
    }
    objects = deploying.objects()
    assert {f"gs://{deploying.bucket}/{name}" for name in objects} == {at for _, at in first}
    for name, source in SOURCES.items():
        uploaded = re.sub(r"runners\.(composer|storage)\b", "dag_cell_tower_anomaly", source)
        assert objects[f"{FOLDER}/{name}"].decode() == uploaded

    assert deploying.deploy() == 0
    assert told(capfd) == [("unchanged", address) for _, address in first]
    assert deploying.composer.requests == [READY, READY]


def test_a_changed_profile_leaves_the_code_of_before_where_it_is(
    deploying: Deploying, capfd: pytest.CaptureFixture[str]
) -> None:
    """A run under way, or one that is cleared later, finds what it was started with."""
    assert deploying.deploy() == 0
    before, old = deploying.objects(), deploying.description()["settings"]["profile"]
    text = deploying.profile.read_text()
    assert "minimum_customers = 5" in text
    deploying.profile.write_text(text.replace("minimum_customers = 5", "minimum_customers = 6"))
    capfd.readouterr()
    assert deploying.deploy() == 0
    new = deploying.description()["settings"]["profile"]
    assert [address for word, address in told(capfd) if word == "uploaded"] == [
        new,
        f"gs://{deploying.bucket}/{FOLDER}/deployment.json",
    ]
    after = deploying.objects()
    assert old != new
    assert b"minimum_customers = 6\n" in after[new.partition(f"{deploying.bucket}/")[2]]
    assert after.keys() - before.keys() == {new.partition(f"{deploying.bucket}/")[2]}
    assert {name for name in before if before[name] != after[name]} == {f"{FOLDER}/deployment.json"}


def test_what_the_dag_reads_is_what_the_settings_say(deploying: Deploying) -> None:
    deploying.change('schedule = "0 3 * * *"', 'schedule = ""')
    deploying.change('prefix = "cell-tower-anomaly"', 'prefix = "Tower_Batches"')
    deploying.change('marker = ""', 'marker = "_SUCCESS"')
    assert deploying.deploy() == 0
    found = deploying.description()
    batch, settings = found.pop("batch"), found.pop("settings")
    assert found == {
        "dag_id": "cell-tower-anomaly",
        "shape": "staged",
        "schedule": None,
        "start_date": "2026-01-01",
        "owner": "network-operations",
        "tags": ["cell-tower-anomaly"],
        "retries": 2,
        "retry_minutes": 5,
        "input_hours": 12,
        "deferrable": True,
        "connection": "google_cloud_default",
        "project": "my-project",
        "region": "europe-west1",
        "batch_prefix": "tower-batches",
    }
    code = [settings.pop(key) for key in ("archive", "main_file", "profile")]
    names = {f"gs://{deploying.bucket}/{name}" for name in deploying.objects()}
    assert set(code) < names
    assert [address.rsplit("/", 1)[1] for address in code] == CODE
    assert settings == {
        "customers": "gs://my-data-bucket/customers/{run_date}",
        "samples": "gs://my-data-bucket/samples/{run_date}",
        "calls": "gs://my-data-bucket/calls/{run_date}",
        "history": "",
        "marker": "_SUCCESS",
        "steps": "gs://my-data-bucket/steps",
        "out": "bq://my-project.cell_towers",
        "prefix": "",
        "staging_bucket": "",
        "add_columns": False,
        "hash_secret": "",
        "smallest_required_share": 0.0,
        "largest_required_share": 0.5,
        "alert_callable": "",
        "alert_connection": "",
    }
    assert batch == {
        "pyspark_batch": {"main_python_file_uri": code[1], "python_file_uris": [code[0]]},
        "runtime_config": {
            "version": "2.3",
            "properties": {
                "spark.dynamicAllocation.initialExecutors": "2",
                "spark.dynamicAllocation.maxExecutors": "10",
                "spark.dynamicAllocation.minExecutors": "2",
                "spark.sql.shuffle.partitions": "32",
            },
        },
        "environment_config": {
            "execution_config": {
                "ttl": "14400s",
                "authentication_config": {"user_workload_authentication_type": "SERVICE_ACCOUNT"},
            }
        },
        "labels": {"application": "cell-tower-anomaly"},
    }


def test_the_batch_of_the_dag_is_that_of_submit_and_the_client_takes_it_back(
    deploying: Deploying, cloud: CloudServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = "runs@my-project.iam.gserviceaccount.com"
    deploying.change('service_account = ""', f'service_account = "{account}"')
    deploying.change('subnetwork = ""', 'subnetwork = "inner"')
    deploying.change('history_server = ""', 'history_server = "histories"')
    deploying.change('history_bucket = ""', 'history_bucket = "made-history"')
    assert deploying.deploy() == 0
    found = deploying.description()["batch"]
    settings = load_settings(str(deploying.settings), {})
    expected = batch_of(settings, code_for(deploying.bucket, whole_text(deploying.profile)), [])
    assert dataproc_v1.Batch(found) == expected
    assert expected.environment_config.execution_config.ttl.total_seconds() == 4 * 60 * 60
    assert expected.environment_config.execution_config.service_account == account

    never_started = LocalSubmit([sys.executable], cloud.storage_root, tmp_path)
    with DataprocFake(never_started) as dataproc:
        dataproc.faults.append(Fault(FaultKind.BATCH_DIES))
        monkeypatch.setenv("DATAPROC_EMULATOR_HOST", dataproc.address)
        found["pyspark_batch"]["args"] = ["--run-date", "2026-11-01"]
        batch_client("europe-west1").create_batch(
            parent=LOCATION, batch=found, batch_id="of-a-dag", timeout=10
        )
        (call,) = dataproc.requests
    expected.pyspark_batch.args = ["--run-date", "2026-11-01"]
    assert call.request.batch == expected


def test_a_dag_of_one_file_is_replaced(
    deploying: Deploying, capfd: pytest.CaptureFixture[str]
) -> None:
    """It would define a DAG with the same id; what else lies beside it is not ours."""
    names = ("composer.py", "deployment.json")
    for name in (*names, "operators_own.py"):
        deploying.put(f"{FORMER}/{name}")
    former = [f"gs://{deploying.bucket}/{FORMER}/{name}" for name in names]
    assert deploying.deploy("--dry-run") == 0
    assert json.loads(capfd.readouterr().out)["removes"] == former
    assert f"{FORMER}/composer.py" in deploying.objects()

    assert deploying.deploy() == 0
    done = told(capfd)
    assert done[-3:] == [
        ("uploaded", f"gs://{deploying.bucket}/{FOLDER}/dag.py"),
        *(("removed", address) for address in former),
    ]
    assert {name for name in deploying.objects() if name.startswith(FORMER)} == {
        f"{FORMER}/operators_own.py"
    }
    assert deploying.deploy() == 0
    assert {word for word, _ in told(capfd)} == {"unchanged"}


# --- where to --------------------------------------------------------------------------------


def test_a_bucket_that_is_named_needs_no_question(
    deploying: Deploying, capfd: pytest.CaptureFixture[str]
) -> None:
    deploying.change('environment = "my-environment"', 'environment = ""')
    deploying.change('dag_id = "cell-tower-anomaly"', 'dag_id = "towers"')
    assert deploying.deploy("--bucket", deploying.bucket) == 0
    assert told(capfd)[-1] == ("uploaded", f"gs://{deploying.bucket}/dags/dag_towers/dag.py")
    assert deploying.description("dags/dag_towers")["dag_id"] == "towers"
    assert deploying.composer.requests == []


def test_composer_is_asked_again_where_it_is_away_for_a_moment(deploying: Deploying) -> None:
    deploying.composer.refusals.append(StatusCode.UNAVAILABLE)
    assert deploying.deploy() == 0
    assert deploying.composer.requests == [READY, READY]


def test_a_dry_run_sends_nothing(deploying: Deploying, capfd: pytest.CaptureFixture[str]) -> None:
    assert deploying.deploy("--dry-run") == 0
    asked = json.loads(capfd.readouterr().out)
    assert [address.rsplit("/", 1)[1] for address in asked["uploads"]] == NAMES
    assert deploying.objects() == {}
    assert deploying.composer.requests == [READY]

    assert deploying.deploy() == 0
    assert [address for _, address in told(capfd)] == asked["uploads"]
    assert deploying.description() == asked["deployment.json"]


def test_a_dry_run_with_a_bucket_asks_nothing(
    deploying: Deploying, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in ("STORAGE", "COMPOSER"):
        monkeypatch.setenv(f"{service}_EMULATOR_HOST", "http://127.0.0.1:1")
    assert deploying.deploy("--dry-run", "--bucket", "nowhere") == 0
    asked = json.loads(capfd.readouterr().out)
    assert asked["uploads"][-1] == f"gs://nowhere/{FOLDER}/dag.py"


# --- what stops it ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environment", "refusal", "said"),
    [
        (
            "other",
            None,
            f"{LOCATION}/environments/other: 1 problem\n  - does not exist; check project",
        ),
        ("unready", None, "is CREATING and has no bucket yet; wait until it is RUNNING"),
        ("my-environment", "PERMISSION_DENIED", "get the role Composer User on the project, or"),
    ],
)
def test_an_environment_that_cannot_be_used_is_told(
    deploying: Deploying,
    capfd: pytest.CaptureFixture[str],
    environment: str,
    refusal: str | None,
    said: str,
) -> None:
    deploying.change('"my-environment"', f'"{environment}"')
    deploying.composer.refusals += [StatusCode[refusal]] if refusal else []
    assert deploying.deploy() == BAD_CONFIGURATION
    shown = capfd.readouterr()
    assert said in shown.err
    assert shown.out == ""
    assert deploying.objects() == {}


def test_a_question_that_fails_otherwise_is_told(
    deploying: Deploying, capfd: pytest.CaptureFixture[str]
) -> None:
    deploying.composer.refusals.append(StatusCode.INVALID_ARGUMENT)
    assert deploying.deploy() == BATCH_FAILED
    assert capfd.readouterr().err == f"error: {READY}: 400 injected refusal\n"


def test_a_bucket_that_is_not_there_is_told(
    deploying: Deploying, capfd: pytest.CaptureFixture[str]
) -> None:
    assert deploying.deploy("--bucket", "nowhere-at-all") == BAD_CONFIGURATION
    assert (
        "there is no bucket nowhere-at-all; name that of the environment" in capfd.readouterr().err
    )


def test_what_is_wrong_with_a_profile_is_told_before_anything_is_asked(
    deploying: Deploying, capfd: pytest.CaptureFixture[str]
) -> None:
    deploying.profile.write_text("unknown = 1\n")
    assert deploying.deploy() == BAD_CONFIGURATION
    assert "unknown setting 'unknown'" in capfd.readouterr().err
    assert deploying.composer.requests == []
