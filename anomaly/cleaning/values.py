"""What the fields of a raw row stand for: texts, whole numbers, and the values of its KPIs."""

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.expressions.arithmetic import LARGEST_NUMBER
from anomaly.expressions.arrays import named_array, struct_of
from anomaly.expressions.sql import column
from anomaly.profile.sections import InputRules, Kpi
from anomaly.schema.reasons import FAULT_TYPE

# As Java reads numbers, but without the letters that it takes, too: 12d, 1f and 0x1p3. Digits are
# those of ASCII, and {mark} is the decimal mark.
NUMBER = "[+-]?(NaN|([0-9]+{mark}?[0-9]*|{mark}[0-9]+)([eE][+-]?[0-9]+)?)"
WHOLE_NUMBER_PATTERN = r"^[+-]?[0-9]{1,18}(\.0*)?$"
NOT_FINITE_TEXTS = ("nan", "inf", "+inf", "-inf", "infinity", "+infinity", "-infinity")
# Spaces, tabs, line ends and control characters; and the other blanks of Unicode, such as the
# no-break space that spreadsheets write.
BLANK_CHARACTERS = (
    "".join(map(chr, (*range(0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029)))
    + "\u202f\u205f\u3000"
)
# What has no width, or says the direction of writing: a soft hyphen, a joiner, a byte order mark.
INVISIBLE_CHARACTERS = "\u00ad\u061c\u180e\ufeff" + "".join(
    map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)))
)
BLANKS = BLANK_CHARACTERS + INVISIBLE_CHARACTERS
# Columns that are added to a raw frame; the blank keeps them apart from an operator's columns.
VALUES, FAULTS = "usable values", "value faults"


def with_values(raw: DataFrame, kpis: Sequence[Kpi], rules: InputRules) -> DataFrame:
    """Adds VALUES and FAULTS to raw rows.

    VALUES: a struct with a double for each KPI, NULL where there is no usable value. FAULTS: why,
    for each text that stands for none (reasons.FAULT_TYPE); NULL where there is no such text.
    """
    numeric = numeric_columns(raw)
    # Step by step, so that Spark parses each text once although its number is used several times.
    parsed = raw.select(
        "*",
        *(
            _number(kpi, rules.decimal, kpi.column in numeric).alias(f"parsed {kpi.name}")
            for kpi in kpis
        ),
    )
    usable = parsed.select("*", *(_usable(kpi).alias(f"usable {kpi.name}") for kpi in kpis))
    values = {kpi.name: column(f"usable {kpi.name}") for kpi in kpis}
    unusable = (values[kpi.name].isNull() & _is_filled(kpi, kpi.column in numeric) for kpi in kpis)
    # Few rows have a fault: only theirs are examined one by one.
    faults = F.when(reduce(or_, unusable), _value_faults(kpis, rules)) if kpis else F.lit(None)
    return usable.withColumns(
        {VALUES: struct_of(values), FAULTS: faults.cast(f"array<{FAULT_TYPE}>")}
    )


def kpi_values(kpis: Sequence[Kpi]) -> dict[str, Column]:
    """The values of clean rows by the names of their KPIs."""
    values = F.col("values")
    return {kpi.name: values[kpi.name] for kpi in kpis}


def numeric_columns(raw: DataFrame) -> set[str]:
    """The columns of a raw frame that hold numbers rather than texts."""
    return {field.name for field in raw.schema if isinstance(field.dataType, T.NumericType)}


def text_of(name: str, rules: InputRules) -> Column:
    """The text of a column without what is blank around it; NULL where it stands for no value."""
    return value_text(trimmed(column(name).cast("string")), rules)


def value_text(found: Column, rules: InputRules) -> Column:
    """A trimmed text, NULL where it stands for no value."""
    is_value = found != ""
    if rules.missing_texts:
        is_value &= ~F.lower(found).isin(*rules.missing_texts)
    return F.when(is_value, found)


def trimmed(found: Column) -> Column:
    """A text without BLANKS around it."""
    return F.btrim(found, F.lit(BLANKS))


def is_missing(name: str, rules: InputRules) -> Column:
    """Whether a column is empty or holds a text that stands for no value."""
    return text_of(name, rules).isNull()


def whole_number(raw: DataFrame, name: str) -> Column:
    """A whole number; NULL where the text or number is none ("7", "0007", 7.0 are)."""
    if name in numeric_columns(raw):
        number = column(name).cast("double")
        is_whole = (number == F.floor(number)) & (F.abs(number) < 1e15)
        return F.when(is_whole, column(name)).cast("bigint")
    found = trimmed(column(name))
    return F.when(found.rlike(WHOLE_NUMBER_PATTERN), without_zeros(found)).cast("bigint")


