"""A dataset of BigQuery as the place of the tables.

Each table is written to a staging table of its own and checked there; then one transaction puts
the rows of the run's day into all tables. Existing tables keep whatever else they have: other
days, partitioning, clustering, descriptions, labels, policy tags.
"""

import logging
import random
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery
from google.cloud.bigquery import SchemaField
from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import AnomalyError, OutputError
from anomaly.pipeline.output_tables import TABLE_MEANINGS, TABLES_OF_ALARMS
from anomaly.run import Run
from anomaly.schema.inputs import Column
from anomaly.schema.tables import (
    ALARMS_TABLE,
    ANOMALIES_TABLE,
    CELL_TABLE,
    CUSTOMER_TABLE,
    HISTORY_TABLE,
    REJECTED_TABLE,
    SUMMARY_TABLE,
)
from runners.engines.errors import failing_as
from runners.engines.spark.kept import held
from runners.storage.bigquery_calls import (
    CALL,
    calling,
    client_of,
    days_of_table,
    rows_of,
    run_once,
    try_query,
)
from runners.storage.bigquery_dataset import Dataset, read_table
from runners.storage.bigquery_schema import (
    contradictions,
    fields_of,
    missing_fields,
    removed_names,
    required_names,
)
from runners.storage.bigquery_sql import (
    Swap,
    count_rows,
    for_run,
    published_runs,
    replace_day,
)
from runners.storage.columns import differing, warn_of_removed
from runners.storage.destination import Destination

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
    HISTORY_TABLE: ["CellName"],
    ALARMS_TABLE: ["CellName"],
    ANOMALIES_TABLE: ["CellName", "kpi"],
}


@dataclass(frozen=True)
class Table:
    """A table of the run: where it is staged, where it is published, and with which fields."""

    name: str
    target: str
    staging: str
    fields: tuple[SchemaField, ...]


