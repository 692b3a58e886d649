"""Tables that runs have published, wherever they are: found by name, and one day of them chosen."""

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import ConfigurationError, InputError
from runners.storage import parquet_bucket
from runners.storage.bigquery_names import SCHEME as BIGQUERY
from runners.storage.bigquery_names import bigquery_table
from runners.storage.bigquery_reading import read_table
from runners.storage.literal_paths import literal, reader
from runners.storage.local_files import absolute
from runners.storage.spark_files import has_scheme
from runners.storage.versions import Versions, day_folder, days_of

DAYS_NAMED = 10


def published_table(
    spark: SparkSession,
    place: str,
    name: str,
    prefix: str = "",
    days: Sequence[date] | None = None,
) -> DataFrame:
    """A published table, of all days: of the --out of runs, or `place` itself where it is that.

    It has the columns of all days. Where not every run made it, name the `days` on which one did.
    Raises InputError where a bucket holds no such table; Spark raises an error of its own where
    another place does not.
    """
    if place.startswith(BIGQUERY):
        return read_table(spark, bigquery_table(place, name, prefix))
    if prefix:
        raise ConfigurationError(place, ["--prefix is for bq:// alone"])
    place = place.rstrip("/")
    if place.split("/")[-1] != name:
        if has_scheme(place):
            days = days or parquet_bucket.published_days(spark, place)
            if not days:
                raise InputError(f"{place}: no run was published there")
            return parquet_bucket.published_table(spark, place, name, days)
        place = f"{place}/{name}"
    reading = reader(spark).option("mergeSchema", True)
    if has_scheme(place):
        return reading.parquet(literal(spark, place))
    table = Path(absolute(place))
    # One by one: another folder beside them would turn the days into texts.
    folders = [literal(spark, str(day_folder(table, day))) for day in days_of(table)]
    if folders:
        return reading.option("basePath", str(table)).parquet(*folders)
    return reading.parquet(literal(spark, str(table)))


def published_days(spark: SparkSession, place: str, name: str, prefix: str = "") -> list[date]:
    """The days of a published table in the --out of runs, in order; none where nothing is yet."""
    if place.startswith(BIGQUERY):
        from runners.storage.bigquery_calls import days_of_table

        return days_of_table(bigquery_table(place, name, prefix))
    if has_scheme(place):
        return parquet_bucket.published_days(spark, place.rstrip("/"))
    return Versions(Path(place)).days(name)


def chosen_day(table: DataFrame, place: str, day: date | None) -> date:
    """The day, or the last one of a table. Raises InputError with the days there if it is not."""
    days = sorted(row.run_date for row in table.select("run_date").distinct().collect())
    if not days or day not in (None, *days):
        raise _day_is_not_there(place, day, days)
    return day or days[-1]


def _day_is_not_there(place: str, day: date | None, days: Sequence[date]) -> InputError:
    if not days:
        return InputError(f"{place}: the tables there are empty")
    named = ", ".join(map(str, days[-DAYS_NAMED:]))
    more = f"{len(days) - DAYS_NAMED} earlier days, " if len(days) > DAYS_NAMED else ""
    return InputError(f"{place}: {day} is not there; there are {more}{named}")
