"""The kinds of storage: an address is parsed here, and its kind decided."""

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

# Where tables can be published, by scheme; a path on this machine has none.
STORAGES: dict[str, type[Storage]] = {"": LocalFolder, GCS: Bucket, BIGQUERY: Dataset}


def storage_of(text: str, prefix: str = "") -> Storage:
    """The storage at an address; prefix: that of BigQuery tables.

    Spark can read from more places than runs publish to. Raises ConfigurationError, which lists
    every invalid name.
    """
    place = _parsed(text, Publishing(prefix))
    if problems := place.problems(is_destination=False):
        raise ConfigurationError(text, problems)
    return place


def destination_of(text: str, publishing: Publishing = DEFAULT_PUBLISHING) -> Storage:
    """The storage of --out. Raises ConfigurationError, which lists all problems."""
    if publishing.keep_days is not None and publishing.keep_days < 1:
        raise ConfigurationError("--keep-days", ["must be at least 1"])
    place = _parsed(text, publishing)
    problems = place.problems(is_destination=True)
    if address_of(text).scheme not in STORAGES:
        schemes = " or ".join(f"{scheme}://" for scheme in STORAGES if scheme)
        problems.append(f"give a folder, {schemes}")
    if problems:
        raise ConfigurationError(f"--out {text}", problems)
    return place


def _parsed(text: str, publishing: Publishing) -> Storage:
    scheme = address_of(text).scheme
    return STORAGES.get(scheme, Bucket)(text.rstrip("/") if scheme else text, publishing)


def storages_of(inputs: Mapping[str, Place]) -> list[Storage]:
    """The files and folders of all inputs."""
    return [storage_of(path) for place in inputs.values() for path in paths_of(place)]


def file_system(spark: SparkSession, place: Place) -> FileSystem:
    """The file system of an input: that of Spark, unless all files are on this machine."""
    elsewhere = [one for one in map(storage_of, paths_of(place)) if not on_this_machine(one)]
    return elsewhere[0].files(spark) if elsewhere else LocalFiles()


def on_this_machine(*places: Storage) -> bool:
    """Whether all of them are; Spark needs the jars of a cloud to read others."""
    return all(isinstance(place, LocalFolder) for place in places)


def keep_apart(inputs: Mapping[str, Place], out: Storage, name: str = "--out") -> None:
    """Refuse an output that overlaps with an input, because a later run would read it.

    Raises ConfigurationError, which lists these inputs.
    """
    problems = []
    for source, path in ((one, path) for one in inputs for path in paths_of(inputs[one])):
        folder = storage_of(path).folder
        if out.folder is None or folder is None:
            continue
        written, read = PurePosixPath(out.folder), PurePosixPath(folder)
        if written == read:
            problems.append(f"is the folder of the {source} input: {path}")
        elif written.is_relative_to(read) or read.is_relative_to(written):
            problems.append(f"lies inside the {source} input, or the other way round: {path}")
    if problems:
        raise ConfigurationError(name, problems)
