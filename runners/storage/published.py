"""One day of the tables that were published in a place."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.schema.tables import CELL_TABLE
from runners.storage.destination import Storage

DAYS_NAMED = 10


@dataclass(frozen=True)
class PublishedDay:
    """The tables of one published day; `cells` has the columns of all days."""

    spark: SparkSession
    place: Storage
    day: date
    cells: DataFrame

    def __str__(self) -> str:
        return f"{self.place}@{self.day}"

    def table(self, name: str, days: Sequence[date] = ()) -> DataFrame:
        """The rows of the day in a table, or of several published days."""
        of = [*days] or [self.day]
        table = self.place.table(self.spark, name, of)
        return table.where(F.col("run_date").isin([F.lit(day) for day in of]))


def published_day(spark: SparkSession, place: Storage, day: date | None) -> PublishedDay:
    """A published day of `place`, by default the last one.

    Raises InputError for a day that was not published, and lists those that were; Spark raises its
    own error if there are no tables.
    """
    cells = place.table(spark, CELL_TABLE)
    chosen = day_of(place, cells, day)
    return PublishedDay(spark, place, chosen, cells.where(F.col("run_date") == F.lit(chosen)))


def day_of(place: Storage, table: DataFrame, day: date | None) -> date:
    """A day of a published table, by default the last one.

    Raises InputError for a day that was not published, and lists those that were.
    """
    days = sorted(row.run_date for row in table.select("run_date").distinct().collect())
    if not days:
        raise InputError(f"{place}: the tables there are empty")
    if day not in (None, *days):
        named = ", ".join(map(str, days[-DAYS_NAMED:]))
        more = f"{len(days) - DAYS_NAMED} earlier days, " if len(days) > DAYS_NAMED else ""
        raise InputError(f"{place}: {day} is not there; there are {more}{named}")
    return day or days[-1]
