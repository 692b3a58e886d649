"""What the harness stands on: real operators reach the services here, in each Airflow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.airflow.harness import Airflow, Task
from tests.doubles.connect_proxy import ConnectProxy
from tests.doubles.services import CloudServices

try:
    from tests.airflow.batches import cancel_when_running, created, states
    from tests.doubles.dataproc_fake import DataprocFake, Fault, FaultKind
except ModuleNotFoundError:
    pass  # any environment can collect (and deselect) these tests; selected there, they fail

pytestmark = pytest.mark.airflow

TIMEOUT_SECONDS = 60.0
BUCKET = "airflow-inputs"

DAG_TEXT = '''"""Waits for an object, runs a batch, and counts."""

from datetime import UTC, datetime

from airflow import DAG
from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
from airflow.providers.google.cloud.operators.dataproc import DataprocCreateBatchOperator
from airflow.providers.google.cloud.sensors.gcs import GCSObjectsWithPrefixExistenceSensor
from airflow.timetables.interval import CronDataIntervalTimetable

try:
    from airflow.sdk import Param, task
except ImportError:
    from airflow.decorators import task
    from airflow.models.param import Param

BATCH = {
    "pyspark_batch": {"main_python_file_uri": "gs://code/main.py", "args": ["{{ ds }}"]},
    "runtime_config": {"version": "2.3"},
}

with DAG(
    "example",
    schedule=CronDataIntervalTimetable("0 5 * * *", timezone="UTC"),
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    default_args={"owner": "someone", "retries": 1},
    tags=["example"],
    doc_md=__doc__,
    params={"number": Param(2, type="integer")},
):
    waiting = GCSObjectsWithPrefixExistenceSensor(
        task_id="wait", bucket="airflow-inputs", prefix="{{ ds }}/", deferrable=IS_DEFERRABLE
    )
    batch = DataprocCreateBatchOperator(
        task_id="batch",
        project_id="p1",
        region="europe-west1",
        batch=BATCH,
        batch_id="{{ var.json.get('names', {}).get('batch', 'example') }}-t{{ ti.try_number }}",
        deferrable=IS_DEFERRABLE,
    )

    @task
    def count(number):
        hook = BigQueryHook(location="EU")
        client = hook.get_client(project_id=hook.project_id)
        return [row.n for row in client.query_and_wait(f"SELECT {number} + 1 AS n")]

    waiting >> batch >> count("{{ params.number }}")
'''


@pytest.fixture(params=[True, False], ids=["deferrable", "waiting"])
def is_deferrable(request: pytest.FixtureRequest) -> bool:
    """Whether the operators give their place away while they wait."""
    return bool(request.param)


@pytest.fixture
def dag_file(airflow: Airflow, is_deferrable: bool) -> Path:
    """The DAG above."""
    return airflow.write("example.py", DAG_TEXT.replace("IS_DEFERRABLE", str(is_deferrable)))


def put_input(cloud: CloudServices) -> None:
    """Let the sensor find something."""
    cloud.create_bucket(BUCKET)
    cloud.storage_client().bucket(BUCKET).blob("2026-11-01/a.csv").upload_from_string(
        "a", timeout=TIMEOUT_SECONDS
    )


def test_a_dag_file_is_described(airflow: Airflow) -> None:
    dag_file = airflow.write("example.py", DAG_TEXT.replace("IS_DEFERRABLE", "True"))
    found = airflow.describe(dag_file)
    assert (found.import_errors, found.touched, found.warnings) == ([], [], [])
    assert found.is_stable
    assert found.digest == airflow.describe(dag_file).digest
    assert 0 < found.seconds < found.import_seconds
    dag = found.dags["example"]
    assert (dag.timetable, dag.schedule) == ("CronDataIntervalTimetable", "0 5 * * *")
    assert (dag.catchup, dag.max_active_runs, dag.owner) == (False, 1, "someone")
    assert (dag.tags, dag.has_doc, dag.params) == (["example"], True, {"number": 2})
    assert dag.tasks["batch"] == Task("DataprocCreateBatchOperator", ["count"], True, 1, 300.0)


def test_what_a_dag_file_touches_is_told(airflow: Airflow) -> None:
    dag_file = airflow.write(
        "greedy.py",
        "import socket\n"
        "from airflow.models.variable import Variable\n"
        "socket.getaddrinfo('localhost', 80)\n"
        "Variable.get('names')\n",
    )
    airflow.variable("names", {})
    touched = airflow.describe(dag_file).touched
    assert len(touched) == 2, touched
    assert "socket.getaddrinfo" in touched[0]
    assert "variable" in touched[1]
    dag_file.write_text("from airflow import DAG\nimport nowhere")
    (error,) = airflow.describe(dag_file).import_errors
    assert "No module named 'nowhere'" in error


def test_nobody_is_led_elsewhere(proxy: ConnectProxy) -> None:
    address = proxy.url.removeprefix("http://")
    connection = HTTPConnection(address, timeout=TIMEOUT_SECONDS)
    connection.set_tunnel("storage.googleapis.com", 443)
    with pytest.raises(OSError, match="403 Forbidden"):
        connection.connect()
    assert (proxy.tunnels, proxy.refused) == ([], ["storage.googleapis.com:443"])


def test_operators_meet_the_services_of_this_machine(
    airflow: Airflow,
    dag_file: Path,
    cloud: CloudServices,
    dataproc: DataprocFake,
    proxy: ConnectProxy,
) -> None:
    put_input(cloud)
    airflow.variable("names", {"batch": "named"})
    (run,) = airflow.test(dag_file, "example", conf={"number": 41})
    assert run.state == "success", run.log
    assert run.tasks["wait"].left["return_value"] == ["2026-11-01/a.csv"]
    assert run.tasks["count"].left["return_value"] == [42]
    (request,) = created(dataproc)
    assert request.batch_id == "named-t1"
    assert request.batch.pyspark_batch.args == ["2026-11-01"]
    assert proxy.tunnels
    assert not proxy.refused


def test_a_batch_that_dies_is_tried_again_under_another_name(
    airflow: Airflow, dag_file: Path, cloud: CloudServices, dataproc: DataprocFake
) -> None:
    put_input(cloud)
    dataproc.faults.append(Fault(FaultKind.BATCH_DIES))
    (run,) = airflow.test(dag_file, "example")
    assert run.state == "success", run.log
    assert run.tasks["batch"].tries == 2
    assert [request.batch_id for request in created(dataproc)] == ["example-t1", "example-t2"]


def test_a_batch_that_is_cancelled_is_a_failure(
    airflow: Airflow,
    dag_file: Path,
    cloud: CloudServices,
    dataproc: DataprocFake,
    tmp_path: Path,
) -> None:
    put_input(cloud)
    dataproc.faults += [Fault(FaultKind.BATCH_HANGS)] * 2
    with ThreadPoolExecutor(1) as other:
        ending = other.submit(airflow.test, dag_file, "example")
        for batch_id in ("example-t1", "example-t2"):
            cancel_when_running(dataproc, tmp_path / "ca.pem", batch_id)
        (run,) = ending.result()
    assert run.state == "failed", run.log
    assert states(run) == {"wait": "success", "batch": "failed", "count": "upstream_failed"}
    assert "was cancelled" in run.log
