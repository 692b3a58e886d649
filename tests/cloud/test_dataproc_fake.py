"""The fake of Dataproc keeps the service's rules, as the real clients see them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

try:
    import grpc
    from google.api_core import exceptions
    from google.cloud import dataproc_v1
    from google.longrunning.operations_pb2 import CancelOperationRequest

    from tests.doubles.dataproc_fake import DataprocFake, Fault, FaultKind, LocalSubmit, make_tls
except ModuleNotFoundError:
    pass  # any environment can collect (and deselect) these tests; selected there, they fail

pytestmark = pytest.mark.cloud

TIMEOUT_SECONDS = 20.0
PARENT = "projects/p1/locations/europe-west1"
MAIN_URI = "gs://code/main.py"
SERVICE_NAME = "europe-west1-dataproc.googleapis.com"

# Ten minutes are a fifth of a second.
FAST_TTL = 1 / 3000

# Both processes hold the connection, and the second cannot be asked to end.
STUBBORN = """
import socket, subprocess, sys
connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); "
child = [sys.executable, "-c", code + "time.sleep(600)"]
child = subprocess.Popen(child, pass_fds=[connection.fileno()], stdout=subprocess.PIPE)
child.stdout.readline()
connection.sendall(b"x")
child.wait()
"""


# As a program has it that knows nothing of the fake.
OTHER_CLIENT = f"""
import sys
from google.auth.credentials import AnonymousCredentials
from google.cloud.dataproc_v1 import BatchControllerClient
options = {{"api_endpoint": sys.argv[1]}}
client = BatchControllerClient(credentials=AnonymousCredentials(), client_options=options)
work = {{"main_python_file_uri": "{MAIN_URI}"}}
batch = {{"pyspark_batch": work, "runtime_config": {{"version": "2.3"}}}}
client.create_batch(parent=sys.argv[2], batch=batch, batch_id="from-elsewhere", timeout=10)
"""


@pytest.fixture
def submit(tmp_path: Path) -> LocalSubmit:
    """Batches are run by this Python, with the main file in the bucket `code`."""
    (tmp_path / "code").mkdir()
    return LocalSubmit([sys.executable], tmp_path, tmp_path / "logs")


@pytest.fixture
def fake(submit: LocalSubmit) -> Iterator[DataprocFake]:
    """The services, in clear text."""
    with DataprocFake(submit) as fake:
        yield fake


def client_of(channel: Any, kind: str = "BatchController") -> Any:
    """Give the real client, with a channel of ours."""
    client_class = getattr(dataproc_v1, f"{kind}Client")
    return client_class(transport=client_class.get_transport_class("grpc")(channel=channel))


@contextmanager
def connect(fake: DataprocFake, kind: str = "BatchController") -> Iterator[Any]:
    """Give a client of the fake's batches or clusters."""
    with grpc.insecure_channel(fake.address) as channel:
        yield client_of(channel, kind)


@pytest.fixture
def client(fake: DataprocFake) -> Iterator[Any]:
    """The real client of batches."""
    with connect(fake) as client:
        yield client


@pytest.fixture
def clusters(fake: DataprocFake) -> Iterator[Any]:
    """The real client of clusters."""
    with connect(fake, "ClusterController") as client:
        yield client


def batch(**changes: Any) -> dict[str, Any]:
    """Give a legal batch, changed at its topmost level."""
    main = {"main_python_file_uri": MAIN_URI}
    return {"pyspark_batch": main, "runtime_config": {"version": "2.3"}, **changes}


def work(**changes: Any) -> dict[str, Any]:
    """Give a legal batch with another PySpark part."""
    return batch(pyspark_batch={"main_python_file_uri": MAIN_URI, **changes})


def with_ttl(ttl: timedelta) -> dict[str, Any]:
    """Give a legal batch but for its ttl."""
    return batch(environment_config={"execution_config": {"ttl": ttl}})


