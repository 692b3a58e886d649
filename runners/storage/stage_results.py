"""What a stage leaves for the next one: its frames in a folder of its own, never changed.

gs://BUCKET/FOLDER/FRAME for each frame, and `done`, which is written last and says what they are
of. A stage that is repeated writes another folder, so that one that was given up and still runs
disturbs nobody.
"""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.profile.model import Profile
from anomaly.run import Run
from runners.engines.errors import failing_as
from runners.engines.spark.literal_paths import reader
from runners.storage.destination import FrameStore
from runners.storage.whole_parquet import write, write_whole

DONE = "done"


class StageFolder(FrameStore):
    """Takes the frames of a stage; `names` are those that it has."""

    def __init__(self, spark: SparkSession, folder: str) -> None:
        self.spark, self.folder = spark, folder
        self.names: list[str] = []

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a frame for later stages; returns it as it is read from there, and its rows.

        Raises OutputError where it cannot be written, InputError where Spark fails at reading what
        it is made from.
        """
        written = write_whole(name, frame, f"{self.folder}/{name}")
        self.names.append(name)
        return written

    def finish(self, run: Run, profile: Profile) -> None:
        """Say that all frames are there, and what they are of."""
        names = F.array(*map(F.lit, self.names)).alias("frames")
        one_row = self.spark.range(0, 1, 1, numPartitions=1).select(names)
        write(one_row.withColumns(run.columns(profile)), f"{self.folder}/{DONE}")


def read_stage(
    spark: SparkSession, folder: str, run: Run, profile: Profile
) -> dict[str, DataFrame]:
    """The frames of a stage. Raises InputError unless they are whole, of this day and profile."""
    with failing_as(InputError, f"{folder}: holds no results of a stage"):
        of = reader(spark).parquet(f"{folder}/{DONE}").head()
        if of is None:
            # Sail finds no rows where there is nothing, and does not fail.
            raise InputError(f"{folder}: holds no results of a stage: it did not end")
        _check(folder, "day", of.run_date, run.run_date)
        _check(folder, "profile", of.profile, profile.fingerprint)
        return {name: reader(spark).parquet(f"{folder}/{name}") for name in of.frames}


def _check(folder: str, what: str, found: object, expected: object) -> None:
    if found != expected:
        raise InputError(
            f"{folder}: its {what} is {found}, this run's is {expected}; repeat the earlier stages"
        )
