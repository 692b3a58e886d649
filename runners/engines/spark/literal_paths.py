"""Reads paths as they are written: to Spark `samples[1].csv` is otherwise a pattern."""

import re

from pyspark.sql import DataFrameReader, SparkSession

# Spark's own, of its streams: with it paths are no patterns. Spark 3.2 to 4.1 know it.
GLOBS = "__globPaths__"
MARKS = re.compile(r"([\\{}\[\]*?])")


def reader(spark: SparkSession) -> DataFrameReader:
    """A reader to which a path is a name, whatever characters it has."""
    return spark.read.option(GLOBS, False)


def literal(spark: SparkSession, path: str) -> str:
    """A path as `reader` takes it.

    Through Spark Connect that option loses its capitals, and counts for nothing: what makes a
    pattern of a path is escaped there.
    """
    is_connect = type(spark).__module__.startswith("pyspark.sql.connect")
    return MARKS.sub(r"\\\1", path) if is_connect else path
