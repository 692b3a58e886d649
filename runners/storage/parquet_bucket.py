"""A folder of a bucket, such as gs://bucket/folder, as the place of the tables, as Parquet.

The tables of a run lie in runs/RUN_ID and never change. A bucket has no links and renames one
object at a time, so what is published is said by a table of its own: each run adds its part,
published/RUN_ID with one object in it, when all of its tables are there. The last one of each day
counts.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import date

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.expressions.frames import union
from anomaly.run import Run
from anomaly.schema.inputs import Column
from anomaly.schema.tables import HISTORY_TABLE
from runners.engines.errors import SPARK_ERRORS, root_cause
from runners.engines.spark.literal_paths import literal, reader
from runners.storage.destination import Destination, Storage
from runners.storage.spark_files import SparkFiles
from runners.storage.whole_parquet import write, write_whole

PUBLISHED = "run_id string, run_date date, published_at timestamp"
LOG = logging.getLogger(__name__)


class Bucket(Storage):
    """A file or a folder in a bucket, or anywhere else that Spark can read."""

    def files(self, spark: SparkSession) -> SparkFiles:
        """The file system of Spark, which has the credentials."""
        return SparkFiles(spark)

    def problems(self, is_destination: bool) -> list[str]:
        """The problems of names and options: a bucket only takes new tables, and changes none."""
        problems = super().problems(is_destination)
        if self.publishing.add_columns or self.publishing.keep_days:
            problems.append(
                "--add-columns and --keep-days are for a folder or bq://; on gs:// each run has "
                "its own columns, and lifecycle rules of the bucket remove old runs"
            )
        return problems

    def destination(
        self, spark: SparkSession, run: Run, columns: Mapping[str, Sequence[Column]]
    ) -> "ParquetBucket":
        """The destination of a run, whatever columns its tables have."""
        return ParquetBucket(spark, self, run)

    def days(self, spark: SparkSession, name: str) -> list[date]:
        """The published days, in order; a table may lack some of them."""
        return sorted({run.run_date for run in self._runs(spark)})

    def table(
        self, spark: SparkSession, name: str, days: Sequence[date] | None = None
    ) -> DataFrame:
        """A table with these days, each as its last published run wrote it.

        The history of a day is written by each run of that day or an earlier one.
        """
        if self.around(name) != self:
            return reader(spark).option("mergeSchema", True).parquet(literal(spark, self.address))
        runs = self._runs(spark)
        frames = []
        for day in days or sorted({run.run_date for run in runs}):
            of_day = [
                run
                for run in runs
                if run.run_date == day or (name == HISTORY_TABLE and run.run_date < day)
            ]
            path = f"{self}/runs/{of_day[-1].run_id}/{name}"
            table = reader(spark).parquet(literal(spark, path))
            frames.append(table.where(F.col("run_date") == F.lit(day)))
        if not frames:
            raise InputError(f"{self}: no run was published there")
        return union(frames, allow_missing=True)

    def _runs(self, spark: SparkSession) -> list[Row]:
        """The published runs, in order; none if nothing is published."""
        try:
            # One file per run, in a folder of its own.
            below = reader(spark).option("recursiveFileLookup", True).schema(PUBLISHED)
            runs = below.parquet(literal(spark, f"{self}/published")).collect()
        except SPARK_ERRORS as error:
            if "PATH_NOT_FOUND" in str(error):
                return []
            raise InputError(f"{self}: cannot be read: {root_cause(error)}") from error
        return sorted(runs, key=lambda run: run.published_at)


class ParquetBucket(Destination):
    """The tables of a run in a folder of a bucket, all of them published with one object."""

    def __init__(self, spark: SparkSession, place: Bucket, run: Run) -> None:
        self.spark, self.place, self.run = spark, place, run
        self._is_published = False

    @property
    def place_of_tables(self) -> str:
        """Where the tables lie from the first stage on."""
        return f"{self.place}/runs/{self.run.run_id}"

    def __enter__(self) -> "ParquetBucket":
        """Raises OutputError where the bucket cannot be written: it is found out now."""
        write(self.spark.range(0, 1, 1, numPartitions=1), f"{self.place_of_tables}/_check")
        return self

    def __exit__(self, *_: object) -> None:
        if not self._is_published:
            LOG.warning("left behind, not published: %s", self.place_of_tables)

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
        write(published, f"{self.place}/published/{self.run.run_id}")
        self._is_published = True
