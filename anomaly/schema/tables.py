"""The published tables: names, columns, units and meanings."""

from anomaly.schema.evidence import ALARM_EVIDENCE_TYPE, EVIDENCE_TYPE
from anomaly.schema.inputs import SOURCE_FILE, Column

CUSTOMER_LEVEL = "customer"

CELL_LEVEL = "cell"

CUSTOMER_TABLE = "customer_service_metrics_data"

CELL_TABLE = "cell_tower_performance_data"

REJECTED_TABLE = "rejected_rows"

SUMMARY_TABLE = "run_summary"

ANOMALIES_TABLE = "cell_sample_anomalies"

ALARMS_TABLE = "cell_alarms"

HISTORY_TABLE = "cell_maintenance_history"

# run_date comes last: in Parquet, days are folders, and readers append that column.
RUN_COLUMNS = (
    Column("run_id", "string", "identifies one execution; begins with `sample` for made-up data"),
    Column("profile", "string", "name and fingerprint of the profile that judged"),
    Column("run_date", "date", "the day that the run is for"),
)

SAMPLE_COUNT = Column(
    "sample_count", "bigint", "samples behind the averages of the cell", "samples"
)

ADDED_COLUMNS = (
    SAMPLE_COUNT,
    Column("call_row_count", "bigint", "rows of call statistics behind the averages", unit="rows"),
    Column("evaluated_kpis", "int", "KPIs that could be judged", unit="KPIs"),
    Column("evidence", EVIDENCE_TYPE, "per KPI: value, limit (bound), baseline and reason"),
    Column("severity_rank", "bigint", "1 is the worst row of the table"),
    *RUN_COLUMNS,
)

CUSTOMER_KEYS = (
    Column("customerID", "bigint", "customer number"),
    Column("CellName", "string", "cell that serves the customer"),
    Column("tenure", "bigint", "time as a customer", unit="months"),
    Column("PhoneService", "string", "has a phone service"),
    Column("MultipleLines", "string", "has several lines"),
    Column("InternetService", "string", "kind of internet service"),
)

HASHED_CUSTOMER = Column(
    "customerID", "string", "keyed hash of the customer number: HMAC-SHA256, hexadecimal digits"
)

CELL_KEYS = (
    Column("CellName", "string", "cell"),
    Column("customerID_count", "bigint", "customers behind the averages", unit="customers"),
)

DEFECT_COUNT = Column("defected_count", "int", "KPIs with flag 1", unit="KPIs")

VERDICT = Column(
    "Maintainence_Required",
    "string",
    "Required, Not Required, or NULL where the cell could not be judged",
)

# What explains the verdict of a cell.
VERDICT_COLUMNS = (
    Column("failed_families", "array<string>", "KPI families that fail, the worst first"),
    Column("verdict_reason", "string", "the reason for the verdict, in one sentence"),
    Column("sample_state", "string", "REPORTING, FEW_SAMPLES (too few to judge) or NO_SAMPLES"),
)

RECENT_TYPE = "array<struct<run_date:date,verdict:string>>"

# The columns that do not depend on the profile.
TABLE_COLUMNS = (
    *CUSTOMER_KEYS,
    *CELL_KEYS,
    DEFECT_COUNT,
    VERDICT,
    *VERDICT_COLUMNS,
    *ADDED_COLUMNS,
)

ANOMALIES_COLUMNS = (
    Column("CellName", "string", "cell"),
    Column("time", "timestamp", "start of the granularity period"),
    Column("kpi", "string", "anomalous KPI; `samples` if none was sent"),
    Column("status", "string", "WARN or CRIT; NO_DATA if no sample was sent"),
    Column("value", "double", "the KPI in this period", unit="see unit"),
    Column("smoothed_value", "double", "its mean over the last periods", unit="see unit"),
    Column("unit", "string", "unit of the values"),
    Column("baseline", "double", "baseline of the cell at this time", unit="see unit"),
    Column("baseline_count", "bigint", "values behind the baseline", unit="values"),
    Column("bound", "double", "limit of the smoothed value, where WARN begins", unit="see unit"),
    Column("direction", "string", "bad side of the limit: above or below"),
    Column("deviation", "double", "deviation of the value from the baseline", unit="spreads"),
    Column("smoothed_deviation", "double", "mean of the last deviations", unit="spreads"),
    Column("reason", "string", "the anomaly in one sentence"),
    Column("raised_at", "timestamp", "raised_at of its alarm, NULL for none"),
    *RUN_COLUMNS,
)

