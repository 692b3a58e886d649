"""What the fields of a raw row stand for: texts, whole numbers, and the values of its KPIs."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.numbers import LARGEST_NUMBER
from anomaly.profile import InputRules, Kpi
from anomaly.sql import array_of, constant_array, quoted

# Letters that Java takes in a number: 12d, 1f and 0x1p3.
NOT_IN_A_NUMBER = "dDfFxX"
WHOLE_NUMBER_PATTERN = r"^[+-]?\d{1,18}(\.0*)?$"
NOT_FINITE_TEXTS = ("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
# Columns that are added to a raw frame; the blank keeps them apart from an operator's columns.
VALUES, FAULTS = "usable values", "value faults"


def with_values(raw: DataFrame, kpis: Sequence[Kpi], rules: InputRules) -> DataFrame:
    """Adds VALUES and FAULTS to raw rows.

    VALUES: array<double> in the order of `kpis`, NULL where there is no usable value. FAULTS: why,
    for each text that stands for none (contracts.FAULT_TYPE); NULL where there is no such text.
    """
    # Step by step, so that Spark parses each text once although its number is used several times.
    parsed = raw.selectExpr(
        "*", *(f"{_number(raw, kpi, rules.decimal)} AS {quoted(_parsed_name(kpi))}" for kpi in kpis)
    )
    usable = parsed.selectExpr(
        "*", *(f"{_usable(kpi)} AS {quoted(_usable_name(kpi))}" for kpi in kpis)
    )
    is_unusable = (
        f"{quoted(_usable_name(kpi))} IS NULL AND CAST({quoted(kpi.column)} AS string) != ''"
        for kpi in kpis
    )
    with_fault = usable.withColumn("has_fault", F.expr(" OR ".join(is_unusable)))
    # Few rows have a fault: only theirs are examined one by one.
    faults = F.when(F.col("has_fault"), _value_faults(kpis, rules))
    return with_fault.withColumns(
        {VALUES: array_of(map(_usable_name, kpis), "double"), FAULTS: faults}
    )


def raw_column(name: str) -> Column:
    """A column of a raw frame, whatever characters its name has."""
    return F.col(quoted(name))


def is_numeric(raw: DataFrame, name: str) -> bool:
    """Whether a column of a raw frame holds numbers rather than texts."""
    return isinstance(raw.schema[name].dataType, T.NumericType)


def text_of(name: str, rules: InputRules) -> Column:
    """The text of a column without what is blank around it; NULL where it stands for no value."""
    text = trimmed(raw_column(name).cast("string"))
    return F.when((text != "") & ~F.lower(text).isin(*rules.missing_texts), text)


def trimmed(text: Column) -> Column:
    """Without spaces, tabs, line ends and control characters around it."""
    return F.regexp_replace(text, r"^[\x00-\x20]+|[\x00-\x20]+$", "")


def is_missing(name: str, rules: InputRules) -> Column:
    """Whether a column is empty or holds a text that stands for no value."""
    return text_of(name, rules).isNull()


def whole_number(raw: DataFrame, name: str) -> Column:
    """A whole number; NULL where the text or number is none ("7", "0007" and 7.0 are)."""
    column = raw_column(name)
    if is_numeric(raw, name):
        number = column.cast("double")
        is_whole = (number == F.floor(number)) & (F.abs(number) < 1e15)
        return F.when(is_whole, column).cast("bigint")
    text = trimmed(column)
    return F.when(text.rlike(WHOLE_NUMBER_PATTERN), F.regexp_replace(text, r"\.0*$", "")).cast(
        "bigint"
    )


def _number(raw: DataFrame, kpi: Kpi, decimal: str) -> str:
    """The SQL of the number that a KPI column holds, usable or not; NULL where it holds none."""
    column = quoted(kpi.column)
    if is_numeric(raw, kpi.column):
        return f"CAST({column} AS double)"
    # A cast alone would also take "12d" for 12.
    not_in_it, text = NOT_IN_A_NUMBER, column
    if decimal == ",":
        # A point would be between thousands: whoever wrote it may have meant 1.234 or 1234.
        not_in_it, text = f"{NOT_IN_A_NUMBER}.", f"replace({column}, ',', '.')"
    return f"CASE WHEN NOT {column} RLIKE '[{not_in_it}]' THEN try_cast({text} AS double) END"


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
            trimmed(read["text"]).alias("text"),
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
