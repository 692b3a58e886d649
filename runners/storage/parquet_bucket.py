"""A folder of a bucket, such as gs://bucket/folder, as the place of the tables, as Parquet.

The tables of a run lie in runs/RUN_ID and never change. A bucket has no links and renames one
object at a time, so what is published is said by a table of its own: each run adds its part,
published/RUN_ID with one object in it, when all of its tables are there. The last one of each day
counts.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial, reduce

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.run import Run
from anomaly.schema.tables import HISTORY_TABLE
from runners.storage.held import held
from runners.storage.literal_paths import literal, reader
from runners.storage.spark_errors import SPARK_ERRORS, root_cause
from runners.storage.whole_parquet import write, write_whole

PUBLISHED = "run_id string, run_date date, published_at timestamp"
LOG = logging.getLogger(__name__)


class ParquetBucket:
    """The tables of a run in a folder of a bucket, all of them published with one object."""

    def __init__(self, spark: SparkSession, folder: str, run: Run) -> None:
        self.spark, self.folder, self.run = spark, folder.rstrip("/"), run
        self.place_of_tables = f"{self.folder}/runs/{run.run_id}"
        self._is_published = False

    def __enter__(self) -> "ParquetBucket":
        """Raises OutputError where the bucket cannot be written: it is found out now."""
        write(self.spark.range(0, 1, 1, numPartitions=1), f"{self.place_of_tables}/_check")
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_published:
            LOG.warning("left behind, not published: %s", self.place_of_tables)

    def hold(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Keep an intermediate for the run, and count its rows."""
        return held(name, frame)

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a table, and read back how many rows arrived.

        Raises InputError where Spark fails at reading what the table is made from, OutputError
        where not every row arrived.
        """
        return write_whole(name, frame, f"{self.place_of_tables}/{name}")

    def publish(self) -> None:
        """Say, in one object, that the tables of this run are the ones to read."""
        published = self.spark.range(0, 1, 1, numPartitions=1).select(
            F.lit(self.run.run_id).alias("run_id"),
            self.run.date_column.alias("run_date"),
            F.current_timestamp().alias("published_at"),
        )
        # Each in a folder of its own: two runs that wrote into one would share unfinished files.
        write(published, f"{self.folder}/published/{self.run.run_id}")
        self._is_published = True

    def days(self, name: str) -> list[date]:
        """The days that are published, in order."""
        return published_days(self.spark, self.folder)

    def published(self, name: str, days: Iterable[date]) -> DataFrame:
        """A published table, of these days, which are there."""
        return published_table(self.spark, self.folder, name, days)


@dataclass(frozen=True)
class PublishedRun:
    """A run that was published in a folder of a bucket."""

    run_id: str
    run_date: date
    published_at: datetime


def published_runs(spark: SparkSession, folder: str) -> list[PublishedRun]:
    """The runs that were published in a folder of a bucket, in turn; none where nothing is."""
    try:
        # One file in a folder of its own for each of them.
        below = reader(spark).option("recursiveFileLookup", True).schema(PUBLISHED)
        rows = below.parquet(literal(spark, f"{folder}/published")).collect()
    except SPARK_ERRORS as error:
        if "PATH_NOT_FOUND" in str(error):
            return []
        raise InputError(f"{folder}: cannot be read: {root_cause(error)}") from error
    found = (PublishedRun(row.run_id, row.run_date, row.published_at) for row in rows)
    return sorted(found, key=lambda run: run.published_at)


def published_days(spark: SparkSession, folder: str) -> list[date]:
    """The days that were published in a folder of a bucket, in order."""
    return sorted({run.run_date for run in published_runs(spark, folder)})


def published_table(spark: SparkSession, folder: str, name: str, days: Iterable[date]) -> DataFrame:
    """A table of these days: of each the rows of the run that was published last.

    The history of a day is written by each run of that day or of one before.
    """
    runs = published_runs(spark, folder)
    frames = []
    for day in days:
        of_day = [
            run
            for run in runs
            if run.run_date == day or (name == HISTORY_TABLE and run.run_date < day)
        ]
        path = f"{folder}/runs/{of_day[-1].run_id}/{name}"
        table = reader(spark).parquet(literal(spark, path))
        frames.append(table.where(F.col("run_date") == F.lit(day)))
    return reduce(partial(DataFrame.unionByName, allowMissingColumns=True), frames)
