"""Reads the inputs: CSV and Parquet, from this machine or from wherever Spark reads."""

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial, reduce

from pyspark.sql import Column, DataFrame, DataFrameReader, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.cleaning.columns import conform, unused_times
from anomaly.errors import InputError
from anomaly.expressions.sql import quoted
from anomaly.profile.input_columns import names_in_files
from anomaly.profile.model import Profile
from anomaly.profile.sections import InputRules
from anomaly.schema.inputs import (
    MALFORMED_LINE,
    MALFORMED_TEXT,
    SAMPLES,
    SOURCE_FILE,
    SOURCE_ROW_ID,
)
from runners.storage.files import (
    File,
    FileSystem,
    Place,
    encoding_of,
    header_of,
    input_files,
    partition_columns,
    paths_of,
)
from runners.storage.literal_paths import literal, reader
from runners.storage.open_quotes import MOST_CHARACTERS, is_broken
from runners.storage.places import file_system
from runners.storage.spark_errors import SPARK_ERRORS, root_cause

LOG = logging.getLogger(__name__)
# A line without a field is no row.
BLANK = "^[\\\\x00-\\\\x20]*$"
# What the name of a folder says of rows without a value.
HIVE_NULL = "__HIVE_DEFAULT_PARTITION__"


def read_input(spark: SparkSession, source: str, place: Place, profile: Profile) -> DataFrame:
    """A raw input, CSV (with a header) or Parquet, a file or a folder; conformed to its contract.

    `place` is on this machine, or a storage service's: gs://bucket/folder. Folders such as
    `CellName=007` add a column of texts. Raises InputError that names the path, the file or the
    columns at fault.
    """

    def conformed(raw: DataFrame, origin: str) -> DataFrame:
        for name in unused_times(raw, source, profile) if source == SAMPLES else ():
            LOG.warning(
                "%s (%s): column %s is named like a time and not read; to read it, say so in the "
                'profile: [inputs.%s.columns] Time = "%s"', source, origin, name, source, name,
            )  # fmt: skip
        return conform(raw, source, profile, origin)

    names = names_in_files(source, profile)
    return read_files(spark, source, place, profile.inputs[source], names, conformed)


def read_files(
    spark: SparkSession,
    source: str,
    place: Place,
    rules: InputRules,
    columns: Collection[str],
    conformed: Callable[[DataFrame, str], DataFrame],
) -> DataFrame:
    """The same of any input, of which `columns` are read, by their names in its files.

    `conformed` makes of raw rows, and of where they lie, a frame.
    """
    system, path = file_system(spark, place), ", ".join(paths_of(place))
    files = input_files(system, place, source, rules.ignore, columns)
    in_folders = partition_columns(files)
    if files[0].kind == ".parquet":
        groups = _read_parquet(spark, files, path)
    else:
        groups = [*_read_csv_files(spark, system, files, rules, columns)]
    _refuse_contradictions(groups, in_folders, columns, source)
    frames = [conformed(_with_folders(raw, in_folders), origin) for origin, raw in groups]
    if len(frames) > 1:
        # Texts, because the same column may be of another type in each group of files.
        frames = [_as_texts(frame) for frame in frames]
    return reduce(partial(DataFrame.unionByName, allowMissingColumns=True), frames)


def _read_parquet(spark: SparkSession, files: list[File], path: str) -> list[tuple[str, DataFrame]]:
    """Frames of Parquet files of one schema each, with the place that messages name."""
    # Otherwise a file with a timestamp of nanoseconds is refused, whatever column it is.
    spark.conf.set("spark.sql.legacy.parquet.nanosAsLong", "true")
    try:
        return [(path, _parquet(spark, files))]
    except SPARK_ERRORS as error:
        if len(files) == 1 or "MERGE_SCHEMA" not in str(error):
            raise InputError(f"{path}: cannot be read: {root_cause(error)}") from error
    return [(str(file), _parquet(spark, [file])) for file in files]


