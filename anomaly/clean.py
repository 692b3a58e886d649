"""Cleaning: raw rows to checked rows, each clean, or rejected with the reason.

A checked frame has a row for each raw row. `clean_rows` and `rejected_rows` are two views of it,
so that an input is scanned once and no row can be lost in between. Raw columns may be texts (CSV)
or typed (Parquet); both are checked by the same rules.
"""

from collections.abc import Iterable
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
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
from anomaly.numbers import LARGEST_NUMBER
from anomaly.profile import InputRules, Kpi, Profile

NUMBER_PATTERN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
WHOLE_NUMBER_PATTERN = r"^[+-]?\d{1,18}(\.0*)?$"
NOT_FINITE_TEXTS = ("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
# In the text of Customer_ID the customer number begins at this character, 7 characters at most.
CUSTOMER_NUMBER_START, CUSTOMER_NUMBER_LENGTH = 4, 7

PROVENANCE = (SOURCE_FILE, SOURCE_ROW_ID, "row_column", "row_reason", "faults", "raw_row")


def check_customers(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked customers, a row per raw row: the published customer columns and provenance.

    Raises InputError for a column that is missing or of an impossible type.
    """
    raw = conform(raw, CUSTOMERS, profile)
    rules = profile.inputs[CUSTOMERS]
    number = _whole_number(raw, "Index")
    tenure = _whole_number(raw, "tenure")
    cell = _text("CellTower", rules)
    texts = ("PhoneService", "MultipleLines", "InternetService")
    values = [
        number.alias("customerID"),
        cell.alias("CellName"),
        tenure.alias("tenure"),
        *(_text(name, rules).alias(name) for name in texts),
    ]
    compared = {"Index": number, "tenure": tenure, "CellTower": cell} | {
        name: _text(name, rules) for name in texts
    }
    row_faults = [
        _malformed(),
        _fault(_is_missing("Index", rules), "Index", "missing_key"),
        _fault(number.isNull(), "Index", "bad_customer_number"),
        *_filters(rules, compared),
    ]
    tenure_fault = F.when(
        tenure.isNull() & ~_is_missing("tenure", rules),
        _value_fault("tenure", F.lit("not_a_number")),
    )
    return _checked(raw, values, row_faults, [tenure_fault], rules, "customerID")


def check_samples(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked samples, a row per raw row: CellName, each KPI by its published name, provenance.

    Raises InputError for a column that is missing or of an impossible type.
    """
    raw = conform(raw, SAMPLES, profile)
    rules = profile.inputs[SAMPLES]
    cell = _text("CellName", rules)
    row_faults = [
        _malformed(),
        _fault(cell.isNull(), "CellName", "missing_key"),
        *_filters(rules, {"CellName": cell}),
    ]
    return _checked_kpis(raw, SAMPLES, [cell.alias("CellName")], row_faults, profile, "CellName")


def check_calls(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked call statistics, a row per raw row: customerID, each KPI, provenance.

    Raises InputError for a column that is missing or of an impossible type.
    """
    raw = conform(raw, CALL_STATISTICS, profile)
    rules = profile.inputs[CALL_STATISTICS]
    text = F.regexp_replace(_text("Customer_ID", rules), r"\.0*$", "")
    if _is_numeric(raw, "Customer_ID"):
        text = _whole_number(raw, "Customer_ID").cast("string")
    digits = F.substring(text, CUSTOMER_NUMBER_START, CUSTOMER_NUMBER_LENGTH)
    number = F.when(digits.rlike(r"^\d+$"), digits).cast("bigint")
    row_faults = [
        _malformed(),
        _fault(text.isNull(), "Customer_ID", "missing_key"),
        _fault(number.isNull(), "Customer_ID", "bad_customer_number"),
        *_filters(rules, {"Customer_ID": number}),
    ]
    keys = [number.alias("customerID")]
    return _checked_kpis(raw, CALL_STATISTICS, keys, row_faults, profile, "customerID")


def clean_rows(checked: DataFrame) -> DataFrame:
    """The rows of a checked frame that count, without their provenance."""
    return checked.where(F.col("row_reason").isNull()).drop(*PROVENANCE)


def rejected_rows(checked: DataFrame, source: str, run: Iterable[Column]) -> DataFrame:
    """A row per rejected row and per value that was left out of a clean row.

    The number of the row in its file counts from 1, a CSV header aside. Rows with the scope `row`
    and clean rows add up to the rows read.
    """
    row_fault = F.struct(
        F.col("row_column").alias("column"),
        F.col("row_reason").alias("reason"),
        F.lit(None).cast("string").alias("raw_value"),
    )
    faults = F.when(F.col("row_reason").isNotNull(), F.array(row_fault)).otherwise(F.col("faults"))
    first_ids = checked.groupBy(SOURCE_FILE).agg(F.min(SOURCE_ROW_ID).alias("first_id"))
    return (
        checked.where(F.size("faults") + F.col("row_reason").isNotNull().cast("int") > 0)
        .withColumn("fault", F.explode(faults))
        # Many rows to one file; null-safe because frames made in memory have no file.
        .join(
            F.broadcast(first_ids.withColumnRenamed(SOURCE_FILE, "file")),
            on=F.col(SOURCE_FILE).eqNullSafe(F.col("file")),
            how="inner",
        )
        .select(
            F.lit(source).alias("source"),
            F.col(SOURCE_FILE),
            (F.col(SOURCE_ROW_ID) - F.col("first_id") + 1).alias("source_row"),
            F.when(F.col("row_reason").isNotNull(), "row").otherwise("value").alias("scope"),
            F.col("fault.column").alias("column"),
            F.col("fault.reason").alias("reason"),
            F.col("fault.raw_value").alias("raw_value"),
            F.col("raw_row"),
            *run,
        )
        .select(*(column.name for column in REJECTED_COLUMNS))
    )


# --- columns ------------------------------------------------------------------------------------


def _raw(name: str) -> Column:
    return F.col(f"`{name}`")


def _is_numeric(raw: DataFrame, name: str) -> bool:
    return isinstance(raw.schema[name].dataType, T.NumericType)


def _text(name: str, rules: InputRules) -> Column:
    """The text of a column without surrounding blanks; NULL where it stands for no value."""
    text = F.trim(_raw(name).cast("string"))
    return F.when((text != "") & ~F.lower(text).isin(*rules.missing_texts), text)


def _is_missing(name: str, rules: InputRules) -> Column:
    return _text(name, rules).isNull()


def _whole_number(raw: DataFrame, name: str) -> Column:
    """A whole number; NULL where the text or number is none ("7", "0007" and 7.0 are)."""
    column = _raw(name)
    if _is_numeric(raw, name):
        number = column.cast("double")
        is_whole = (number == F.floor(number)) & (F.abs(number) < 1e15)
        return F.when(is_whole, column).cast("bigint")
    text = F.trim(column)
    return F.when(text.rlike(WHOLE_NUMBER_PATTERN), F.regexp_replace(text, r"\.0*$", "")).cast(
        "bigint"
    )


def _kpi_value(raw: DataFrame, kpi: Kpi, rules: InputRules) -> tuple[Column, Column]:
    """A KPI's number (NULL where it is no usable one) and the reason why it is not usable."""
    column = _raw(kpi.column)
    if _is_numeric(raw, kpi.column):
        number = column.cast("double")
        reason = _number_reason(number, kpi)
    else:
        text = F.trim(column)
        number = F.when(text.rlike(NUMBER_PATTERN), text).cast("double")
        reason = F.when(number.isNotNull(), _number_reason(number, kpi)).when(
            text != "", _text_reason(text, rules)
        )
    return F.when(reason.isNull(), number), reason


def _text_reason(text: Column, rules: InputRules) -> Column:
    """Why a text that is no number stands where a number should."""
    return (
        F.when(F.lower(text).isin(*rules.missing_texts), "missing_text")
        .when(text.startswith("#"), "spreadsheet_error")
        .when(F.lower(text).isin(*NOT_FINITE_TEXTS), "not_finite")
        .otherwise("not_a_number")
    )


def _number_reason(number: Column, kpi: Kpi) -> Column:
    """Why a number is not usable; NULL where it is."""
    reason = F.when(F.isnan(number) | (F.abs(number) == float("inf")), "not_finite")
    if kpi.sentinels:
        reason = reason.when(number.isin(*kpi.sentinels), "sentinel")
    lowest = -LARGEST_NUMBER if kpi.minimum is None else kpi.minimum
    highest = LARGEST_NUMBER if kpi.maximum is None else kpi.maximum
    return reason.when(~number.between(lowest, highest), "out_of_range")


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


def _value_fault(name: str, reason: Column) -> Column:
    return F.struct(
        F.lit(name).alias("column"),
        reason.alias("reason"),
        _raw(name).cast("string").alias("raw_value"),
    )


def _malformed() -> Column:
    return _fault(F.col(MALFORMED_LINE), None, "malformed_line")


def _filters(rules: InputRules, compared: dict[str, Column]) -> list[Column]:
    """A fault for each `keep_where` that does not hold (a missing value does not)."""
    operations = {
        "=": Column.__eq__,
        "!=": Column.__ne__,
        ">": Column.__gt__,
        ">=": Column.__ge__,
        "<": Column.__lt__,
        "<=": Column.__le__,
    }
    return [
        _fault(
            ~F.coalesce(operations[operator](compared[name], value), F.lit(False)),
            name,
            "filtered_by_profile",
        )
        for name, operator, value in rules.keep_where
    ]


# --- frames -------------------------------------------------------------------------------------


def _checked_kpis(
    raw: DataFrame,
    source: str,
    keys: list[Column],
    row_faults: list[Column],
    profile: Profile,
    key: str,
) -> DataFrame:
    rules = profile.inputs[source]
    kpis = profile.kpis_of(source)
    checked = [_kpi_value(raw, kpi, rules) for kpi in kpis]
    values = [value.alias(kpi.name) for kpi, (value, _) in zip(kpis, checked, strict=True)]
    faults = [
        F.when(reason.isNotNull(), _value_fault(kpi.column, reason))
        for kpi, (_, reason) in zip(kpis, checked, strict=True)
    ]
    return _checked(raw, [*keys, *values], row_faults, faults, rules, key)


def _checked(
    raw: DataFrame,
    values: list[Column],
    row_faults: list[Column],
    value_faults: list[Column],
    rules: InputRules,
    key: str,
) -> DataFrame:
    row_fault = F.coalesce(*row_faults)
    faults = F.array_compact(F.array(*value_faults)).cast(f"array<{FAULT_TYPE}>")
    checked = raw.select(
        *values,
        F.col(SOURCE_FILE),
        F.col(SOURCE_ROW_ID),
        row_fault["row_column"].alias("row_column"),
        row_fault["row_reason"].alias("row_reason"),
        faults.alias("faults"),
        _raw_row(raw).alias("raw_row"),
    )
    if rules.rows_per_key:
        checked = checked.transform(_limit_rows, key, rules.rows_per_key)
    # The text is kept of rows with a fault only: it is wide, and such rows are few.
    has_fault = F.col("row_reason").isNotNull() | (F.size("faults") > 0)
    return checked.withColumn("raw_row", F.when(has_fault, F.col("raw_row")))


def _limit_rows(checked: DataFrame, key: str, rows_per_key: int) -> DataFrame:
    """Reject the rows of a key after the first ones, in the order of file and row."""
    usable = F.col("row_reason").isNull()
    in_file_order = Window.partitionBy(key, usable).orderBy(SOURCE_FILE, SOURCE_ROW_ID)
    beyond = usable & (F.col("row_number") > rows_per_key)
    return (
        checked.withColumn("row_number", F.row_number().over(in_file_order))
        .withColumn("row_reason", F.when(beyond, "beyond_row_limit").otherwise(F.col("row_reason")))
        .drop("row_number")
    )


def _raw_row(raw: DataFrame) -> Column:
    """The contract's and KPI columns joined by commas."""
    provenance = (SOURCE_FILE, SOURCE_ROW_ID, MALFORMED_LINE)
    names = [name for name in raw.columns if name not in provenance]
    texts = [F.coalesce(_raw(name).cast("string"), F.lit("")) for name in names]
    return reduce(lambda left, right: F.concat(left, F.lit(","), right), texts)
