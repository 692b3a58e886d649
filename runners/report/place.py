"""The published tables of one day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import PurePosixPath

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.schema.tables import CELL_TABLE, HISTORY_TABLE, SUMMARY_TABLE
from runners.storage.bigquery_names import SCHEME as BIGQUERY
from runners.storage.published import chosen_day, published_days, published_table

# Alarms are shown for this many days, up to the day of the run.
ALARM_DAYS = 7


@dataclass(frozen=True)
class PublishedRun:
    """One day of the tables that were published in a place."""

    spark: SparkSession
    place: str
    prefix: str
    day: date

    def table(self, name: str) -> DataFrame:
        """The rows of the day in a table."""
        return self._of_days(name, [self.day])

    def history(self) -> DataFrame | None:
        """The maintenance history of the day; None for runs of older versions, which had none."""
        days = published_days(self.spark, self.place, HISTORY_TABLE, self.prefix)
        return self.table(HISTORY_TABLE) if self.day in days else None

    def alarm_days(self) -> list[date]:
        """The days of the last week, up to this one, for which alarms were judged."""
        first = self.day - timedelta(days=ALARM_DAYS - 1)
        summary = published_table(self.spark, self.place, SUMMARY_TABLE, self.prefix)
        is_judged = F.col("run_date").between(F.lit(first), F.lit(self.day))
        judged = summary.where(is_judged & (F.col("section") == "alarms"))
        return sorted(row.run_date for row in judged.select("run_date").distinct().collect())

    def tables_of_alarms(self, name: str, days: Sequence[date]) -> DataFrame:
        """A table of alarms, for days for which alarms were judged."""
        return self._of_days(name, days)

    def _of_days(self, name: str, days: Sequence[date]) -> DataFrame:
        table = published_table(self.spark, self.place, name, self.prefix, days)
        return table.where(F.col("run_date").isin([F.lit(day) for day in days]))


def published_run(spark: SparkSession, place: str, prefix: str, day: date | None) -> PublishedRun:
    """A published day of `place`, by default the last one.

    The path of the cell table stands for its folder or dataset. Raises InputError for a day that
    was not published, and lists those that were; Spark raises its own error if there are no tables.
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
