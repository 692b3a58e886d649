"""The three inputs: their columns, and what is added at reading."""

from dataclasses import dataclass

CUSTOMERS = "customers"

SAMPLES = "samples"

CALL_STATISTICS = "call_statistics"

# Older samples, from which alarms take their baselines.
HISTORY = "history"

# Where a raw row came from; the readers in `runners.storage.inputs` add them at the scan.
SOURCE_FILE = "source_file"

SOURCE_ROW_ID = "source_row_id"

MALFORMED_LINE = "malformed_line"

MALFORMED_TEXT = "malformed_text"


@dataclass(frozen=True)
class Column:
    """One column of a contract: its name, Spark type, unit (empty for none) and meaning."""

    name: str
    type: str
    meaning: str
    unit: str = ""
    required: bool = True


@dataclass(frozen=True)
class InputContract:
    """The fixed columns of one input; `key` identifies what a row is about."""

    name: str
    columns: tuple[Column, ...]
    key: str


CUSTOMERS_CONTRACT = InputContract(
    name=CUSTOMERS,
    key="Index",
    columns=(
        Column("Index", "bigint", "customer number, one row per customer"),
        Column("tenure", "bigint", "time as a customer", unit="months"),
        Column("PhoneService", "string", "has a phone service: Yes or No"),
        Column("MultipleLines", "string", "has several lines"),
        Column("InternetService", "string", "kind of internet service"),
        Column("CellTower", "string", "name of the cell that serves the customer"),
    ),
)

SAMPLES_CONTRACT = InputContract(
    name=SAMPLES,
    key="CellName",
    columns=(
        Column("CellName", "string", "name of the cell"),
        Column("Time", "string", "quarter hour, HH:MM or a date with a time", required=False),
        Column("Date", "string", "YYYY-MM-DD, the day of a Time without a date", required=False),
    ),
)

CALL_STATISTICS_CONTRACT = InputContract(
    name=CALL_STATISTICS,
    key="Customer_ID",
    columns=(
        Column(
            "Customer_ID",
            "string",
            "three digits, or three characters of which the last is no digit, and behind them the "
            "customer number",
        ),
    ),
)

INPUT_CONTRACTS = {
    contract.name: contract
    for contract in (CUSTOMERS_CONTRACT, SAMPLES_CONTRACT, CALL_STATISTICS_CONTRACT)
}
