"""Cleaning: raw rows to checked rows, each clean, or rejected with the reason.

A checked frame has a row for each raw row. `clean_rows` and `rejected_rows` are two views of it,
so that an input is scanned once and no row can be lost in between. Raw columns may be texts (CSV)
or typed (Parquet); both are checked by the same rules.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.cleaning.columns import PROVENANCE as PROVENANCE_OF_RAW
from anomaly.cleaning.columns import conform
from anomaly.cleaning.duplicates import limit_rows, reject_duplicates, tell_hours_apart
from anomaly.cleaning.names import with_name
from anomaly.cleaning.sample_times import ANY_TIME, LATER_BY, TIME, TimesOfRun, with_times
from anomaly.cleaning.values import (
    FAULTS,
    VALUES,
    is_missing,
    is_numeric,
    text_of,
    trimmed,
    whole_number,
    with_values,
    without_zeros,
)
from anomaly.expressions.sql import literal, quoted, text
from anomaly.expressions.timestamps import UTC_ZONE
from anomaly.profile.input_columns import value_columns
from anomaly.profile.model import Profile
from anomaly.profile.sections import InputRules
from anomaly.schema.inputs import (
    CALL_STATISTICS,
    CUSTOMERS,
    MALFORMED_LINE,
    MALFORMED_TEXT,
    SAMPLES,
    SOURCE_FILE,
    SOURCE_ROW_ID,
)
from anomaly.schema.reasons import FAULT_TYPE, REASONS
from anomaly.schema.tables import REJECTED_COLUMNS

# In the text of Customer_ID the customer number begins at this character: behind three digits, or
# behind what is no digit; of A1234 nobody can say how much is its number.
CUSTOMER_NUMBER_START = 4
CUSTOMER_NUMBER = text("^([0-9]{3}|..[^0-9])0*[0-9]{1,18}$")

# What stands for bytes that an encoding does not know.
NOT_DECODED = "\ufffd"

# Columns that are added to a raw frame; the blank keeps them apart from an operator's columns.
RAW_ROW = "raw row"
CELL_NAME, PEERS, PEER_GROUP = "cell name", "name of peers", "name of peer group"
# The field of the raw row that has the whole of a malformed line.
LINE, LINE_ENDS, NEEDS_QUOTES = "malformed line", "\r\n", '[,"\r\n]'
PROVENANCE = (SOURCE_FILE, SOURCE_ROW_ID, "row_column", "row_reason", "faults", "raw_row")


def check_customers(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked customers, a row per raw row: the published customer columns and provenance.

    And peer_group, the text of the profile's column of peers where the customers have it.

    Raises InputError for a column that is missing or of an impossible type.
    """
    rules = profile.inputs[CUSTOMERS]
    raw = (
        conform(raw, CUSTOMERS, profile)
        .transform(_with_raw_row)
        .transform(with_name, "CellTower", CELL_NAME, rules)
        .transform(_with_peer_group, CUSTOMERS, profile)
    )
    texts = ("PhoneService", "MultipleLines", "InternetService")
    values = {
        "customerID": whole_number(raw, "Index"),
        "CellName": quoted(CELL_NAME),
        "tenure": whole_number(raw, "tenure"),
        **{name: text_of(name, rules) for name in texts},
        "peer_group": quoted(PEER_GROUP),
    }
    compared = values | {"Index": values["customerID"], "CellTower": values["CellName"]}
    row_faults = [
        MALFORMED,
        Fault(is_missing("Index", rules), "Index", "missing_key"),
        Fault(f"({values['customerID']}) IS NULL", "Index", "bad_customer_number"),
        Fault(_is_not_decoded(values["CellName"]), "CellTower", "bad_encoding"),
        *_suspects(rules),
        *_filters(rules, compared),
    ]
    has_fault = f"({values['tenure']}) IS NULL AND NOT {is_missing('tenure', rules)}"
    tenure_fault = "struct('tenure', 'not_a_number', CAST(tenure AS string))"
    raw = raw.selectExpr(
        "*", f"CASE WHEN {has_fault} THEN array({tenure_fault}) END AS {quoted(FAULTS)}"
    )
    checked = _checked(raw, values, row_faults)
    if rules.reject_duplicates:
        said = ("CellName", "tenure", *texts)
        checked = checked.transform(reject_duplicates, ("customerID",), said, "Index")
    return _finished(checked, rules, "customerID")


