"""The limits of a profile, checked against the summary of a run before anything is published."""

from collections.abc import Iterable

from anomaly.errors import InputError
from anomaly.profile.model import Profile
from anomaly.profile.sections import Limits
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from anomaly.thresholds.verdict import FEW_SAMPLES, NO_SAMPLES, REPORTING
from runners.services.rejections import Rejections, cure
from runners.services.run_summary import RunSummary

# A column may lose all of its values as long as no larger share of the rows is affected.
FEW_ROWS = 0.01
OTHERS_NAMED, KEYS_NAMED = 5, 3
# The inputs that customers and cells are judged from.
JUDGED = (CUSTOMERS, SAMPLES, CALL_STATISTICS)
WHY_NOT_JUDGED = {
    NO_SAMPLES: "send no samples",
    FEW_SAMPLES: "send too few samples",
    REPORTING: "send samples, of which too few KPIs can be judged",
}
KINDS_OF_PERSONS = ("customers without calls", "callers who are not customers")


def check_limits(summary: RunSummary, profile: Profile, rejections: Rejections) -> None:
    """Raises InputError if nothing was usable, or a limit of the profile is exceeded."""
    limits = profile.limits
    for source in JUDGED:
        _check_input(summary, source, limits, rejections)
    if summary.match_rate < limits.smallest_match_rate:
        raise InputError(
            f"{summary.match_rate:.1%} of the customers have samples and call statistics, "
            f"fewer than the profile's smallest_match_rate of {limits.smallest_match_rate:.1%}"
            f"{_keys(summary, rejections.tells_persons)}{_cure_of_calls(summary, profile)}"
        )
    _check_judged(summary, limits)


def check_run_limits(
    summary: RunSummary, profile: Profile, rejections: Rejections, sources: Iterable[str]
) -> None:
    """Check the limits of a run that judges customers and cells, and of its alarms."""
    check_limits(summary, profile, rejections)
    others = [source for source in sources if source not in JUDGED]
    check_alarm_limits(summary, profile, rejections, others)


def check_alarm_limits(
    summary: RunSummary, profile: Profile, rejections: Rejections, sources: Iterable[str]
) -> None:
    """Check the limits of alarms.

    Raises InputError if no row is usable, too much was left out, nothing was judged, or most cells
    report less often than the profile says.
    """
    for source in sources:
        _check_input(summary, source, profile.limits, rejections)
    _check_periods(summary, profile)
    if not (summary.alarms and summary.alarms.cell_days):
        raise InputError(
            f"{SAMPLES}: nothing to judge; Time needs a date (2026-03-01 06:15), and --from must "
            "not be after the last sample"
        )


def _keys(summary: RunSummary, tells_persons: bool) -> str:
    """A few unmatched keys of each kind, as the join compares them."""
    return "".join(
        f"; {kind}: {', '.join(repr(row.item) for row in rows[:KEYS_NAMED])}"
        if tells_persons or kind not in KINDS_OF_PERSONS
        else f"; {kind}: (withheld)"
        for kind, rows in summary.unmatched.items()
    )


def _cure_of_calls(summary: RunSummary, profile: Profile) -> str:
    """The likely remedy where it is the calls that do not match, whatever the samples do."""
    if summary.match_rate_of_calls >= profile.limits.smallest_match_rate:
        return ""
    prefix = profile.inputs[CALL_STATISTICS].customer_id_prefix
    return (
        "; does the customer number begin elsewhere in Customer_ID? Set customer_id_prefix in "
        f"[inputs.{CALL_STATISTICS}], which is {prefix}: the number of characters before it"
    )


def _check_judged(summary: RunSummary, limits: Limits) -> None:
    """Raises InputError if too many cells have no verdict."""
    cells, unjudged = summary.cell_count, summary.not_judged
    if unjudged > limits.largest_unjudged_share * cells:
        states = sorted(summary.of("not_judged"), key=lambda row: -row.value)
        why = ", ".join(f"{row.value:,.0f} {WHY_NOT_JUDGED[row.item]}" for row in states)
        raise InputError(
            f"{unjudged:,.0f} of {cells:,.0f} cells could not be judged, more than the profile's "
            f"largest_unjudged_share of {limits.largest_unjudged_share:.1%}: {why}"
        )


def _check_periods(summary: RunSummary, profile: Profile) -> None:
    """Raises InputError if most cells report less often than the profile says.

    The gaps would count as silence.
    """
    expected = profile.period_seconds // 60
    cells = summary.cells_by_minutes
    rarer = {minutes: cells[minutes] for minutes in cells if minutes > expected}
    if 2 * sum(rarer.values()) > sum(cells.values()):
        usual = max(rarer, key=lambda minutes: (rarer[minutes], minutes))
        raise InputError(
            f"{SAMPLES}: {sum(rarer.values()):,.0f} of {sum(cells.values()):,.0f} cells report "
            f"less often than every {expected} minutes, most of them every {usual}; set "
            f"period_minutes = {usual} in the profile's [alarms]"
        )


def _check_input(summary: RunSummary, source: str, limits: Limits, rejections: Rejections) -> None:
    _check_rejected(summary, source, limits.largest_rejected_share, rejections)
    _check_empty(summary, source)
    _check_left_out(summary, source, limits.largest_left_out_share, rejections)


def _check_rejected(
    summary: RunSummary, source: str, largest_share: float, rejections: Rejections
) -> None:
    rows = summary.rows_in(source)
    if not rows:
        raise InputError(f"{source}: none of 0 rows can be used; its files have only a header")
    if not summary.rows_clean(source):
        why = rejections.commonest_rows(source)
        raise InputError(f"{source}: none of {rows:,.0f} rows can be used: {why}")
    share = summary.rejected_share(source)
    if share > largest_share:
        raise InputError(
            f"{source}: {share:.1%} of the rows were rejected, more than the profile's "
            f"largest_rejected_share of {largest_share:.1%}: {rejections.commonest_rows(source)}"
        )


def _check_empty(summary: RunSummary, source: str) -> None:
    """Raises InputError if every KPI column of an input is empty."""
    columns = summary.of("column", source)
    is_of_kpis = source != CUSTOMERS
    if is_of_kpis and not any(row.value or summary.left_out(source, row.item) for row in columns):
        raise InputError(
            f"{source}: none of {summary.rows_clean(source):,.0f} rows has a "
            f"value; all {len(columns)} KPI columns are empty"
        )


def _check_left_out(
    summary: RunSummary, source: str, largest_share: float, rejections: Rejections
) -> None:
    """Raises InputError that names the column with the largest share of values left out."""
    shares = {}
    for row in summary.of("column", source):
        lost = summary.left_out(source, row.item)
        if lost > FEW_ROWS * summary.rows_clean(source):
            shares[row.item] = lost / (lost + row.value)
    beyond = {column: share for column, share in shares.items() if share > largest_share}
    if not beyond:
        return
    column, *others = sorted(beyond, key=lambda column: -beyond[column])
    why, texts = rejections.commonest_values(source, column)
    also = [f"{other} ({beyond[other]:.1%})" for other in others[:OTHERS_NAMED]]
    if len(others) > OTHERS_NAMED:
        also.append(f"{len(others) - OTHERS_NAMED} more")
    raise InputError(
        f"{source}: {beyond[column]:.1%} of the values of column {column} were left out, more than "
        f"the profile's largest_left_out_share of {largest_share:.1%}: {why}; "
        f"{cure(texts, SAMPLES if source == HISTORY else source)}"
        f"{'; likewise columns ' + ', '.join(also) if also else ''}"
    )
