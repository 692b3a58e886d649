"""Makes Parquet of Parquet files: with the columns that are wanted, and where each row comes from.

Types become those that Spark has for them, so that both engines read the same.
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import types as T

from anomaly.errors import InputError
from anomaly.schema.inputs import MALFORMED_LINE, SOURCE_FILE, SOURCE_ROW_ID
from runners.engines.sail.parquet_files import ROWS_IN_GROUP, the_same, writing
from runners.engines.sail.parquet_types import (
    UnlikeError,
    UnreadableTypeError,
    arrow_type,
    merged_structs,
    spark_schema,
)
from runners.engines.sail.source_uri import metadata_uri, source_uri
from runners.engines.sail.text_blocks import valid_utf8


@dataclass(frozen=True)
class ParquetGroup:
    """Files that make one frame: `columns` are all of theirs, as Spark would have them.

    In the folder there is a Parquet file for each, with the columns that are wanted and the
    provenance of rows; all of one schema.
    """

    files: tuple[str, ...]
    folder: Path
    columns: T.StructType


def parquet_to_parquet(
    files: Sequence[str], wanted: Collection[str], folder: Path
) -> list[ParquetGroup]:
    """Writes a Parquet file into a folder for each of some Parquet files.

    They are one group where Spark merges their columns; otherwise each of them is its own. Names
    are matched whatever their case, and the blanks around them. Raises InputError, which names the
    file, where one cannot be read.
    """
    schemas = {file: _schema_of(file) for file in files}
    try:
        whole = reduce(merged_structs, schemas.values())
        groups = [ParquetGroup((*files,), folder / "0", whole)]
    except UnlikeError:
        groups = [
            ParquetGroup((file,), folder / str(number), schemas[file])
            for number, file in enumerate(files)
        ]
    for group in groups:
        group.folder.mkdir()
        for number, file in enumerate(group.files):
            _write(file, group.columns, wanted, group.folder / f"{number}.parquet")
    return groups


def _schema_of(file: str) -> T.StructType:
    with _reading(file) as content:
        schema = spark_schema(content)
    names = [name.lower() for name in schema.names]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise _unreadable(file, f"has columns twice, whatever their case: {', '.join(twice)}")
    return schema


def _write(file: str, columns: T.StructType, wanted: Collection[str], path: Path) -> None:
    names = {name.strip().lower() for name in wanted}
    written = [one for one in columns if one.name.strip().lower() in names]
    schema = pa.schema(
        [
            *((one.name, arrow_type(one.dataType)) for one in written),
            (SOURCE_FILE, pa.dictionary(pa.int8(), pa.string())),
            (SOURCE_ROW_ID, pa.int64()),
            (MALFORMED_LINE, pa.bool_()),
        ]
    )
    first, uri = 0, metadata_uri(file)
    with writing(path, schema) as add:
        for columns_there, rows in _columns(file, written):
            provenance = [
                the_same(uri, rows),
                pa.array(np.arange(first, first + rows)),
                pa.repeat(pa.scalar(False), rows),
            ]
            add(pa.table([*columns_there, *provenance], schema=schema))
            first += rows


def _columns(file: str, written: Sequence[T.StructField]) -> Iterator[tuple[list[pa.Array], int]]:
    """The columns of a file part by part, as they are written, and how many rows there are."""
    wanted = {one.name.lower() for one in written}
    with _reading(file) as content:
        names = [name for name in content.schema_arrow.names if name.lower() in wanted]
        for batch in content.iter_batches(ROWS_IN_GROUP, columns=names):
            # Arrow takes a.b for a field of a as well, so that there may be more.
            there = {name.lower(): batch[name] for name in names}
            rows = batch.num_rows
            found = ((there.get(one.name.lower()), one.dataType) for one in written)
            yield [_converted(column, kind, rows) for column, kind in found], rows


def _converted(column: pa.Array | None, kind: T.DataType, rows: int) -> pa.Array:
    """A column with Arrow's counterpart of Spark's type."""
    target = arrow_type(kind)
    # Nobody reads columns that hold others: their type is refused.
    if column is None or pa.types.is_nested(target):
        return pa.nulls(rows, target)
    if column.type != target:
        column = column.cast(target)
    return _with_valid_texts(column) if pa.types.is_string(target) else column


def _with_valid_texts(texts: pa.StringArray) -> pa.StringArray:
    """Texts with U+FFFD in place of what is not UTF-8; Sail refuses the others."""
    try:
        texts.validate(full=True)
    except pa.ArrowInvalid:
        found = texts.cast(pa.binary()).to_pylist()
        decoded = [text if text is None else valid_utf8(text).decode() for text in found]
        return pa.array(decoded, pa.string())
    return texts


@contextmanager
def _reading(file: str) -> Iterator[parquet.ParquetFile]:
    """A Parquet file. Raises InputError where it cannot be read."""
    try:
        with parquet.ParquetFile(
            file, memory_map=True, coerce_int96_timestamp_unit="us"
        ) as content:
            yield content
    except UnreadableTypeError as error:
        raise _unreadable(file, str(error)) from error
    except (pa.ArrowException, OSError) as error:
        told = str(error).partition("\n")[0]
        raise _unreadable(file, f"is not a Parquet file, or damaged: {told}") from error


def _unreadable(file: str, why: str) -> InputError:
    return InputError(f"cannot be read: {source_uri(file)}: {why}")
