"""The tables that are published: their names, columns, units and meanings."""

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

# run_date last: where a table is Parquet, its days are folders, and readers put that column there.
RUN_COLUMNS = (
    Column("run_id", "string", "identifies one execution; begins with sample on made-up data"),
    Column("profile", "string", "name and fingerprint of the profile that judged"),
    Column("run_date", "date", "the day that the run is for"),
)

SAMPLE_COUNT = Column("sample_count", "bigint", "samples behind the cell's averages", "samples")

ADDED_COLUMNS = (
    SAMPLE_COUNT,
    Column("call_row_count", "bigint", "call statistics rows behind the averages", unit="rows"),
    Column("evaluated_kpis", "int", "KPIs that could be judged", unit="KPIs"),
    Column("evidence", EVIDENCE_TYPE, "for each KPI its value, bound, baseline and reason"),
    Column("severity_rank", "bigint", "1 is the worst of its table"),
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

# What the verdict of a cell rests on.
VERDICT_COLUMNS = (
    Column("failed_families", "array<string>", "what fails of its service, the gravest first"),
    Column("verdict_reason", "string", "why it has its verdict, in one sentence"),
    Column("sample_state", "string", "REPORTING, FEW_SAMPLES (too few to judge) or NO_SAMPLES"),
)

RECENT_TYPE = "array<struct<run_date:date,verdict:string>>"

# The columns that stand in one of the tables whatever the profile.
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
    Column("time", "timestamp", "begin of the quarter hour"),
    Column("kpi", "string", "KPI out of line; `samples` where none was sent"),
    Column("status", "string", "WARN or CRIT; NO_DATA where no sample was sent"),
    Column("value", "double", "the KPI in this quarter hour", unit="see unit"),
    Column("smoothed_value", "double", "its mean over the last periods", unit="see unit"),
    Column("unit", "string", "unit of the values"),
    Column("baseline", "double", "what is usual for the cell at this time", unit="see unit"),
    Column("baseline_count", "bigint", "values that the baseline rests on", unit="values"),
    Column("bound", "double", "where WARN begins for the smoothed value", unit="see unit"),
    Column("direction", "string", "side of the bound that is bad: above or below"),
    Column("deviation", "double", "of the value from the baseline", unit="spreads"),
    Column("smoothed_deviation", "double", "the mean of the last deviations", unit="spreads"),
    Column("reason", "string", "all this in one sentence"),
    Column("raised_at", "timestamp", "begin of the alarm that it belongs to, NULL for none"),
    *RUN_COLUMNS,
)

# What stands for a KPI where no sample was sent, and what ends an alarm.
SAMPLES_KPI = "samples"

RECOVERY, NEW_BASELINE = "recovery", "new_baseline"

ALARMS_COLUMNS = (
    Column("CellName", "string", "cell"),
    Column("raised_at", "timestamp", "begin of the quarter hour with which it was raised"),
    Column("cleared_at", "timestamp", "begin of the one with which it ended, NULL if it stands"),
    Column("cleared_by", "string", "recovery, or new_baseline: what stands is raised again"),
    Column("severity", "string", "CRIT: a KPI was, or the cell was silent; else WARN"),
    Column("kpis", "array<string>", "KPIs out of line, farthest first; `samples` for none sent"),
    Column("peak_deviation", "double", "farthest smoothed deviation, NULL for none", "spreads"),
    Column("peak_kpi", "string", "the KPI that it is of"),
    Column("bad_periods", "bigint", "quarter hours out of line or without a sample", "periods"),
    Column("reason", "string", "the alarm in one sentence"),
    Column("evidence", ALARM_EVIDENCE_TYPE, "each KPI at its peak; deviation is the smoothed one"),
    *RUN_COLUMNS,
)

HISTORY_COLUMNS = (
    Column("CellName", "string", "cell"),
    Column(
        "state",
        "string",
        "HEALTHY; WATCHED: Required today, but not often enough; NEW: often enough from today on; "
        "PERSISTING: since an earlier day; FLAPPING: again, soon after it recovered; RECOVERED: "
        "from today on; NO_DATA: no verdict today",
    ),
    Column("since", "date", "first day of the state; of PERSISTING the day on which it was NEW"),
    Column("raised_on", "date", "day on which the need for maintenance began, NULL where none is"),
    Column("cleared_on", "date", "day on which the last one before it ended"),
    VERDICT,
    Column("severity_rank", "bigint", "1 is the worst of the day"),
    DEFECT_COUNT,
    Column("evaluated_kpis", "int", "KPIs that could be judged", unit="KPIs"),
    Column(
        "recent", RECENT_TYPE, "the verdicts of the last days, which the state of the next rests on"
    ),
    *RUN_COLUMNS,
)

REJECTED_COLUMNS = (
    Column("source", "string", "input: customers, samples, history or call_statistics"),
    Column(SOURCE_FILE, "string", "file that holds the row"),
    Column("source_row", "bigint", "number of the row in its file, the first after a header is 1"),
    Column("scope", "string", "row: the row was left out; value: the value alone"),
    Column("column", "string", "column at fault, NULL where the row as a whole is"),
    Column("reason", "string", "reason code"),
    Column("raw_value", "string", "text of the value at fault"),
    Column(
        "raw_row",
        "string",
        "the columns that are read, in the order of the file, as CSV; of samples a line of more or "
        "fewer fields as it is",
    ),
    *RUN_COLUMNS,
)

# Where customer numbers are hashed, these take the places of those with the same name.
WITHHELD_TEXTS = (
    Column("raw_value", "string", "text of the value at fault; NULL for customers and their calls"),
    Column("raw_row", "string", "the row, as CSV; NULL for customers and their calls"),
)

HASHED_KEY = Column(
    "item",
    "string",
    "which figure of it: a count's name, a reason code, a key (of callers its keyed hash), a KPI",
)

SUMMARY_COLUMNS = (
    Column(
        "section",
        "string",
        "input, column, rejected, missing_value, join, unmatched, look_alike, kpi, out_of_reach, "
        "verdict, worst, alarms, alarm_kpi, alarm, origin or seconds",
    ),
    Column("subject", "string", "what is counted: an input, a join, a level, a cell"),
    Column("item", "string", "which figure of it: a count's name, a reason code, a key, a KPI"),
    Column("value", "double", "the figure"),
    Column("detail", "string", "further text: a file, the reasons for a verdict"),
    *RUN_COLUMNS,
)
