"""Checks a cron schedule before Airflow does."""

import re
from typing import NamedTuple

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# *, N or N-M, optionally with /STEP.
PART = re.compile(r"(?:\*|(\w{1,3})(?:-(\w{1,3}))?)(?:/([0-9]{1,2}))?")


class Field(NamedTuple):
    """The range of one of the five fields; names stand for its values, from the smallest on."""

    words: str
    least: int
    most: int
    names: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day of the month", 1, 31),
    Field("month", 1, 12, MONTHS),
    Field("day of the week", 0, 7, DAYS),  # Sunday is 0 and 7
)


def problems_of_schedule(schedule: str) -> list[str]:
    """The problems of a schedule; an empty one is valid."""
    found = schedule.split()
    if found and len(found) != len(FIELDS):
        words = ", ".join(field.words for field in FIELDS)
        return [f"schedule {schedule!r}: give {words}, such as '0 3 * * *', or leave it empty"]
    return [
        f"schedule {schedule!r}: {text!r} is not a valid {field.words}"
        for text, field in zip(found, FIELDS, strict=False)
        if not all(_fits(part, field) for part in text.split(","))
    ]


def _fits(part: str, field: Field) -> bool:
    found = PART.fullmatch(part)
    if not found:
        return False
    first, last, step = found.groups()
    low = _number(first, field) if first else field.least
    high = _number(last, field) if last else field.most
    return field.least <= low <= high <= field.most and 1 <= int(step or 1) <= field.most


def _number(text: str, field: Field) -> int:
    """The value of a number or a name; -1 if it is neither."""
    if re.fullmatch("[0-9]{1,2}", text):
        return int(text)
    named = text.lower()
    return field.least + field.names.index(named) if named in field.names else -1