def check_samples(raw: DataFrame, profile: Profile, times: TimesOfRun = ANY_TIME) -> DataFrame:
    """Checked samples, a row per raw row: CellName, time, `values` by KPI, provenance, and groups.

    time: NULL where a sample has no date. peers and peer_group: the texts of the columns by which
    the profile groups samples for alarms, and cells for verdicts; NULL without one. Rows whose time
    is none of `times` are rejected. Raises InputError for a column that is missing or of an
    impossible type.
    """
    rules = profile.inputs[SAMPLES]
    raw = (
        conform(raw, SAMPLES, profile)
        # Those of customers and their calls may hold what is personal.
        .transform(_with_raw_row, with_line=True)
        .transform(with_times, profile)
        .transform(with_values, profile.kpis_of(SAMPLES), rules)
        .transform(with_name, "CellName", CELL_NAME, rules)
        .transform(_with_peer_group, SAMPLES, profile)
    )
    peers_column = profile.alarms.peers_column if profile.alarms else ""
    if peers_column:
        raw = raw.transform(with_name, peers_column, PEERS, rules)
    values = {
        "CellName": quoted(CELL_NAME),
        "time": quoted(TIME),
        "peers": quoted(PEERS) if peers_column else "CAST(NULL AS string)",
        "peer_group": quoted(PEER_GROUP),
        "values": quoted(VALUES),
        "later_by": quoted(LATER_BY),
    }
    row_faults = [
        MALFORMED,
        Fault(f"({values['CellName']}) IS NULL", "CellName", "missing_key"),
        Fault(_is_not_decoded(values["CellName"]), "CellName", "bad_encoding"),
        Fault(times.is_bad, "Time", "bad_time"),
        Fault(times.is_outside, "Time", "outside_run"),
        *_suspects(rules),
        *_filters(rules, values),
    ]
    checked = _checked(raw, values, row_faults)
    if profile.time_zone != UTC_ZONE and "Time" in raw.columns:
        checked = checked.transform(tell_hours_apart)
    checked = checked.drop("later_by")
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
    found = without_zeros(text_of("Customer_ID", rules))
    if is_numeric(raw, "Customer_ID"):
        found = f"CAST({whole_number(raw, 'Customer_ID')} AS string)"
    digits = f"CASE WHEN {found} RLIKE {CUSTOMER_NUMBER} THEN substring({found}, "
    digits += f"{CUSTOMER_NUMBER_START}) END"
    values = {
        "customerID": f"CAST({digits} AS bigint)",
        "values": quoted(VALUES),
    }
    row_faults = [
        MALFORMED,
        Fault(f"({found}) IS NULL", "Customer_ID", "missing_key"),
        Fault(f"{values['customerID']} IS NULL", "Customer_ID", "bad_customer_number"),
        *_suspects(rules),
        *_filters(rules, {"Customer_ID": values["customerID"]}),
    ]
    return _finished(_checked(raw, values, row_faults), rules, "customerID")


def check_input(
    source: str, raw: DataFrame, profile: Profile, times: TimesOfRun = ANY_TIME
) -> DataFrame:
    """The checked rows of an input by its name; `times` are those that samples may have.

    Of older samples those with a date count, of whatever day: baselines rest on what they need.
    """
    if source == CUSTOMERS:
        return check_customers(raw, profile)
    if source == CALL_STATISTICS:
        return check_calls(raw, profile)
    return check_samples(raw, profile, times if source == SAMPLES else TimesOfRun(are_dated=True))


def clean_rows(checked: DataFrame) -> DataFrame:
    """The rows of a checked frame that count, without their provenance."""
    return checked.where(F.col("row_reason").isNull()).drop(*PROVENANCE)


def row_counts_by_outcome(checked: Mapping[str, DataFrame], profile: Profile) -> DataFrame:
    """What became of the rows of each file of the inputs, a row per outcome.

    source, source_file; row_reason why the rows were rejected, or else faults, those of values that
    were left out, as texts; row_count, and first_id, the smallest source_row_id among them;
    usable, how many values they have in each of the `value_columns` of the source.
    """
    texts = "transform(faults, fault -> concat_ws(': ', fault.column, fault.reason))"
    most = max(len(value_columns(source, profile)) for source in checked)
    usable = ", ".join(f"count(get(held, {place}))" for place in range(most))
    rows = (
        frame.selectExpr(
            f"'{source}' AS source",
            SOURCE_FILE,
            SOURCE_ROW_ID,
            "row_reason",
            f"coalesce({texts}, CAST(array() AS array<string>)) AS faults",
            f"{'array(CAST(tenure AS double))' if source == CUSTOMERS else '`values`'} AS held",
        )
        for source, frame in checked.items()
    )
    return (
        reduce(DataFrame.unionByName, rows)
        .groupBy("source", SOURCE_FILE, "row_reason", "faults")
        .agg(
            F.expr("count(*) AS row_count"),
            F.expr(f"min({SOURCE_ROW_ID}) AS first_id"),
            F.expr(f"CAST(array({usable}) AS array<bigint>) AS usable"),
        )
    )


def rejected_rows(
    checked: Mapping[str, DataFrame], found: DataFrame, run: Mapping[str, Column]
) -> DataFrame:
    """A row per rejected row and per value that was left out of a clean row, of all inputs.

    The number of the row in its file counts from 1, a CSV header aside. Rows with the scope `row`
    and clean rows add up to the rows read. `found` are the `outcomes` of the same inputs.
    """
    first_ids = found.groupBy("source", SOURCE_FILE).agg(F.min("first_id").alias("first_id"))
    faults = [_faults(frame, source) for source, frame in checked.items()]
    first_id = F.broadcast(first_ids).alias("first")
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
    of_row = "named_struct('column', row_column, 'reason', row_reason, 'raw_value', NULL)"
    of_rows = f"CAST(array({of_row}) AS array<{FAULT_TYPE}>)"
    found = f"CASE WHEN row_reason IS NOT NULL THEN {of_rows} ELSE faults END"
    return checked.where("row_reason IS NOT NULL OR faults IS NOT NULL").selectExpr(
        f"'{source}' AS source",
        SOURCE_FILE,
        SOURCE_ROW_ID,
        "CASE WHEN row_reason IS NOT NULL THEN 'row' ELSE 'value' END AS scope",
        f"inline({found})",
        "raw_row",
    )