def _parquet(spark: SparkSession, files: Sequence[File]) -> DataFrame:
    merging = _by_names_alone(spark).option("mergeSchema", len(files) > 1)
    raw = merging.parquet(*(literal(spark, str(file)) for file in files))
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
    spark: SparkSession,
    system: FileSystem,
    files: list[File],
    rules: InputRules,
    columns: Collection[str],
) -> Iterator[tuple[str, DataFrame]]:
    """Frames of CSV files of one header and encoding each, with the place that messages name."""
    # Spark 4 otherwise knows seven encodings only.
    spark.conf.set("spark.sql.legacy.javaCharsets", "true")
    groups = defaultdict(list)
    for file in files:
        start = system.start(file)
        encoding = encoding_of(start, rules.encoding)
        header = header_of(file, start, encoding, rules.delimiter)
        runs_on = system.may_run_on(file, rules.delimiter)
        groups[header, encoding, runs_on].append(str(file))
    for (header, encoding, runs_on), group in groups.items():
        read = columns if runs_on else None
        yield group[0], _read_csv(spark, header, group, encoding, rules.delimiter, read)


def _read_csv(
    spark: SparkSession,
    header: Sequence[str],
    files: list[str],
    encoding: str,
    delimiter: str,
    columns: Collection[str] | None,
) -> DataFrame:
    """`columns` are those that are read where a field may go on to the next line, else None."""
    # Texts only, and matched by this header's names: a type or an order is never inferred.
    fields = _told_apart(header)
    schema = T.StructType([T.StructField(name, T.StringType()) for name in fields])
    raw = (
        _by_names_alone(spark)
        .schema(schema.add("_malformed", T.StringType()))
        .options(header=True, multiLine=True, encoding=encoding, sep=delimiter)
        # A quote inside quotes is doubled, as RFC 4180 has it; a backslash is a character.
        .option("escape", '"')
        # Not as the first line ends: files that others wrote to end their lines in both ways. The
        # CR before it is blank space.
        .options(lineSep="\n", ignoreTrailingWhiteSpace=True)
        .option("columnNameOfCorruptRecord", "_malformed")
        .option("maxCharsPerColumn", -1 if columns is None else MOST_CHARACTERS)
        .csv([literal(spark, file) for file in files])
    )
    file, is_malformed = F.input_file_name(), F.col("_malformed").isNotNull()
    if columns is not None:
        # Looking into each field of each row takes three times as long as reading those needed.
        wanted = {column.lower() for column in columns}
        read = [name for name in fields if name.strip().lower() in wanted]
        is_malformed = is_broken(is_malformed, file, fields, read, delimiter)
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
    return rows.drop("_malformed").toDF(*header, *provenance)


def _by_names_alone(spark: SparkSession) -> DataFrameReader:
    """Spark would make numbers of folders such as CellName=007: their texts are added here."""
    return reader(spark).option("recursiveFileLookup", True)


def _told_apart(header: Sequence[str]) -> list[str]:
    """Spark refuses names that are there twice, even of columns that are not read."""
    seen: set[str] = set()
    names = []
    for position, name in enumerate(header):
        names.append(f"{name} {position}" if name.lower() in seen else name)
        seen.add(name.lower())
    return names


def _refuse_contradictions(
    groups: Sequence[tuple[str, DataFrame]],
    in_folders: Sequence[str],
    columns: Collection[str],
    source: str,
) -> None:
    """Raises InputError where files have a column that the names of their folders have, too."""
    read = {column.lower() for column in columns}
    for origin, raw in groups:
        there = read & {name.strip().lower() for name in raw.columns}
        for column in in_folders:
            if column.strip().lower() in there:
                raise InputError(
                    f"{source} ({origin}): column {column} is in the file and in the name of a "
                    f"folder, {column}=..., and they may say different things; rename the folder, "
                    "or leave the column out of the files"
                )


def _with_folders(raw: DataFrame, columns: Sequence[str]) -> DataFrame:
    """Adds the columns that the names of folders hold, as texts: 007 stays 007."""
    # Spark gives an address with its characters escaped; the name of a folder may have its own.
    address = _unescaped(F.col(SOURCE_FILE))
    for column in columns:
        # The last one, because the path of the input itself may have such a folder.
        in_folder = F.regexp_extract(address, f"(?s)^.*/{re.escape(column)}=([^/]*)/", 1)
        raw = raw.withColumn(column, F.nullif(_unescaped(in_folder), F.lit(HIVE_NULL)))
    return raw


def _unescaped(text: Column) -> Column:
    """%2F is /, as in addresses; unlike in forms of web pages + is itself, and so is % alone."""
    of_itself = F.regexp_replace(text, "%(?![0-9A-Fa-f]{2})", "%25")
    return F.url_decode(F.replace(of_itself, F.lit("+"), F.lit("%2B")))


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
