"""Cleaning: raw rows to checked rows, each clean, or rejected with the reason.

A checked frame has a row for each raw row. `clean_rows` and `rejected_rows` are two views of it,
so that an input is scanned once and no row can be lost in between. Raw columns may be texts (CSV)
or typed (Parquet); both are checked by the same rules.
"""

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.conform import conform
from anomaly.contracts import (
    CALL_STATISTICS,
    CUSTOMERS,
    FAULT_TYPE,
    MALFORMED_LINE,
    REASONS,
    REJECTED_COLUMNS,
    SAMPLES,
    SOURCE_FILE,
    SOURCE_ROW_ID,
)
from anomaly.profile import InputRules, Profile
from anomaly.repeated_rows import limit_rows, reject_duplicates
from anomaly.sql import quoted
from anomaly.times import instant, is_no_time
from anomaly.values import (
    FAULTS,
    VALUES,
    is_missing,
    is_numeric,
    raw_column,
    text_of,
    trimmed,
    whole_number,
    with_values,
)

# In the text of Customer_ID the customer number begins at this character, 7 characters at most.
CUSTOMER_NUMBER_START, CUSTOMER_NUMBER_LENGTH = 4, 7

# What stands for bytes that an encoding does not know.
NOT_DECODED = "\ufffd"
OPERATIONS = {
    "=": Column.__eq__,
    "!=": Column.__ne__,
    ">": Column.__gt__,
    ">=": Column.__ge__,
    "<": Column.__lt__,
    "<=": Column.__le__,
}

# Columns that are added to a raw frame; the blank keeps them apart from an operator's columns.
RAW_ROW, TIME_TEXT, TIME, BAD_TIME = "raw row", "time text", "sample time", "bad time"
PROVENANCE = (SOURCE_FILE, SOURCE_ROW_ID, "row_column", "row_reason", "faults", "raw_row")


