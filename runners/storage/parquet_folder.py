"""A folder of this machine as the place of the tables, as Parquet."""

import fcntl
import shutil
from pathlib import Path

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import OutputError
from runners.storage.spark_errors import reading_and_writing

RUNS, CURRENT = ".runs", ".current"
# What is staged under such a name serves the run alone and is never published.
INTERMEDIATE = "intermediate-"


class ParquetFolder:
    """A folder with a table in each sub-folder, all of them published in one instant.

    The tables of a run lie in .runs/RUN_ID; `.current` is a link to the published run, and each
    table a link into it. Publishing replaces the one link, so that a reader finds all tables of
    one run or all of the one before. A run holds the folder for itself while it is open.
    """

    def __init__(self, spark: SparkSession, folder: str, run_id: str) -> None:
        self.spark = spark
        self.folder = Path(folder)
        self.runs = self.folder / RUNS
        self.staging = self.runs / run_id
        self.current = self.folder / CURRENT

    def __enter__(self) -> "ParquetFolder":
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.staging.mkdir(parents=True)
        except BlockingIOError as error:
            self._lock.close()
            raise OutputError(f"{self.folder}: another run writes there; wait for it") from error
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be written: {error}") from error
        self._remove_all_but(self.staging.name, self._published())
        return self

    def __exit__(self, *_: object) -> None:
        """What was not published is removed; what was published before stays."""
        self._remove_all_but(self._published())
        self._lock.close()

    @property
    def place_of_tables(self) -> str:
        """Where a reader finds the published tables."""
        return str(self.folder.resolve())

    def hold(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write an intermediate beside the tables, and read it back.

        That also ends the plan there; a persisted frame's plan stays whole, and Spark compares it
        again at each later step, which takes longer than writing it.
        """
        return self.stage(f"{INTERMEDIATE}{name}", frame)

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a table where no reader looks yet, read it back, and tell its rows.

        Raises InputError where Spark fails at reading what the table is made from, OutputError
        where it cannot write.
        """
        target = str(self.staging / name)
        counted = Observation()
        with reading_and_writing(target):
            frame.observe(counted, F.count(F.lit(1)).alias("rows")).write.parquet(target)
        return self.spark.read.schema(frame.schema).parquet(target), counted.get["rows"]

    def publish(self) -> None:
        """Put the staged tables in place of the previous ones."""
        try:
            for table in sorted(self.staging.iterdir()):
                if table.name.startswith(INTERMEDIATE):
                    shutil.rmtree(table)
                else:
                    self._link_table(table.name)
            link = self.staging / CURRENT
            link.symlink_to(Path(RUNS) / self.staging.name)
            link.replace(self.current)
        except OSError as error:
            raise OutputError(f"{self.folder}: not published: {error}") from error

    def read_back(self, name: str) -> DataFrame:
        """A published table."""
        return self.spark.read.parquet(str(self.folder / name))

    def _link_table(self, name: str) -> None:
        table = self.folder / name
        if table.exists() and not table.is_symlink():
            raise OutputError(f"{table}: is there, but no run has put it there; move it away")
        if not table.is_symlink():
            table.symlink_to(Path(CURRENT) / name)

    def _published(self) -> str:
        return self.current.readlink().name if self.current.is_symlink() else ""

    def _remove_all_but(self, *run_ids: str) -> None:
        for run in self.runs.iterdir():
            if run.name not in run_ids:
                shutil.rmtree(run, ignore_errors=True)
