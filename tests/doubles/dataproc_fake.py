"""Dataproc on this machine: takes batches like the service, and runs each as a local process.

    submit = LocalSubmit(["/path/of/spark-submit"], storage_root, log_directory)
    with DataprocFake(submit) as fake:
        channel = grpc.insecure_channel(fake.address)
        transport = BatchControllerClient.get_transport_class("grpc")(channel=channel)
        client = BatchControllerClient(transport=transport)

It answers for `BatchController`, for the `Operations` behind it, and for as much of
`ClusterController` as setting up a cluster needs. It refuses what the service refuses, where a
user would otherwise learn of it only in the cloud. Clients that insist on TLS are served with
`make_tls`. `fake.faults` makes it fail, `fake.requests` tells what it was asked.
"""

from __future__ import annotations

import contextlib
import functools
import ipaddress
import os
import re
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple, Self
from uuid import uuid4

import grpc
import proto
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google.cloud import dataproc_v1 as dataproc
from google.cloud.dataproc_v1 import Batch, BatchOperationMetadata, Cluster
from google.longrunning import operations_pb2
from google.longrunning.operations_pb2 import Operation
from google.protobuf.empty_pb2 import Empty
from grpc import StatusCode

from tests.doubles.tls_terminator import LOOPBACK, VALIDITY

WORKERS = 8
KILL_AFTER_SECONDS = 5.0

BATCH_ID = re.compile(r"[a-z0-9][a-z0-9-]{2,61}[a-z0-9]")
CLUSTER_NAME = re.compile(r"[a-z]([a-z0-9-]{0,49}[a-z0-9])?")
LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
# Without underscores, on which the labels that Airflow adds have come to grief.
LABEL_VALUE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PARENT = re.compile(r"projects/[^/]+/(locations|regions)/[^/]+")

# Not those whose support has ended.
SUPPORTED_RUNTIMES = frozenset({"2.3", "3.0"})
PYTHON_FILE_SUFFIXES = (".py", ".egg", ".zip")
SHORTEST_TTL = timedelta(minutes=10)
LONGEST_TTL = timedelta(days=14)
DEFAULT_TTL = timedelta(hours=4)

Action = Callable[[Any], Any]

State = Batch.State
ENDED = frozenset({State.SUCCEEDED, State.FAILED, State.CANCELLED})
# Of the operation behind a batch that did not succeed.
ERROR_CODES = {State.FAILED: StatusCode.ABORTED, State.CANCELLED: StatusCode.CANCELLED}


class FaultKind(Enum):
    """What can go wrong."""

    UNAVAILABLE = "the request does not reach the service"
    ANSWER_LOST = "the request takes effect, the client gets UNAVAILABLE"
    QUOTA = "RESOURCE_EXHAUSTED"
    DENIED = "PERMISSION_DENIED"
    BATCH_DIES = "the batch fails without having started a process"
    BATCH_HANGS = "the batch stays RUNNING, without a process, until cancelled or out of time"


REFUSALS = {
    FaultKind.UNAVAILABLE: StatusCode.UNAVAILABLE,
    FaultKind.QUOTA: StatusCode.RESOURCE_EXHAUSTED,
    FaultKind.DENIED: StatusCode.PERMISSION_DENIED,
}
FATES = (FaultKind.BATCH_DIES, FaultKind.BATCH_HANGS)


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong once: with the next request of the method, or the next batch.

    A fault of a batch waits for one that is taken, and so can follow on one of its request.
    """

    kind: FaultKind
    method: str = "CreateBatch"
    message: str = "injected fault"


class Call(NamedTuple):
    """A request that came in, whatever became of it."""

    method: str
    request: Any
    metadata: dict[str, str | bytes]


class Refusal(Exception):
    """The service answers with this status."""

    def __init__(self, code: StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code


def make_tls(certificate_file: Path, *names: str) -> tuple[bytes, bytes]:
    """Make a key and a certificate, its own authority, for this machine and further DNS names.

    The certificate is also written to the file: a client process trusts it if the variable
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH names the file before gRPC makes its first channel.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    addresses = [x509.DNSName(name) for name in ("localhost", *names)]
    addresses.append(x509.IPAddress(ipaddress.ip_address(LOOPBACK)))
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        # Starts in the past: clocks of containers differ by a little.
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + VALIDITY)
        .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    certificate_file.write_bytes(certificate)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
    return key.private_bytes(*form, serialization.NoEncryption()), certificate


