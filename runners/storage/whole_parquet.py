"""Writes frames as Parquet to a storage service, and checks that every row arrived."""

from pyspark.sql import DataFrame

from anomaly.errors import OutputError
from runners.engines.errors import failing_as
from runners.engines.spark.kept import held
from runners.engines.spark.literal_paths import reader


def write_whole(name: str, frame: DataFrame, target: str) -> tuple[DataFrame, int]:
    """Write a frame where nothing is yet; returns it as it is read from there, and its rows.

    Raises InputError where Spark fails at reading what the frame is made from, OutputError where
    it cannot be written or not every row arrived.
    """
    kept, rows = held(name, frame)
    write(kept, target)
    written = reader(frame.sparkSession).schema(frame.schema).parquet(target)
    arrived = written.count()
    if arrived != rows:
        raise OutputError(f"{target}: {arrived} of {rows} rows arrived; run again")
    return written, rows


def write(frame: DataFrame, target: str) -> None:
    """Write a frame where nothing is yet. Raises OutputError where it cannot be written."""
    with failing_as(OutputError, f"{target}: cannot be written"):
        frame.write.parquet(target)
