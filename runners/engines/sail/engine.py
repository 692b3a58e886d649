"""Sail as the engine: reading, keeping and writing on the disks of this machine.

Sail lacks Spark's readers of broken CSV files and the provenance of rows, so inputs are read by
Arrow; and it keeps no frame in memory, so intermediates are Parquet files.
"""

import shutil
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.types import to_arrow_schema

from anomaly.expressions.frames import union
from runners.engines.days import day_folder, days_of
from runners.engines.engine import CsvFormat, Engine, InputFile, Keeper, Kept, MayRunOn
from runners.engines.errors import reading_and_writing
from runners.engines.sail import reading
from runners.engines.sail.broken_files import naming_broken_files
from runners.engines.sail.temporary import plain_path, read_folder, temporary_folder


class SailEngine(Engine):
    """Sail."""

    name = "sail"

    def read_csv(
        self, spark: SparkSession, files: Sequence[InputFile], form: CsvFormat, may_run_on: MayRunOn
    ) -> DataFrame:
        """By Arrow, into temporary Parquet files."""
        return reading.read_csv(spark, files, form)

    def read_parquet(
        self, spark: SparkSession, files: Sequence[InputFile], columns: Collection[str], place: str
    ) -> list[tuple[str, DataFrame]]:
        """By Arrow, into temporary Parquet files."""
        return reading.read_parquet(spark, files, columns, place)

    def read_days(self, spark: SparkSession, table: Path, days: Iterable[date]) -> DataFrame:
        """Days of a table, with the columns of all of them."""
        frames = [
            read_folder(spark, day_folder(table, day)).withColumn("run_date", F.lit(day))
            for day in days
        ]
        if not frames:
            return read_folder(spark, table)
        return union(frames, allow_missing=True)

    def write(self, frame: DataFrame, target: Path, *partitions: str) -> tuple[DataFrame, int]:
        """Write; Sail counts nothing meanwhile, but the footers of the files say how many rows."""
        spark, by_day = frame.sparkSession, bool(partitions)
        with reading_and_writing(str(target)), naming_broken_files(frame):
            writer = frame.write.partitionBy(*partitions)
            target.parent.mkdir(parents=True, exist_ok=True)
            writer.parquet(str(plain_path(target.parent) / target.name))
            rows = sum(pq.read_metadata(file).num_rows for file in target.rglob("*.parquet"))
            if not rows and not by_day:
                _write_no_rows(frame, target)
        if by_day and rows:
            return self.read_days(spark, target, days_of(target)).select(*frame.columns), rows
        return (frame if by_day else read_folder(spark, target)), rows

    def keeper(self, packs_inputs: bool) -> Keeper:
        """Writes frames to temporary files."""
        return WrittenFrames(self)

    def frame_of(self, spark: SparkSession, rows: Sequence[Row], type_: str) -> DataFrame:
        """By Arrow."""
        return spark.createDataFrame([*map(tuple, rows)], type_)


class WrittenFrames:
    """Frames in temporary Parquet files."""

    def __init__(self, engine: SailEngine) -> None:
        self._engine = engine
        self._folder = temporary_folder()

    def keep(self, name: str, frame: DataFrame, has_input_rows: bool) -> Kept:
        """Compute the frame at once."""
        return self._engine.write(frame, self._folder / name)

    def shorten(self, name: str, frame: DataFrame) -> Kept:
        """Kept: Sail plans a frame twice as long if it is used twice."""
        return self.keep(name, frame, has_input_rows=False)

    def release(self) -> None:
        """Remove the files."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _write_no_rows(frame: DataFrame, target: Path) -> None:
    """Write a file with the columns alone, which Sail does not for a frame without rows."""
    target.mkdir(parents=True, exist_ok=True)
    pq.write_table(to_arrow_schema(frame.schema).empty_table(), target / "part-0.parquet")
