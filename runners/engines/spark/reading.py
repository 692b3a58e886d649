"""Reads input files with Spark's own readers: texts of CSV, typed values of Parquet."""

from collections import defaultdict
from collections.abc import Sequence

from pyspark.sql import DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.errors import InputError
from anomaly.expressions.frames import union
from anomaly.expressions.sql import quoted
from anomaly.schema.inputs import MALFORMED_LINE, MALFORMED_TEXT, SOURCE_FILE, SOURCE_ROW_ID
from runners.engines.engine import CsvFormat, InputFile, MayRunOn
from runners.engines.errors import SPARK_ERRORS, root_cause
from runners.engines.open_quotes import MOST_CHARACTERS
from runners.engines.spark.literal_paths import literal, reader
from runners.engines.spark.open_quotes import is_broken

# A line without a field is no row.
BLANK = "^[\\\\x00-\\\\x20]*$"


def read_parquet(
    spark: SparkSession, files: Sequence[InputFile], place: str
) -> list[tuple[str, DataFrame]]:
    """Frames of Parquet files of one schema each, with the place that messages name.

    Raises InputError if one cannot be read.
    """
    # Otherwise a file with a timestamp of nanoseconds is refused, whatever column it is.
    spark.conf.set("spark.sql.legacy.parquet.nanosAsLong", "true")
    try:
        return [(place, _parquet(spark, files))]
    except SPARK_ERRORS as error:
        if len(files) == 1 or "MERGE_SCHEMA" not in str(error):
            raise InputError(f"{place}: cannot be read: {root_cause(error)}") from error
    return [(file.address, _parquet(spark, [file])) for file in files]


def _parquet(spark: SparkSession, files: Sequence[InputFile]) -> DataFrame:
    merging = _by_names_alone(spark).option("mergeSchema", len(files) > 1)
    raw = merging.parquet(*(literal(spark, file.address) for file in files))
    # Spark Connect opens the files only when it is asked what is in them.
    _ = raw.schema
    return raw.withColumns(
        {
            SOURCE_FILE: F.col("_metadata.file_path"),
            SOURCE_ROW_ID: F.col("_metadata.row_index"),
            MALFORMED_LINE: F.lit(False),
        }
    )


def read_csv(
    spark: SparkSession, files: Sequence[InputFile], form: CsvFormat, may_run_on: MayRunOn
) -> DataFrame:
    """The rows of CSV files of one format, with their provenance."""
    # Spark 4 otherwise knows seven encodings only.
    spark.conf.set("spark.sql.legacy.javaCharsets", "true")
    # Looking into each field of each row takes three times as long as reading those needed.
    groups: dict[bool, list[str]] = defaultdict(list)
    for file in files:
        groups[may_run_on(file)].append(file.address)
    return union(_csv(spark, group, form, runs_on) for runs_on, group in groups.items())


def _csv(spark: SparkSession, files: Sequence[str], form: CsvFormat, may_run_on: bool) -> DataFrame:
    # Texts only, and matched by this header's names: a type or an order is never inferred.
    fields = told_apart(form.header)
    schema = T.StructType([T.StructField(name, T.StringType()) for name in fields])
    raw = (
        _by_names_alone(spark)
        .schema(schema.add("_malformed", T.StringType()))
        .options(header=True, multiLine=True, encoding=form.encoding, sep=form.delimiter)
        # A quote inside quotes is doubled, as RFC 4180 has it; a backslash is a character.
        .option("escape", '"')
        # Not as the first line ends: files that others wrote to end their lines in both ways. The
        # CR before it is blank space.
        .options(lineSep="\n", ignoreTrailingWhiteSpace=True)
        .option("columnNameOfCorruptRecord", "_malformed")
        .option("maxCharsPerColumn", MOST_CHARACTERS if may_run_on else -1)
        .csv([literal(spark, file) for file in files])
    )
    file, is_malformed = F.input_file_name(), F.col("_malformed").isNotNull()
    if may_run_on:
        read = [name for name in fields if name.strip().lower() in form.columns]
        is_malformed = is_broken(is_malformed, file, fields, read, form.delimiter)
    provenance = {
        SOURCE_FILE: file,
        SOURCE_ROW_ID: F.monotonically_increasing_id(),
        MALFORMED_LINE: is_malformed,
        MALFORMED_TEXT: F.col("_malformed"),
    }
    # Spark refuses queries of the malformed text alone, so the first field is asked as well.
    first = quoted(raw.columns[0])
    is_blank_line = f"_malformed RLIKE '{BLANK}' AND coalesce({first}, '') RLIKE '{BLANK}'"
    rows = raw.withColumns(provenance).where(f"NOT coalesce({is_blank_line}, false)")
    return rows.drop("_malformed").toDF(*form.header, *provenance)


def _by_names_alone(spark: SparkSession) -> DataFrameReader:
    """Spark would make numbers of folders such as CellName=007: their texts are added here."""
    return reader(spark).option("recursiveFileLookup", True)


def told_apart(header: Sequence[str]) -> list[str]:
    """Spark refuses names that are there twice, even of columns that are not read."""
    seen: set[str] = set()
    names = []
    for position, name in enumerate(header):
        names.append(f"{name} {position}" if name.lower() in seen else name)
        seen.add(name.lower())
    return names
