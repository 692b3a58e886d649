"""A folder of a bucket, such as gs://bucket/folder, as the place of the tables, as Parquet.

The tables of a run lie in runs/RUN_ID and never change. A bucket has no links and renames one
object at a time, so what is published is said by a table of its own: each run adds its part,
published/RUN_ID with one object in it, when all of its tables are there. The last one counts.
"""

import logging
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.run import Run
from runners.storage.days import day_is_not_there, days_of
from runners.storage.held import held
from runners.storage.spark_errors import SPARK_ERRORS, told_in_one_line
from runners.storage.whole_parquet import write, write_whole

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
            F.lit(self.run.run_date).alias("run_date"),
            F.current_timestamp().alias("published_at"),
        )
        # Each in a folder of its own: two runs that wrote into one would share unfinished files.
        write(published, f"{self.folder}/published/{self.run.run_id}")
        self._is_published = True

    def read_back(self, name: str) -> DataFrame:
        """A table of the run that was published last. Raises InputError where none was."""
        return self.spark.read.parquet(f"{published_run(self.spark, self.folder)}/{name}")


def published_run(spark: SparkSession, folder: str, day: date | None = None) -> str:
    """The folder with the tables of the run that was published last in a folder of a bucket.

    With a day, of the one that was published last for it. Raises InputError where none was.
    """
    try:
        published = spark.read.parquet(f"{folder}/published/*")
        wanted = published if day is None else published.where(F.col("run_date") == F.lit(day))
        last = wanted.orderBy(F.desc("published_at")).head()
        if last is None and day is not None:
            raise day_is_not_there(folder, day, days_of(published))
    except SPARK_ERRORS as error:
        raise InputError(
            f"{folder}: no run was published there ({told_in_one_line(error)})"
        ) from error
    if last is None:
        raise InputError(f"{folder}: no run was published there")
    return f"{folder}/runs/{last.run_id}"
