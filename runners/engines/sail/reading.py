"""Reads input files for Sail: Arrow makes temporary Parquet files of them.

Once for as long as they stay as they are: the days of a backfill have inputs in common.
"""

import os
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache
from inspect import unwrap
from pathlib import Path
from typing import NamedTuple, TypeVar

from pyarrow import parquet
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.expressions.sql import quoted
from anomaly.schema.inputs import MALFORMED_LINE, MALFORMED_TEXT, SOURCE_FILE, SOURCE_ROW_ID
from runners.engines.engine import CsvFormat, InputFile
from runners.engines.errors import reading_and_writing
from runners.engines.sail.arrow_csv import CsvFile, csv_to_parquet
from runners.engines.sail.arrow_parquet import ParquetGroup, parquet_to_parquet
from runners.engines.sail.temporary import read_folder, temporary_folder

Made = TypeVar("Made")
SETTLED_AFTER_NS = 2_000_000_000
PROVENANCE = (SOURCE_FILE, SOURCE_ROW_ID, MALFORMED_LINE)
PROVENANCE_OF_LINES = (*PROVENANCE, MALFORMED_TEXT)


class FileVersion(NamedTuple):
    """A file, and what tells its content from an earlier one."""

    address: str
    packing: str
    inode: int
    size: int
    modified: int


def read_csv(spark: SparkSession, files: Sequence[InputFile], form: CsvFormat) -> DataFrame:
    """The rows of CSV files of one format, with their provenance.

    Columns that are not wanted have their names, and no values. Raises InputError if a file cannot
    be read, OutputError if the temporary files cannot be written.
    """
    folder = _converted(_csv_as_parquet, files, form)
    # Columns are named by their positions, because a name may be there twice.
    positions = {str(position): "string" for position in range(len(form.header))}
    rows = read_folder(spark, folder)
    return rows.select(*_columns(folder, positions), *PROVENANCE_OF_LINES).toDF(
        *form.header, *PROVENANCE_OF_LINES
    )


def read_parquet(
    spark: SparkSession, files: Sequence[InputFile], columns: Collection[str], place: str
) -> list[tuple[str, DataFrame]]:
    """Frames of Parquet files of one schema each, with the place that messages name.

    Columns that are not wanted have their names and types, and no values. Raises InputError if a
    file cannot be read, OutputError if the temporary files cannot be written.
    """
    try:
        groups = _converted(_parquet_as_parquet, files, frozenset(columns))
    except InputError as error:
        raise InputError(f"{place}: {error}") from error
    origins = [place] if len(groups) == 1 else [group.files[0] for group in groups]
    return [(origin, _rows_of(spark, group)) for origin, group in zip(origins, groups, strict=True)]


def _converted(convert: Callable[..., Made], files: Sequence[InputFile], how: object) -> Made:
    """What a conversion that is cached makes of files, anew where a change may not be seen.

    Clocks of file systems may tick a few times a second.
    """
    versions = tuple(map(_version, files))
    is_settled = max(one.modified for one in versions) < time.time_ns() - SETTLED_AFTER_NS
    return (convert if is_settled else unwrap(convert))(versions, how)


def _version(file: InputFile) -> FileVersion:
    try:
        found = os.stat(file.address)
    except OSError:
        # Reading it tells why.
        return FileVersion(file.address, file.packing, 0, 0, 0)
    of_content = found.st_ino, found.st_size, found.st_mtime_ns
    return FileVersion(file.address, file.packing, *of_content)


@cache
def _csv_as_parquet(files: tuple[FileVersion, ...], form: CsvFormat) -> Path:
    folder = temporary_folder()
    with reading_and_writing(str(folder)):
        written = [CsvFile(file.address, file.packing) for file in files]
        csv_to_parquet(written, form.header, form.encoding, form.delimiter, form.columns, folder)
    return folder


@cache
def _parquet_as_parquet(
    files: tuple[FileVersion, ...], columns: frozenset[str]
) -> list[ParquetGroup]:
    folder = temporary_folder()
    with reading_and_writing(str(folder)):
        return parquet_to_parquet([file.address for file in files], columns, folder)


def _rows_of(spark: SparkSession, group: ParquetGroup) -> DataFrame:
    rows = read_folder(spark, group.folder)
    types = {column.name: column.dataType.simpleString() for column in group.columns}
    return rows.select(*_columns(group.folder, types), *PROVENANCE)


def _columns(folder: Path, types: dict[str, str]) -> Iterable[Column]:
    # All of its files have the same ones; to ask Sail takes ten times as long.
    there = {*parquet.read_schema(next(folder.iterdir())).names}
    for name, type_ in types.items():
        if name in there:
            yield F.col(quoted(name))
        else:
            yield F.lit(None).cast(type_).alias(name)
