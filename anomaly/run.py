"""What every pipeline is handed: the run that it is part of, and how frames are kept."""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.profile.model import Profile
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from anomaly.schema.tables import (
    ALARMS_TABLE,
    ANOMALIES_TABLE,
    CELL_TABLE,
    CUSTOMER_TABLE,
    REJECTED_TABLE,
    SUMMARY_TABLE,
)

# What the run_id of a run on made-up data begins with; those of others are hexadecimal.
MADE_UP = "sample"


class Frame(StrEnum):
    """The frames of a pipeline: inputs, intermediates and tables."""

    RAW_CUSTOMERS = CUSTOMERS
    RAW_SAMPLES = SAMPLES
    RAW_CALLS = CALL_STATISTICS
    RAW_HISTORY = HISTORY
    CHECKED_CUSTOMERS = "checked_customers"
    CHECKED_SAMPLES = "checked_samples"
    CHECKED_CALLS = "checked_call_statistics"
    CHECKED_HISTORY = "checked_history"
    ROW_COUNTS = "row_counts"
    REJECTED = REJECTED_TABLE
    WITH_SAMPLES = "customers_with_samples"
    JOINED = "joined"
    INPUT_FIGURES = "input_figures"
    CUSTOMER_METRICS = "customer_metrics"
    CELL_METRICS = "cell_metrics"
    LIMITS = "limits"
    JUDGED_CUSTOMERS = "judged_customers"
    JUDGED_CELLS = "judged_cells"
    JUDGED_SPAN = "judged_span"
    ALARM_PERIODS = "alarm_periods"
    ALARM_STATES = "alarm_states"
    ALARMS = ALARMS_TABLE
    ANOMALIES = ANOMALIES_TABLE
    ALARM_FIGURES = "alarm_figures"
    CELLS = CELL_TABLE
    CUSTOMERS = CUSTOMER_TABLE
    RESULT_FIGURES = "result_figures"
    SUMMARY = SUMMARY_TABLE


# By the names of the inputs.
RAW: Mapping[str, Frame] = {
    CUSTOMERS: Frame.RAW_CUSTOMERS,
    SAMPLES: Frame.RAW_SAMPLES,
    CALL_STATISTICS: Frame.RAW_CALLS,
    HISTORY: Frame.RAW_HISTORY,
}
CHECKED: Mapping[str, Frame] = {
    CUSTOMERS: Frame.CHECKED_CUSTOMERS,
    SAMPLES: Frame.CHECKED_SAMPLES,
    CALL_STATISTICS: Frame.CHECKED_CALLS,
    HISTORY: Frame.CHECKED_HISTORY,
}
# Takes the name of a frame and the frame; returns the frame to go on with.
Keep = Callable[[Frame, DataFrame], DataFrame]


@dataclass(frozen=True)
class Run:
    """One execution: the day it is for, and what identifies it."""

    run_date: date
    run_id: str

    @classmethod
    def new(cls, run_date: date | None = None) -> "Run":
        """A run of its own for a day; without one, for today."""
        return cls(run_date or date.today(), uuid.uuid4().hex[:12])

    @property
    def date_column(self) -> Column:
        """The day as a column."""
        # Not as a date of Python, which costs a hundred milliseconds to hand to the JVM.
        return F.lit(str(self.run_date)).cast("date")

    @property
    def is_made_up(self) -> bool:
        """Whether it rests on made-up data."""
        return self.run_id.startswith(MADE_UP)

    def columns(self, profile: Profile) -> dict[str, Column]:
        """The columns that stand at the end of each table, by their names."""
        return {
            "run_date": self.date_column,
            "run_id": F.lit(self.run_id),
            "profile": F.lit(profile.fingerprint),
        }


def is_made_up() -> Column:
    """Whether a row rests on made-up data, as its run_id tells."""
    return F.col("run_id").startswith(MADE_UP)


def leave_lazy(name: Frame, frame: DataFrame) -> DataFrame:
    """Every frame is left as it is."""
    return frame