def require(is_right: bool, message: str) -> None:
    """Refuse a request that is not right."""
    if not is_right:
        raise Refusal(StatusCode.INVALID_ARGUMENT, message)


def check_labels(labels: Mapping[str, str]) -> None:
    """Refuse illegal labels."""
    for key, value in labels.items():
        require(LABEL_KEY.fullmatch(key) is not None, f"label key {key!r}")
        require(LABEL_VALUE.fullmatch(value) is not None, f"value {value!r} of label {key!r}")


def check_batch(batch: Batch) -> None:
    """Refuse what the service refuses in a PySpark batch."""
    check_labels(batch.labels)
    main = batch.pyspark_batch.main_python_file_uri
    require(main.startswith("gs://") and main.endswith(".py"), f"main_python_file_uri {main!r}")
    for uri in batch.pyspark_batch.python_file_uris:
        require(uri.endswith(PYTHON_FILE_SUFFIXES), f"python_file_uris {uri!r}")
    # The service would choose one itself, and another one some day.
    version = batch.runtime_config.version
    require(version in SUPPORTED_RUNTIMES, f"runtime_config.version {version!r}")
    execution = batch.environment_config.execution_config
    require("idle_ttl" not in execution, "idle_ttl is for sessions only")
    if "ttl" in execution:
        require(SHORTEST_TTL <= execution.ttl <= LONGEST_TTL, f"ttl {execution.ttl}")


def canonical(name: str) -> str:
    """Give the one form of a resource's name under which it is kept."""
    return name.replace("/regions/", "/locations/", 1)


def new_operation(parent: str, metadata: proto.Message) -> Operation:
    """Make an operation that is not done."""
    # The service names operations by region, also those of requests that speak of locations.
    operation = Operation(name=f"{parent.replace('/locations/', '/regions/')}/operations/{uuid4()}")
    operation.metadata.Pack(type(metadata).pb(metadata))
    return operation


def new_batch(request: dataproc.CreateBatchRequest) -> Batch:
    """Make the batch that is asked for, unless it breaks a rule."""
    identity = str(uuid4())
    batch_id = request.batch_id or identity
    require(PARENT.fullmatch(request.parent) is not None, f"parent {request.parent!r}")
    require(BATCH_ID.fullmatch(batch_id) is not None, f"batch_id {batch_id!r}")
    check_batch(request.batch)
    staging = request.batch.environment_config.execution_config.staging_bucket
    output = f"gs://{staging or 'dataproc-staging'}/google-cloud-dataproc-metainfo/{identity}"
    return Batch(
        request.batch,
        name=f"{canonical(request.parent)}/batches/{batch_id}",
        uuid=identity,
        create_time=datetime.now(UTC),
        runtime_info={
            "output_uri": f"{output}/driveroutput",
            "diagnostic_output_uri": f"{output}/diagnostic.tar.gz",
        },
    )


def new_cluster(request: dataproc.CreateClusterRequest) -> Cluster:
    """Make the cluster that is asked for, unless it breaks a rule."""
    name = request.cluster.cluster_name
    require(CLUSTER_NAME.fullmatch(name) is not None, f"cluster_name {name!r}")
    check_labels(request.cluster.labels)
    return Cluster(
        request.cluster,
        project_id=request.project_id,
        cluster_uuid=str(uuid4()),
        status={
            "state": dataproc.ClusterStatus.State.RUNNING,
            "state_start_time": datetime.now(UTC),
        },
    )