# The KPI name for missing samples, and what ends an alarm.
SAMPLES_KPI = "samples"

RECOVERY, NEW_BASELINE = "recovery", "new_baseline"

ALARMS_COLUMNS = (
    Column("CellName", "string", "cell"),
    Column("raised_at", "timestamp", "start of the period in which it was raised"),
    Column(
        "cleared_at", "timestamp", "start of the period in which it ended, NULL while it is active"
    ),
    Column("cleared_by", "string", "recovery, or new_baseline: what persists is raised again"),
    Column("severity", "string", "CRIT if a KPI was, or if the cell was silent; else WARN"),
    Column("kpis", "array<string>", "anomalous KPIs, worst first; `samples` if none was sent"),
    Column("peak_deviation", "double", "largest smoothed deviation, NULL for none", "spreads"),
    Column("peak_kpi", "string", "the KPI with peak_deviation"),
    Column("bad_periods", "bigint", "periods that were anomalous or without a sample", "periods"),
    Column("reason", "string", "the alarm in one sentence"),
    Column("evidence", ALARM_EVIDENCE_TYPE, "each KPI at its peak; deviation is the smoothed one"),
    *RUN_COLUMNS,
)

HISTORY_COLUMNS = (
    Column("CellName", "string", "cell"),
    Column(
        "state",
        "string",
        "HEALTHY; WATCHED: Required today, but not yet due; NEW: maintenance due from today on; "
        "PERSISTING: due since an earlier day; FLAPPING: due again soon after it recovered; "
        "RECOVERED: no longer due from today on; NO_DATA: no verdict today",
    ),
    Column("since", "date", "first day of the state; for PERSISTING the day on which it was NEW"),
    Column("raised_on", "date", "day from which maintenance is due, NULL if it is not"),
    Column("cleared_on", "date", "day on which maintenance was last no longer due"),
    VERDICT,
    Column("severity_rank", "bigint", "1 is the worst cell of the day"),
    DEFECT_COUNT,
    Column("evaluated_kpis", "int", "KPIs that could be judged", unit="KPIs"),
    Column(
        "recent", RECENT_TYPE, "the verdicts of the last days, from which the next state follows"
    ),
    *RUN_COLUMNS,
)

REJECTED_COLUMNS = (
    Column("source", "string", "input: customers, samples, history or call_statistics"),
    Column(SOURCE_FILE, "string", "file of the row"),
    Column(
        "source_row", "bigint", "number of the row in its file; the first after the header is 1"
    ),
    Column("scope", "string", "row: the whole row was rejected; value: only the value"),
    Column("column", "string", "column of the bad value, NULL for a whole row"),
    Column("reason", "string", "reason code"),
    Column("raw_value", "string", "text of the bad value"),
    Column(
        "raw_row",
        "string",
        "the columns that are read, in the order of the file, as CSV; a malformed line of samples "
        "is verbatim; NULL for rows beyond a limit of the profile",
    ),
    *RUN_COLUMNS,
)

# If customer numbers are hashed, these replace the columns of the same names.
WITHHELD_TEXTS = (
    Column("raw_value", "string", "text of the bad value; NULL for customers and their calls"),
    Column("raw_row", "string", "the row, as CSV; NULL for customers and their calls"),
)

HASHED_KEY = Column(
    "item",
    "string",
    "name of the figure: a count, a reason code, a key (a keyed hash for callers), a KPI",
)

SUMMARY_COLUMNS = (
    Column(
        "section",
        "string",
        "input, column, rejected, missing_value, join, unmatched, look_alike, kpi, out_of_reach, "
        "verdict, peers, worst, near_miss, affected, due, alarms, alarm_kpi, alarm, origin, engine "
        "or seconds",
    ),
    Column("subject", "string", "subject of the figure: an input, a join, a level, a cell"),
    Column("item", "string", "name of the figure: a count, a reason code, a key, a KPI"),
    Column("value", "double", "the figure"),
    Column("detail", "string", "further text: a file, the reason for a verdict"),
    *RUN_COLUMNS,
)
