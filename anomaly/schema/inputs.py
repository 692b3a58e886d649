"""The three inputs: their columns, and the provenance that reading adds."""

from dataclasses import dataclass

CUSTOMERS = "customers"

SAMPLES = "samples"

CALL_STATISTICS = "call_statistics"

# Baseline samples: older samples for the baselines of alarms.
HISTORY = "history"

# The provenance of a raw row; the readers in `runners.storage.inputs` add it.
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
    """The fixed columns of one input; `key` identifies the subject of a row."""

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
        Column(
            "Time", "string", "time of the sample: HH:MM, or a date with a time", required=False
        ),
        Column("Date", "string", "YYYY-MM-DD, the date of a Time without one", required=False),
    ),
)

CALL_STATISTICS_CONTRACT = InputContract(
    name=CALL_STATISTICS,
    key="Customer_ID",
    columns=(
        Column(
            "Customer_ID",
            "string",
            "three characters (all digits, or the last not a digit), then the customer number",
        ),
    ),
)

INPUT_CONTRACTS = {
    contract.name: contract
    for contract in (CUSTOMERS_CONTRACT, SAMPLES_CONTRACT, CALL_STATISTICS_CONTRACT)
}