def without_zeros(found: Column) -> Column:
    """A text without the point and the zeros of a whole number at its end."""
    # Few have a point, and to look for one costs less than to match a pattern.
    return F.when(found.contains("."), F.regexp_replace(found, "[.]0*$", "")).otherwise(found)


def _number(kpi: Kpi, decimal: str, is_number: bool) -> Column:
    """The number that a KPI column holds, usable or not; NULL where it holds none."""
    found = column(kpi.column)
    if is_number:
        return found.cast("double")
    # With another mark a point would be between thousands: whoever wrote it may have meant 1.234
    # or 1234.
    number = NUMBER.format(mark=f"[{decimal}]")

    def cast(text: Column) -> Column:
        return (text if decimal == "." else F.translate(text, decimal, ".")).cast("double")

    # Few have blanks around them. Which of these a cast takes differs between engines.
    return F.when(found.rlike(rf"^{number}\z"), cast(found)).when(
        trimmed(found).rlike(rf"^{number}\z"), cast(trimmed(found))
    )


def _is_filled(kpi: Kpi, is_number: bool) -> Column:
    """Whether a KPI column holds anything at all."""
    found = column(kpi.column)
    return found.isNotNull() if is_number else found != ""


def _usable(kpi: Kpi) -> Column:
    """A parsed number where it is finite, in the KPI's range and no sentinel."""
    number = column(f"parsed {kpi.name}")
    lowest = -LARGEST_NUMBER if kpi.minimum is None else kpi.minimum
    highest = LARGEST_NUMBER if kpi.maximum is None else kpi.maximum
    # Sums of larger ones would not be exact, and may leave the range of whole numbers.
    is_usable = number.between(
        float(max(lowest, -LARGEST_NUMBER)), float(min(highest, LARGEST_NUMBER))
    )
    if kpi.sentinels:
        is_usable &= ~number.isin(*map(float, kpi.sentinels))
    return F.when(is_usable, number)


def _value_faults(kpis: Sequence[Kpi], rules: InputRules) -> Column:
    """The faults of a row's texts that stand for no usable number."""

    def found(kpi: Kpi) -> dict[str, Column]:
        number = column(f"parsed {kpi.name}")
        is_sentinel = number.isin(*map(float, kpi.sentinels)) if kpi.sentinels else F.lit(False)
        return {
            "column": F.lit(kpi.column),
            "text": column(kpi.column).cast("string"),
            "number": number,
            "is_usable": column(f"usable {kpi.name}").isNotNull(),
            "is_sentinel": is_sentinel,
        }

    def fault(kpi: Column) -> Column:
        text = trimmed(kpi["text"])
        return struct_of(
            {"column": kpi["column"], "reason": _reason(kpi, text, rules), "raw_value": text}
        )

    unusable = F.filter(
        named_array({kpi.name: found(kpi) for kpi in kpis}),
        lambda kpi: ~kpi["is_usable"] & (trimmed(kpi["text"]) != ""),
    )
    return F.transform(unusable, fault)


def _with_thousands(decimal: str) -> str:
    """The pattern of numbers with marks between thousands.

    A single mark that a decimal one may be, as in 1.234, shows nothing.
    """
    other = "[.]" if decimal == "," else ","
    groups = f"{other}[0-9]{{3}}"
    doubtless = f"({groups}({groups})+([{decimal}][0-9]+)?|{groups}[{decimal}][0-9]+)"
    by_others = f"([\u0020\u00a0\u2009\u202f'\u2019_][0-9]{{3}})+([{decimal}][0-9]+)?"
    return f"^[+-]?[0-9]{{1,3}}({doubtless}|{by_others})$"


def _reason(kpi: Column, text: Column, rules: InputRules) -> Column:
    """Why the text of a KPI is no usable number."""
    found, number = F.lower(text), kpi["number"]
    is_infinite = F.abs(number) == float("inf")
    return (
        F.when(found.isin(*rules.missing_texts), "missing_text")
        .when(found.startswith("#"), "spreadsheet_error")
        .when(found.isin(*NOT_FINITE_TEXTS), "not_finite")
        .when(number.isNull() & text.rlike(_with_thousands(rules.decimal)), "thousands_separator")
        .when(number.isNull(), "not_a_number")
        .when(F.isnan(number) | is_infinite, "not_finite")
        .when(kpi["is_sentinel"], "sentinel")
        .when(F.abs(number) > LARGEST_NUMBER, "too_large")
        .otherwise("out_of_range")
    )
