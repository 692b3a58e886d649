"""Keeps the frames of a run as the runner does: short plans, each computed once, quick tests."""

from pyspark.sql import DataFrame

from anomaly.contracts import SUMMARY_TABLE
from runners.storage.held import with_short_plan


def kept(name: str, frame: DataFrame) -> DataFrame:
    """A `keep` for `detect` that keeps every frame but the summary, which is read once."""
    return frame if name == SUMMARY_TABLE else with_short_plan(name, frame)
