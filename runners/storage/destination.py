"""Where the tables of a run go: a folder, a bucket or a dataset of BigQuery."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import ConfigurationError
from anomaly.profile import Profile
from anomaly.run import Run
from runners.storage import bigquery_names
from runners.storage.parquet_bucket import ParquetBucket
from runners.storage.parquet_folder import ParquetFolder
from runners.storage.spark_files import has_scheme


class Destination(Protocol):
    """Takes the tables of one run, and lets readers see all of them at once or none.

    Entered before the first stage, it raises OutputError where it could not take them; left, it
    removes what was staged and not published, or says what it leaves behind.
    """

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def hold(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Keep an intermediate for the run; returns the frame to go on with, and its rows."""

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a table where no reader looks; returns the frame to go on with, and its rows."""

    def publish(self) -> None:
        """Let readers see the staged tables in place of those before."""

    def read_back(self, name: str) -> DataFrame:
        """A published table."""

    @property
    def place_of_tables(self) -> str:
        """Where a reader finds the published tables."""


@dataclass(frozen=True)
class Publishing:
    """How tables are published to BigQuery; nothing of it is for folders and buckets.

    prefix: what their names begin with; staging_bucket: rows go there first and are loaded from
    it, where they otherwise go straight to BigQuery; add_columns: columns that an existing table
    lacks are added to it as NULLABLE.
    """

    prefix: str = ""
    staging_bucket: str | None = None
    add_columns: bool = False


PLAINLY = Publishing()


def check_destination(out: str, publishing: Publishing) -> None:
    """Raises ConfigurationError with all that is wrong with the names of a destination."""
    if out.startswith(bigquery_names.SCHEME):
        bigquery_names.bigquery_place(out, publishing.prefix, publishing.staging_bucket)
    elif publishing != PLAINLY:
        raise ConfigurationError(
            f"--out {out}", ["--prefix, --staging-bucket and --add-columns are for bq:// alone"]
        )
    elif has_scheme(out) and not out.startswith("gs://"):
        raise ConfigurationError(f"--out {out}", ["give a folder, gs:// or bq://"])


def open_destination(
    spark: SparkSession,
    out: str,
    run: Run,
    profile: Profile,
    publishing: Publishing,
    hash_customers: bool = False,
) -> Destination:
    """The destination that --out names. Raises ConfigurationError where it cannot be one."""
    check_destination(out, publishing)
    if out.startswith(bigquery_names.SCHEME):
        place = bigquery_names.bigquery_place(out, publishing.prefix, publishing.staging_bucket)
        try:
            from runners.storage.bigquery import BigQueryDataset
        except ImportError as error:
            missing = f"bq:// needs google-cloud-bigquery; `make jars` installs it ({error})"
            raise ConfigurationError(f"--out {out}", [missing]) from error
        bucket, add_columns = publishing.staging_bucket, publishing.add_columns
        return BigQueryDataset(spark, place, run, profile, bucket, add_columns, hash_customers)
    if has_scheme(out):
        return ParquetBucket(spark, out, run)
    return ParquetFolder(spark, str(Path(out)), run.run_id)
