"""Cleaning: raw rows to checked rows, each clean, or rejected with the reason.

A checked frame has a row for each raw row. `clean_rows` and `rejected_rows` are two views of it,
so that an input is scanned once and no row can be lost in between. Raw columns may be texts (CSV)
or typed (Parquet); both are checked by the same rules.
"""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.cleaning.columns import PROVENANCE as PROVENANCE_OF_RAW
from anomaly.cleaning.columns import conform
from anomaly.cleaning.duplicates import limit_rows, reject_duplicates, tell_hours_apart
from anomaly.cleaning.names import with_name
from anomaly.cleaning.row_faults import Fault, filters, malformed, suspects
from anomaly.cleaning.sample_times import ANY_TIME, LATER_BY, TIME, TimesOfRun, with_times
from anomaly.cleaning.values import (
    FAULTS,
    VALUES,
    is_missing,
    numeric_columns,
    text_of,
    whole_number,
    with_values,
    without_zeros,
)
from anomaly.expressions.arrays import null_struct
from anomaly.expressions.frames import union
from anomaly.expressions.sql import column
from anomaly.expressions.timestamps import UTC_ZONE
from anomaly.profile.model import Profile
from anomaly.profile.sections import InputRules
from anomaly.schema.inputs import (
    CALL_STATISTICS,
    CUSTOMERS,
    HISTORY,
    MALFORMED_TEXT,
    SAMPLES,
    SOURCE_FILE,
    SOURCE_ROW_ID,
)
from anomaly.schema.reasons import FAULT_TYPE
from anomaly.schema.tables import REJECTED_COLUMNS

MOST_DIGITS = 2**31 - 1
# What engines take . for differs.
ANY = r"[^\n\r\x{85}\x{2028}\x{2029}]"

# What stands for bytes that an encoding does not know.
NOT_DECODED = "\ufffd"

# The inputs that have the same numbers.
SAME_NUMBERS = {
    CUSTOMERS: (CUSTOMERS,),
    SAMPLES: (SAMPLES, HISTORY),
    CALL_STATISTICS: (CALL_STATISTICS,),
}

# Columns that are added to a raw frame; the blank keeps them apart from an operator's columns.
RAW_ROW = "raw row"
CELL_NAME, PEERS, PEER_GROUP = "cell name", "name of peers", "name of peer group"
# The field of the raw row that has the whole of a malformed line.
LINE, LINE_ENDS, NEEDS_QUOTES = "malformed line", "\r\n", '[,"\r\n]'
FAULTS_TYPE = f"array<{FAULT_TYPE}>"
ROW_FAULT_TYPE = "struct<row_column:string,row_reason:string>"
PROVENANCE = (SOURCE_FILE, SOURCE_ROW_ID, "row_column", "row_reason", "faults", "raw_row")


