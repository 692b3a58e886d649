"""What the fields of a raw row stand for: texts, whole numbers, and the values of its KPIs."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.expressions.arithmetic import LARGEST_NUMBER
from anomaly.expressions.sql import array_of, constant_array, quoted, text, texts
from anomaly.profile.sections import InputRules, Kpi

# Letters that Java takes in a number: 12d, 1f and 0x1p3.
NOT_IN_A_NUMBER = "dDfFxX"
WHOLE_NUMBER_PATTERN = text(r"^[+-]?\d{1,18}(\.0*)?$")
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
BLANKS = text(BLANK_CHARACTERS + INVISIBLE_CHARACTERS)
# Columns that are added to a raw frame; the blank keeps them apart from an operator's columns.
VALUES, FAULTS, CONSTANTS = "usable values", "value faults", "value constants"


def with_values(raw: DataFrame, kpis: Sequence[Kpi], rules: InputRules) -> DataFrame:
    """Adds VALUES and FAULTS to raw rows.

    VALUES: array<double> in the order of `kpis`, NULL where there is no usable value. FAULTS: why,
    for each text that stands for none (reasons.FAULT_TYPE); NULL where there is no such text.
    """
    # Step by step, so that Spark parses each text once although its number is used several times.
    parsed = raw.selectExpr(
        "*", *(f"{_number(raw, kpi, rules.decimal)} AS {quoted(_parsed_name(kpi))}" for kpi in kpis)
    )
    usable = parsed.selectExpr(
        "*", *(f"{_usable(kpi)} AS {quoted(_usable_name(kpi))}" for kpi in kpis)
    )
    is_unusable = " OR ".join(
        f"{quoted(_usable_name(kpi))} IS NULL AND {_is_filled(raw, kpi)}" for kpi in kpis
    )
    constants = constant_array(
        ({"column": kpi.column, "sentinels": kpi.sentinels} for kpi in kpis),
        "column: string, sentinels: array<double>",
    )
    return usable.withColumn(CONSTANTS, constants).selectExpr(
        "*",
        f"{array_of(map(_usable_name, kpis), 'double')} AS {quoted(VALUES)}",
        # Few rows have a fault: only theirs are examined one by one.
        f"CASE WHEN {is_unusable} THEN {_value_faults(kpis, rules)} END AS {quoted(FAULTS)}",
    )


def kpi_values(kpis: Sequence[Kpi]) -> dict[str, Column]:
    """The values of clean rows by the names of their KPIs."""
    return {kpi.name: F.get("values", F.lit(place)) for place, kpi in enumerate(kpis)}


def is_numeric(raw: DataFrame, name: str) -> bool:
    """Whether a column of a raw frame holds numbers rather than texts."""
    return isinstance(raw.schema[name].dataType, T.NumericType)


def text_of(name: str, rules: InputRules) -> str:
    """The SQL of the text of a column without what is blank around it.

    NULL where it stands for no value.
    """
    return value_text(trimmed(f"CAST({quoted(name)} AS string)"), rules)


def value_text(found: str, rules: InputRules) -> str:
    """The SQL of a trimmed text (its SQL), NULL where it stands for no value."""
    is_value = f"{found} != ''"
    if rules.missing_texts:
        is_value += f" AND lower({found}) NOT IN ({texts(rules.missing_texts)})"
    return f"CASE WHEN {is_value} THEN {found} END"


def trimmed(found: str) -> str:
    """The SQL of a text (its SQL) without BLANKS around it."""
    return f"btrim({found}, {BLANKS})"


def is_missing(name: str, rules: InputRules) -> str:
    """The SQL of whether a column is empty or holds a text that stands for no value."""
    return f"({text_of(name, rules)}) IS NULL"


def whole_number(raw: DataFrame, name: str) -> str:
    """The SQL of a whole number; NULL where the text or number is none ("7", "0007", 7.0 are)."""
    column = quoted(name)
    if is_numeric(raw, name):
        number = f"CAST({column} AS double)"
        is_whole = f"{number} = floor({number}) AND abs({number}) < 1e15"
        return f"CAST(CASE WHEN {is_whole} THEN {column} END AS bigint)"
    found = trimmed(column)
    whole = f"CASE WHEN {found} RLIKE {WHOLE_NUMBER_PATTERN} THEN {without_zeros(found)} END"
    return f"CAST({whole} AS bigint)"


def without_zeros(found: str) -> str:
    """The SQL of a text (its SQL) without the point and the zeros of a whole number at its end."""
    # Few have a point, and to look for one costs less than to match a pattern.
    return (
        f"CASE WHEN contains({found}, '.') THEN regexp_replace({found}, {text(r'[.]0*$')}, '') "
        f"ELSE {found} END"
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
    # A cast takes the blanks of ASCII around a number; others are few.
    cast = f"coalesce(try_cast({text} AS double), try_cast({trimmed(text)} AS double))"
    return f"CASE WHEN NOT {column} RLIKE '[{not_in_it}]' THEN {cast} END"


def _is_filled(raw: DataFrame, kpi: Kpi) -> str:
    """The SQL of whether a KPI column holds anything at all."""
    column = quoted(kpi.column)
    return f"{column} IS NOT NULL" if is_numeric(raw, kpi.column) else f"{column} != ''"


def _usable(kpi: Kpi) -> str:
    """The SQL of a parsed number where it is finite, in the KPI's range and no sentinel."""
    number = quoted(_parsed_name(kpi))
    lowest = -LARGEST_NUMBER if kpi.minimum is None else kpi.minimum
    highest = LARGEST_NUMBER if kpi.maximum is None else kpi.maximum
    # Sums of larger ones would not be exact, and may leave the range of whole numbers.
    lowest, highest = max(lowest, -LARGEST_NUMBER), min(highest, LARGEST_NUMBER)
    is_usable = f"{number} BETWEEN {float(lowest)!r}D AND {float(highest)!r}D"
    if kpi.sentinels:
        listed = ", ".join(f"{float(sentinel)!r}D" for sentinel in kpi.sentinels)
        is_usable += f" AND {number} NOT IN ({listed})"
    return f"CASE WHEN {is_usable} THEN {number} END"


