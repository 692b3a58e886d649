"""Reads the inputs, and writes tables as Parquet: staged first, then published."""

import fcntl
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial, reduce
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.conform import conform
from anomaly.contracts import MALFORMED_LINE, SOURCE_FILE, SOURCE_ROW_ID
from anomaly.errors import InputError, OutputError
from anomaly.profile import InputRules, Profile
from anomaly.sql import quoted
from runners.files import encoding_of, header_of, input_files, partition_columns

RUNS, CURRENT = ".runs", ".current"
# What is staged under such a name serves the run alone and is never published.
INTERMEDIATE = "intermediate-"
# A line without a field is no row.
BLANK = "^[\\\\x00-\\\\x20]*$"
# What the name of a folder says of rows without a value.
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"
# A job that fails is told by py4j on classic Spark, by PySpark itself through Spark Connect.
SPARK_ERRORS = (PySparkException, Py4JJavaError)
SIGNS_OF_FAILED_WRITING = ("No space left", "Permission denied", "Mkdirs failed", "Disk quota")
SIGNS_OF_FAILED_READING = (
    "FAILED_READ_FILE",
    "error while reading file",
    "CANNOT_READ_FILE_FOOTER",
    "ChecksumException",
    "is not a Parquet file",
    "Could not read footer",
    "Parquet column cannot be converted",
    "FileNotFoundException",
    "UNABLE_TO_INFER_SCHEMA",
)


def read_input(spark: SparkSession, source: str, path: str, profile: Profile) -> DataFrame:
    """A raw input, CSV (with a header) or Parquet, a file or a folder; conformed to its contract.

    Folders such as `CellName=007` add a column of texts. Raises InputError that names the path,
    the file or the columns at fault.
    """
    files = input_files(path, source)
    rules = profile.inputs[source]
    in_folders = partition_columns(files, path)

    def conformed(raw: DataFrame, origin: str) -> DataFrame:
        return conform(_with_folders(raw, in_folders), source, profile, origin)

    if files[0].suffix == ".parquet":
        groups = _read_parquet(spark, files, path)
    else:
        groups = [*_read_csv_files(spark, files, rules)]
    frames = [conformed(raw, origin) for origin, raw in groups]
    if len(frames) > 1:
        # Texts, because the same column may be of another type in each group of files.
        frames = [_as_texts(frame) for frame in frames]
    return reduce(partial(DataFrame.unionByName, allowMissingColumns=True), frames)


def _read_parquet(spark: SparkSession, files: list[Path], path: str) -> list[tuple[str, DataFrame]]:
    """Frames of Parquet files of one schema each, with the place that messages name."""
    # Otherwise a file with a timestamp of nanoseconds is refused, whatever column it is.
    spark.conf.set("spark.sql.legacy.parquet.nanosAsLong", "true")
    try:
        return [(path, _parquet(spark, files))]
    except SPARK_ERRORS as error:
        if len(files) == 1 or "MERGE_SCHEMA" not in str(error):
            told = _line_of(str(error), SIGNS_OF_FAILED_READING)
            raise InputError(f"{path}: cannot be read: {told}") from error
    return [(str(file), _parquet(spark, [file])) for file in files]


def _parquet(spark: SparkSession, files: Sequence[Path]) -> DataFrame:
    raw = spark.read.option("mergeSchema", len(files) > 1).parquet(*map(str, files))
    # Spark Connect opens the files only when it is asked what is in them.
    _ = raw.schema
    return raw.withColumns(
        {
            SOURCE_FILE: F.col("_metadata.file_path"),
            SOURCE_ROW_ID: F.col("_metadata.row_index"),
            MALFORMED_LINE: F.lit(False),
        }
    )


def _read_csv_files(
    spark: SparkSession, files: list[Path], rules: InputRules
) -> Iterator[tuple[str, DataFrame]]:
    """Frames of CSV files of one header and encoding each, with the place that messages name."""
    # Spark 4 otherwise knows seven encodings only.
    spark.conf.set("spark.sql.legacy.javaCharsets", "true")
    groups = defaultdict(list)
    for file in files:
        encoding = encoding_of(file, rules.encoding)
        groups[header_of(file, encoding, rules.delimiter), encoding].append(str(file))
    for (header, encoding), group in groups.items():
        yield group[0], _read_csv(spark, header, group, encoding, rules.delimiter)


def _read_csv(
    spark: SparkSession, header: Sequence[str], files: list[str], encoding: str, delimiter: str
) -> DataFrame:
    # Texts only, and matched by this header's names: a type or an order is never inferred.
    schema = T.StructType([T.StructField(name, T.StringType()) for name in _told_apart(header)])
    raw = (
        spark.read.schema(schema.add("_malformed", T.StringType()))
        .options(header=True, multiLine=True, encoding=encoding, sep=delimiter)
        # A quote inside quotes is doubled, as RFC 4180 has it; a backslash is a character.
        .option("escape", '"')
        # Not as the first line ends: files that others wrote to end their lines in both ways. The
        # CR before it is blank space.
        .options(lineSep="\n", ignoreTrailingWhiteSpace=True)
        .option("columnNameOfCorruptRecord", "_malformed")
        .csv(files)
    )
    provenance = {
        SOURCE_FILE: F.input_file_name(),
        SOURCE_ROW_ID: F.monotonically_increasing_id(),
        MALFORMED_LINE: F.col("_malformed").isNotNull(),
    }
    # Spark refuses queries of the malformed text alone, so the first field is asked as well.
    first = quoted(raw.columns[0])
    is_blank_line = f"_malformed RLIKE '{BLANK}' AND coalesce({first}, '') RLIKE '{BLANK}'"
    rows = raw.withColumns(provenance).where(f"NOT coalesce({is_blank_line}, false)")
    return rows.drop("_malformed").toDF(*header, *provenance)


