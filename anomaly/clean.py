"""Cleaning: raw rows to checked rows, each clean, or rejected with the reason.

A checked frame has a row for each raw row. `clean_rows` and `rejected_rows` are two views of it,
so that an input is scanned once and no row can be lost in between. Raw columns may be texts (CSV)
or typed (Parquet); both are checked by the same rules.
"""

from collections.abc import Mapping, Sequence
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
from anomaly.sql import array_of, constant_array, quoted
from anomaly.times import instant, is_no_time

# Letters that Java takes in a number: 12d, 1f and 0x1p3.
NOT_IN_A_NUMBER = "[dDfFxX]"
WHOLE_NUMBER_PATTERN = r"^[+-]?\d{1,18}(\.0*)?$"
NOT_FINITE_TEXTS = ("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
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
        _fault(cell.contains(NOT_DECODED), "CellTower", "bad_encoding"),
        *_suspects(rules),
        *_filters(rules, compared),
    ]
    tenure_fault = F.struct(
        F.lit("tenure").alias("column"),
        F.lit("not_a_number").alias("reason"),
        _raw("tenure").cast("string").alias("raw_value"),
    )
    has_fault = tenure.isNull() & ~_is_missing("tenure", rules)
    faults = F.when(has_fault, F.array(tenure_fault))
    checked = _checked(raw, values, row_faults, faults, raw.columns)
    if rules.reject_duplicates:
        said = ("CellName", "tenure", *texts)
        checked = checked.transform(_reject_duplicates, "Index", "customerID", "customerID", said)
    return _finished(checked, rules, "customerID")


