"""Tables that runs have published, wherever they are, found by their names."""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import ConfigurationError, InputError
from runners.storage import parquet_bucket
from runners.storage.bigquery_names import SCHEME as BIGQUERY
from runners.storage.bigquery_names import bigquery_table
from runners.storage.bigquery_reading import read_table
from runners.storage.spark_files import has_scheme


def published_table(spark: SparkSession, place: str, name: str, prefix: str = "") -> DataFrame:
    """A published table, of all days: of the --out of runs, or `place` itself where it is that.

    It has the columns of all days. Raises InputError where a bucket holds no such table; Spark
    raises an error of its own where another place does not.
    """
    if place.startswith(BIGQUERY):
        return read_table(spark, bigquery_table(place, name, prefix))
    if prefix:
        raise ConfigurationError(place, ["--prefix is for bq:// alone"])
    place = place.rstrip("/")
    if place.split("/")[-1] != name:
        if has_scheme(place):
            days = parquet_bucket.published_days(spark, place)
            if not days:
                raise InputError(f"{place}: no run was published there")
            return parquet_bucket.published_table(spark, place, name, days)
        place = str(Path(place) / name)
    return spark.read.option("mergeSchema", True).parquet(place)
