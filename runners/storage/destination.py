"""Where the tables of a run go: a folder, a bucket or a dataset of BigQuery."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol, Self

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import ConfigurationError
from anomaly.run import Run
from anomaly.schema.inputs import Column
from runners.storage import bigquery_names
from runners.storage.parquet_bucket import ParquetBucket
from runners.storage.parquet_folder import ParquetFolder
from runners.storage.spark_files import has_scheme


class FrameStore(Protocol):
    """Keeps frames of one run."""

    def hold(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Keep an intermediate for the run; returns the frame to go on with, and its rows."""

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a table where no reader looks; returns the frame to go on with, and its rows."""


class Destination(FrameStore, Protocol):
    """Takes the tables of one run, and lets readers see all of them at once or none.

    Entered before the first stage, it raises OutputError where it could not take them; left, it
    removes what was staged and not published, or says what it leaves behind.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def publish(self) -> None:
        """Let readers see the staged tables in place of those before."""

    def days(self, name: str) -> list[date]:
        """The days that are published of a table, in order."""

    def published(self, name: str, days: Iterable[date]) -> DataFrame:
        """A published table, of these days, which are there."""

    @property
    def place_of_tables(self) -> str:
        """Where a reader finds the published tables."""


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


def check_destination(out: str, publishing: Publishing) -> None:
    """Raises ConfigurationError with all that is wrong with the names of a destination."""
    if publishing.keep_days is not None and publishing.keep_days < 1:
        raise ConfigurationError("--keep-days", ["must be at least 1"])
    if out.startswith(bigquery_names.SCHEME):
        bigquery_names.bigquery_place(out, publishing.prefix, publishing.staging_bucket)
        return
    faults = []
    if publishing.prefix or publishing.staging_bucket:
        faults.append("--prefix and --staging-bucket are for bq:// alone")
    if has_scheme(out):
        if not out.startswith("gs://"):
            faults.append("give a folder, gs:// or bq://")
        if publishing.add_columns or publishing.keep_days:
            faults.append(
                "--add-columns and --keep-days are for a folder or bq://; on gs:// each run has "
                "columns of its own, and rules of the bucket remove what is old"
            )
    if faults:
        raise ConfigurationError(f"--out {out}", faults)


def open_destination(
    spark: SparkSession,
    out: str,
    run: Run,
    columns: Mapping[str, Sequence[Column]],
    publishing: Publishing,
) -> Destination:
    """The destination that --out names, for a run's tables with these columns.

    Raises ConfigurationError where it cannot be one.
    """
    check_destination(out, publishing)
    if out.startswith(bigquery_names.SCHEME):
        place = bigquery_names.bigquery_place(out, publishing.prefix, publishing.staging_bucket)
        try:
            from runners.storage.bigquery import BigQueryDataset
        except ImportError as error:
            missing = f"bq:// needs google-cloud-bigquery; `make jars` installs it ({error})"
            raise ConfigurationError(f"--out {out}", [missing]) from error
        return BigQueryDataset(
            spark,
            place,
            run,
            columns,
            publishing.staging_bucket,
            publishing.add_columns,
            publishing.keep_days,
        )
    if has_scheme(out):
        return ParquetBucket(spark, out, run)
    return ParquetFolder(
        spark, str(Path(out)), run, columns, publishing.add_columns, publishing.keep_days
    )
