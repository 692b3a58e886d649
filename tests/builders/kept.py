"""Keeps the frames of a run as the runner does: short plans, each computed once, quick tests."""

from pyspark.sql import DataFrame

from anomaly.schema.tables import SUMMARY_TABLE
from runners.storage.held import truncate_lineage


def kept(name: str, frame: DataFrame) -> DataFrame:
    """A `keep` for `detect` that keeps every frame but the summary, which is read once."""
    return frame if name == SUMMARY_TABLE else truncate_lineage(name, frame)
