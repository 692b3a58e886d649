"""Warnings: what may be wrong with the inputs of a run, but does not stop it."""

from collections.abc import Sequence

from pyspark.sql import Row

from anomaly.alarms.account import BEHIND, CELLS, LACKING, SAMPLES_SENT
from anomaly.schema.inputs import SAMPLES
from anomaly.thresholds.compare import CRIT, NO_BASELINE, OK, WARN
from runners.services.plurals import counted
from runners.services.summary_figures import cells_by_minutes, left_out, total

LARGEST_SHARE_WITHOUT_BASELINE = 0.5


def notices(summary: Sequence[Row]) -> list[str]:
    """The warnings, one sentence each, from the summary of a run."""
    return [
        *_empty_columns(summary),
        *_look_alikes(summary),
        *_cells_that_send_rarely(summary),
        *_end_of_samples(summary),
        *_without_baseline(summary),
    ]


def _empty_columns(summary: Sequence[Row]) -> list[str]:
    """A sentence for each numeric column that has no value in any clean row."""
    return [
        f"{row.subject}: column {row.item} is empty: none of "
        f"{total(summary, 'input', row.subject, 'rows clean'):,.0f} rows has a value"
        for row in summary
        if row.section == "column"
        and not row.value
        and not left_out(summary, row.subject, row.item)
    ]


def _look_alikes(summary: Sequence[Row]) -> list[str]:
    return [
        f"cells {row.item} count as different cells, but their names differ only in case, in the "
        "kind of dash, or in letters of two alphabets that look the same"
        for row in summary
        if row.section == "look_alike"
    ]


def _cells_that_send_rarely(summary: Sequence[Row]) -> list[str]:
    """A sentence if some cells report less often than most."""
    cells = cells_by_minutes(summary)
    if not cells:
        return []
    most_common = max(cells, key=lambda minutes: (cells[minutes], -minutes))
    rarer = {minutes: cells[minutes] for minutes in cells if minutes > most_common}
    if not rarer:
        return []
    often = ", ".join(f"{rarer[minutes]:,.0f} every {minutes} minutes" for minutes in sorted(rarer))
    return [
        f"{SAMPLES}: {sum(rarer.values()):,.0f} of {sum(cells.values()):,.0f} cells report less "
        f"often than every {most_common} minutes ({often}); the periods in between count as missing"
    ]


def _end_of_samples(summary: Sequence[Row]) -> list[str]:
    """A sentence if the samples, or those of some cells, end before the day of the run does."""
    lacking, behind, cells = (
        total(summary, "alarms", SAMPLES_SENT, item) for item in (LACKING, BEHIND, CELLS)
    )
    if lacking <= 0 and not behind:
        return []
    until = next(
        row.detail
        for row in summary
        if (row.section, row.subject, row.item) == ("alarms", "judged", "until")
    )
    before = f", {counted(lacking, 'period')} before the end of the day" if lacking > 0 else ""
    return [
        f"{SAMPLES} end at {until} UTC{before}; {behind:,.0f} of {cells:,.0f} cells end earlier"
    ]


def _without_baseline(summary: Sequence[Row]) -> list[str]:
    """A sentence if most samples had no baseline, so that only silence can raise an alarm."""
    periods = {
        status: sum(
            row.value for row in summary if (row.section, row.item) == ("alarm_kpi", status)
        )
        for status in (NO_BASELINE, OK, WARN, CRIT)
    }
    share = periods[NO_BASELINE] / (sum(periods.values()) or 1)
    if share <= LARGEST_SHARE_WITHOUT_BASELINE:
        return []
    return [
        f"{SAMPLES}: {share:.1%} of the values could not be judged for alarms, because there are "
        "too few baseline samples; give the samples of the weeks before with --history"
    ]
