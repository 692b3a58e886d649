"""Creates what batches need: buckets, the dataset, the history server; uploads inputs.

Each step may be repeated: what exists already stays as it is.
"""

import argparse
import base64
import hashlib
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.api_core.exceptions import AlreadyExists, Conflict
from google.cloud import bigquery, dataproc_v1, storage

from anomaly.errors import BatchError, ConfigurationError
from runners.dataproc.calls import CALL, RETRIED_CALL, calling, cluster_client
from runners.dataproc.settings import DataprocSettings, load_settings
from runners.storage.bigquery_calls import client_of

CLUSTER_SECONDS = 900
# The image of the history server has the Spark of the batches' runtime.
IMAGES = {"2.3": "2.3-debian12"}


@dataclass(frozen=True)
class Step:
    """One thing to create, with the equivalent gcloud or bq command.

    `make` returns whether it created something; False means that it existed.
    """

    subject: str
    command: str
    make: Callable[[], bool]


def provision(options: argparse.Namespace) -> None:
    """Do all steps, or print their commands. Raises AnomalyError if one fails."""
    settings = load_settings(options.settings)
    if options.inputs and not settings.data_bucket:
        raise ConfigurationError("--inputs", ["set data_bucket, to which the files are copied"])
    for step in _steps(settings, options.inputs):
        if options.dry_run:
            print(step.command)
            continue
        with calling(step.subject):
            made = step.make()
        print(f"{'created' if made else 'exists':7}  {step.subject}")


def _steps(settings: DataprocSettings, inputs: str | None) -> Iterator[Step]:
    buckets = (settings.code_bucket, settings.data_bucket, settings.history_bucket)
    for bucket in dict.fromkeys(name for name in buckets if name):
        yield _bucket(settings, bucket)
    if settings.dataset:
        yield _dataset(settings)
    if settings.history_server:
        yield _history_server(settings)
    for file in sorted(_files_below(inputs)) if inputs else ():
        yield _copy(settings, Path(inputs or ""), file)


def _storage(settings: DataprocSettings) -> storage.Client:
    with calling(settings.project):
        return storage.Client(project=settings.project)


def _bucket(settings: DataprocSettings, name: str) -> Step:
    def make() -> bool:
        bucket = storage.Bucket(_storage(settings), name)
        bucket.iam_configuration.uniform_bucket_level_access_enabled = True
        try:
            bucket.create(location=settings.region, **CALL)
        except Conflict:
            # If the name belongs to somebody else, this is refused.
            bucket.reload(**CALL)
            return False
        return True

    command = _shell(
        *("gcloud", "storage", "buckets", "create", f"gs://{name}"),
        *(f"--project={settings.project}", f"--location={settings.region}"),
        "--uniform-bucket-level-access",
    )
    return Step(f"gs://{name}", command, make)


def _dataset(settings: DataprocSettings) -> Step:
    def make() -> bool:
        client = client_of(settings.project)
        dataset = bigquery.Dataset(f"{settings.project}.{settings.dataset}")
        dataset.location = settings.region
        try:
            client.create_dataset(dataset, **CALL)
        except Conflict:
            return False
        return True

    name = f"{settings.project}:{settings.dataset}"
    command = _shell("bq", f"--location={settings.region}", "mk", "--dataset", name)
    return Step(f"bq://{settings.project}.{settings.dataset}", command, make)


def _history_server(settings: DataprocSettings) -> Step:
    image = IMAGES[settings.runtime_version]
    folder = f"gs://{settings.history_bucket}/*/spark-job-history"
    properties = {
        "spark:spark.history.fs.logDirectory": folder,
        # A cluster of one node without workers.
        "dataproc:dataproc.allow.zero.workers": "true",
    }
    cluster = dataproc_v1.Cluster(
        project_id=settings.project,
        cluster_name=settings.history_server,
        config=dataproc_v1.ClusterConfig(
            software_config=dataproc_v1.SoftwareConfig(image_version=image, properties=properties),
            endpoint_config=dataproc_v1.EndpointConfig(enable_http_port_access=True),
            gce_cluster_config=dataproc_v1.GceClusterConfig(
                service_account=settings.service_account, subnetwork_uri=settings.subnetwork
            ),
        ),
    )

    def make() -> bool:
        client = cluster_client(settings.region)
        try:
            client.create_cluster(
                project_id=settings.project, region=settings.region, cluster=cluster, **CALL
            ).result(timeout=CLUSTER_SECONDS)
        except AlreadyExists:
            state = _cluster_state(client, settings)
            if state != dataproc_v1.ClusterStatus.State.RUNNING:
                raise BatchError(f"{settings.history_server} exists but is {state.name}") from None
            return False
        return True

    command = _shell(
        *("gcloud", "dataproc", "clusters", "create", settings.history_server),
        *(f"--project={settings.project}", f"--region={settings.region}", "--single-node"),
        *("--enable-component-gateway", f"--image-version={image}"),
        f"--properties=spark:spark.history.fs.logDirectory={folder}",
        *([f"--service-account={settings.service_account}"] * bool(settings.service_account)),
        *([f"--subnet={settings.subnetwork}"] * bool(settings.subnetwork)),
    )
    return Step(f"history server {settings.history_server}", command, make)


def _cluster_state(client: Any, settings: DataprocSettings) -> Any:
    found = client.get_cluster(
        project_id=settings.project,
        region=settings.region,
        cluster_name=settings.history_server,
        **RETRIED_CALL,
    )
    return found.status.state


def _copy(settings: DataprocSettings, folder: Path, file: Path) -> Step:
    address = f"gs://{settings.data_bucket}/{file.relative_to(folder).as_posix()}"

    def make() -> bool:
        blob = storage.Blob.from_uri(address, client=_storage(settings))
        if blob.exists(**CALL):
            blob.reload(**CALL)
            if blob.md5_hash == _md5(file):
                return False
        blob.upload_from_filename(str(file), **CALL)
        return True

    return Step(address, _shell("gcloud", "storage", "cp", str(file), address), make)


def _md5(file: Path) -> str:
    """The MD5 hash in the form of Cloud Storage."""
    with file.open("rb") as content:
        digest = hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False))
    return base64.b64encode(digest.digest()).decode()


def _files_below(folder: str) -> list[Path]:
    found = [path for path in Path(folder).rglob("*") if path.is_file()]
    if not found:
        raise ConfigurationError("--inputs", [f"{folder} contains no files"])
    return found


def _shell(*words: Any) -> str:
    return shlex.join(words)