def _with_peer_group(raw: DataFrame, source: str, profile: Profile) -> DataFrame:
    """Adds the group of like cells that a row belongs to; NULL where it names none."""
    peers = profile.peers
    if peers is None or peers.input != source or peers.column not in raw.columns:
        return raw.selectExpr("*", f"CAST(NULL AS string) AS {quoted(PEER_GROUP)}")
    return with_name(raw, peers.column, PEER_GROUP, profile.inputs[source])


# --- faults -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """A fault of the row as a whole, where a condition (its SQL) holds."""

    condition: str
    column: str | None
    reason: str

    def __post_init__(self) -> None:
        assert REASONS[self.reason].rejects_row


MALFORMED = Fault(MALFORMED_LINE, None, "malformed_line")


def _is_not_decoded(found: str) -> str:
    return f"contains({found}, {text(NOT_DECODED)})"


def _suspects(rules: InputRules) -> list[Fault]:
    """A fault for each `suspect_where` that holds (a missing value does not)."""

    def holds(name: str, operator: str, value: str | float) -> str:
        if isinstance(value, str):
            found = trimmed(f"CAST({quoted(name)} AS string)")
            return f"lower({found}) {operator} {literal(value.lower())}"
        return f"try_cast({quoted(name)} AS double) {operator} {literal(value)}"

    return [
        Fault(f"coalesce({holds(*condition)}, FALSE)", condition[0], "suspect")
        for condition in rules.suspect_where
    ]


def _filters(rules: InputRules, compared: Mapping[str, str]) -> list[Fault]:
    """A fault for each `keep_where` that does not hold (a missing value does not)."""

    def holds(name: str, operator: str, value: str | float) -> str:
        kind = "string" if isinstance(value, str) else "double"
        return f"try_cast({compared[name]} AS {kind}) {operator} {literal(value)}"

    return [
        Fault(f"NOT coalesce({holds(*condition)}, FALSE)", condition[0], "filtered_by_profile")
        for condition in rules.keep_where
    ]


# --- frames -------------------------------------------------------------------------------------


def _with_raw_row(raw: DataFrame, with_line: bool = False) -> DataFrame:
    """Adds the columns that are read as one; `_finished` makes a text of it.

    `with_line`: and the whole line where it is malformed, with all that is not read, too.
    """
    fields = [quoted(name) for name in raw.columns if name not in PROVENANCE_OF_RAW]
    line = MALFORMED_TEXT if with_line else "CAST(NULL AS string)"
    fields.append(f"{line} AS {quoted(LINE)}")
    return raw.selectExpr("*", f"struct({', '.join(fields)}) AS {quoted(RAW_ROW)}")


def _checked(raw: DataFrame, values: Mapping[str, str], row_faults: Sequence[Fault]) -> DataFrame:
    first = " ".join(
        f"WHEN {fault.condition} THEN struct({text(fault.column)} AS row_column, "
        f"'{fault.reason}' AS row_reason)"
        for fault in row_faults
    )
    return raw.selectExpr(
        *(f"{value} AS {quoted(name)}" for name, value in values.items()),
        SOURCE_FILE,
        SOURCE_ROW_ID,
        f"CASE {first} END AS row_fault",
        f"CAST({quoted(FAULTS)} AS array<{FAULT_TYPE}>) AS faults",
        f"{quoted(RAW_ROW)} AS raw_row",
    ).selectExpr(
        *map(quoted, values), SOURCE_FILE, SOURCE_ROW_ID, "row_fault.*", "faults", "raw_row"
    )


def _finished(checked: DataFrame, rules: InputRules, key: str) -> DataFrame:
    if rules.rows_per_key:
        checked = checked.transform(limit_rows, key, rules.rows_per_key)
    # A text is made of rows with a fault only: it is wide, and such rows are few.
    names = [name for name in checked.select("raw_row.*").columns if name != LINE]
    fields = ", ".join(f"CAST(raw_row.{quoted(name)} AS string)" for name in names)
    as_csv = (
        f"CASE WHEN field RLIKE {text(NEEDS_QUOTES)} "
        """THEN concat('"', replace(field, '"', '""'), '"') ELSE field END"""
    )
    joined = f"array_join(transform(array({fields}), field -> {as_csv}), ',', '')"
    line = f"btrim(raw_row.{quoted(LINE)}, {text(LINE_ENDS)})"
    found = f"coalesce({line}, {joined})"
    has_fault = "row_reason IS NOT NULL OR faults IS NOT NULL"
    others = (quoted(name) for name in checked.columns if name != "raw_row")
    return checked.selectExpr(*others, f"CASE WHEN {has_fault} THEN {found} END AS raw_row")
