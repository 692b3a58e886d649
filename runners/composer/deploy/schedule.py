"""Whether a schedule is one of cron, before Airflow finds out that it is not."""

import re
from typing import NamedTuple

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
# *, N or N-M, each with /STEP where need be.
PART = re.compile(r"(?:\*|(\w{1,3})(?:-(\w{1,3}))?)(?:/([0-9]{1,2}))?")


class Field(NamedTuple):
    """What one of the five fields may hold; the names stand for its values from the least on."""

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


def faults_of(schedule: str) -> list[str]:
    """What is wrong with a schedule; nothing is with an empty one."""
    found = schedule.split()
    if found and len(found) != len(FIELDS):
        words = ", ".join(field.words for field in FIELDS)
        return [f"schedule {schedule!r}: give {words}, such as '0 3 * * *', or nothing"]
    return [
        f"schedule {schedule!r}: {text!r} is no {field.words}"
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
    """The value that a number or a name stands for; -1 where it stands for none."""
    if re.fullmatch("[0-9]{1,2}", text):
        return int(text)
    named = text.lower()
    return field.least + field.names.index(named) if named in field.names else -1
