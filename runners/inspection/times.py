"""Which form the times of a file have, whether a run can read it, and the granularity period."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from anomaly.expressions.timestamps import (
    DATE,
    DATE_WITH_TIME,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    OFFSET,
    TIME_OF_DAY,
)
from runners.services.plurals import counted

# The forms that a run reads.
FORMS = {
    "a time of day": TIME_OF_DAY,
    "a date": DATE,
    "a date with a time": DATE_WITH_TIME,
    "seconds since 1970": EPOCH_SECONDS,
    "milliseconds since 1970": EPOCH_MILLISECONDS,
}
OTHER_FORM = r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T]\d{1,2}:\d{2}(:\d{2})?( ?[AaPp][Mm])?)?"
UNREADABLE = "a date in a form that a run does not read"


def form_of(texts: Sequence[str]) -> str | None:
    """The form of nearly all texts in words; None where they are no times."""
    for words, pattern in {**FORMS, UNREADABLE: OTHER_FORM}.items():
        if texts and sum(bool(re.fullmatch(pattern, text)) for text in texts) >= 0.95 * len(texts):
            return words
    return None


def are_dates(texts: Sequence[str]) -> bool:
    """Whether all texts are dates as a run reads them."""
    return bool(texts) and all(re.fullmatch(DATE, text) for text in texts)


def period_of(cells: Sequence[str], times: Sequence[str]) -> tuple[int, str] | None:
    """The minutes between the samples of a cell, mostly, and the evidence; None if unknown."""
    by_cell = defaultdict(set)
    for cell, time in zip(cells, times, strict=True):
        if (minutes := _minutes(time)) is not None:
            by_cell[cell].add(minutes)
    steps = Counter(
        round(later - before)
        for found in by_cell.values()
        for before, later in pairwise(sorted(found))
    )
    if not steps:
        return None
    (period, times_found), total = steps.most_common(1)[0], steps.total()
    return period, f"{times_found:,} of {counted(total, 'step')} between samples of a cell"


def _minutes(text: str) -> float | None:
    """Minutes of a time since a fixed instant; None if it is not one that a run reads."""
    if re.fullmatch(TIME_OF_DAY, text):
        hours, minutes = text.split(":")[:2]
        return 60.0 * int(hours) + int(minutes)
    if re.fullmatch(f"{EPOCH_SECONDS}|{EPOCH_MILLISECONDS}", text):
        return int(text) / (60 if len(text) == 10 else 60_000)
    if not re.fullmatch(DATE_WITH_TIME, text):
        return None
    day, time = datetime.fromisoformat(text[:10]), re.sub(f" ?{OFFSET}$", "", text[11:])
    within = _minutes(time)
    return None if within is None else day.toordinal() * 24 * 60 + within
