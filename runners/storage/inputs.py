"""Reads the inputs: CSV and Parquet, from this machine or from wherever Spark reads."""

import logging
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.cleaning.columns import conform, unused_times
from anomaly.errors import InputError
from anomaly.expressions.frames import union
from anomaly.expressions.sql import quoted
from anomaly.profile.input_columns import names_in_files
from anomaly.profile.model import Profile
from anomaly.profile.sections import InputRules
from anomaly.schema.inputs import MALFORMED_LINE, SAMPLES, SOURCE_FILE, SOURCE_ROW_ID
from runners.engines.choice import engine_of
from runners.engines.engine import CsvFormat, InputFile
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
from runners.storage.places import file_system

LOG = logging.getLogger(__name__)
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
    columns = frozenset(column.lower() for column in columns)
    in_folders = partition_columns(files)
    if files[0].kind == ".parquet":
        groups = engine_of(spark).read_parquet(spark, files, columns, path)
    else:
        groups = [*_read_csv_files(spark, system, files, rules, columns)]
    if in_folders:
        _refuse_contradictions(groups, in_folders, columns, source)
    frames = [conformed(_with_folders(raw, in_folders), origin) for origin, raw in groups]
    if len(frames) > 1:
        # Texts, because the same column may be of another type in each group of files.
        frames = [_as_texts(frame) for frame in frames]
    return union(frames, allow_missing=True)


def _read_csv_files(
    spark: SparkSession,
    system: FileSystem,
    files: list[File],
    rules: InputRules,
    columns: Collection[str],
) -> Iterator[tuple[str, DataFrame]]:
    """Frames of CSV files of one header and encoding each, with the place that messages name."""
    groups = defaultdict(list)
    for file in files:
        start = system.start(file)
        encoding = encoding_of(start, rules.encoding)
        header = header_of(file, start, encoding, rules.delimiter)
        groups[CsvFormat(header, encoding, rules.delimiter, columns)].append(file)

    def may_run_on(file: InputFile) -> bool:
        return system.may_run_on(file, rules.delimiter)

    for form, group in groups.items():
        yield str(group[0]), engine_of(spark).read_csv(spark, group, form, may_run_on)


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
    # Each % is escaped, and then those are not that begin an escape; Sail cannot look ahead.
    escaped = F.regexp_replace(
        F.replace(text, F.lit("%"), F.lit("%25")), "%25([0-9A-Fa-f]{2})", "%$1"
    )
    return F.url_decode(F.replace(escaped, F.lit("+"), F.lit("%2B")))


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
