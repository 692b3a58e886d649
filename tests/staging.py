"""Keeps the intermediates of a run in a folder, as the runner does: short plans, quick tests."""

from pathlib import Path

from pyspark.sql import DataFrame, SparkSession

from anomaly.run import Keep
from runners.run import HELD


def staged_in(spark: SparkSession, folder: Path) -> Keep:
    """A `keep` that writes the frames that the runner stages, and reads them back."""

    def keep(name: str, frame: DataFrame) -> DataFrame:
        if name not in HELD:
            return frame
        frame.write.parquet(str(folder / name))
        return spark.read.schema(frame.schema).parquet(str(folder / name))

    return keep
