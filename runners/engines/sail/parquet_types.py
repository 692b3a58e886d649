"""The types of Parquet columns as Spark reads them, and how Spark merges those of several files."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
from pyarrow import parquet
from pyspark.sql import types as T

INTEGERS = {8: T.ByteType(), 16: T.ShortType(), 32: T.IntegerType(), 64: T.LongType()}
# The next larger type; of 64 bits there is none but a decimal.
UNSIGNED = {8: INTEGERS[16], 16: INTEGERS[32], 32: INTEGERS[64], 64: T.DecimalType(20, 0)}
PLAIN: dict[str, T.DataType] = {
    "BOOLEAN": T.BooleanType(), "INT32": INTEGERS[32], "INT64": INTEGERS[64],
    "INT96": T.TimestampType(), "FLOAT": T.FloatType(), "DOUBLE": T.DoubleType(),
    "BYTE_ARRAY": T.BinaryType(), "FIXED_LEN_BYTE_ARRAY": T.BinaryType(),
}  # fmt: skip
TEXTS = ("String", "Enum", "JSON")
ARROW: dict[type[T.DataType], pa.DataType] = {
    T.BooleanType: pa.bool_(), T.ByteType: pa.int8(), T.ShortType: pa.int16(),
    T.IntegerType: pa.int32(), T.LongType: pa.int64(), T.FloatType: pa.float32(),
    T.DoubleType: pa.float64(), T.StringType: pa.string(), T.BinaryType: pa.binary(),
    T.DateType: pa.date32(), T.TimestampType: pa.timestamp("us", "UTC"),
    T.TimestampNTZType: pa.timestamp("us"),
}  # fmt: skip


class UnreadableTypeError(Exception):
    """Spark has no type for a column; the message names it."""


class UnlikeError(Exception):
    """Columns of one name are of types that Spark does not merge."""


def spark_schema(file: parquet.ParquetFile) -> T.StructType:
    """The columns of a file with the types that Spark gives them.

    Times of nanoseconds are whole numbers, as the runner has Spark read them. Raises
    UnreadableTypeError where there is no type for a column.
    """
    leaves = (file.schema.column(number) for number in range(len(file.schema)))
    return _struct(file.schema_arrow, leaves)


def _merged(one: T.DataType, other: T.DataType) -> T.DataType:
    if isinstance(one, T.StructType) and isinstance(other, T.StructType):
        return merged_structs(one, other)
    if isinstance(one, T.ArrayType) and isinstance(other, T.ArrayType):
        return T.ArrayType(_merged(one.elementType, other.elementType))
    if isinstance(one, T.MapType) and isinstance(other, T.MapType):
        return T.MapType(
            _merged(one.keyType, other.keyType), _merged(one.valueType, other.valueType)
        )
    if isinstance(one, T.DecimalType) and isinstance(other, T.DecimalType):
        if one.scale == other.scale:
            return T.DecimalType(max(one.precision, other.precision), one.scale)
    elif one == other:
        return one
    raise UnlikeError


def arrow_type(kind: T.DataType) -> pa.DataType:
    """Arrow's type for one of Spark's."""
    match kind:
        case T.DecimalType():
            return pa.decimal128(kind.precision, kind.scale)
        case T.StructType():
            return pa.struct([(one.name, arrow_type(one.dataType)) for one in kind])
        case T.ArrayType():
            return pa.list_(arrow_type(kind.elementType))
        case T.MapType():
            return pa.map_(arrow_type(kind.keyType), arrow_type(kind.valueType))
    return ARROW[type(kind)]


def merged_structs(one: T.StructType, other: T.StructType) -> T.StructType:
    """The columns of two files, whatever the case of their names. Raises UnlikeError."""
    kinds = {field.name.lower(): field for field in one}
    for field in other:
        first = kinds.setdefault(field.name.lower(), field)
        if first is not field:
            kind = _merged(first.dataType, field.dataType)
            kinds[field.name.lower()] = T.StructField(first.name, kind)
    return T.StructType([*kinds.values()])


def _struct(fields: Any, leaves: Iterator[Any]) -> T.StructType:
    return T.StructType([T.StructField(one.name, _kind(one.type, leaves)) for one in fields])


def _kind(arrow: pa.DataType, leaves: Iterator[Any]) -> T.DataType:
    """Spark's type; `leaves` are the columns that Parquet keeps, of which it takes its own."""
    if pa.types.is_struct(arrow):
        return _struct(arrow, leaves)
    if pa.types.is_map(arrow):
        return T.MapType(_kind(arrow.key_type, leaves), _kind(arrow.item_type, leaves))
    if any(is_list(arrow) for is_list in LISTS):
        return T.ArrayType(_kind(arrow.value_type, leaves))
    return _of_leaf(next(leaves))


LISTS: tuple[Callable[[pa.DataType], bool], ...] = (
    pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list,
)  # fmt: skip


def _of_leaf(leaf: Any) -> T.DataType:
    logical, physical = json.loads(leaf.logical_type.to_json()), leaf.physical_type
    match logical:
        case {"Type": "None" | "Null"}:
            return PLAIN[physical]
        case {"Type": "Int", "bitWidth": width, "isSigned": is_signed}:
            return (INTEGERS if is_signed else UNSIGNED)[width]
        case {"Type": "Decimal", "precision": precision, "scale": scale} if precision <= 38:
            return T.DecimalType(precision, scale)
        case {"Type": "Timestamp", "timeUnit": "nanoseconds"}:
            return T.LongType()
        case {"Type": "Timestamp", "isAdjustedToUTC": is_adjusted}:
            return T.TimestampType() if is_adjusted else T.TimestampNTZType()
        case {"Type": "Date"}:
            return T.DateType()
        case {"Type": kind} if kind in TEXTS:
            return T.StringType()
        case {"Type": "BSON"}:
            return T.BinaryType()
    kind = logical["Type"]
    raise UnreadableTypeError(f"illegal Parquet type {physical} ({kind}) of {leaf.path}")