def _value_faults(kpis: Sequence[Kpi], rules: InputRules) -> str:
    """The SQL of the faults of a row's texts that stand for no usable number."""
    texts_of_row = array_of((kpi.column for kpi in kpis), "string")
    numbers = array_of(map(_parsed_name, kpis), "double")
    usable = array_of(map(_usable_name, kpis), "double")
    read = (
        f"zip_with({texts_of_row}, {quoted(CONSTANTS)}, (found, kpi) -> "
        f"struct({trimmed('found')} AS text, kpi.column AS column, kpi.sentinels AS sentinels))"
    )
    with_numbers = (
        f"zip_with({read}, zip_with({numbers}, {usable}, (number, usable) -> "
        "struct(number AS number, usable AS usable)), (kpi, found) -> struct(kpi.text AS text, "
        "kpi.column AS column, kpi.sentinels AS sentinels, found.number AS number, "
        "found.usable AS usable))"
    )
    unusable = f"filter({with_numbers}, kpi -> kpi.text != '' AND kpi.usable IS NULL)"
    return (
        f"transform({unusable}, kpi -> struct(kpi.column AS column, {_reason(rules)} AS reason, "
        "kpi.text AS raw_value))"
    )


def _parsed_name(kpi: Kpi) -> str:
    return f"parsed {kpi.name}"


def _usable_name(kpi: Kpi) -> str:
    return f"usable {kpi.name}"


def _with_thousands(decimal: str) -> str:
    """The SQL of a pattern of numbers with marks between thousands.

    A single mark that a decimal one may be, as in 1.234, shows nothing.
    """
    other = "[.]" if decimal == "," else ","
    groups = f"{other}[0-9]{{3}}"
    doubtless = f"({groups}({groups})+([{decimal}][0-9]+)?|{groups}[{decimal}][0-9]+)"
    by_others = f"([\u0020\u00a0\u2009\u202f'\u2019_][0-9]{{3}})+([{decimal}][0-9]+)?"
    return text(f"^[+-]?[0-9]{{1,3}}({doubtless}|{by_others})$")


def _reason(rules: InputRules) -> str:
    """The SQL of why the text of a `kpi` is no usable number."""
    found = "lower(kpi.text)"
    is_missing_text = (
        f"WHEN {found} IN ({texts(rules.missing_texts)}) THEN 'missing_text'"
        if rules.missing_texts
        else ""
    )
    return f"""CASE
        {is_missing_text}
        WHEN {found} LIKE '#%' THEN 'spreadsheet_error'
        WHEN {found} IN ({texts(NOT_FINITE_TEXTS)}) THEN 'not_finite'
        WHEN kpi.number IS NULL AND kpi.text RLIKE {_with_thousands(rules.decimal)}
            THEN 'thousands_separator'
        WHEN kpi.number IS NULL THEN 'not_a_number'
        WHEN isnan(kpi.number) OR abs(kpi.number) = double('infinity') THEN 'not_finite'
        WHEN array_contains(kpi.sentinels, kpi.number) THEN 'sentinel'
        WHEN abs(kpi.number) > {LARGEST_NUMBER!r}D THEN 'too_large'
        ELSE 'out_of_range'
    END"""
