"""Warnings: what may be wrong with the inputs of a run, but does not stop it."""

from anomaly.alarms.account import BEHIND, CELLS, LACKING, SAMPLES_SENT
from anomaly.schema.inputs import SAMPLES
from anomaly.schema.tables import CELL_LEVEL
from runners.services.plurals import counted
from runners.services.run_summary import RunSummary


def notices(summary: RunSummary) -> list[str]:
    """The warnings, one sentence each, from the summary of a run."""
    return [
        *_empty_columns(summary),
        *_look_alikes(summary),
        *_all_peers(summary),
        *_cells_that_send_rarely(summary),
        *_end_of_samples(summary),
        *_without_baseline(summary),
    ]


def _empty_columns(summary: RunSummary) -> list[str]:
    """A sentence for each numeric column that has no value in any clean row."""
    return [
        f"{row.subject}: column {row.item} is empty: none of "
        f"{summary.rows_clean(row.subject):,.0f} rows has a value"
        for row in summary.of("column")
        if not row.value and not summary.left_out(row.subject, row.item)
    ]


def _look_alikes(summary: RunSummary) -> list[str]:
    return [
        f"cells {row.item} count as different cells, but their names differ only in case, in the "
        "kind of dash, or in letters of two alphabets that look the same"
        for row in summary.of("look_alike")
    ]


def _all_peers(summary: RunSummary) -> list[str]:
    """A sentence if the profile groups cells by a column, and no cell was judged by its group."""
    return [
        f"no cell is compared with those of its own {row.item}, but with all cells: the column is "
        "missing or empty, or too few cells have the same text in it"
        for row in summary.of("peers", CELL_LEVEL)
        if not row.value
    ]


def _cells_that_send_rarely(summary: RunSummary) -> list[str]:
    """A sentence if some cells report less often than most."""
    cells = summary.cells_by_minutes
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


def _end_of_samples(summary: RunSummary) -> list[str]:
    """A sentence if the samples, or those of some cells, end before the day of the run does."""
    lacking, behind, cells = (
        summary.total("alarms", SAMPLES_SENT, item) for item in (LACKING, BEHIND, CELLS)
    )
    if summary.alarms is None or (lacking <= 0 and not behind):
        return []
    before = f", {counted(lacking, 'period')} before the end of the day" if lacking > 0 else ""
    return [
        f"{SAMPLES} end at {summary.alarms.until} UTC{before}; "
        f"{behind:,.0f} of {cells:,.0f} cells end earlier"
    ]


def _without_baseline(summary: RunSummary) -> list[str]:
    """A sentence if most samples had no baseline, so that only silence can raise an alarm."""
    if not summary.lacks_baseline:
        return []
    share = summary.share_without_baseline
    return [
        f"{SAMPLES}: {share:.1%} of the values could not be judged for alarms, because there are "
        "too few baseline samples; give the samples of the weeks before with --history"
    ]