@dataclass(frozen=True)
class LocalSubmit:
    """How a batch becomes a process of this machine.

    Attributes:
        command: what runs the main file: `spark-submit`, or a Python interpreter, which gets no
            options and finds the Python files by PYTHONPATH. The program's path is absolute, or
            it is found on PATH.
        storage_root: `gs://bucket/name` is `storage_root/bucket/name`.
        log_directory: takes what a batch prints, as `BATCH_ID.log`.
        environment: variables on top of this process' own (of which PYTHONPATH is left out).
    """

    command: Sequence[str]
    storage_root: Path
    log_directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def start(self, batch: Batch, directory: Path) -> subprocess.Popen[bytes]:
        """Start the batch in a directory, as a process group of its own."""
        # A batch sees its own files only, not what happens to lie beside a test.
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        command = list(self.command)
        if any(Path(word).name == "spark-submit" for word in command):
            command += self._spark_options(batch)
        elif places := self._import_places(batch):
            environment["PYTHONPATH"] = os.pathsep.join(places)
        command += [self.local(batch.pyspark_batch.main_python_file_uri)]
        command += batch.pyspark_batch.args
        self.log_directory.mkdir(parents=True, exist_ok=True)
        with self.log_file(batch).open("wb") as log:
            return subprocess.Popen(
                command,
                cwd=directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**environment, **self.environment},
                # No preexec_fn: it would take a fork, and gRPC does not get along with forks.
                start_new_session=True,
            )

    def log_file(self, batch: Batch) -> Path:
        """Name the file that takes what the batch prints."""
        return self.log_directory / f"{batch.name.rpartition('/')[2]}.log"

    def local(self, uri: str) -> str:
        """Give the path of an object of Cloud Storage; other names stay as they are."""
        if not uri.startswith("gs://"):
            return uri
        return str(self.storage_root.resolve() / uri.removeprefix("gs://"))

    def _spark_options(self, batch: Batch) -> list[str]:
        options = []
        for key, value in batch.runtime_config.properties.items():
            if key.startswith("spark.") and not key.startswith("spark.dataproc."):
                options += ["--conf", f"{key}={value}"]
        if files := batch.pyspark_batch.python_file_uris:
            options += ["--py-files", ",".join(self.local(uri) for uri in files)]
        return options

    def _import_places(self, batch: Batch) -> list[str]:
        paths = [Path(self.local(uri)) for uri in batch.pyspark_batch.python_file_uris]
        return [str(path.parent if path.suffix == ".py" else path) for path in paths]


