"""A dataset of BigQuery as the place of the tables.

Each table is written to a staging table of its own and checked there; then one transaction puts
the rows of the run's day into all tables. Existing tables keep whatever else they have: other
days, partitioning, clustering, descriptions, labels, policy tags.
"""

import logging
import random
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField
from pyspark.sql import DataFrame, SparkSession

from anomaly.contracts import CELL_TABLE, CUSTOMER_TABLE, REJECTED_TABLE, SUMMARY_TABLE
from anomaly.errors import AnomalyError, OutputError
from anomaly.profile import Profile
from anomaly.run import Run
from anomaly.tables import TABLE_MEANINGS, table_columns
from runners.storage.bigquery_calls import CALL, calling, client_of, first_row, run_once, try_query
from runners.storage.bigquery_names import BigQueryPlace
from runners.storage.bigquery_reading import read_table
from runners.storage.bigquery_schema import (
    contradictions,
    fields_of,
    missing_fields,
    required_names,
)
from runners.storage.bigquery_sql import Swap, count_rows, for_day_of, replace_day
from runners.storage.held import held
from runners.storage.spark_errors import SPARK_ERRORS, told_in_one_line

LOG = logging.getLogger(__name__)
STAGING_HOURS = 24
# https://cloud.google.com/bigquery/docs/transactions#transaction_concurrency
CONCURRENT, ATTEMPTS, LONGEST_PAUSE_SECONDS = "concurrent update", 5, 5
PARTITION_COLUMN = "run_date"
CLUSTERING = {
    CELL_TABLE: ["CellName"],
    CUSTOMER_TABLE: ["CellName", "customerID"],
    REJECTED_TABLE: ["source", "reason"],
    SUMMARY_TABLE: ["section", "subject"],
}


@dataclass(frozen=True)
class Table:
    """A table of the run: where it is staged, where it is published, and with which fields."""

    name: str
    target: str
    staging: str
    fields: tuple[SchemaField, ...]


