"""The days that a published table has."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame

from anomaly.errors import InputError

DAYS_NAMED = 10


def days_of(table: DataFrame) -> list[date]:
    """The days of a table, the first one first."""
    return sorted(row.run_date for row in table.select("run_date").distinct().collect())


def day_is_not_there(place: str, day: date | None, days: Sequence[date]) -> InputError:
    """An error that names the days that are there, the last of them where they are many."""
    if not days:
        return InputError(f"{place}: the tables there are empty")
    named = ", ".join(map(str, days[-DAYS_NAMED:]))
    more = f"{len(days) - DAYS_NAMED} earlier days, " if len(days) > DAYS_NAMED else ""
    return InputError(f"{place}: {day} is not there; there are {more}{named}")
