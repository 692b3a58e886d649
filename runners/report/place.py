"""The tables of one published run, found by its day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.schema.tables import CELL_TABLE, HISTORY_TABLE, SUMMARY_TABLE
from runners.storage.bigquery_names import SCHEME as BIGQUERY
from runners.storage.published import chosen_day, published_days, published_table

# Alarms are shown of so many days up to that of the run.
ALARM_DAYS = 7


@dataclass(frozen=True)
class PublishedRun:
    """One day of the tables that runs have published in a place."""

    spark: SparkSession
    place: str
    prefix: str
    day: date

    def table(self, name: str) -> DataFrame:
        """The rows of the day."""
        return self._of_days(name, [self.day])

    def history(self) -> DataFrame | None:
        """The history of the day; None of runs that were published before there was one."""
        days = published_days(self.spark, self.place, HISTORY_TABLE, self.prefix)
        return self.table(HISTORY_TABLE) if self.day in days else None

    def alarm_days(self) -> list[date]:
        """The days of the last week, up to this one, of which alarms were judged."""
        first = self.day - timedelta(days=ALARM_DAYS - 1)
        summary = published_table(self.spark, self.place, SUMMARY_TABLE, self.prefix)
        is_judged = F.col("run_date").between(F.lit(first), F.lit(self.day))
        judged = summary.where(is_judged & (F.col("section") == "alarms"))
        return sorted(row.run_date for row in judged.select("run_date").distinct().collect())

    def tables_of_alarms(self, name: str, days: Sequence[date]) -> DataFrame:
        """A table of alarms, of days of which alarms were judged."""
        return self._of_days(name, days)

    def _of_days(self, name: str, days: Sequence[date]) -> DataFrame:
        table = published_table(self.spark, self.place, name, self.prefix, days)
        return table.where(F.col("run_date").isin([F.lit(day) for day in days]))


def published_run(spark: SparkSession, place: str, prefix: str, day: date | None) -> PublishedRun:
    """A day of what was published in `place`, or the last one there.

    The cell table itself stands for the place that it is in. Raises InputError for a day that is
    not there, with those that are; Spark raises an error of its own where there are no tables.
    """
    place, prefix = _place_of_cell_table(place.rstrip("/"), prefix)
    cells = published_table(spark, place, CELL_TABLE, prefix)
    return PublishedRun(spark, place, prefix, chosen_day(cells, place, day))


def _place_of_cell_table(place: str, prefix: str) -> tuple[str, str]:
    if not place.endswith(CELL_TABLE):
        return place, prefix
    if place.startswith(BIGQUERY):
        dataset, _, name = place.rpartition(".")
        return dataset, name.removesuffix(CELL_TABLE).rstrip("_")
    return place.removesuffix(PurePosixPath(place).name).rstrip("/") or ".", prefix