class BatchRun:
    """One batch: what the service says of it, and the process behind it.

    All that changes does so under the condition, which is told of each new state.
    """

    def __init__(
        self, batch: Batch, submit: LocalSubmit, fate: Fault | None, changed: threading.Condition
    ) -> None:
        """Begin in state PENDING; `start` does the rest."""
        self.batch = batch
        self.operation = new_operation(batch.name.partition("/batches/")[0], self._metadata())
        batch.operation = self.operation.name
        self._submit = submit
        self._fate = fate
        self._changed = changed
        self._cancelled = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._timers: list[threading.Timer] = []
        self._enter(State.PENDING)

    def start(self, ttl_factor: float) -> None:
        """Let the batch run in a thread."""
        self._thread = threading.Thread(target=self._live, args=(ttl_factor,), daemon=True)
        self._thread.start()

    def cancel(self, message: str = "") -> None:
        """Ask the processes to end; of no effect on a batch that ends already."""
        with self._changed:
            if self.batch.state in (State.PENDING, State.RUNNING):
                self._enter(State.CANCELLING, message)
                self._cancelled.set()
                self._signal(signal.SIGTERM)
                self._after(KILL_AFTER_SECONDS, self._signal, signal.SIGKILL)

    def kill(self) -> None:
        """End everything now."""
        self.cancel("The service was stopped.")
        self._signal(signal.SIGKILL)
        self._thread.join()

    def _live(self, ttl_factor: float) -> None:
        failure = ""
        try:
            with tempfile.TemporaryDirectory(prefix="batch-", ignore_cleanup_errors=True) as place:
                if self._begin(Path(place), ttl_factor):
                    failure = self._wait()
        except (OSError, ValueError) as error:  # ValueError: an argument that no process can get
            failure = f"The batch could not be started: {error}"
        with self._changed:
            self._end(failure)

    def _begin(self, directory: Path, ttl_factor: float) -> bool:
        with self._changed:
            if self.batch.state != State.PENDING:
                return False  # cancelled already
            if self._fate is None:
                self._process = self._submit.start(self.batch, directory)
            self._enter(State.RUNNING)
            execution = self.batch.environment_config.execution_config
            ttl = execution.ttl if "ttl" in execution else DEFAULT_TTL
            message = f"The batch ran longer than its ttl of {ttl} and was cancelled."
            self._after(ttl.total_seconds() * ttl_factor, self.cancel, message)
            return True

    def _wait(self) -> str:
        """Wait for the end; give what failed."""
        if self._fate is not None and self._fate.kind is FaultKind.BATCH_DIES:
            return self._fate.message
        if self._process is None:
            self._cancelled.wait()
            return ""
        # Leaves the exit code where it is: as long as it is there, no other process gets the id
        # to which signals are sent.
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        with self._changed:
            self._signal(signal.SIGKILL)  # whatever is left of the group
            code = self._process.wait()
        log = self._submit.log_file(self.batch)
        return f"The batch failed with exit code {code}. Its log is {log}" if code else ""

    def _end(self, failure: str) -> None:
        for timer in self._timers:
            timer.cancel()
        if self.batch.state == State.CANCELLING:
            self._enter(State.CANCELLED, self.batch.state_message)
        else:
            self._enter(State.FAILED if failure else State.SUCCEEDED, failure)
        metadata = self._metadata()
        metadata.done_time = self.batch.state_time
        self.operation.metadata.Pack(BatchOperationMetadata.pb(metadata))
        if code := ERROR_CODES.get(self.batch.state):
            self.operation.error.code = code.value[0]
            self.operation.error.message = self.batch.state_message or code.value[1]
        else:
            self.operation.response.Pack(Batch.pb(self.batch))
        self.operation.done = True

    def _metadata(self) -> BatchOperationMetadata:
        return BatchOperationMetadata(
            batch=self.batch.name,
            batch_uuid=self.batch.uuid,
            create_time=self.batch.create_time,
            operation_type=BatchOperationMetadata.BatchOperationType.BATCH,
            labels=dict(self.batch.labels),
        )

    def _enter(self, state: State, message: str = "") -> None:
        batch = self.batch
        if batch.state:
            past = {"state": batch.state, "state_message": batch.state_message}
            batch.state_history.append({**past, "state_start_time": batch.state_time})
        batch.state, batch.state_message = state, message
        batch.state_time = datetime.now(UTC)
        self._changed.notify_all()

    def _after(self, seconds: float, action: Callable[..., None], argument: Any) -> None:
        timer = threading.Timer(seconds, action, [argument])
        timer.daemon = True
        timer.start()
        self._timers.append(timer)

    def _signal(self, number: int) -> None:
        with self._changed:
            if self._process is not None and self._process.returncode is None:
                # Not every kernel finds a group of which only the ended leader is left.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self._process.pid, number)