def create(
    client: Any, content: dict[str, Any] | None = None, batch_id: str = "batch-1", **rest: Any
) -> Any:
    """Create a batch; give its operation."""
    request = {"parent": PARENT, "batch": content or batch(), "batch_id": batch_id, **rest}
    return client.create_batch(request, timeout=TIMEOUT_SECONDS, retry=None)


def cancel(client: Any, operation: Any) -> None:
    """Cancel a batch by its operation."""
    client.cancel_operation(CancelOperationRequest(name=operation.operation.name))


def ended(fake: DataprocFake, batch_id: str = "batch-1") -> dataproc_v1.Batch:
    """Wait for the end of a batch."""
    states = [dataproc_v1.Batch.State[name] for name in ("SUCCEEDED", "FAILED", "CANCELLED")]
    return fake.wait_for(batch_id, *states, timeout=TIMEOUT_SECONDS)


def running(fake: DataprocFake, batch_id: str = "batch-1") -> dataproc_v1.Batch:
    """Wait until a batch runs."""
    return fake.wait_for(batch_id, dataproc_v1.Batch.State.RUNNING, timeout=TIMEOUT_SECONDS)


def write_main(submit: LocalSubmit, text: str) -> None:
    """Put the main file into its bucket."""
    (submit.storage_root / "code" / "main.py").write_text(text)


def states_of(batch: dataproc_v1.Batch) -> list[str]:
    """Name the states that a batch went through."""
    return [*(past.state.name for past in batch.state_history), batch.state.name]


@contextmanager
def stubborn_batch(fake: DataprocFake, submit: LocalSubmit) -> Iterator[socket.socket]:
    """Run a batch of two processes; give a connection that ends once both are gone."""
    write_main(submit, STUBBORN)
    with socket.create_server(("127.0.0.1", 0)) as listener, connect(fake) as client:
        listener.settimeout(TIMEOUT_SECONDS)
        create(client, work(args=[str(listener.getsockname()[1])]))
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(TIMEOUT_SECONDS)
            assert connection.recv(1) == b"x"
            yield connection


def test_runs_a_batch(fake: DataprocFake, client: Any, submit: LocalSubmit) -> None:
    with zipfile.ZipFile(submit.storage_root / "code" / "library.zip", "w") as archive:
        archive.writestr("library.py", "NAME = 'from the archive'")
    write_main(submit, "import library, sys; print(library.NAME, sys.argv[1:])")
    content = work(python_file_uris=["gs://code/library.zip"], args=["--day", "gs://in/x"])
    operation = create(client, {**content, "labels": {"team_name": "anomaly-1"}})
    assert operation.metadata.batch == f"{PARENT}/batches/batch-1"
    done = operation.result(timeout=TIMEOUT_SECONDS)
    assert states_of(done) == ["PENDING", "RUNNING", "SUCCEEDED"]
    assert (submit.log_directory / "batch-1.log").read_text() == (
        "from the archive ['--day', 'gs://in/x']\n"
    )
    assert client.get_batch(name=done.name) == done
    assert done.create_time <= done.state_history[1].state_start_time <= done.state_time
    assert done.uuid in done.runtime_info.output_uri
    assert done.operation == operation.operation.name
    assert operation.metadata.batch_uuid == done.uuid
    assert operation.metadata.done_time == done.state_time


def test_gives_spark_submit_its_options(submit: LocalSubmit) -> None:
    program = submit.storage_root / "spark-submit"
    program.write_text('#!/bin/sh\necho "$LEVEL" "$@"\n')
    program.chmod(0o755)
    other = LocalSubmit(
        [str(program), "--master", "local[1]"],
        submit.storage_root,
        submit.log_directory,
        {"LEVEL": "high"},
    )
    content = work(python_file_uris=["gs://code/a.zip", "gs://code/b.py"], args=["--day", "1"])
    content["runtime_config"]["properties"] = {
        "spark.executor.cores": "4",
        "spark.dataproc.driver.disk.size": "250g",
        "dataproc.sparkBqConnector.version": "0.42.1",
    }
    with DataprocFake(other) as fake, connect(fake) as client:
        create(client, content).result(timeout=TIMEOUT_SECONDS)
    code = submit.storage_root / "code"
    assert (submit.log_directory / "batch-1.log").read_text().split() == [
        *["high", "--master", "local[1]", "--conf", "spark.executor.cores=4"],
        *["--py-files", f"{code}/a.zip,{code}/b.py", f"{code}/main.py", "--day", "1"],
    ]


