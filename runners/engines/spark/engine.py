"""Apache Spark as the engine: on this machine, on a cluster, or through Spark Connect."""

import json
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, Observation, Row, SparkSession
from pyspark.sql import functions as F

from runners.engines.days import day_folder
from runners.engines.engine import CsvFormat, Engine, InputFile, Keeper, Kept, MayRunOn
from runners.engines.errors import reading_and_writing
from runners.engines.spark import reading
from runners.engines.spark.kept import truncate_lineage
from runners.engines.spark.literal_paths import literal, reader


class SparkEngine(Engine):
    """Apache Spark."""

    name = "spark"

    def read_csv(
        self, spark: SparkSession, files: Sequence[InputFile], form: CsvFormat, may_run_on: MayRunOn
    ) -> DataFrame:
        """By Spark's own reader."""
        return reading.read_csv(spark, files, form, may_run_on)

    def read_parquet(
        self, spark: SparkSession, files: Sequence[InputFile], columns: Collection[str], place: str
    ) -> list[tuple[str, DataFrame]]:
        """By Spark's own reader, which reads only the columns that are used."""
        return reading.read_parquet(spark, files, place)

    def read_days(self, spark: SparkSession, table: Path, days: Iterable[date]) -> DataFrame:
        """Days of a table, with the columns of all of them."""
        merging = reader(spark).option("mergeSchema", True)
        # One by one: any other folder beside them would turn the days into strings.
        folders = [literal(spark, str(day_folder(table, day))) for day in days]
        if folders:
            return merging.option("basePath", str(table)).parquet(*folders)
        return merging.parquet(literal(spark, str(table)))

    def write(self, frame: DataFrame, target: Path, *partitions: str) -> tuple[DataFrame, int]:
        """Count the rows as they are written."""
        counted = Observation()
        with reading_and_writing(str(target)):
            counting = frame.observe(counted, F.count(F.lit(1)).alias("rows"))
            counting.write.partitionBy(*partitions).parquet(str(target))
        spark = frame.sparkSession
        written = reader(spark).schema(frame.schema).parquet(literal(spark, str(target)))
        return written, counted.get["rows"]

    def keeper(self, packs_inputs: bool) -> Keeper:
        """Persists frames, or ends their plans where they are."""
        return PersistedFrames(packs_inputs)

    def frame_of(self, spark: SparkSession, rows: Sequence[Row], type_: str) -> DataFrame:
        """A frame of one partition.

        By their JSON, because createDataFrame starts a process of Python to hand them over; and not
        beside range(), at whose first use Spark starts up the reflection of Scala: a second. Spark
        fails where it cannot read the JSON, rather than leave rows out.
        """
        texts = json.dumps([row.asDict() for row in rows], default=str)
        of_one_row = spark.sql("SELECT 1")
        array = F.from_json(F.lit(texts), f"array<{type_}>", {"mode": "FAILFAST"})
        return of_one_row.select(F.inline(array))


class PersistedFrames:
    """Frames in the memory and on the disks of those who computed them."""

    def __init__(self, packs_inputs: bool) -> None:
        self._packs_inputs = packs_inputs
        self._kept: list[DataFrame] = []

    def keep(self, name: str, frame: DataFrame, has_input_rows: bool) -> Kept:
        """Large inputs are persisted with their whole plan, which packs columns."""
        packs = has_input_rows and self._packs_inputs
        kept = frame.persist() if packs else truncate_lineage(name, frame)
        self._kept.append(kept)
        return kept, None

    def shorten(self, name: str, frame: DataFrame) -> Kept:
        """Left as it is: each frame that is kept costs a job."""
        return frame, None

    def release(self) -> None:
        """Free the memory."""
        for frame in self._kept:
            frame.unpersist()
