"""A folder of this machine as the place of the tables, as Parquet, with a folder for each day."""

import fcntl
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import ClassVar

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import OutputError
from anomaly.run import Run
from anomaly.schema.inputs import Column
from anomaly.schema.tables import CELL_TABLE, HISTORY_TABLE
from runners.engines.choice import engine_of
from runners.engines.days import day_folder, days_of
from runners.storage.columns import removed_columns, types_of, with_removed
from runners.storage.destination import Destination, Storage
from runners.storage.local_files import LocalFiles, absolute
from runners.storage.versions import Versions

STAGING = ".staging"


class LocalFolder(Storage):
    """A file or a folder on this machine."""

    needs_spark: ClassVar[bool] = False

    @property
    def folder(self) -> str:
        """The path with its links resolved."""
        return absolute(str(Path(self.address).resolve()))

    def files(self, spark: SparkSession) -> LocalFiles:
        """The local file system, without Spark."""
        return LocalFiles()

    def destination(
        self, spark: SparkSession, run: Run, columns: Mapping[str, Sequence[Column]]
    ) -> "ParquetFolder":
        """The destination of a run."""
        return ParquetFolder(spark, self, run, columns)

    def days(self, spark: SparkSession, name: str) -> list[date]:
        """The published days of a table, in order."""
        return Versions(Path(self.address)).days(name)

    def table(
        self, spark: SparkSession, name: str, days: Sequence[date] | None = None
    ) -> DataFrame:
        """A table with all days."""
        table = Path(absolute(str(Path(self.around(name).address) / name)))
        return engine_of(spark).read_days(spark, table, days_of(table))


class ParquetFolder(Destination):
    """A folder with TABLE/run_date=DAY/ for each table and day (runners.storage.versions).

    A run owns its day: all that is published of it is replaced at once, other days stay. It holds
    the folder for itself while it is open.
    """

    def __init__(
        self,
        spark: SparkSession,
        place: LocalFolder,
        run: Run,
        columns: Mapping[str, Sequence[Column]],
    ) -> None:
        """`columns` are those of each table that the run publishes."""
        self.spark, self.place, self.run, self.columns = spark, place, run, types_of(columns)
        self.folder = Path(absolute(place.address))
        self.versions = Versions(self.folder)
        self.staging = self.folder / STAGING / run.run_id
        self.tables, self.intermediates = self.staging / "tables", self.staging / "intermediates"
        self._removed = {name: dict[str, str]() for name in columns}

    def __enter__(self) -> "ParquetFolder":
        """Raises OutputError where the folder, or what is published there, takes no such run."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = (self.folder / ".lock").open("w")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._tidy_up()
            self.tables.mkdir(parents=True)
        except BlockingIOError as error:
            self._lock.close()
            raise OutputError(f"{self.folder}: another run writes there; wait for it") from error
        except OSError as error:
            raise OutputError(f"{self.folder}: cannot be written: {error}") from error
        try:
            self._compare()
        except OutputError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """What was not published is removed; what was published before stays."""
        self._tidy_up()
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
        return self._write(frame, self.intermediates / name)

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a table where no reader looks yet, read it back, and tell its rows.

        Raises InputError where Spark fails at reading what the table is made from, OutputError
        where it cannot write.
        """
        frame = frame.transform(with_removed, self._removed[name])
        if name == HISTORY_TABLE:
            return self._write(frame, self.tables / name, "run_date")
        target = day_folder(self.tables / name, self.run.run_date)
        kept, rows = self._write(frame.drop("run_date"), target)
        return kept.withColumn("run_date", self.run.date_column), rows

    def publish(self) -> None:
        """Put the staged tables in place of what is published of their days."""
        staged = {
            name: {self.run.run_date, *days_of(self.tables / name)}
            for name in (*self.versions.tables(), *self.columns)
        }
        kept_days = timedelta(days=self.place.publishing.keep_days or 0)
        columns = {name: types | self._removed[name] for name, types in self.columns.items()}

        def stays(table: str, day: date) -> bool:
            is_kept = not kept_days or day > self.run.run_date - kept_days
            return is_kept and day not in staged[table]

        try:
            self.versions.publish(self.run.run_id, self.tables, columns, stays)
        except OSError as error:
            raise OutputError(f"{self.folder}: not published: {error}") from error

    def published(self, name: str, days: Iterable[date]) -> DataFrame:
        """A published table with these days, and only their columns."""
        return engine_of(self.spark).read_days(self.spark, self.folder / name, days)

    def _compare(self) -> None:
        if strays := self.versions.strays(self.columns):
            named = ", ".join(map(str, strays))
            raise OutputError(f"{named}: is there, but no run has put it there; move it away")
        tables = self.versions.tables()
        if CELL_TABLE in tables and CELL_TABLE not in self.columns:
            raise OutputError(
                f"{self.folder}: holds tables of `run`, whose day this run would replace as a "
                "whole; give another --out"
            )
        self._removed = removed_columns(
            str(self.folder),
            self.versions.columns(),
            self.columns,
            self.place.publishing.add_columns,
        )

    def _write(self, frame: DataFrame, target: Path, *partitions: str) -> tuple[DataFrame, int]:
        return engine_of(self.spark).write(frame, target, *partitions)

    def _tidy_up(self) -> None:
        shutil.rmtree(self.folder / STAGING, ignore_errors=True)
        self.versions.tidy_up()
