"""Files wherever Spark reads from, such as gs://: listed and looked into by small queries.

No client of a storage service is needed, and credentials are those that Spark has.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from runners.storage.files import File
from runners.storage.literal_paths import literal, reader
from runners.storage.local_files import LocalFiles
from runners.storage.spark_errors import NO_FILE_SYSTEM, SPARK_ERRORS, root_cause

SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://")
THIS_MACHINE = "file://"
# Of a text file; a header with so many line breaks inside quotes is none.
START_LINES = 100


def has_scheme(path: str) -> bool:
    """Whether a path names a storage service, such as gs://bucket/folder."""
    return SCHEME.match(path) is not None


class SparkFiles:
    """The file systems that a Spark session knows."""

    def __init__(self, spark: SparkSession) -> None:
        self.spark = spark

    def files(self, path: str) -> list[File] | None:
        """The file at a path, or all files below it; None where the path does not exist.

        Raises InputError where Spark cannot tell.
        """
        unlisted = _unlisted_on_this_machine(path)
        if any(file.fault for file in unlisted):
            return unlisted
        listed = reader(self.spark).format("binaryFile").option("recursiveFileLookup", True)
        try:
            found = (
                listed.load(literal(self.spark, path))
                .select("path", "length", "modificationTime")
                .collect()
            )
        except SPARK_ERRORS as error:
            if "PATH_NOT_FOUND" in str(error):
                return None
            told = root_cause(error)
            hint = "; its jar comes with `make jars`" if NO_FILE_SYSTEM in told else ""
            raise InputError(f"{path}: cannot be read: {told}{hint}") from error
        return unlisted + [
            File(row.path, row.length, _folders_below(path, row.path), str(row.modificationTime))
            for row in found
        ]

    def start(self, file: File) -> bytes:
        """The first lines of a file, without its byte order mark where that is of UTF-8."""
        with _reading(file):
            lines = self._lines(file).selectExpr("CAST(value AS binary) AS line").head(START_LINES)
        return b"\n".join(line.line for line in lines)

    def has_rows(self, file: File) -> bool:
        """Whether a text file has more than its first line."""
        with _reading(file):
            filled = self._lines(file).where(F.col("value").rlike("[^\\x00-\\x20]"))
            return len(filled.head(2)) > 1

    def may_run_on(self, file: File, delimiter: str) -> bool:
        """To know it would take a job that reads the file."""
        return True

    def digest(self, file: File) -> str:
        """Of all lines, whatever their order: a file may be read in several parts."""
        hashed = F.expr("sum(CAST(xxhash64(value) AS decimal(38, 0)))")
        with _reading(file):
            found = self._lines(file).agg(hashed, F.expr("count(*)")).head()
        return str(found)

    def _lines(self, file: File) -> DataFrame:
        return reader(self.spark).option("lineSep", "\n").text(literal(self.spark, file.address))


def _unlisted_on_this_machine(path: str) -> list[File]:
    """What Spark leaves out of a list without a word: links that lead nowhere, and what is no file.

    A storage service has none of these. And names that begin with _, of which it does not tell.
    """
    if not path.startswith(THIS_MACHINE):
        return []
    found = LocalFiles().files(path.removeprefix(THIS_MACHINE)) or ()
    return [file for file in found if file.fault or file.is_left_out]


def _folders_below(path: str, address: str) -> tuple[str, ...]:
    """The folders between a path and a file, whose address may name the service otherwise."""
    root = SCHEME.sub("", path).strip("/")
    _, _, below = address.partition(f"/{root}/")
    return tuple(below.split("/")[:-1])


@contextmanager
def _reading(file: File) -> Iterator[None]:
    try:
        yield
    except SPARK_ERRORS as error:
        raise InputError(f"{file}: cannot be read: {root_cause(error)}") from error
