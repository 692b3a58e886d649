"""The folders of the days of a table: TABLE/run_date=DAY."""

from contextlib import suppress
from datetime import date
from pathlib import Path

DAY = "run_date="


def day_folder(table: Path, day: date) -> Path:
    """The folder of a day of a table."""
    return table / f"{DAY}{day}"


def days_of(table: Path) -> list[date]:
    """The days that a table has, in order; what else lies there is none of it."""
    found = (day_of(part) for part in table.glob(f"{DAY}*"))
    return sorted(day for day in found if day)


def day_of(folder: Path) -> date | None:
    """The day whose folder it is, None of anything else."""
    with suppress(ValueError):
        day = date.fromisoformat(folder.name.removeprefix(DAY))
        # Only as runs write it, not 20261101.
        if folder.name == f"{DAY}{day}" and folder.is_dir():
            return day
    return None