def test_batch_fails_by_its_exit_code(fake: DataprocFake, client: Any, submit: LocalSubmit) -> None:
    write_main(submit, "raise SystemExit(3)")
    operation = create(client)
    with pytest.raises(exceptions.Aborted, match="exit code 3"):
        operation.result(timeout=TIMEOUT_SECONDS)
    failed = ended(fake)
    assert states_of(failed) == ["PENDING", "RUNNING", "FAILED"]
    assert "batch-1.log" in failed.state_message


def test_batch_fails_where_there_is_no_program(submit: LocalSubmit) -> None:
    nothing = LocalSubmit(["/no/such/program"], submit.storage_root, submit.log_directory)
    with DataprocFake(nothing) as fake, connect(fake) as client:
        create(client)
        failed = ended(fake)
    assert states_of(failed) == ["PENDING", "FAILED"]
    assert "/no/such/program" in failed.state_message


def test_cancelling_ends_all_processes(
    fake: DataprocFake, client: Any, submit: LocalSubmit
) -> None:
    with stubborn_batch(fake, submit) as connection:
        name = running(fake).operation
        client.cancel_operation(CancelOperationRequest(name=name))
        assert connection.recv(1) == b""
    cancelled = ended(fake)
    assert states_of(cancelled) == ["PENDING", "RUNNING", "CANCELLING", "CANCELLED"]
    client.cancel_operation(CancelOperationRequest(name=name))
    assert ended(fake) == cancelled


def test_leaving_ends_all_processes(submit: LocalSubmit) -> None:
    with ExitStack() as stack:
        fake = stack.enter_context(DataprocFake(submit))
        with stubborn_batch(fake, submit) as connection:
            stack.close()
            assert connection.recv(1) == b""
    assert ended(fake).state.name == "CANCELLED"


def test_ttl_ends_a_batch(submit: LocalSubmit) -> None:
    write_main(submit, "import time; time.sleep(600)")
    with DataprocFake(submit, ttl_factor=FAST_TTL) as fake, connect(fake) as client:
        operation = create(client, with_ttl(timedelta(minutes=10)))
        with pytest.raises(exceptions.Cancelled, match="ttl of 0:10:00"):
            operation.result(timeout=TIMEOUT_SECONDS)
        cancelled = ended(fake)
    assert states_of(cancelled) == ["PENDING", "RUNNING", "CANCELLING", "CANCELLED"]
    assert "ttl of 0:10:00" in cancelled.state_message


def test_a_batch_may_hang_until_cancelled(fake: DataprocFake, client: Any) -> None:
    fake.faults.append(Fault(FaultKind.BATCH_HANGS))
    operation = create(client)
    assert running(fake).state_message == ""
    cancel(client, operation)
    with pytest.raises(exceptions.Cancelled):
        operation.result(timeout=TIMEOUT_SECONDS)
    assert ended(fake).state.name == "CANCELLED"


def test_a_batch_may_hang_until_its_ttl(submit: LocalSubmit) -> None:
    with DataprocFake(submit, ttl_factor=FAST_TTL) as fake, connect(fake) as client:
        fake.faults.append(Fault(FaultKind.BATCH_HANGS))
        create(client, with_ttl(timedelta(minutes=10)))
        assert "ttl" in ended(fake).state_message