class DataprocFake:
    """The services, on a free port of this machine.

    Attributes:
        address: `127.0.0.1:PORT` (once entered).
        faults: what shall go wrong; each fault is taken out when it happens. Append at any time.
        requests: what came in, in this order.
    """

    address: str

    def __init__(
        self,
        run_batch: LocalSubmit,
        tls: tuple[bytes, bytes] | None = None,
        ttl_factor: float = 1.0,
    ) -> None:
        """Remember the settings; entering the context starts the services.

        Args:
            run_batch: how a batch is run.
            tls: key and certificate (PEM) to serve with; in clear text if there are none.
            ttl_factor: how much of a batch's ttl has to pass here before it is over: no test
                can wait for the ten minutes that are the shortest one.
        """
        self.faults: list[Fault] = []
        self.requests: list[Call] = []
        self._run_batch = run_batch
        self._tls = tls
        self._ttl_factor = ttl_factor
        self._changed = threading.Condition()
        self._runs: dict[str, BatchRun] = {}
        self._clusters: dict[tuple[str, str, str], Cluster] = {}
        self._operations: dict[str, Operation] = {}
        self._operation_of_request: dict[str, Operation] = {}

    def __enter__(self) -> Self:
        """Serve on a free port."""
        self._workers = ThreadPoolExecutor(WORKERS)
        self._server = grpc.server(self._workers)
        self._server.add_generic_rpc_handlers(self._services())
        if self._tls is None:
            port = self._server.add_insecure_port(f"{LOOPBACK}:0")
        else:
            credentials = grpc.ssl_server_credentials([self._tls])
            port = self._server.add_secure_port(f"{LOOPBACK}:0", credentials)
        self.address = f"{LOOPBACK}:{port}"
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving, then end all batches."""
        self._server.stop(None).wait()
        self._workers.shutdown()
        for run in self._runs.values():
            run.kill()

    def wait_for(self, batch_id: str | None, *states: State, timeout: float) -> Batch:
        """Wait until a batch, which need not exist yet, is in one of the states; give a copy.

        Without an id, it may be any batch.
        """

        def find() -> Batch | None:
            end = "" if batch_id is None else f"/batches/{batch_id}"
            ours = [run.batch for name, run in self._runs.items() if name.endswith(end)]
            return next((batch for batch in ours if batch.state in states), None)

        with self._changed:
            if (batch := self._changed.wait_for(find, timeout)) is None:
                raise TimeoutError(f"batch {batch_id} is not in any of the states {states}")
            return Batch(batch)

    def _services(self) -> list[grpc.GenericRpcHandler]:
        services = {
            "google.cloud.dataproc.v1.BatchController": {
                "CreateBatch": self._create_batch,
                "GetBatch": self._get_batch,
                "ListBatches": self._list_batches,
                "DeleteBatch": self._delete_batch,
            },
            "google.cloud.dataproc.v1.ClusterController": {
                "CreateCluster": self._create_cluster,
                "GetCluster": self._get_cluster,
            },
            "google.longrunning.Operations": {
                "GetOperation": self._get_operation,
                "CancelOperation": self._cancel_operation,
            },
        }
        return [
            grpc.method_handlers_generic_handler(
                service, {name: self._handler(name, action) for name, action in actions.items()}
            )
            for service, actions in services.items()
        ]

    def _handler(self, method: str, action: Action) -> grpc.RpcMethodHandler:
        deserialize = (
            getattr(operations_pb2, f"{method}Request").FromString
            if method.endswith("Operation")
            else getattr(dataproc, f"{method}Request").deserialize
        )
        answer = functools.partial(self._answer, method, action)
        return grpc.unary_unary_rpc_method_handler(answer, deserialize)

    def _answer(
        self, method: str, action: Action, request: Any, context: grpc.ServicerContext
    ) -> bytes:
        try:
            # Up to the bytes: what is sent must not change while it is turned into them.
            with self._changed:
                self.requests.append(Call(method, request, dict(context.invocation_metadata())))
                if fault := self._take_fault(method, *REFUSALS):
                    raise Refusal(REFUSALS[fault.kind], fault.message)
                answer = action(request)
                if fault := self._take_fault(method, FaultKind.ANSWER_LOST):
                    raise Refusal(StatusCode.UNAVAILABLE, fault.message)
                message = type(answer).pb(answer) if isinstance(answer, proto.Message) else answer
                return message.SerializeToString()
        except Refusal as refusal:
            context.abort(refusal.code, str(refusal))

    def _take_fault(self, method: str, *kinds: FaultKind) -> Fault | None:
        fits = (fault for fault in self.faults if fault.method == method and fault.kind in kinds)
        if fault := next(fits, None):
            self.faults.remove(fault)
        return fault

    def _once(self, request_id: str, create: Callable[[], Operation]) -> Operation:
        """Give the operation of a request that came before, or else of what is created now."""
        operation = self._operation_of_request.get(request_id) or create()
        self._operations[canonical(operation.name)] = operation
        if request_id:
            self._operation_of_request[request_id] = operation
        return operation

    def _create_batch(self, request: dataproc.CreateBatchRequest) -> Operation:
        def create() -> Operation:
            batch = new_batch(request)
            if batch.name in self._runs:
                raise Refusal(StatusCode.ALREADY_EXISTS, f"Already exists: Batch {batch.name}")
            fate = self._take_fault("CreateBatch", *FATES)
            run = self._runs[batch.name] = BatchRun(batch, self._run_batch, fate, self._changed)
            run.start(self._ttl_factor)
            return run.operation

        return self._once(request.request_id, create)

    def _run(self, name: str) -> BatchRun:
        if canonical(name) not in self._runs:
            raise Refusal(StatusCode.NOT_FOUND, f"Not found: Batch {name}")
        return self._runs[canonical(name)]

    def _get_batch(self, request: dataproc.GetBatchRequest) -> Batch:
        return self._run(request.name).batch

    def _list_batches(self, request: dataproc.ListBatchesRequest) -> dataproc.ListBatchesResponse:
        if request.filter or request.order_by:
            raise Refusal(StatusCode.UNIMPLEMENTED, "the fake neither filters nor orders")
        prefix = f"{canonical(request.parent)}/batches/"
        ours = [run.batch for name, run in self._runs.items() if name.startswith(prefix)]
        return dataproc.ListBatchesResponse(batches=ours)

    def _delete_batch(self, request: dataproc.DeleteBatchRequest) -> Empty:
        batch = self._run(request.name).batch
        if batch.state not in ENDED:
            raise Refusal(StatusCode.FAILED_PRECONDITION, f"{batch.name} is {batch.state.name}")
        del self._runs[batch.name]
        return Empty()

    def _get_operation(self, request: Any) -> Operation:
        if canonical(request.name) not in self._operations:
            raise Refusal(StatusCode.NOT_FOUND, f"Not found: Operation {request.name}")
        return self._operations[canonical(request.name)]

    def _cancel_operation(self, request: operations_pb2.CancelOperationRequest) -> Empty:
        operation = self._get_operation(request)
        for run in self._runs.values():
            if run.operation is operation:
                run.cancel()
        return Empty()

    def _create_cluster(self, request: dataproc.CreateClusterRequest) -> Operation:
        key = (request.project_id, request.region, request.cluster.cluster_name)

        def create() -> Operation:
            if key in self._clusters:
                raise Refusal(StatusCode.ALREADY_EXISTS, f"Already exists: Cluster {key[2]}")
            cluster = self._clusters[key] = new_cluster(request)
            metadata = dataproc.ClusterOperationMetadata(
                cluster_name=cluster.cluster_name,
                cluster_uuid=cluster.cluster_uuid,
                operation_type="CREATE",
                status={"state": dataproc.ClusterOperationStatus.State.DONE},
            )
            operation = new_operation(f"projects/{key[0]}/regions/{key[1]}", metadata)
            operation.response.Pack(Cluster.pb(cluster))
            operation.done = True
            return operation

        return self._once(request.request_id, create)

    def _get_cluster(self, request: dataproc.GetClusterRequest) -> Cluster:
        key = (request.project_id, request.region, request.cluster_name)
        if key not in self._clusters:
            raise Refusal(StatusCode.NOT_FOUND, f"Not found: Cluster {request.cluster_name}")
        return self._clusters[key]
