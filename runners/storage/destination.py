"""What a place of tables can do, and what takes the tables of one run there."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Protocol, Self

from pyspark.sql import DataFrame, SparkSession

from anomaly.run import Run
from anomaly.schema.inputs import Column
from runners.storage.files import FileSystem
from runners.storage.held import held


@dataclass(frozen=True)
class Publishing:
    """How tables are published.

    prefix: what the names of BigQuery tables begin with; staging_bucket: their rows go there first
    and are loaded from it, where they otherwise go straight to BigQuery. add_columns: columns that
    published tables lack are added to them, without values on older days. keep_days: so many days
    up to the day of the run stay, older ones are removed; None keeps all.
    """

    prefix: str = ""
    staging_bucket: str | None = None
    add_columns: bool = False
    keep_days: int | None = None


DEFAULT_PUBLISHING = Publishing()


def for_bigquery_alone(publishing: Publishing) -> list[str]:
    """What is wrong with these options in any other place."""
    options = {"--prefix": publishing.prefix, "--staging-bucket": publishing.staging_bucket}
    given = [option for option, value in options.items() if value]
    are = "is" if len(given) == 1 else "are"
    return [f"{' and '.join(given)} {are} for bq:// alone"] if given else []


class FrameStore(Protocol):
    """Keeps frames of one run."""

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

    spark: SparkSession
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
    """A place of inputs, of published tables, or of both; as a text it is its address."""

    address: str
    publishing: Publishing = DEFAULT_PUBLISHING

    def __str__(self) -> str:
        return self.address

    @property
    def folder(self) -> str | None:
        """Its whole address where files can lie there, None where there are tables alone."""
        return self.address.rstrip("/")

    def faults(self, is_destination: bool) -> list[str]:
        """What is wrong with its names, or with how the tables of a run are to go there."""
        return for_bigquery_alone(self.publishing)

    def around(self, name: str) -> Self:
        """The place whose table `name` this one is; itself where it is none."""
        folder, _, last = self.address.rstrip("/").rpartition("/")
        return replace(self, address=folder or ".") if last == name else self

    @abstractmethod
    def files(self, spark: SparkSession) -> FileSystem:
        """What lists and looks into the files there. Raises InputError where none can be."""

    @abstractmethod
    def destination(
        self, spark: SparkSession, run: Run, columns: Mapping[str, Sequence[Column]]
    ) -> Destination:
        """What takes a run's tables with these columns."""

    @abstractmethod
    def days(self, spark: SparkSession, name: str) -> list[date]:
        """The days of a published table, in order; none where nothing is yet."""

    @abstractmethod
    def table(
        self, spark: SparkSession, name: str, days: Sequence[date] | None = None
    ) -> DataFrame:
        """A published table, with the columns of all its days; or the place, where it is that.

        Where not every run made it, name the `days` on which one did; other days may come along.
        Raises InputError or an error of Spark where there is none.
        """
