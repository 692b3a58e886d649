"""Schemas of BigQuery tables: made from contracts, and compared with those of existing tables."""

from collections.abc import Iterable, Sequence

from google.cloud.bigquery import SchemaField
from pyspark.sql import SparkSession
from pyspark.sql import types as T

from anomaly.errors import ConfigurationError
from anomaly.schema.inputs import Column

# https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema
TYPES: dict[type[T.DataType], str] = {
    T.StringType: "STRING",
    T.IntegerType: "INTEGER",
    T.LongType: "INTEGER",
    T.DoubleType: "FLOAT",
    T.BooleanType: "BOOLEAN",
    T.DateType: "DATE",
    T.TimestampType: "TIMESTAMP",
    T.BinaryType: "BYTES",
}
# The API answers one name for each type, but is given either.
OLDER_NAMES = {"INT64": "INTEGER", "FLOAT64": "FLOAT", "BOOL": "BOOLEAN", "STRUCT": "RECORD"}
# NUMERIC has 29 digits before the point and 9 behind it, BIGNUMERIC 38 and 38.
DECIMALS = (("NUMERIC", 29, 9), ("BIGNUMERIC", 38, 38))


def fields_of(spark: SparkSession, columns: Sequence[Column]) -> list[SchemaField]:
    """The fields of a table with these columns, all of them NULLABLE (REPEATED for arrays)."""
    ddl = ", ".join(f"`{column.name}` {column.type}" for column in columns)
    schema = spark.createDataFrame([], ddl).schema
    return [
        _field(column.name, kind.dataType, _description(column))
        for column, kind in zip(columns, schema, strict=True)
    ]


def missing_fields(
    existing: Sequence[SchemaField], wanted: Sequence[SchemaField]
) -> list[SchemaField]:
    """The fields that a table lacks; BigQuery does not tell names apart by their case."""
    there = {field.name.lower() for field in existing}
    return [field for field in wanted if field.name.lower() not in there]


def removed_names(existing: Sequence[SchemaField], wanted: Sequence[SchemaField]) -> list[str]:
    """The columns of a table that a run has no longer."""
    return [field.name for field in missing_fields(wanted, existing)]


def contradictions(existing: Sequence[SchemaField], wanted: Sequence[SchemaField]) -> list[str]:
    """What keeps rows of the wanted fields out of a table, whatever is added to it."""
    ours = {field.name.lower(): field for field in wanted}
    faults = []
    for field in existing:
        other = ours.get(field.name.lower())
        if other is None:
            if field.mode == "REQUIRED":
                faults.append(f"column {field.name} is REQUIRED there, and no run fills it")
        elif (there := _type(field)) != (here := _type(other)):
            faults.append(f"column {field.name} is {there} there, {here} here")
    return faults


def required_names(fields: Iterable[SchemaField]) -> list[str]:
    """The columns that may not be NULL."""
    return [field.name for field in fields if field.mode == "REQUIRED"]


def _field(name: str, kind: T.DataType, description: str | None = None) -> SchemaField:
    mode = "NULLABLE"
    if isinstance(kind, T.ArrayType):
        mode, kind = "REPEATED", kind.elementType
    if isinstance(kind, T.StructType):
        inner = [_field(field.name, field.dataType) for field in kind]
        return SchemaField(name, "RECORD", mode, description=description, fields=inner)
    if isinstance(kind, T.DecimalType):
        return SchemaField(name, _decimal(name, kind), mode, description=description)
    return SchemaField(name, TYPES[type(kind)], mode, description=description)


def _decimal(name: str, kind: T.DecimalType) -> str:
    whole = kind.precision - kind.scale
    for type_name, most_whole, most_scale in DECIMALS:
        if whole <= most_whole and kind.scale <= most_scale:
            return type_name
    raise ConfigurationError(name, [f"BigQuery holds no {kind.simpleString()}"])


def _description(column: Column) -> str:
    return f"{column.meaning} ({column.unit})" if column.unit else column.meaning


def _type(field: SchemaField) -> str:
    """Type and, for arrays, mode, with those of inner fields in the order of their names."""
    name = OLDER_NAMES.get(field.field_type, field.field_type)
    if name == "RECORD":
        inner = sorted(field.fields, key=lambda one: one.name.lower())
        name = f"RECORD<{', '.join(f'{one.name.lower()} {_type(one)}' for one in inner)}>"
    return f"REPEATED {name}" if field.mode == "REPEATED" else name