def check_customers(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked customers, a row per raw row: the published customer columns and provenance.

    And peer_group, the text of the profile's column of peers where the customers have it.

    Raises InputError for a column that is missing or of an impossible type.
    """
    rules = profile.inputs[CUSTOMERS]
    conformed = conform(raw, CUSTOMERS, profile)
    read = _read_columns(conformed)
    raw = (
        conformed.transform(_with_raw_row, read)
        .transform(with_name, "CellTower", CELL_NAME, rules)
        .transform(_with_peer_group, read, CUSTOMERS, profile)
    )
    texts = ("PhoneService", "MultipleLines", "InternetService")
    values = {
        "customerID": whole_number(raw, "Index"),
        "CellName": F.col(CELL_NAME),
        "tenure": whole_number(raw, "tenure"),
        **{name: text_of(name, rules) for name in texts},
        "peer_group": F.col(PEER_GROUP),
    }
    compared = values | {"Index": values["customerID"], "CellTower": values["CellName"]}
    row_faults = [
        malformed(),
        Fault(is_missing("Index", rules), "Index", "missing_key"),
        Fault(values["customerID"].isNull(), "Index", "bad_customer_number"),
        Fault(values["CellName"].contains(NOT_DECODED), "CellTower", "bad_encoding"),
        *suspects(rules),
        *filters(rules, compared),
    ]
    fault = F.struct(F.lit("tenure"), F.lit("not_a_number"), F.col("tenure").cast("string"))
    has_fault = values["tenure"].isNull() & ~is_missing("tenure", rules)
    raw = raw.withColumn(FAULTS, F.when(has_fault, F.array(fault)))
    checked = _checked(raw, values, row_faults)
    if rules.reject_duplicates:
        said = ("CellName", "tenure", *texts)
        checked = checked.transform(reject_duplicates, ("customerID",), said, "Index")
    return _finished(checked, read, rules, "customerID", emptied=("raw_row",))


def check_samples(raw: DataFrame, profile: Profile, times: TimesOfRun = ANY_TIME) -> DataFrame:
    """Checked samples, a row per raw row: CellName, time, `values` by KPI, provenance, and groups.

    time: NULL where a sample has no date. peers and peer_group: the texts of the columns by which
    the profile groups samples for alarms, and cells for verdicts; NULL without one. Rows whose time
    is none of `times` are rejected. Raises InputError for a column that is missing or of an
    impossible type.
    """
    rules = profile.inputs[SAMPLES]
    conformed = conform(raw, SAMPLES, profile)
    read = _read_columns(conformed)
    raw = (
        # Lines of customers and their calls may hold what is personal.
        conformed.transform(_with_raw_row, read, with_line=True)
        .transform(with_times, profile)
        .transform(with_values, profile.kpis_of(SAMPLES), rules)
        .transform(with_name, "CellName", CELL_NAME, rules)
        .transform(_with_peer_group, read, SAMPLES, profile)
    )
    peers_column = profile.alarms.peers_column if profile.alarms else ""
    if peers_column:
        raw = raw.transform(with_name, peers_column, PEERS, rules)
    values = {
        "CellName": F.col(CELL_NAME),
        "time": F.col(TIME),
        "peers": F.col(PEERS) if peers_column else F.lit(None).cast("string"),
        "peer_group": F.col(PEER_GROUP),
        "values": F.col(VALUES),
        "later_by": F.col(LATER_BY),
    }
    row_faults = [
        malformed(),
        Fault(values["CellName"].isNull(), "CellName", "missing_key"),
        Fault(values["CellName"].contains(NOT_DECODED), "CellName", "bad_encoding"),
        Fault(times.is_bad, "Time", "bad_time"),
        Fault(times.is_outside, "Time", "outside_run"),
        *suspects(rules),
        *filters(rules, values),
    ]
    checked = _checked(raw, values, row_faults)
    # Without a date no sample repeats another one.
    can_repeat = "Time" in read and times.are_dated is not False
    if can_repeat and profile.time_zone != UTC_ZONE:
        checked = checked.transform(tell_hours_apart)
    checked = checked.drop("later_by")
    if can_repeat and rules.reject_duplicates:
        checked = checked.transform(reject_duplicates, ("CellName", "time"), ("values",), "Time")
    return _finished(checked, read, rules, "CellName")


def check_calls(raw: DataFrame, profile: Profile) -> DataFrame:
    """Checked call statistics, a row per raw row: customerID, `values` by KPI, provenance.

    Raises InputError for a column that is missing or of an impossible type.
    """
    rules = profile.inputs[CALL_STATISTICS]
    conformed = conform(raw, CALL_STATISTICS, profile)
    read = _read_columns(conformed)
    raw = conformed.transform(_with_raw_row, read).transform(
        with_values, profile.kpis_of(CALL_STATISTICS), rules
    )
    found = without_zeros(text_of("Customer_ID", rules))
    if "Customer_ID" in numeric_columns(raw):
        found = whole_number(raw, "Customer_ID").cast("string")
    number = customer_number(found, rules.customer_id_prefix)
    values = {"customerID": number, "values": F.col(VALUES)}
    row_faults = [
        malformed(),
        Fault(found.isNull(), "Customer_ID", "missing_key"),
        Fault(values["customerID"].isNull(), "Customer_ID", "bad_customer_number"),
        *suspects(rules),
        *filters(rules, {"Customer_ID": values["customerID"]}),
    ]
    return _finished(_checked(raw, values, row_faults), read, rules, "customerID")


def customer_number(text: Column, prefix: int) -> Column:
    """The number behind so many characters; NULL where it does not begin there.

    They are digits, or the last of them is none: of A1234 and three characters nobody can say how
    much is the number.
    """
    before = f"([0-9]{{{prefix}}}|{ANY}{{{prefix - 1}}}[^0-9])" if prefix else ""
    is_whole = text.rlike(f"^{before}0*[0-9]{{1,18}}$")
    return F.when(is_whole, text.substr(prefix + 1, MOST_DIGITS)).cast("bigint")


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


def numbers_of_inputs(profile: Profile) -> dict[str, dict[str, str]]:
    """The names of the numbers of each input that may be left out, each with its raw column."""
    found = {CUSTOMERS: {"tenure": "tenure"}} | {
        source: {kpi.name: kpi.column for kpi in profile.kpis_of(source)}
        for source in (SAMPLES, CALL_STATISTICS)
    }
    return {source: numbers for source, numbers in found.items() if numbers}


def row_counts_by_outcome(checked: Mapping[str, DataFrame], profile: Profile) -> DataFrame:
    """What became of the rows of each file of the inputs, a row per outcome.

    source, source_file; row_reason why the rows were rejected, or else faults, those of values that
    were left out, as texts; row_count, and first_id, the smallest source_row_id among them;
    usable, how many values they have: a field for each of `numbers_of_inputs`, by their names.
    """
    inputs = numbers_of_inputs(profile)

    def numbers_of(source: str) -> Column:
        if source == CUSTOMERS:
            return F.struct(F.col("tenure").cast("double").alias("tenure"))
        return F.col("values")

    rows = (
        frame.select(
            F.lit(source).alias("source"),
            SOURCE_FILE,
            SOURCE_ROW_ID,
            "row_reason",
            # As one text, because engines take long to group by arrays.
            F.to_json(
                F.transform(
                    "faults", lambda fault: F.concat_ws(": ", fault["column"], fault["reason"])
                )
            ).alias("faults"),
            *(
                (
                    numbers_of(source)
                    if source in SAME_NUMBERS[name]
                    else null_struct(numbers, "double")
                ).alias(name)
                for name, numbers in inputs.items()
            ),
        )
        for source, frame in checked.items()
    )
    usable = (
        F.struct(*(F.count(F.col(name)[number]).alias(number) for number in numbers)).alias(name)
        for name, numbers in inputs.items()
    )
    faults = F.coalesce(F.from_json("faults", "array<string>"), F.array().cast("array<string>"))
    return (
        union(rows)
        .groupBy("source", SOURCE_FILE, "row_reason", "faults")
        .agg(
            F.count("*").alias("row_count"),
            F.min(SOURCE_ROW_ID).alias("first_id"),
            F.struct(*usable).alias("usable"),
        )
        .withColumn("faults", faults)
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
    fault = union(faults).alias("fault")
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
        .select(*(F.col(column.name) for column in REJECTED_COLUMNS))
    )


def _faults(checked: DataFrame, source: str) -> DataFrame:
    is_rejected = F.col("row_reason").isNotNull()
    of_row = F.array(F.struct("row_column", "row_reason", F.lit(None))).cast(FAULTS_TYPE)
    faults = F.when(is_rejected, of_row).otherwise(F.col("faults"))
    return checked.where(is_rejected | F.col("faults").isNotNull()).select(
        F.lit(source).alias("source"),
        SOURCE_FILE,
        SOURCE_ROW_ID,
        F.when(is_rejected, "row").otherwise("value").alias("scope"),
        F.inline(faults),
        "raw_row",
    )


def _read_columns(conformed: DataFrame) -> list[str]:
    """The columns of a conformed frame that are of the input.

    Asked once for all: through Spark Connect each question for columns is a call.
    """
    return [name for name in conformed.columns if name not in PROVENANCE_OF_RAW]


def _with_peer_group(
    raw: DataFrame, read: Sequence[str], source: str, profile: Profile
) -> DataFrame:
    """Adds the group of like cells that a row belongs to; NULL where it names none."""
    peers = profile.peers
    if peers is None or peers.input != source or peers.column not in read:
        return raw.withColumn(PEER_GROUP, F.lit(None).cast("string"))
    return with_name(raw, peers.column, PEER_GROUP, profile.inputs[source])


def _with_raw_row(raw: DataFrame, read: Sequence[str], with_line: bool = False) -> DataFrame:
    """Adds the columns that are read as one; `_finished` makes a text of it.

    `with_line`: and the whole line where it is malformed, with all that is not read, too.
    """
    line = F.col(MALFORMED_TEXT) if with_line else F.lit(None).cast("string")
    return raw.withColumn(RAW_ROW, F.struct(*map(column, read), line.alias(LINE)))


def _checked(
    raw: DataFrame, values: Mapping[str, Column], row_faults: Sequence[Fault]
) -> DataFrame:
    """The values of raw rows, with the first fault of each, if any."""
    first = F.coalesce(
        *(
            F.when(
                fault.condition,
                F.struct(F.lit(fault.column), F.lit(fault.reason)).cast(ROW_FAULT_TYPE),
            )
            for fault in row_faults
        )
    )
    return raw.select(
        *(value.alias(name) for name, value in values.items()),
        SOURCE_FILE,
        SOURCE_ROW_ID,
        first.alias("row_fault"),
        F.col(FAULTS).cast(FAULTS_TYPE).alias("faults"),
        F.col(RAW_ROW).alias("raw_row"),
    ).select(*values, SOURCE_FILE, SOURCE_ROW_ID, "row_fault.*", "faults", "raw_row")


def _finished(
    checked: DataFrame,
    read: Sequence[str],
    rules: InputRules,
    key: str,
    emptied: Sequence[str] = ("raw_row", "values"),
) -> DataFrame:
    raw_row = F.col("raw_row")
    fields = F.array(*(raw_row[name].cast("string") for name in read))
    line = F.btrim(raw_row[LINE], F.lit(LINE_ENDS))
    joined = F.array_join(F.transform(fields, _as_csv), ",", "")
    # A text is made of rows with a fault only: it is wide, and such rows are few.
    has_fault = F.col("row_reason").isNotNull() | F.col("faults").isNotNull()
    told = checked.withColumn("raw_row", F.when(has_fault, F.coalesce(line, joined)))
    if not rules.rows_per_key:
        return told
    return told.transform(limit_rows, key, rules.rows_per_key, emptied)


def _as_csv(field: Column) -> Column:
    mark = F.lit('"')
    quoted = F.concat(mark, F.replace(field, mark, F.lit('""')), mark)
    return F.when(field.rlike(NEEDS_QUOTES), quoted).otherwise(field)
