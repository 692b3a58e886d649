"""The kinds of places there are: where an address is parsed, and its kind decided."""

from collections.abc import Mapping
from pathlib import PurePosixPath

from pyspark.sql import SparkSession

from anomaly.errors import ConfigurationError
from runners.storage.addresses import BIGQUERY, GCS, address_of
from runners.storage.bigquery_dataset import Dataset
from runners.storage.destination import DEFAULT_PUBLISHING, Publishing, Storage
from runners.storage.files import FileSystem, Place, paths_of
from runners.storage.local_files import LocalFiles
from runners.storage.parquet_bucket import Bucket
from runners.storage.parquet_folder import LocalFolder

# Of each scheme, where the tables of runs can go; a path of this machine has no scheme.
STORAGES: dict[str, type[Storage]] = {"": LocalFolder, GCS: Bucket, BIGQUERY: Dataset}


def storage_of(text: str, prefix: str = "") -> Storage:
    """The place that an address names; prefix: that of BigQuery tables.

    Spark may read from other places than runs write to. Raises ConfigurationError with every name
    that there cannot be.
    """
    place = _parsed(text, Publishing(prefix))
    if faults := place.faults(is_destination=False):
        raise ConfigurationError(text, faults)
    return place


def destination_of(text: str, publishing: Publishing = DEFAULT_PUBLISHING) -> Storage:
    """The place of --out. Raises ConfigurationError with all that keeps tables from going there."""
    if publishing.keep_days is not None and publishing.keep_days < 1:
        raise ConfigurationError("--keep-days", ["must be at least 1"])
    place = _parsed(text, publishing)
    faults = place.faults(is_destination=True)
    if address_of(text).scheme not in STORAGES:
        schemes = " or ".join(f"{scheme}://" for scheme in STORAGES if scheme)
        faults.append(f"give a folder, {schemes}")
    if faults:
        raise ConfigurationError(f"--out {text}", faults)
    return place


def _parsed(text: str, publishing: Publishing) -> Storage:
    scheme = address_of(text).scheme
    return STORAGES.get(scheme, Bucket)(text.rstrip("/") if scheme else text, publishing)


def storages_of(inputs: Mapping[str, Place]) -> list[Storage]:
    """The files and folders of all inputs."""
    return [storage_of(path) for place in inputs.values() for path in paths_of(place)]


def file_system(spark: SparkSession, place: Place) -> FileSystem:
    """What looks into the files of an input: Spark, unless they are all on this machine."""
    elsewhere = [one for one in map(storage_of, paths_of(place)) if not on_this_machine(one)]
    return elsewhere[0].files(spark) if elsewhere else LocalFiles()


def on_this_machine(*places: Storage) -> bool:
    """Whether they all are; Spark reads others with the jars of a cloud."""
    return all(isinstance(place, LocalFolder) for place in places)


def keep_apart(inputs: Mapping[str, Place], out: Storage, name: str = "--out") -> None:
    """Refuse an output among the inputs, which a later run would read, and the other way round.

    Raises ConfigurationError with every input that it concerns.
    """
    faults = []
    for source, path in ((one, path) for one in inputs for path in paths_of(inputs[one])):
        folder = storage_of(path).folder
        if out.folder is None or folder is None:
            continue
        written, read = PurePosixPath(out.folder), PurePosixPath(folder)
        if written == read:
            faults.append(f"is the folder of the {source} input: {path}")
        elif written.is_relative_to(read) or read.is_relative_to(written):
            faults.append(f"lies inside the {source} input, or the other way round: {path}")
    if faults:
        raise ConfigurationError(name, faults)
