"""What every pipeline is handed: the run that it is part of, and how frames are kept."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.profile.model import Profile

# What the run_id of a run on made-up data begins with; those of others are hexadecimal.
MADE_UP = "sample"
# Takes the name of a frame and the frame; returns the frame to go on with.
Keep = Callable[[str, DataFrame], DataFrame]


@dataclass(frozen=True)
class Run:
    """One execution: the day it is for, and what identifies it."""

    run_date: date
    run_id: str

    @property
    def date_column(self) -> Column:
        """The day as a column."""
        # Not as a date of Python, which costs a hundred milliseconds to hand to the JVM.
        return F.expr(f"DATE '{self.run_date}'")

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


def leave_lazy(name: str, frame: DataFrame) -> DataFrame:
    """Every frame is left as it is."""
    return frame
