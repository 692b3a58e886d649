"""Storage of inputs and published tables, and the destination of the tables of one run."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Protocol, Self

from pyspark.sql import DataFrame, SparkSession

from anomaly.run import Run
from anomaly.schema.inputs import Column
from runners.engines.spark.kept import held
from runners.storage.files import FileSystem


@dataclass(frozen=True)
class Publishing:
    """How tables are published.

    prefix: prefix of the names of BigQuery tables. staging_bucket: BigQuery tables are loaded from
    this bucket; None writes them directly. add_columns: columns that published tables lack are
    added, NULL on older days. keep_days: the number of days up to the day of the run that are kept,
    older ones are removed; None keeps all.
    """

    prefix: str = ""
    staging_bucket: str | None = None
    add_columns: bool = False
    keep_days: int | None = None


DEFAULT_PUBLISHING = Publishing()


def bigquery_only(publishing: Publishing) -> list[str]:
    """The problems of these options for any other destination."""
    options = {"--prefix": publishing.prefix, "--staging-bucket": publishing.staging_bucket}
    given = [option for option, value in options.items() if value]
    are = "is" if len(given) == 1 else "are"
    return [f"{' and '.join(given)} {are} only for bq://"] if given else []


class FrameStore(Protocol):
    """Keeps frames of one run."""

    spark: SparkSession

    def hold(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Keep an intermediate for the run; returns the frame to go on with, and its rows."""
        return held(name, frame)

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a table where no reader looks; returns the frame to go on with, and its rows."""


class Destination(FrameStore, Protocol):
    """Takes the tables of one run, and lets readers see all of them at once or none.

    Entered before the first stage, it raises OutputError where it could not take them; left, it
    removes what was staged and not published, or says what it leaves behind.
    """

    place: "Storage"

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def publish(self) -> None:
        """Let readers see the staged tables in place of those before."""

    @property
    def place_of_tables(self) -> str:
        """Where a reader finds the published tables."""

    def days(self, name: str) -> list[date]:
        """The days that are published of a table, in order."""
        return self.place.days(self.spark, name)

    def published(self, name: str, days: Iterable[date]) -> DataFrame:
        """A published table, of these days, which are there."""
        return self.place.table(self.spark, name, [*days])


@dataclass(frozen=True)
class Storage(ABC):
    """A place that holds inputs, published tables, or both; as a text it is its address."""

    # Whether Spark alone reaches it; every engine does what is on this machine.
    needs_spark: ClassVar[bool] = True

    address: str
    publishing: Publishing = DEFAULT_PUBLISHING

    def __str__(self) -> str:
        return self.address

    @property
    def folder(self) -> str | None:
        """Its full address if it can hold files, None if it holds only tables."""
        return self.address.rstrip("/")

    def problems(self, is_destination: bool) -> list[str]:
        """The problems of its names and, for a destination, of how tables are published there."""
        return bigquery_only(self.publishing)

    def around(self, name: str) -> Self:
        """The storage that holds this table `name`; itself if it is not that table."""
        folder, _, last = self.address.rstrip("/").rpartition("/")
        return replace(self, address=folder or ".") if last == name else self

    @abstractmethod
    def files(self, spark: SparkSession) -> FileSystem:
        """Its file system. Raises InputError if it cannot hold files."""

    @abstractmethod
    def destination(
        self, spark: SparkSession, run: Run, columns: Mapping[str, Sequence[Column]]
    ) -> Destination:
        """The destination of a run whose tables have these columns."""

    @abstractmethod
    def days(self, spark: SparkSession, name: str) -> list[date]:
        """The days of a published table, in order; none if nothing is published yet."""

    @abstractmethod
    def table(
        self, spark: SparkSession, name: str, days: Sequence[date] | None = None
    ) -> DataFrame:
        """A published table, with the columns of all its days; a single table ignores `name`.

        If not every run published it, give the `days` that have it; the result may contain others.
        Raises InputError or an error of Spark if it does not exist.
        """
