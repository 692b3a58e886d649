"""Tables that runs have published, wherever they are: found by name, and one day of them chosen."""

from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import ConfigurationError
from runners.storage.bigquery_names import SCHEME as BIGQUERY
from runners.storage.bigquery_names import bigquery_table
from runners.storage.bigquery_reading import read_table
from runners.storage.days import day_is_not_there, days_of
from runners.storage.parquet_bucket import published_run
from runners.storage.spark_files import has_scheme


def published_table(
    spark: SparkSession, place: str, name: str, prefix: str = "", day: date | None = None
) -> DataFrame:
    """A published table: of the --out of a run, or `place` itself where that is the table.

    It has every day that the place keeps together, and the columns of all of them. A bucket keeps
    runs apart: there it is of the run that was published last, or last for `day`.
    """
    if place.startswith(BIGQUERY):
        return read_table(spark, bigquery_table(place, name, prefix))
    if prefix:
        raise ConfigurationError(place, ["--prefix is for bq:// alone"])
    place = place.rstrip("/")
    if place.split("/")[-1] == name:
        folder = place
    elif has_scheme(place):
        folder = f"{published_run(spark, place, day)}/{name}"
    else:
        folder = str(Path(place) / name)
    # Days whose profiles have other KPIs have other columns.
    return spark.read.option("mergeSchema", True).parquet(folder)


def chosen_day(table: DataFrame, place: str, day: date | None) -> date:
    """The day, or the last one of a table. Raises InputError with the days there if it is not."""
    days = days_of(table)
    if not days or day not in (None, *days):
        raise day_is_not_there(place, day, days)
    return day or days[-1]
