"""Figures of a run's summary (tables.SUMMARY_COLUMNS), by their names."""

from collections.abc import Sequence

from pyspark.sql import Row

from anomaly.alarms.account import MINUTES_BETWEEN
from anomaly.schema.reasons import REASONS


def left_out(summary: Sequence[Row], source: str, column: str) -> float:
    """How many values of a column were left out for a fault."""
    return sum(
        total(summary, "missing_value", source, f"{column}: {code}")
        for code, reason in REASONS.items()
        if reason.is_fault and not reason.rejects_row
    )


def total(summary: Sequence[Row], section: str, subject: str, item: str) -> float:
    """The value of a figure, over all files where it is counted for each; 0 without one."""
    return sum(
        float(row.value)
        for row in summary
        if (row.section, row.subject, row.item) == (section, subject, item)
    )


def cells_by_minutes(summary: Sequence[Row]) -> dict[int, float]:
    """How many cells send a sample every so many minutes."""
    return {
        int(row.item): row.value
        for row in summary
        if (row.section, row.subject) == ("alarms", MINUTES_BETWEEN)
    }
