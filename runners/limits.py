"""The limits of a profile, checked against the summary of a run before anything is published."""

from collections.abc import Iterable, Sequence

from pyspark.sql import Row

from anomaly.contracts import CALL_STATISTICS, CUSTOMERS, HISTORY, REASONS, SAMPLES
from anomaly.errors import InputError
from anomaly.profile import Limits
from runners.rejections import Rejections, cure

# A column that spoils no larger share of the rows is let be, however few values it has.
FEW_ROWS = 0.01
OTHERS_NAMED, KEYS_NAMED = 5, 3
KINDS_OF_PERSONS = ("customers without calls", "callers that are no customer")


def check_limits(summary: Sequence[Row], limits: Limits, rejections: Rejections) -> None:
    """Raises InputError where nothing was usable, or a limit of the profile is passed."""
    for source in (CUSTOMERS, SAMPLES, CALL_STATISTICS):
        _check_input(summary, source, limits, rejections)
    customers = _total(summary, "join", "all inputs", "customers")
    matched = _total(summary, "join", "all inputs", "matched customers") / customers
    if matched < limits.smallest_match_rate:
        raise InputError(
            f"{matched:.1%} of the customers have samples and call statistics, fewer than the "
            f"profile's smallest_match_rate of {limits.smallest_match_rate:.1%}"
            f"{_keys(summary, rejections.tells_persons)}"
        )


def check_run_limits(
    summary: Sequence[Row], limits: Limits, rejections: Rejections, sources: Iterable[str]
) -> None:
    """Both of a run that judges customers and cells, and of its alarms."""
    check_limits(summary, limits, rejections)
    check_alarm_limits(summary, limits, rejections, sources)


def check_alarm_limits(
    summary: Sequence[Row], limits: Limits, rejections: Rejections, sources: Iterable[str]
) -> None:
    """Raises InputError where no row is usable, too much was left out, or nothing is judged."""
    for source in sources:
        _check_input(summary, source, limits, rejections)
    if not _total(summary, "alarms", "judged", "cell days"):
        raise InputError(
            f"{SAMPLES}: nothing to judge; Time needs a date (2026-03-01 06:15), and --from must "
            "not lie behind the last sample"
        )


def warnings(summary: Sequence[Row]) -> list[str]:
    """What is no reason to refuse a run, and may well be wrong: a sentence for each."""
    look_alikes = [
        f"cells {row.item} look the same and are not: their letters are of two alphabets"
        for row in summary
        if row.section == "look_alike"
    ]
    return [*_empty_columns(summary), *look_alikes]


def _empty_columns(summary: Sequence[Row]) -> list[str]:
    """A sentence for each column of numbers that has nothing in any row that counts."""
    return [
        f"{row.subject}: column {row.item} is empty: none of "
        f"{_total(summary, 'input', row.subject, 'rows clean'):,.0f} rows has a value"
        for row in summary
        if row.section == "column"
        and not row.value
        and not _left_out(summary, row.subject, row.item)
    ]


def _keys(summary: Sequence[Row], tells_persons: bool) -> str:
    """Of each kind of key without a partner some examples, as they are compared."""
    kinds: dict[str, list[str]] = {}
    unmatched = (row for row in summary if row.section == "unmatched")
    for row in sorted(unmatched, key=lambda row: (row.subject, -row.value, row.item)):
        keys = kinds.setdefault(row.subject, [])
        if len(keys) < KEYS_NAMED and (tells_persons or row.subject not in KINDS_OF_PERSONS):
            keys.append(repr(row.item))
    return "".join(f"; {kind}: {', '.join(keys) or '(withheld)'}" for kind, keys in kinds.items())


def _check_input(
    summary: Sequence[Row], source: str, limits: Limits, rejections: Rejections
) -> None:
    _check_rejected(summary, source, limits.largest_rejected_share, rejections)
    _check_left_out(summary, source, limits.largest_left_out_share, rejections)


def _check_rejected(
    summary: Sequence[Row], source: str, largest_share: float, rejections: Rejections
) -> None:
    rows = _total(summary, "input", source, "rows in")
    if not rows:
        raise InputError(f"{source}: none of 0 rows can be used; its files have a header alone")
    if not _total(summary, "input", source, "rows clean"):
        told = rejections.commonest_rows(source)
        raise InputError(f"{source}: none of {rows:,.0f} rows can be used: {told}")
    # What the profile itself leaves out is no fault of the input.
    rejected = sum(
        _total(summary, "rejected", source, code)
        for code, reason in REASONS.items()
        if reason.rejects_row and reason.is_fault
    )
    share = rejected / rows
    if share > largest_share:
        raise InputError(
            f"{source}: {share:.1%} of the rows were rejected, more than the profile's "
            f"largest_rejected_share of {largest_share:.1%}: {rejections.commonest_rows(source)}"
        )


def _check_left_out(
    summary: Sequence[Row], source: str, largest_share: float, rejections: Rejections
) -> None:
    """Raises InputError with the column that lost the largest share of its values."""
    rows = _total(summary, "input", source, "rows clean")
    shares = {}
    for row in summary:
        if (row.section, row.subject) == ("column", source):
            left_out = _left_out(summary, source, row.item)
            if left_out > FEW_ROWS * rows:
                shares[row.item] = left_out / (left_out + row.value)
    beyond = {column: share for column, share in shares.items() if share > largest_share}
    if not beyond:
        return
    column, *others = sorted(beyond, key=lambda column: -beyond[column])
    told, texts = rejections.commonest_values(source, column)
    also = [f"{other} ({beyond[other]:.1%})" for other in others[:OTHERS_NAMED]]
    if len(others) > OTHERS_NAMED:
        also.append(f"{len(others) - OTHERS_NAMED} more")
    raise InputError(
        f"{source}: {beyond[column]:.1%} of the values of column {column} were left out, more than "
        f"the profile's largest_left_out_share of {largest_share:.1%}: {told}; "
        f"{cure(texts, SAMPLES if source == HISTORY else source)}"
        f"{'; likewise columns ' + ', '.join(also) if also else ''}"
    )


def _left_out(summary: Sequence[Row], source: str, column: str) -> float:
    """How many values of a column were left out for a fault."""
    return sum(
        _total(summary, "missing_value", source, f"{column}: {code}")
        for code, reason in REASONS.items()
        if reason.is_fault and not reason.rejects_row
    )


def _total(summary: Sequence[Row], section: str, subject: str, item: str) -> float:
    return sum(
        float(row.value)
        for row in summary
        if (row.section, row.subject, row.item) == (section, subject, item)
    )
