"""Reads the inputs, and writes tables as Parquet: staged first, then published."""

import shutil
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.conform import conform
from anomaly.contracts import MALFORMED_LINE, SOURCE_FILE, SOURCE_ROW_ID
from anomaly.errors import InputError, OutputError
from anomaly.profile import Profile

# What is staged under such a name serves the run alone and is never published.
INTERMEDIATE_PREFIX = "intermediate-"


def read_input(spark: SparkSession, source: str, path: str, profile: Profile) -> DataFrame:
    """A raw input, CSV (with a header) or Parquet, a file or a folder; conformed to its contract.

    Raises InputError that names the path, the file or the columns at fault.
    """
    files = _files(path, source)
    if files[0].suffix == ".parquet":
        raw = spark.read.parquet(*map(str, files)).withColumns(
            {
                SOURCE_FILE: F.col("_metadata.file_path"),
                SOURCE_ROW_ID: F.col("_metadata.row_index"),
                MALFORMED_LINE: F.lit(False),
            }
        )
        return conform(raw, source, profile, path)
    encoding = profile.inputs[source].encoding
    by_header: dict[str, list[str]] = {}
    for file in files:
        by_header.setdefault(_header(file, encoding), []).append(str(file))
    first, *others = (
        conform(_read_csv(spark, header, group, encoding), source, profile, group[0])
        for header, group in by_header.items()
    )
    for other in others:
        first = first.unionByName(other, allowMissingColumns=True)
    return first


def _read_csv(spark: SparkSession, header: str, files: list[str], encoding: str) -> DataFrame:
    # Texts only, and matched by this header's names: a type or an order is never inferred.
    names = [name.strip().strip('"') for name in header.split(",")]
    schema = T.StructType([T.StructField(name, T.StringType()) for name in names])
    return (
        spark.read.schema(schema.add("_malformed", T.StringType()))
        .options(header=True, multiLine=True, encoding=encoding)
        .option("columnNameOfCorruptRecord", "_malformed")
        .csv(files)
        .withColumns(
            {
                SOURCE_FILE: F.input_file_name(),
                SOURCE_ROW_ID: F.monotonically_increasing_id(),
                MALFORMED_LINE: F.col("_malformed").isNotNull(),
            }
        )
        .drop("_malformed")
    )


def _files(path: str, source: str) -> list[Path]:
    root = Path(path)
    found = [root] if root.is_file() else sorted(root.rglob("*"))
    files = [
        file
        for file in found
        if file.suffix in (".csv", ".parquet") and not file.name.startswith(("_", "."))
    ]
    if not files:
        raise InputError(f"{source}: no .csv or .parquet file at {path}; give a file or a folder")
    if len({file.suffix for file in files}) > 1:
        raise InputError(f"{source}: {path} mixes .csv and .parquet files; keep one kind")
    return files


def _header(file: Path, encoding: str) -> str:
    try:
        with file.open(encoding=encoding) as lines:
            return lines.readline().lstrip("\ufeff").rstrip("\r\n")
    except (OSError, UnicodeError, LookupError) as error:
        raise InputError(f"{file}: cannot be read as {encoding}: {error}") from error


class ParquetDestination:
    """A folder with a sub-folder per table. Tables are staged beside and published together."""

    def __init__(self, spark: SparkSession, folder: str, run_id: str) -> None:
        self.spark = spark
        self.folder = Path(folder)
        self.staging = self.folder / f".staging-{run_id}"

    def stage(self, name: str, frame: DataFrame) -> DataFrame:
        """Write a table where no reader looks yet, and read it back."""
        target = str(self.staging / name)
        try:
            frame.write.mode("overwrite").parquet(target)
        except OSError as error:
            raise OutputError(f"{target}: cannot be written: {error}") from error
        return self.spark.read.schema(frame.schema).parquet(target)

    def publish(self) -> None:
        """Put the staged tables in place of the previous ones."""
        try:
            tables = [
                staged
                for staged in sorted(self.staging.iterdir())
                if not staged.name.startswith(INTERMEDIATE_PREFIX)
            ]
            for table in tables:
                published = self.folder / table.name
                previous = self.staging / f".previous-{table.name}"
                if published.exists():
                    published.rename(previous)
                table.rename(published)
            shutil.rmtree(self.staging)
        except OSError as error:
            raise OutputError(f"{self.folder}: not published: {error}; see {self.staging}") from (
                error
            )

    def discard(self) -> None:
        """Remove what was staged; what was published before stays."""
        shutil.rmtree(self.staging, ignore_errors=True)
