"""Files wherever Spark reads from, such as gs://: listed and looked into by small queries.

No client of a storage service is needed, and credentials are those that Spark has.
"""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from runners.engines.engine import InputFile
from runners.engines.errors import NO_FILE_SYSTEM, SPARK_ERRORS, failing_as, root_cause
from runners.engines.spark.literal_paths import literal, reader
from runners.storage.addresses import FILE, address_of
from runners.storage.files import File
from runners.storage.local_files import LocalFiles

# Of a text file; a header with so many line breaks inside quotes is none.
START_LINES = 100


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
        with failing_as(InputError, f"{file}: cannot be read"):
            lines = self._lines(file).selectExpr("CAST(value AS binary) AS line").head(START_LINES)
        return b"\n".join(line.line for line in lines)

    def has_rows(self, file: File) -> bool:
        """Whether a text file has more than its first line."""
        with failing_as(InputError, f"{file}: cannot be read"):
            filled = self._lines(file).where(F.col("value").rlike("[^\\x00-\\x20]"))
            return len(filled.head(2)) > 1

    def may_run_on(self, file: InputFile, delimiter: str) -> bool:
        """To know it would take a job that reads the file."""
        return True

    def digest(self, file: File) -> str:
        """Of all lines, whatever their order: a file may be read in several parts."""
        hashed = F.expr("sum(CAST(xxhash64(value) AS decimal(38, 0)))")
        with failing_as(InputError, f"{file}: cannot be read"):
            found = self._lines(file).agg(hashed, F.expr("count(*)")).head()
        return str(found)

    def _lines(self, file: File) -> DataFrame:
        return reader(self.spark).option("lineSep", "\n").text(literal(self.spark, file.address))


def _unlisted_on_this_machine(path: str) -> list[File]:
    """What Spark leaves out of a list without a word: links that lead nowhere, and what is no file.

    A storage service has none of these. And names that begin with _, of which it does not tell.
    """
    scheme, _, name = address_of(path)
    if scheme != FILE:
        return []
    found = LocalFiles().files(f"/{name}") or ()
    return [file for file in found if file.fault or file.is_left_out]


def _folders_below(path: str, address: str) -> tuple[str, ...]:
    """The folders between a path and a file, whose address may name the service otherwise."""
    _, host, name = address_of(path)
    root = f"{host}/{name}".strip("/")
    _, _, below = address.partition(f"/{root}/")
    return tuple(below.split("/")[:-1])
