"""Reads paths as they are written: to Spark `samples[1].csv` is otherwise a pattern."""

from pyspark.sql import DataFrameReader, SparkSession

# Spark's own, of its streams: with it paths are no patterns. Spark 3.2 to 4.1 know it.
GLOBS = "__globPaths__"


def reader(spark: SparkSession) -> DataFrameReader:
    """A reader to which a path is a name, whatever characters it has."""
    return spark.read.option(GLOBS, False)