class BigQueryDataset(Destination):
    """The tables of a run in one dataset, all of them published in one transaction."""

    def __init__(
        self,
        spark: SparkSession,
        place: Dataset,
        run: Run,
        columns: Mapping[str, Sequence[Column]],
    ) -> None:
        """`columns` are those of each table that the run publishes."""
        self.spark, self.place, self.run = spark, place, run
        self.tables = {
            name: Table(
                name,
                place.full_name(name),
                f"{place.full_name(name)}_staging_{run.run_id}",
                tuple(fields_of(spark, of_table)),
            )
            for name, of_table in columns.items()
        }
        self._runs: list[tuple[date, str]] = []
        self._changed: list[str] = []
        self._is_published = False

    def __enter__(self) -> "BigQueryDataset":
        """Raises OutputError where anything would stop the run later: it is found out now."""
        self._client = client_of(self.place.project)
        with calling(f"{self.place}: cannot be used"):
            self._location = self._client.get_dataset(self.place.dataset, **CALL).location
            try_query(self._client, self._location)
        self._compare_schemas()
        self._runs = self._published_runs()
        if bucket := self.place.publishing.staging_bucket:
            self._try_bucket(bucket)
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

    def stage(self, name: str, frame: DataFrame) -> tuple[DataFrame, int]:
        """Write a table where no reader looks yet, check that it is whole, and count its rows.

        Raises InputError where Spark fails at reading what the table is made from, OutputError
        where not every row arrived.
        """
        table = self.tables[name]
        kept, rows = held(name, frame)
        with failing_as(OutputError, f"{table.staging}: cannot be written"):
            self._write(kept, table.staging)
        self._check(table, rows)
        return kept, rows

    def publish(self) -> None:
        """Replace the rows of the run's day by the staged ones, in all tables or in none.

        Raises OutputError where another run published meanwhile: one that this run does not know.
        """
        for table in self.tables.values():
            self._prepare_target(table)
        swaps = [
            Swap(
                table.target,
                table.staging,
                tuple(field.name for field in table.fields),
                later_days=table.name == HISTORY_TABLE,
            )
            for table in self.tables.values()
        ]
        swaps += [Swap(target) for target in self._tables_of_other_runs()]
        with calling(f"{self.place}: not published, or the answer is lost"):
            self._replace_day(swaps)
            runs = self._published_runs()
        if (self.run.run_date, self.run.run_id) not in runs:
            others = ", ".join(sorted({run_id for _, run_id in runs} - self._known_ids()))
            raise OutputError(
                f"{self.place}: nothing was replaced, another run was published meanwhile "
                f"({others}); look at its tables, and run again if they are not the ones you want"
            )
        self._is_published = True

    def days(self, name: str) -> list[date]:
        """The days that are published of a table, in order."""
        return days_of_table(self._client, self.place.full_name(name))

    # --- before the first stage ---

    def _compare_schemas(self) -> None:
        faults = []
        for table in self.tables.values():
            existing = self._existing(table.target)
            if existing is None:
                continue
            found = contradictions(existing.schema, table.fields)
            if existing.table_type != "TABLE":
                found.append(f"is a {existing.table_type}, whose rows cannot be replaced")
            missing = missing_fields(existing.schema, table.fields)
            if not self.place.publishing.add_columns:
                found += [
                    f"column {field.name} ({field.field_type}) is missing" for field in missing
                ]
            faults += [f"{table.target}: {fault}" for fault in found]
            warn_of_removed(table.target, removed_names(existing.schema, table.fields))
        if faults:
            raise differing(str(self.place), faults)

    def _existing(self, table: str) -> bigquery.Table | None:
        with calling(table):
            try:
                return self._client.get_table(table, **CALL)
            except NotFound:
                return None

    def _try_bucket(self, bucket: str) -> None:
        """The connector would notice a bucket that is missing only when all work is done."""
        target = f"gs://{bucket}/cell-tower-anomaly/checks/{self.run.run_id}"
        with failing_as(OutputError, f"--staging-bucket {bucket}: cannot be written"):
            self.spark.range(0, 1, 1, numPartitions=1).write.parquet(target)

    def _create_staging(self, table: Table) -> None:
        staging = bigquery.Table(table.staging, table.fields)
        staging.description = f"Staging of run {self.run.run_id}; may be dropped when it has ended"
        staging.expires = datetime.now(UTC) + timedelta(hours=STAGING_HOURS)
        with calling(table.staging):
            self._client.create_table(staging, exists_ok=True, **CALL)

    def _try_connector(self) -> None:
        staging = self.tables[CELL_TABLE].staging
        unusable = "Spark's BigQuery connector cannot be used; its jar comes with `make jars`"
        with failing_as(OutputError, f"{self.place}: {unusable}"):
            _ = read_table(self.spark, staging).schema

    # --- staging ---

    def _write(self, frame: DataFrame, table: str) -> None:
        """Append to a table with the connector, which commits all rows or none."""
        writer = frame.write.format("bigquery").mode("append")
        writer = writer.option("parentProject", self.place.project)
        bucket = self.place.publishing.staging_bucket
        if bucket is None:
            writer = writer.option("writeMethod", "direct")
        else:
            writer = writer.options(
                writeMethod="indirect",
                temporaryGcsBucket=bucket,
                intermediateFormat="parquet",
                # Otherwise an array arrives as a record that holds a list.
                enableListInference=True,
            )
        writer.save(table)

    def _check(self, table: Table, rows: int) -> None:
        """Reads back how many rows arrived: a write may return although some were lost."""
        existing = self._existing(table.target)
        not_null = required_names(existing.schema) if existing else []
        with calling(table.staging):
            ((arrived, *nulls),) = rows_of(
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

    def _published_runs(self) -> list[tuple[date, str]]:
        summary = self.tables[SUMMARY_TABLE].target
        if self._existing(summary) is None:
            return []
        with calling(summary):
            rows = rows_of(self._client, published_runs(summary), self._location)
        return [(day, run_id) for day, run_id in rows]

    def _first_date(self) -> date:
        """The first day whose tables this run rests on: the one before its own."""
        before = [day for day, _ in self._runs if day < self.run.run_date]
        return max(before, default=self.run.run_date)

    def _known_ids(self) -> set[str]:
        return {run_id for _, run_id in self._runs}

    def _tables_of_other_runs(self) -> list[str]:
        """What a run of this day may have published that this one does not."""
        names = (self.place.full_name(one) for one in TABLES_OF_ALARMS if one not in self.tables)
        return [name for name in names if self._existing(name) is not None]

    def _replace_day(self, swaps: Sequence[Swap]) -> None:
        """BigQuery aborts a transaction on a table that another one changes, of any day."""
        summary = self.tables[SUMMARY_TABLE].target
        keep_days = self.place.publishing.keep_days
        script = replace_day(swaps, summary, keep_days is not None)
        parameters = for_run(self.run, self._first_date(), self._known_ids(), keep_days)
        for attempt in range(1, ATTEMPTS + 1):
            # Of this attempt alone: a job of another one with the same id would pass for its own.
            job_id = f"cell-tower-anomaly-{self.run.run_id}-{uuid.uuid4().hex[:8]}"
            try:
                run_once(self._client, script, job_id, parameters, self._location)
                return
            except BadRequest as error:
                if attempt == ATTEMPTS or CONCURRENT not in str(error):
                    raise
                time.sleep(random.uniform(0, attempt * LONGEST_PAUSE_SECONDS))

    def _prepare_target(self, table: Table) -> None:
        existing = self._existing(table.target)
        adds = self.place.publishing.add_columns
        with calling(table.target):
            if existing is None:
                self._changed.append(f"{table.target}, new and without rows of this run")
                self._client.create_table(_new(table), exists_ok=True, **CALL)
            elif adds and (missing := missing_fields(existing.schema, table.fields)):
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