def check_samples(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked samples, a row per raw row: CellName, `values` by KPI, provenance.

    Raises InputError for a column that is missing or of an impossible type.
    """
    raw = conform(raw, SAMPLES, profile)
    rules = profile.inputs[SAMPLES]
    cell = _text("CellName", rules)
    row_faults = [
        _malformed(),
        _fault(cell.isNull(), "CellName", "missing_key"),
        _fault(cell.contains(NOT_DECODED), "CellName", "bad_encoding"),
        *_bad_times(raw),
        *_suspects(rules),
        *_filters(rules, {"CellName": cell}),
    ]
    keys = [cell.alias("CellName"), F.expr(_time(raw)).alias("time")]
    checked = _checked_kpis(raw, SAMPLES, keys, row_faults, profile)
    if rules.reject_duplicates and "Time" in raw.columns:
        checked = checked.transform(
            _reject_duplicates, "Time", "time", "CellName, time", ("values",)
        )
    return _finished(checked.drop("time"), rules, "CellName")


def check_calls(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked call statistics, a row per raw row: customerID, `values` by KPI, provenance.

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
        *_suspects(rules),
        *_filters(rules, {"Customer_ID": number}),
    ]
    keys = [number.alias("customerID")]
    checked = _checked_kpis(raw, CALL_STATISTICS, keys, row_faults, profile)
    return _finished(checked, rules, "customerID")


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


# --- columns ------------------------------------------------------------------------------------


def _raw(name: str) -> Column:
    return F.col(quoted(name))


def _is_numeric(raw: DataFrame, name: str) -> bool:
    return isinstance(raw.schema[name].dataType, T.NumericType)


def _text(name: str, rules: InputRules) -> Column:
    """The text of a column without what is blank around it; NULL where it stands for no value."""
    text = _trimmed(_raw(name).cast("string"))
    return F.when((text != "") & ~F.lower(text).isin(*rules.missing_texts), text)


def _trimmed(text: Column) -> Column:
    """Without spaces, tabs, line ends and control characters around it."""
    return F.regexp_replace(text, r"^[\x00-\x20]+|[\x00-\x20]+$", "")


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


def _time(raw: DataFrame) -> str:
    """The SQL of the instant of a sample; NULL where its time has no date."""
    if "Time" not in raw.columns:
        return "CAST(NULL AS timestamp)"
    if isinstance(raw.schema["Time"].dataType, T.StringType):
        return instant("Time")
    return "CAST(Time AS timestamp)"


def _number(raw: DataFrame, kpi: Kpi, decimal: str) -> str:
    """The SQL of the number that a KPI column holds, usable or not; NULL where it holds none."""
    column = quoted(kpi.column)
    if _is_numeric(raw, kpi.column):
        return f"CAST({column} AS double)"
    # A cast alone would also take "12d" for 12.
    not_in_it, text = NOT_IN_A_NUMBER, column
    if decimal == ",":
        # A point would be between thousands: whoever wrote it may have meant 1.234 or 1234.
        not_in_it, text = "[dDfFxX.]", f"replace({column}, ',', '.')"
    return f"CASE WHEN NOT {column} RLIKE '{not_in_it}' THEN try_cast({text} AS double) END"


def _usable(kpi: Kpi) -> str:
    """The SQL of a parsed number where it is finite, in the KPI's range and no sentinel."""
    number = quoted(_parsed_name(kpi))
    lowest = -LARGEST_NUMBER if kpi.minimum is None else kpi.minimum
    highest = LARGEST_NUMBER if kpi.maximum is None else kpi.maximum
    is_usable = f"{number} BETWEEN {float(lowest)!r}D AND {float(highest)!r}D"
    if kpi.sentinels:
        listed = ", ".join(f"{float(sentinel)!r}D" for sentinel in kpi.sentinels)
        is_usable += f" AND {number} NOT IN ({listed})"
    return f"CASE WHEN {is_usable} THEN {number} END"


def _value_faults(kpis: Sequence[Kpi], rules: InputRules) -> Column:
    """A fault for each KPI with a text that stands for no usable number (contracts.FAULT_TYPE)."""
    constants = constant_array(
        ({"column": kpi.column, "sentinels": kpi.sentinels} for kpi in kpis),
        "column: string, sentinels: array<double>",
    )
    read = F.zip_with(
        F.arrays_zip(
            array_of((kpi.column for kpi in kpis), "string").alias("text"),
            array_of(map(_parsed_name, kpis), "double").alias("number"),
            array_of(map(_usable_name, kpis), "double").alias("usable"),
        ),
        constants,
        lambda read, kpi: F.struct(
            kpi["column"].alias("column"),
            _trimmed(read["text"]).alias("text"),
            read["number"].alias("number"),
            read["usable"].alias("usable"),
            kpi["sentinels"].alias("sentinels"),
        ),
    )
    unusable = F.filter(read, lambda kpi: (kpi["text"] != "") & kpi["usable"].isNull())
    return F.transform(
        unusable,
        lambda kpi: F.struct(
            kpi["column"].alias("column"),
            _reason(kpi, rules).alias("reason"),
            kpi["text"].alias("raw_value"),
        ),
    )


def _parsed_name(kpi: Kpi) -> str:
    return f"parsed {kpi.name}"


def _usable_name(kpi: Kpi) -> str:
    return f"usable {kpi.name}"


def _reason(kpi: Column, rules: InputRules) -> Column:
    """Why a text is no usable number."""
    text, number = F.lower(kpi["text"]), kpi["number"]
    return (
        F.when(text.isin(*rules.missing_texts), "missing_text")
        .when(text.startswith("#"), "spreadsheet_error")
        .when(text.isin(*NOT_FINITE_TEXTS), "not_finite")
        .when(number.isNull(), "not_a_number")
        .when(F.isnan(number) | (F.abs(number) == float("inf")), "not_finite")
        .when(F.array_contains(kpi["sentinels"], number), "sentinel")
        .otherwise("out_of_range")
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


def _bad_times(raw: DataFrame) -> list[Column]:
    if "Time" not in raw.columns or not isinstance(raw.schema["Time"].dataType, T.StringType):
        return []
    return [_fault(F.expr(is_no_time("Time")), "Time", "bad_time")]


def _suspects(rules: InputRules) -> list[Column]:
    """A fault for each `suspect_where` that holds (a missing value does not)."""

    def compared(name: str, value: str | float) -> tuple[Column, str | float]:
        if isinstance(value, str):
            return F.lower(F.trim(_raw(name).cast("string"))), value.lower()
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


def _checked_kpis(
    raw: DataFrame,
    source: str,
    keys: list[Column],
    row_faults: list[Column],
    profile: Profile,
) -> DataFrame:
    rules = profile.inputs[source]
    kpis = profile.kpis_of(source)
    # Step by step, so that Spark parses each text once although its number is used several times.
    parsed = raw.selectExpr(
        "*", *(f"{_number(raw, kpi, rules.decimal)} AS {quoted(_parsed_name(kpi))}" for kpi in kpis)
    )
    usable = parsed.selectExpr(
        "*", *(f"{_usable(kpi)} AS {quoted(_usable_name(kpi))}" for kpi in kpis)
    )
    values = array_of(map(_usable_name, kpis), "double").alias("values")
    is_unusable = (
        f"{quoted(_usable_name(kpi))} IS NULL AND CAST({quoted(kpi.column)} AS string) != ''"
        for kpi in kpis
    )
    with_fault = usable.withColumn("has_fault", F.expr(" OR ".join(is_unusable)))
    # Few rows have a fault: only theirs are examined one by one.
    faults = F.when(F.col("has_fault"), _value_faults(kpis, rules))
    return _checked(with_fault, [*keys, values], row_faults, faults, raw.columns)


def _checked(
    raw: DataFrame,
    values: list[Column],
    row_faults: list[Column],
    value_faults: Column,
    read_columns: Sequence[str],
) -> DataFrame:
    row_fault = F.coalesce(*row_faults)
    return raw.select(
        *values,
        F.col(SOURCE_FILE),
        F.col(SOURCE_ROW_ID),
        row_fault["row_column"].alias("row_column"),
        row_fault["row_reason"].alias("row_reason"),
        value_faults.cast(f"array<{FAULT_TYPE}>").alias("faults"),
        _raw_row(read_columns).alias("raw_row"),
    )


def _finished(checked: DataFrame, rules: InputRules, key: str) -> DataFrame:
    if rules.rows_per_key:
        checked = checked.transform(_limit_rows, key, rules.rows_per_key)
    # The text is kept of rows with a fault only: it is wide, and such rows are few.
    has_fault = F.col("row_reason").isNotNull() | F.col("faults").isNotNull()
    return checked.withColumn("raw_row", F.when(has_fault, F.col("raw_row")))


def _reject_duplicates(
    checked: DataFrame, column: str, key: str, keys: str, said: Sequence[str]
) -> DataFrame:
    """Reject rows that say again what an earlier one said, and all that contradict each other.

    Rows are about the same where their `keys` are equal; those whose `key` is NULL, or that are
    rejected already, are about nothing else. `column` is named as the one at fault.
    """
    # Rows that stand alone are spread by their own number, or one task would get all of them.
    alone = f"CASE WHEN {key} IS NULL OR row_reason IS NOT NULL THEN {SOURCE_ROW_ID} END"
    alone_in = f"CASE WHEN {key} IS NULL OR row_reason IS NOT NULL THEN {SOURCE_FILE} END"
    same = f"PARTITION BY {keys}, {alone}, {alone_in}"
    contents = f"xxhash64({', '.join(said)})"
    differ = f"min({contents}) OVER ({same}) != max({contents}) OVER ({same})"
    position = f"row_number() OVER ({same} ORDER BY {SOURCE_FILE}, {SOURCE_ROW_ID})"
    found = (
        f"CASE WHEN row_reason IS NOT NULL THEN row_reason "
        f"WHEN {differ} THEN 'contradicting_rows' WHEN {position} > 1 THEN 'duplicate_row' END"
    )
    fault_column = f"CASE WHEN row_reason IS NULL AND found IS NOT NULL THEN '{column}' "
    return (
        checked.selectExpr("*", f"{found} AS found")
        .withColumn("row_column", F.expr(f"{fault_column} ELSE row_column END"))
        .withColumn("row_reason", F.col("found"))
        .drop("found")
    )


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


def _raw_row(columns: Sequence[str]) -> Column:
    """The contract's and KPI columns joined by commas."""
    provenance = (SOURCE_FILE, SOURCE_ROW_ID, MALFORMED_LINE)
    names = [name for name in columns if name not in provenance]
    return F.array_join(array_of(names, "string"), ",", "")