def _told_apart(header: Sequence[str]) -> list[str]:
    """Spark refuses names that are there twice, even of columns that are not read."""
    seen: set[str] = set()
    names = []
    for position, name in enumerate(header):
        names.append(f"{name} {position}" if name.lower() in seen else name)
        seen.add(name.lower())
    return names


def _with_folders(raw: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Adds the columns that the names of folders hold, as texts: 007 stays 007."""
    for column in columns:
        in_folder = F.regexp_extract(SOURCE_FILE, f"/{re.escape(column)}=([^/]*)/", 1)
        # The name of a folder has its characters escaped, and the address of a file once more.
        text = F.url_decode(F.url_decode(F.replace(in_folder, F.lit("+"), F.lit("%2B"))))
        raw = raw.withColumn(column, F.nullif(text, F.lit(HIVE_NULL)))
    return raw


def _as_texts(frame: DataFrame) -> DataFrame:
    provenance = (SOURCE_ROW_ID, MALFORMED_LINE)
    return frame.selectExpr(
        *(
            quoted(name)
            if name in provenance
            else f"CAST({quoted(name)} AS string) AS {quoted(name)}"
            for name in frame.columns
        )
    )


class ParquetDestination:
    """A folder with a table in each sub-folder, all of them published in one instant.

    The tables of a run lie in .runs/RUN_ID; `.current` is a link to the published run, and each
    table a link into it. Publishing replaces the one link, so that a reader finds all tables of
    one run or all of the one before. A run holds the folder for itself while it is open.
    """

    def __init__(self, spark: SparkSession, folder: str, run_id: str) -> None:
        self.spark = spark
        self.folder = Path(folder)
        self.runs = self.folder / RUNS
        self.staging = self.runs / run_id
        self.current = self.folder / CURRENT

    def __enter__(self) -> "ParquetDestination":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.staging.mkdir(parents=True)
        except BlockingIOError as error:
            self._lock.close()
            raise OutputError(f"{self.folder}: another run writes there; wait for it") from error
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be written: {error}") from error
        self._remove_all_but(self.staging.name, self._published())
        return self

    def __exit__(self, *_: object) -> None:
        """What was not published is removed; what was published before stays."""
        self._remove_all_but(self._published())
        self._lock.close()

    def stage(self, name: str, frame: DataFrame) -> DataFrame:
        """Write a table where no reader looks yet, and read it back.

        Raises InputError where Spark fails at reading what the table is made from, OutputError
        where it cannot write.
        """
        target = str(self.staging / name)
        with reading_and_writing(target):
            frame.write.mode("overwrite").parquet(target)
        return self.spark.read.schema(frame.schema).parquet(target)

    def publish(self) -> None:
        """Put the staged tables in place of the previous ones."""
        try:
            for table in sorted(self.staging.iterdir()):
                if table.name.startswith(INTERMEDIATE):
                    shutil.rmtree(table)
                else:
                    self._link_table(table.name)
            link = self.staging / CURRENT
            link.symlink_to(Path(RUNS) / self.staging.name)
            link.replace(self.current)
        except OSError as error:
            raise OutputError(f"{self.folder}: not published: {error}") from error

    def _link_table(self, name: str) -> None:
        table = self.folder / name
        if table.exists() and not table.is_symlink():
            raise OutputError(f"{table}: is there, but no run has put it there; move it away")
        if not table.is_symlink():
            table.symlink_to(Path(CURRENT) / name)

    def _published(self) -> str:
        return self.current.readlink().name if self.current.is_symlink() else ""

    def _remove_all_but(self, *run_ids: str) -> None:
        for run in self.runs.iterdir():
            if run.name not in run_ids:
                shutil.rmtree(run, ignore_errors=True)


@contextmanager
def reading_and_writing(target: str) -> Iterator[None]:
    """Turns an error of Spark into an InputError, or an OutputError where it could not write."""
    try:
        yield
    except SPARK_ERRORS as error:
        told = str(error)
        if any(sign in told for sign in SIGNS_OF_FAILED_WRITING):
            line = _line_of(told, SIGNS_OF_FAILED_WRITING)
            raise OutputError(f"{target}: cannot be written: {line}") from error
        if any(sign in told for sign in SIGNS_OF_FAILED_READING):
            line = _line_of(told, SIGNS_OF_FAILED_READING)
            raise InputError(f"cannot be read: {line}") from error
        raise
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error}") from error


def _line_of(told: str, signs: Sequence[str]) -> str:
    """The line that names the cause; the first line where none has a sign of it."""
    lines = [line.strip() for line in told.splitlines() if line.strip()]
    return next((line for line in lines if any(sign in line for sign in signs)), lines[0])