def test_a_batch_may_die(fake: DataprocFake, client: Any, submit: LocalSubmit) -> None:
    write_main(submit, "print('never printed')")
    fake.faults.append(Fault(FaultKind.BATCH_DIES, message="no machines left"))
    create(client)
    failed = ended(fake)
    assert (failed.state.name, failed.state_message) == ("FAILED", "no machines left")
    assert not (submit.log_directory / "batch-1.log").exists()


@pytest.mark.parametrize("batch_id", ["abc", "a" * 64, "Abcd", "a_bcd", "-abc", "abc-"])
def test_refuses_ids(client: Any, batch_id: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match="batch_id"):
        create(client, batch_id=batch_id)


@pytest.mark.parametrize("batch_id", ["abcd", "a" * 63, "2026-day"])
def test_takes_ids(client: Any, batch_id: str) -> None:
    assert create(client, batch_id=batch_id).metadata.batch == f"{PARENT}/batches/{batch_id}"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (batch(labels={"airflow-task-id": "load_table"}), "load_table"),
        (batch(labels={"team": "A"}), "'A'"),
        (batch(labels={"team": "a" * 64}), "aaa"),
        (batch(labels={"Team": "a"}), "'Team'"),
        (batch(labels={"t" * 64: "a"}), "ttt"),
        (work(python_file_uris=["gs://code/library-1.0-py3-none-any.whl"]), "library"),
        (work(main_python_file_uri="/code/main.py"), "main_python_file_uri"),
        (work(main_python_file_uri="gs://code/main.jar"), "main_python_file_uri"),
        (batch(runtime_config={}), "version ''"),
        (batch(runtime_config={"version": "2.2"}), "version '2.2'"),
        (with_ttl(timedelta(minutes=9)), "ttl 0:09:00"),
        (with_ttl(timedelta(days=15)), "ttl 15 days"),
    ],
)
def test_refuses_batches(client: Any, content: dict[str, Any], complaint: str) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=complaint):
        create(client, content)
    assert not list(client.list_batches(parent=PARENT))


def test_both_parents_are_the_same_place(fake: DataprocFake, client: Any) -> None:
    regions = PARENT.replace("locations", "regions")
    create(client, parent=regions)
    for parent in (PARENT, regions):
        (listed,) = client.list_batches(parent=parent)
        assert listed.name == f"{PARENT}/batches/batch-1"
        with pytest.raises(exceptions.AlreadyExists):
            create(client, parent=parent)
    assert client.get_batch(name=f"{regions}/batches/batch-1").name == listed.name
    assert not list(client.list_batches(parent="projects/p1/locations/europe-west4"))
    with pytest.raises(exceptions.InvalidArgument):
        create(client, parent="projects/p1")


def test_the_same_request_makes_no_second_batch(fake: DataprocFake, client: Any) -> None:
    first = create(client, batch_id="", request_id="one")
    again = create(client, batch_id="", request_id="one")
    other = create(client, batch_id="", request_id="two")
    assert first.operation.name == again.operation.name != other.operation.name
    assert len(list(client.list_batches(parent=PARENT))) == 2
    assert [call.request.request_id for call in fake.requests[:3]] == ["one", "one", "two"]


def test_deletes_only_what_has_ended(fake: DataprocFake, client: Any) -> None:
    fake.faults.append(Fault(FaultKind.BATCH_HANGS))
    operation = create(client)
    name = running(fake).name
    with pytest.raises(exceptions.FailedPrecondition, match="RUNNING"):
        client.delete_batch(name=name)
    cancel(client, operation)
    ended(fake)
    client.delete_batch(name=name)
    with pytest.raises(exceptions.NotFound):
        client.get_batch(name=name)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("UNAVAILABLE", "ServiceUnavailable"),
        ("QUOTA", "ResourceExhausted"),
        ("DENIED", "PermissionDenied"),
    ],
)
def test_refuses_once_without_effect(
    fake: DataprocFake, client: Any, kind: str, error: str
) -> None:
    fake.faults.append(Fault(FaultKind[kind], message="so it is"))
    with pytest.raises(getattr(exceptions, error), match="so it is"):
        create(client)
    assert not list(client.list_batches(parent=PARENT))
    create(client)
    assert [call.method for call in fake.requests] == ["CreateBatch", "ListBatches", "CreateBatch"]