def check_customers(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked customers, a row per raw row: the published customer columns and provenance.

    Raises InputError for a column that is missing or of an impossible type.
    """
    rules = profile.inputs[CUSTOMERS]
    raw = conform(raw, CUSTOMERS, profile).transform(_with_raw_row)
    number = whole_number(raw, "Index")
    tenure = whole_number(raw, "tenure")
    cell = text_of("CellTower", rules)
    texts = ("PhoneService", "MultipleLines", "InternetService")
    values = [
        number.alias("customerID"),
        cell.alias("CellName"),
        tenure.alias("tenure"),
        *(text_of(name, rules).alias(name) for name in texts),
    ]
    compared = {"Index": number, "tenure": tenure, "CellTower": cell} | {
        name: text_of(name, rules) for name in texts
    }
    row_faults = [
        _malformed(),
        _fault(is_missing("Index", rules), "Index", "missing_key"),
        _fault(number.isNull(), "Index", "bad_customer_number"),
        _fault(cell.contains(NOT_DECODED), "CellTower", "bad_encoding"),
        *_suspects(rules),
        *_filters(rules, compared),
    ]
    tenure_fault = F.struct(
        F.lit("tenure").alias("column"),
        F.lit("not_a_number").alias("reason"),
        raw_column("tenure").cast("string").alias("raw_value"),
    )
    has_fault = tenure.isNull() & ~is_missing("tenure", rules)
    raw = raw.withColumn(FAULTS, F.when(has_fault, F.array(tenure_fault)))
    checked = _checked(raw, values, row_faults)
    if rules.reject_duplicates:
        said = ("CellName", "tenure", *texts)
        checked = checked.transform(reject_duplicates, ("customerID",), said, "Index")
    return _finished(checked, rules, "customerID")


def check_samples(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked samples, a row per raw row: CellName, time, peers, `values` by KPI, provenance.

    time: NULL where a sample has no date. peers: the text of the profile's peers_column, NULL
    without one. Raises InputError for a column that is missing or of an impossible type.
    """
    rules = profile.inputs[SAMPLES]
    raw = (
        conform(raw, SAMPLES, profile)
        .transform(_with_raw_row)
        .transform(_with_time, rules)
        .transform(with_values, profile.kpis_of(SAMPLES), rules)
    )
    cell = text_of("CellName", rules)
    row_faults = [
        _malformed(),
        _fault(cell.isNull(), "CellName", "missing_key"),
        _fault(cell.contains(NOT_DECODED), "CellName", "bad_encoding"),
        _fault(F.col(BAD_TIME), "Time", "bad_time"),
        *_suspects(rules),
        *_filters(rules, {"CellName": cell}),
    ]
    peers_column = profile.alarms.peers_column if profile.alarms else ""
    peers = text_of(peers_column, rules) if peers_column else F.lit(None).cast("string")
    values = [
        cell.alias("CellName"),
        F.col(TIME).alias("time"),
        peers.alias("peers"),
        F.col(VALUES).alias("values"),
    ]
    checked = _checked(raw, values, row_faults)
    if rules.reject_duplicates and "Time" in raw.columns:
        checked = checked.transform(reject_duplicates, ("CellName", "time"), ("values",), "Time")
    return _finished(checked, rules, "CellName")


def check_calls(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked call statistics, a row per raw row: customerID, `values` by KPI, provenance.

    Raises InputError for a column that is missing or of an impossible type.
    """
    rules = profile.inputs[CALL_STATISTICS]
    raw = (
        conform(raw, CALL_STATISTICS, profile)
        .transform(_with_raw_row)
        .transform(with_values, profile.kpis_of(CALL_STATISTICS), rules)
    )
    text = F.regexp_replace(text_of("Customer_ID", rules), r"\.0*$", "")
    if is_numeric(raw, "Customer_ID"):
        text = whole_number(raw, "Customer_ID").cast("string")
    digits = F.substring(text, CUSTOMER_NUMBER_START, CUSTOMER_NUMBER_LENGTH)
    number = F.when(digits.rlike(r"^\d+$"), digits).cast("bigint")
    row_faults = [
        _malformed(),
        _fault(text.isNull(), "Customer_ID", "missing_key"),
        _fault(number.isNull(), "Customer_ID", "bad_customer_number"),
        *_suspects(rules),
        *_filters(rules, {"Customer_ID": number}),
    ]
    values = [number.alias("customerID"), F.col(VALUES).alias("values")]
    return _finished(_checked(raw, values, row_faults), rules, "customerID")


def clean_rows(checked: DataFrame) -> DataFrame:
    """The rows of a checked frame that count, without their provenance."""
    return checked.where(F.col("row_reason").isNull()).drop(*PROVENANCE)


def rejected_rows(checked: Mapping[str, DataFrame], run: Mapping[str, Column]) -> DataFrame:
    """A row per rejected row and per value that was left out of a clean row, of all inputs.

    The number of the row in its file counts from 1, a CSV header aside. Rows with the scope `row`
    and clean rows add up to the rows read.
    """
    first_ids = [
        frame.groupBy(F.lit(source).alias("source"), SOURCE_FILE).agg(
            F.min(SOURCE_ROW_ID).alias("first_id")
        )
        for source, frame in checked.items()
    ]
    faults = [_faults(frame, source) for source, frame in checked.items()]
    first_id = F.broadcast(reduce(DataFrame.unionByName, first_ids)).alias("first")
    fault = reduce(DataFrame.unionByName, faults).alias("fault")
    # Null-safe because frames made in memory have no file.
    same_file = (F.col("fault.source") == F.col("first.source")) & F.col(
        f"fault.{SOURCE_FILE}"
    ).eqNullSafe(F.col(f"first.{SOURCE_FILE}"))
    return (
        # Many rows to one file.
        fault.join(first_id, on=same_file, how="inner")
        .withColumn("source_row", F.col(SOURCE_ROW_ID) - F.col("first_id") + 1)
        .select("fault.*", "source_row")
        .withColumns({**run})
        .selectExpr(*(f"`{column.name}`" for column in REJECTED_COLUMNS))
    )


def _faults(checked: DataFrame, source: str) -> DataFrame:
    is_rejected = F.col("row_reason").isNotNull()
    of_row = F.struct(
        F.col("row_column").alias("column"),
        F.col("row_reason").alias("reason"),
        F.lit(None).cast("string").alias("raw_value"),
    )
    of_values = F.coalesce("faults", F.array().cast(f"array<{FAULT_TYPE}>"))
    return (
        checked.where(is_rejected | F.col("faults").isNotNull())
        .withColumn("found", F.explode(F.when(is_rejected, F.array(of_row)).otherwise(of_values)))
        .select(
            F.lit(source).alias("source"),
            SOURCE_FILE,
            SOURCE_ROW_ID,
            F.when(is_rejected, "row").otherwise("value").alias("scope"),
            "found.*",
            "raw_row",
        )
    )


# --- faults -------------------------------------------------------------------------------------


def _fault(condition: Column, column: str | None, reason: str) -> Column:
    """A fault of the row as a whole, NULL where the condition does not hold."""
    assert REASONS[reason].rejects_row
    return F.when(
        condition,
        F.struct(
            F.lit(column).cast("string").alias("row_column"), F.lit(reason).alias("row_reason")
        ),
    )


def _malformed() -> Column:
    return _fault(F.col(MALFORMED_LINE), None, "malformed_line")


def _suspects(rules: InputRules) -> list[Column]:
    """A fault for each `suspect_where` that holds (a missing value does not)."""

    def compared(name: str, value: str | float) -> tuple[Column, str | float]:
        if isinstance(value, str):
            return F.lower(trimmed(raw_column(name).cast("string"))), value.lower()
        return F.expr(f"try_cast({quoted(name)} AS double)"), value

    faults = []
    for name, operator, value in rules.suspect_where:
        found, wanted = compared(name, value)
        holds = F.coalesce(OPERATIONS[operator](found, wanted), F.lit(False))
        faults.append(_fault(holds, name, "suspect"))
    return faults


def _filters(rules: InputRules, compared: dict[str, Column]) -> list[Column]:
    """A fault for each `keep_where` that does not hold (a missing value does not)."""
    return [
        _fault(
            ~F.coalesce(OPERATIONS[operator](compared[name], value), F.lit(False)),
            name,
            "filtered_by_profile",
        )
        for name, operator, value in rules.keep_where
    ]


# --- frames -------------------------------------------------------------------------------------


def _with_raw_row(raw: DataFrame) -> DataFrame:
    """Adds the contract's and KPI columns as one; `_finished` makes a text of it."""
    provenance = (SOURCE_FILE, SOURCE_ROW_ID, MALFORMED_LINE)
    names = [quoted(name) for name in raw.columns if name not in provenance]
    return raw.selectExpr("*", f"struct({', '.join(names)}) AS {quoted(RAW_ROW)}")


def _with_time(raw: DataFrame, rules: InputRules) -> DataFrame:
    """Adds the instant of a sample, NULL where its time has no date, and whether it is no time."""
    if "Time" not in raw.columns:
        instant_of, is_bad = "CAST(NULL AS timestamp)", "FALSE"
    elif isinstance(raw.schema["Time"].dataType, T.StringType):
        raw = raw.withColumn(TIME_TEXT, text_of("Time", rules))
        text = quoted(TIME_TEXT)
        instant_of, is_bad = instant(text), is_no_time(text)
    else:
        instant_of, is_bad = "CAST(Time AS timestamp)", "FALSE"
    return raw.selectExpr("*", f"{instant_of} AS `{TIME}`", f"{is_bad} AS `{BAD_TIME}`")


def _checked(raw: DataFrame, values: list[Column], row_faults: list[Column]) -> DataFrame:
    row_fault = F.coalesce(*row_faults)
    return raw.select(
        *values,
        F.col(SOURCE_FILE),
        F.col(SOURCE_ROW_ID),
        row_fault["row_column"].alias("row_column"),
        row_fault["row_reason"].alias("row_reason"),
        F.col(FAULTS).cast(f"array<{FAULT_TYPE}>").alias("faults"),
        F.col(RAW_ROW).alias("raw_row"),
    )


def _finished(checked: DataFrame, rules: InputRules, key: str) -> DataFrame:
    if rules.rows_per_key:
        checked = checked.transform(limit_rows, key, rules.rows_per_key)
    # A text is made of rows with a fault only: it is wide, and such rows are few.
    names = checked.select("raw_row.*").columns
    fields = ", ".join(f"CAST(raw_row.{quoted(name)} AS string)" for name in names)
    text = f"array_join(array({fields}), ',', '')"
    has_fault = "row_reason IS NOT NULL OR faults IS NOT NULL"
    return checked.withColumn("raw_row", F.expr(f"CASE WHEN {has_fault} THEN {text} END"))
