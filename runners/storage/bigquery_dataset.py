"""A BigQuery dataset that holds tables; Google's client is imported only when it is used."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError, InputError
from anomaly.run import Run
from anomaly.schema.inputs import Column
from runners.storage.addresses import BIGQUERY
from runners.storage.bigquery_names import BUCKET, DATASET, PREFIX, PROJECT
from runners.storage.destination import Destination, Storage
from runners.storage.files import FileSystem

TABLE = re.compile(rf"{BIGQUERY}://({PROJECT.pattern})\.({DATASET.pattern})\.({DATASET.pattern})")


class Dataset(Storage):
    """bq://PROJECT.DATASET, or one table of it: bq://PROJECT.DATASET.TABLE."""

    @property
    def parts(self) -> tuple[str, str, str]:
        """Project, dataset, and table; without a table an empty text."""
        if of_table := TABLE.fullmatch(self.address):
            project, dataset, table = of_table.groups()
            return project, dataset, table
        # A project with a domain, example.com:project, contains a dot itself.
        project, _, dataset = self.address.partition("://")[2].rpartition(".")
        return project, dataset, ""

    @property
    def project(self) -> str:
        """The project, which is billed for calls and queries."""
        return self.parts[0]

    @property
    def dataset(self) -> str:
        """PROJECT.DATASET."""
        return ".".join(self.parts[:2])

    @property
    def folder(self) -> None:
        """None: a dataset holds no files."""

    def files(self, spark: SparkSession) -> FileSystem:
        """Raises InputError."""
        raise InputError(f"{self}: inputs are files; give a file or a folder")

    def problems(self, is_destination: bool) -> list[str]:
        """Every name that Google would reject."""
        prefix, bucket = self.publishing.prefix, self.publishing.staging_bucket
        project, dataset, table = self.parts
        problems = []
        is_legal = PROJECT.fullmatch(project) and DATASET.fullmatch(dataset)
        if not is_legal or (is_destination and table):
            problems.append(f"{self.address!r} is not bq://PROJECT.DATASET")
        if not PREFIX.fullmatch(prefix):
            problems.append(f"--prefix {prefix!r} may contain only letters, digits and underscores")
        if bucket is not None and not BUCKET.fullmatch(bucket):
            problems.append(
                f"--staging-bucket {bucket!r} is not the name of a bucket; leave out gs://"
            )
        return problems

    def destination(
        self, spark: SparkSession, run: Run, columns: Mapping[str, Sequence[Column]]
    ) -> Destination:
        """The destination of a run. Raises ConfigurationError without Google's client."""
        try:
            from runners.storage.bigquery import BigQueryDataset
        except ImportError as error:
            missing = f"bq:// needs google-cloud-bigquery; `make jars` installs it ({error})"
            raise ConfigurationError(f"--out {self}", [missing]) from error
        return BigQueryDataset(spark, self, run, columns)

    def days(self, spark: SparkSession, name: str) -> list[date]:
        """The days of a table, in order; none if it does not exist."""
        from runners.storage.bigquery_calls import client_of, days_of_table

        return days_of_table(client_of(self.project), self.full_name(name))

    def table(
        self, spark: SparkSession, name: str, days: Sequence[date] | None = None
    ) -> DataFrame:
        """A table, with the given days or with all."""
        table = read_table(spark, self.full_name(name))
        return table if days is None else table.where(F.col("run_date").isin(*days))

    def around(self, name: str) -> "Dataset":
        """The dataset of this table, with the prefix of its name."""
        table = self.parts[2]
        if not table.endswith(name):
            return self
        publishing = replace(self.publishing, prefix=table.removesuffix(name).rstrip("_"))
        return Dataset(f"{BIGQUERY}://{self.dataset}", publishing)

    def full_name(self, name: str) -> str:
        """PROJECT.DATASET.PREFIX_NAME, or the table that the address names."""
        prefix = self.publishing.prefix
        return f"{self.dataset}.{self.parts[2] or (f'{prefix}_{name}' if prefix else name)}"


def read_table(spark: SparkSession, table: str) -> DataFrame:
    """The rows of PROJECT.DATASET.TABLE; the project is billed for reading."""
    project = table.rsplit(".", 2)[0]
    # The connector needs a project, which the credentials of a person do not name.
    return spark.read.format("bigquery").option("parentProject", project).load(table)