def test_faults_wait_for_their_method(fake: DataprocFake, client: Any) -> None:
    fake.faults += [Fault(FaultKind.UNAVAILABLE, method="GetBatch")] * 2
    create(client)
    for _ in range(2):
        with pytest.raises(exceptions.ServiceUnavailable):
            client.get_batch(name=f"{PARENT}/batches/batch-1", retry=None)
    assert client.get_batch(name=f"{PARENT}/batches/batch-1", retry=None)
    assert not fake.faults


def test_answer_may_be_lost(fake: DataprocFake, client: Any) -> None:
    fake.faults.append(Fault(FaultKind.ANSWER_LOST))
    with pytest.raises(exceptions.ServiceUnavailable):
        create(client, request_id="one")
    (made,) = client.list_batches(parent=PARENT)
    assert create(client, request_id="one").operation.name == made.operation
    with pytest.raises(exceptions.AlreadyExists):
        create(client, request_id="two")


def test_notes_what_was_sent(fake: DataprocFake, client: Any) -> None:
    create(client, batch(labels={"team": "anomaly"}))
    (call,) = fake.requests
    assert call.method == "CreateBatch"
    assert call.request.batch.labels["team"] == "anomaly"
    assert PARENT in call.metadata["x-goog-request-params"].replace("%2F", "/")


def test_serves_tls_under_the_name_of_the_service(submit: LocalSubmit, tmp_path: Path) -> None:
    tls = make_tls(tmp_path / "ca.pem", SERVICE_NAME)
    credentials = grpc.ssl_channel_credentials((tmp_path / "ca.pem").read_bytes())
    options = [("grpc.ssl_target_name_override", SERVICE_NAME)]
    with (
        DataprocFake(submit, tls=tls) as fake,
        grpc.secure_channel(fake.address, credentials, options) as channel,
        client_of(channel) as client,
    ):
        assert not list(client.list_batches(parent=PARENT, timeout=TIMEOUT_SECONDS))


def test_another_process_can_trust_the_certificate(submit: LocalSubmit, tmp_path: Path) -> None:
    tls = make_tls(tmp_path / "ca.pem")
    with DataprocFake(submit, tls=tls) as fake:
        fake.faults.append(Fault(FaultKind.BATCH_HANGS))
        subprocess.run(
            [sys.executable, "-c", OTHER_CLIENT, fake.address, PARENT],
            env={**os.environ, "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(tmp_path / "ca.pem")},
            timeout=TIMEOUT_SECONDS,
            check=True,
        )
        assert running(fake, "from-elsewhere")


def test_creates_clusters(fake: DataprocFake, clusters: Any) -> None:
    place = {"project_id": "p1", "region": "europe-west1"}
    with pytest.raises(exceptions.NotFound):
        clusters.get_cluster(**place, cluster_name="cluster-1")
    request = {**place, "cluster": {"cluster_name": "cluster-1", "labels": {"team": "a"}}}
    operation = clusters.create_cluster({**request, "request_id": "one"})
    created = operation.result(timeout=TIMEOUT_SECONDS)
    assert (created.project_id, created.status.state.name) == ("p1", "RUNNING")
    assert operation.metadata.cluster_uuid == created.cluster_uuid
    assert clusters.get_cluster(**place, cluster_name="cluster-1") == created
    again = clusters.create_cluster({**request, "request_id": "one"})
    assert again.operation.name == operation.operation.name
    with pytest.raises(exceptions.AlreadyExists):
        clusters.create_cluster(request)
    clusters.create_cluster({**request, "region": "europe-west4"})
