"""Checks before a batch is submitted."""

import re
from collections.abc import Iterable, Mapping
from importlib.metadata import metadata

from google.api_core.exceptions import Forbidden, NotFound
from google.cloud import storage

from anomaly.errors import ConfigurationError
from runners.dataproc.calls import CALL, calling
from runners.dataproc.settings import RUNTIMES, DataprocSettings
from runners.storage.addresses import GCS, address_of
from runners.storage.bigquery_dataset import Dataset
from runners.storage.bigquery_names import BUCKET
from runners.storage.destination import Storage
from runners.storage.files import Place, paths_of
from runners.storage.places import keep_apart

DISTRIBUTION = "cell-tower-anomaly"


def check_inputs(inputs: Mapping[str, Place | None], out: Storage) -> list[str]:
    """The paths of the inputs. Raises ConfigurationError unless all are on gs://."""
    problems = [f"the {source} input is missing" for source, place in inputs.items() if not place]
    places = {source: place for source, place in inputs.items() if place}
    paths = [(source, path) for source, place in places.items() for path in paths_of(place)]
    problems += [
        f"the {source} input {path} is not on gs://; a batch cannot read from this machine"
        for source, path in paths
        if not _bucket_of(path)
    ]
    if out.folder is not None and not _bucket_of(out.folder):
        problems.append(f"--out {out} is neither gs://BUCKET/FOLDER nor bq://PROJECT.DATASET")
    if problems:
        raise ConfigurationError("submit", problems)
    keep_apart(places, out)
    return [path for _, path in paths]


def check_python(settings: DataprocSettings) -> None:
    """Raises ConfigurationError if the Python of the runtime is too old for this package."""
    needed = re.search(r">=\s*(\d+)\.(\d+)", metadata(DISTRIBUTION)["Requires-Python"] or "")
    available = RUNTIMES[settings.runtime_version]
    if needed and available < (int(needed[1]), int(needed[2])):
        raise ConfigurationError(
            f"runtime_version {settings.runtime_version}",
            [
                f"has Python {available[0]}.{available[1]}; this package needs "
                f"{needed[1]}.{needed[2]}"
            ],
        )


def check_buckets_and_dataset(
    client: storage.Client,
    settings: DataprocSettings,
    inputs: Iterable[str],
    out: Storage,
) -> None:
    """Raises ConfigurationError, which lists every missing bucket and dataset."""
    buckets = {settings.code_bucket, *(_bucket_of(path) for path in inputs)}
    buckets |= {_bucket_of(out.folder or ""), out.publishing.staging_bucket or ""}
    problems = [
        f"there is no bucket {bucket}; `cell-tower-anomaly provision` creates those of the settings"
        for bucket in sorted(bucket for bucket in buckets if bucket)
        if not has_bucket(client, bucket)
    ]
    if isinstance(out, Dataset) and not _has_dataset(out):
        problems.append(f"there is no dataset {out}; `cell-tower-anomaly provision` creates it")
    if problems:
        raise ConfigurationError("submit", problems)


def has_bucket(client: storage.Client, name: str) -> bool:
    """Whether a bucket exists."""
    with calling(f"gs://{name}"):
        try:
            return client.lookup_bucket(name, **CALL) is not None
        except Forbidden:
            return True  # the batch has an account of its own, which may see it


def _has_dataset(out: Dataset) -> bool:
    from runners.storage.bigquery_calls import CALL as BIGQUERY_CALL
    from runners.storage.bigquery_calls import client_of

    with calling(str(out)):
        try:
            client_of(out.project).get_dataset(out.dataset, **BIGQUERY_CALL)
        except NotFound:
            return False
        except Forbidden:
            return True  # as above
    return True


def _bucket_of(path: str) -> str:
    """The bucket of gs://BUCKET/FOLDER; empty for other paths."""
    scheme, bucket, _ = address_of(path)
    return bucket if scheme == GCS and BUCKET.fullmatch(bucket) else ""