class BigQueryDataset:
    """The tables of a run in one dataset, all of them published in one transaction."""

    def __init__(
        self,
        spark: SparkSession,
        place: BigQueryPlace,
        run: Run,
        profile: Profile,
        staging_bucket: str | None = None,
        add_columns: bool = False,
        hash_customers: bool = False,
    ) -> None:
        self.spark, self.place, self.run = spark, place, run
        self.staging_bucket, self.add_columns = staging_bucket, add_columns
        self.tables = {
            name: Table(
                name,
                place.table(name),
                f"{place.table(name)}_staging_{run.run_id}",
                tuple(fields_of(spark, columns)),
            )
            for name, columns in table_columns(profile, hash_customers).items()
        }
        self._changed: list[str] = []
        self._is_published = False

    def __enter__(self) -> "BigQueryDataset":
        """Raises OutputError where anything would stop the run later: it is found out now."""
        self._client = client_of(self.place.project)
        dataset = f"{self.place.project}.{self.place.dataset}"
        with calling(f"{self.place}: cannot be used"):
            self._location = self._client.get_dataset(dataset, **CALL).location
            try_query(self._client, self._location)
        self._compare_schemas()
        if self.staging_bucket is not None:
            self._try_bucket(self.staging_bucket)
        try:
            for table in self.tables.values():
                self._create_staging(table)
            self._try_connector()
        except AnomalyError:
            self._drop([table.staging for table in self.tables.values()])
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """What was staged is removed; what stays although nothing was published is said."""
        self._drop([table.staging for table in self.tables.values()])
        if self._changed and not self._is_published:
            # Not dropped: another run may have published to them by now.
            LOG.warning("left behind: %s", "; ".join(self._changed))

    @property
    def place_of_tables(self) -> str:
        """Where a reader finds the published tables."""
        return ", ".join(table.target for table in self.tables.values())

    def hold(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Keep an intermediate for the run, and count its rows."""
        return held(name, frame)

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a table where no reader looks yet, check that it is whole, and count its rows.

        Raises InputError where Spark fails at reading what the table is made from, OutputError
        where not every row arrived.
        """
        table = self.tables[name]
        kept, rows = held(name, frame)
        try:
            self._write(kept, table.staging)
        except SPARK_ERRORS as error:
            told = told_in_one_line(error)
            raise OutputError(f"{table.staging}: cannot be written: {told}") from error
        self._check(table, rows)
        return kept, rows

    def publish(self) -> None:
        """Replace the rows of the run's day by the staged ones, in all tables or in none."""
        for table in self.tables.values():
            self._prepare_target(table)
        swaps = [
            Swap(table.target, table.staging, tuple(field.name for field in table.fields))
            for table in self.tables.values()
        ]
        with calling(f"{self.place}: not published, or the answer is lost"):
            self._replace_day(swaps)
        self._is_published = True

    def read_back(self, name: str) -> DataFrame:
        """A published table, of all days."""
        return read_table(self.spark, self.tables[name].target)

    # --- before the first stage ---

    def _compare_schemas(self) -> None:
        faults = []
        for table in self.tables.values():
            existing = self._existing(table)
            if existing is None:
                continue
            found = contradictions(existing.schema, table.fields)
            if existing.table_type != "TABLE":
                found.append(f"is a {existing.table_type}, whose rows cannot be replaced")
            missing = missing_fields(existing.schema, table.fields)
            if not self.add_columns:
                found += [
                    f"column {field.name} ({field.field_type}) is missing" for field in missing
                ]
            faults += [f"{table.target}: {fault}" for fault in found]
        if faults:
            listed = "\n".join(f"  - {fault}" for fault in faults)
            raise OutputError(
                f"{self.place}: nothing was written; the tables there differ from this run's. "
                f"--add-columns adds missing columns as NULLABLE; another --prefix makes new "
                f"tables.\n{listed}"
            )

    def _existing(self, table: Table) -> bigquery.Table | None:
        with calling(table.target):
            try:
                return self._client.get_table(table.target, **CALL)
            except NotFound:
                return None

    def _try_bucket(self, bucket: str) -> None:
        """The connector would notice a bucket that is missing only when all work is done."""
        target = f"gs://{bucket}/cell-tower-anomaly/checks/{self.run.run_id}"
        try:
            self.spark.range(0, 1, 1, numPartitions=1).write.parquet(target)
        except SPARK_ERRORS as error:
            told = told_in_one_line(error)
            raise OutputError(f"--staging-bucket {bucket}: cannot be written: {told}") from error

    def _create_staging(self, table: Table) -> None:
        staging = bigquery.Table(table.staging, table.fields)
        staging.description = f"Staging of run {self.run.run_id}; may be dropped when it has ended"
        staging.expires = datetime.now(UTC) + timedelta(hours=STAGING_HOURS)
        with calling(table.staging):
            self._client.create_table(staging, exists_ok=True, **CALL)

    def _try_connector(self) -> None:
        staging = self.tables[CELL_TABLE].staging
        try:
            _ = read_table(self.spark, staging).schema
        except SPARK_ERRORS as error:
            told = told_in_one_line(error)
            raise OutputError(
                f"{self.place}: Spark's BigQuery connector cannot be used; its jar comes with "
                f"`make jars` ({told})"
            ) from error

    # --- staging ---

    def _write(self, frame: DataFrame, table: str) -> None:
        """Append to a table with the connector, which commits all rows or none."""
        writer = frame.write.format("bigquery").mode("append")
        writer = writer.option("parentProject", self.place.project)
        if self.staging_bucket is None:
            writer = writer.option("writeMethod", "direct")
        else:
            writer = writer.options(
                writeMethod="indirect",
                temporaryGcsBucket=self.staging_bucket,
                intermediateFormat="parquet",
                # Otherwise an array arrives as a record that holds a list.
                enableListInference=True,
            )
        writer.save(table)

    def _check(self, table: Table, rows: int) -> None:
        """Reads back how many rows arrived: a write may return although some were lost."""
        existing = self._existing(table)
        not_null = required_names(existing.schema) if existing else []
        with calling(table.staging):
            arrived, *nulls = first_row(
                self._client, count_rows(table.staging, not_null), self._location
            )
            staged = self._client.get_table(table.staging, **CALL)
        if arrived != rows:
            raise OutputError(
                f"{table.target}: {arrived} of {rows} rows arrived at BigQuery; nothing was "
                "published, run again"
            )
        if contradictions(staged.schema, table.fields):
            raise OutputError(f"{table.staging}: the connector changed its schema")
        for name, count in zip(not_null, nulls, strict=True):
            if count:
                raise OutputError(
                    f"{table.target}: column {name} is REQUIRED there, but NULL in {count} rows"
                )

    # --- publishing ---

    def _replace_day(self, swaps: Sequence[Swap]) -> None:
        """BigQuery aborts a transaction on a table that another one changes, of any day."""
        for attempt in range(1, ATTEMPTS + 1):
            # Of this attempt alone: a job of another one with the same id would pass for its own.
            job_id = f"cell-tower-anomaly-{self.run.run_id}-{uuid.uuid4().hex[:8]}"
            try:
                run_once(
                    self._client, replace_day(swaps), job_id, for_day_of(self.run), self._location
                )
                return
            except BadRequest as error:
                if attempt == ATTEMPTS or CONCURRENT not in str(error):
                    raise
                time.sleep(random.uniform(0, attempt * LONGEST_PAUSE_SECONDS))

    def _prepare_target(self, table: Table) -> None:
        existing = self._existing(table)
        with calling(table.target):
            if existing is None:
                self._changed.append(f"{table.target}, new and without rows of this run")
                self._client.create_table(_new(table), exists_ok=True, **CALL)
            elif self.add_columns and (missing := missing_fields(existing.schema, table.fields)):
                self._changed.append(f"columns added to {table.target}")
                existing.schema = [*existing.schema, *missing]
                self._client.update_table(existing, ["schema"], **CALL)

    def _drop(self, tables: Sequence[str]) -> None:
        for table in tables:
            try:
                with calling(table):
                    self._client.delete_table(table, not_found_ok=True, **CALL)
            except OutputError as error:
                LOG.warning("left behind: %s", error)


def _new(table: Table) -> bigquery.Table:
    target = bigquery.Table(table.target, table.fields)
    target.description = TABLE_MEANINGS[table.name]
    target.time_partitioning = bigquery.TimePartitioning(field=PARTITION_COLUMN)
    target.clustering_fields = CLUSTERING[table.name]
    return target
