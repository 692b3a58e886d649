"""The limits of a profile, checked against the summary of a run before anything is published."""

from collections.abc import Iterable, Sequence

from pyspark.sql import Row

from anomaly.contracts import CALL_STATISTICS, CUSTOMERS, SAMPLES
from anomaly.errors import InputError
from anomaly.profile import Limits


def check_limits(summary: Sequence[Row], limits: Limits) -> None:
    """Raises InputError where nothing was usable, or a limit of the profile is passed."""
    for source in (CUSTOMERS, SAMPLES, CALL_STATISTICS):
        _check_rejected(summary, source, limits.largest_rejected_share)
    customers = _total(summary, "join", "all inputs", "customers")
    matched = _total(summary, "join", "all inputs", "matched customers") / customers
    if matched < limits.smallest_match_rate:
        raise InputError(
            f"{matched:.1%} of the customers have samples and call statistics, fewer than the "
            f"profile's smallest_match_rate of {limits.smallest_match_rate:.1%}"
        )


def check_run_limits(summary: Sequence[Row], limits: Limits, sources: Iterable[str]) -> None:
    """Both of a run that judges customers and cells, and of its alarms."""
    check_limits(summary, limits)
    check_alarm_limits(summary, limits, sources)


def check_alarm_limits(summary: Sequence[Row], limits: Limits, sources: Iterable[str]) -> None:
    """Raises InputError where no row is usable, too many were rejected, or nothing is judged."""
    for source in sources:
        _check_rejected(summary, source, limits.largest_rejected_share)
    if not _total(summary, "alarms", "judged", "cell days"):
        raise InputError(
            f"{SAMPLES}: nothing to judge; Time needs a date (2026-03-01 06:15), and --from must "
            "not lie behind the last sample"
        )


def _check_rejected(summary: Sequence[Row], source: str, largest_share: float) -> None:
    rows = _total(summary, "input", source, "rows in")
    if not _total(summary, "input", source, "rows clean"):
        raise InputError(f"{source}: none of {rows:.0f} rows can be used; see the input")
    # What the profile itself leaves out is no fault of the input.
    left_out = sum(
        _total(summary, "rejected", source, reason)
        for reason in ("filtered_by_profile", "beyond_row_limit", "outside_run")
    )
    share = (_total(summary, "input", source, "rows rejected") - left_out) / rows
    if share > largest_share:
        raise InputError(
            f"{source}: {share:.1%} of the rows were rejected, more than the profile's "
            f"largest_rejected_share of {largest_share:.1%}"
        )


def _total(summary: Sequence[Row], section: str, subject: str, item: str) -> float:
    return sum(
        float(row.value)
        for row in summary
        if (row.section, row.subject, row.item) == (section, subject, item)
    )
