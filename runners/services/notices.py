"""What is no reason to refuse a run, and may well be wrong with its inputs."""

from anomaly.alarms.account import BEHIND, CELLS, LACKING, SAMPLES_SENT
from anomaly.schema.inputs import SAMPLES
from anomaly.thresholds.compare import CRIT, NO_BASELINE, OK, WARN
from runners.services.run_summary import RunSummary

LARGEST_SHARE_WITHOUT_BASELINE = 0.5


def notices(summary: RunSummary) -> list[str]:
    """A sentence for each, from the summary of a run."""
    return [
        *_empty_columns(summary),
        *_look_alikes(summary),
        *_cells_that_send_rarely(summary),
        *_end_of_samples(summary),
        *_without_baseline(summary),
    ]


def _empty_columns(summary: RunSummary) -> list[str]:
    """A sentence for each column of numbers that has nothing in any row that counts."""
    return [
        f"{row.subject}: column {row.item} is empty: none of "
        f"{summary.rows_clean(row.subject):,.0f} rows has a value"
        for row in summary.of("column")
        if not row.value and not summary.left_out(row.subject, row.item)
    ]


def _look_alikes(summary: RunSummary) -> list[str]:
    return [
        f"cells {row.item} count as different ones: their names differ in nothing but case, "
        "kinds of dashes, or letters of two alphabets that look the same"
        for row in summary.of("look_alike")
    ]


def _cells_that_send_rarely(summary: RunSummary) -> list[str]:
    """Where some cells send less often than most do."""
    cells = summary.cells_by_minutes
    if not cells:
        return []
    usual = max(cells, key=lambda minutes: (cells[minutes], -minutes))
    rarer = {minutes: cells[minutes] for minutes in cells if minutes > usual}
    if not rarer:
        return []
    often = ", ".join(f"{rarer[minutes]:,.0f} every {minutes} minutes" for minutes in sorted(rarer))
    return [
        f"{SAMPLES}: {sum(rarer.values()):,.0f} of {sum(cells.values()):,.0f} cells send less "
        f"often than every {usual} minutes ({often}); what they do not send counts as missing"
    ]


def _end_of_samples(summary: RunSummary) -> list[str]:
    """Where samples end before the run's day does, or those of some cells before the others'."""
    lacking, behind, cells = (
        summary.total("alarms", SAMPLES_SENT, item) for item in (LACKING, BEHIND, CELLS)
    )
    if summary.alarms is None or (lacking <= 0 and not behind):
        return []
    before = f", {lacking:,.0f} periods before the end of the day" if lacking > 0 else ""
    return [
        f"{SAMPLES} reach until {summary.alarms.until} UTC{before}; "
        f"{behind:,.0f} of {cells:,.0f} cells are behind"
    ]


def _without_baseline(summary: RunSummary) -> list[str]:
    """Where no alarm but of silence can be raised, as nothing is known of what is usual."""
    periods = {
        status: sum(row.value for row in summary.of("alarm_kpi") if row.item == status)
        for status in (NO_BASELINE, OK, WARN, CRIT)
    }
    share = periods[NO_BASELINE] / (sum(periods.values()) or 1)
    if share <= LARGEST_SHARE_WITHOUT_BASELINE:
        return []
    return [
        f"{SAMPLES}: {share:.1%} of what cells sent could not be judged for alarms, because too "
        "few older samples say what is usual; give those of the weeks before as --history"
    ]
