"""The local cloud services and the real Spark connectors understand each other.

What a connector writes is read back with another client and compared row by row: on an emulator a
row count can be right while the rows are not, and a reader and a writer can be wrong together.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.doubles import bigquery_emulator, services
from tests.doubles.services import CloudServices

pytestmark = pytest.mark.cloud

TIMEOUT = 60.0
SERVICES_SCRIPT = Path(services.__file__)

WRITE_METHODS = ["direct", "indirect"]

EVERY_TYPE = """
    id BIGINT, name STRING, load DOUBLE, active BOOLEAN, day DATE, at TIMESTAMP,
    price DECIMAL(10,2), raw BINARY, tags ARRAY<STRUCT<label: STRING, weight: DOUBLE>>
"""
EVERY_TYPE_ROWS = [
    (
        1,
        "Zürich ✓",
        0.1,
        True,
        date(2024, 2, 29),
        datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC),
        Decimal("19.90"),
        b"\x00\xff",
        [("north", 0.5), ("south", None)],
    ),
    (
        2,
        "",
        -1.5e300,
        False,
        date(1969, 12, 31),
        datetime(1969, 12, 31, 0, 0, 0, 1, tzinfo=UTC),
        Decimal("-0.01"),
        b"",
        [],
    ),
    (3, None, None, None, None, None, None, None, [(None, None)]),
]


class Table:
    """A table of the test's own dataset, seen through the BigQuery client."""

    def __init__(self, client: Any, dataset: str, name: str) -> None:
        """Name the table; nothing is created."""
        self.client = client
        self.path = f"{dataset}.{name}"

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        """Run SQL in which `{table}` stands for the table; give the rows."""
        text = sql.replace("{table}", f"`{self.client.project}.{self.path}`")
        job = self.client.query(text, timeout=TIMEOUT, job_retry=None)
        return [tuple(row.values()) for row in job.result(timeout=TIMEOUT)]

    def rows(self, columns: str = "*", order: str = "id") -> list[tuple[Any, ...]]:
        """Give the rows of the table in an order."""
        return self.run(f"SELECT {columns} FROM {{table}} ORDER BY {order}")

    def metadata(self) -> Any:
        """Give the table as the API describes it."""
        return self.client.get_table(f"{self.client.project}.{self.path}", timeout=TIMEOUT)

    def create(self, *fields: tuple[str, str], partition: str = "", cluster: str = "") -> None:
        """Create the table through the client."""
        from google.cloud import bigquery

        schema = [bigquery.SchemaField(name, kind) for name, kind in fields]
        table = bigquery.Table(f"{self.client.project}.{self.path}", schema)
        if partition:
            table.time_partitioning = bigquery.TimePartitioning(field=partition)
        if cluster:
            table.clustering_fields = [cluster]
        self.client.create_table(table, timeout=TIMEOUT)


@pytest.fixture(scope="module")
def client(cloud: CloudServices) -> Any:
    """The BigQuery client of the local service."""
    return cloud.bigquery_client()


@pytest.fixture
def table(client: Any, request: pytest.FixtureRequest) -> Iterator[Table]:
    """A table that does not exist yet, in a dataset of this test alone."""
    dataset = re.sub(r"\W", "_", request.node.name)
    client.create_dataset(dataset, timeout=TIMEOUT)
    yield Table(client, dataset, "data")
    client.delete_dataset(dataset, delete_contents=True, timeout=TIMEOUT)


@pytest.fixture
def folder(cloud: CloudServices, request: pytest.FixtureRequest) -> str:
    """A `gs://` folder of this test alone."""
    return f"gs://{cloud.temporary_bucket}/{re.sub(r'[^a-zA-Z0-9]', '-', request.node.name)}"


def write(frame: Any, table: Table, method: str, mode: str = "append", **options: str) -> None:
    """Write a frame with the Spark connector."""
    writer = frame.write.format("bigquery").option("writeMethod", method).options(**options)
    writer.mode(mode).save(table.path)


def read(spark: Any, table: Table) -> Any:
    """Read a table with the Spark connector."""
    return spark.read.format("bigquery").load(table.path)


def dicts_to_tuples(value: Any) -> Any:
    """Turn the dicts that the client gives for STRUCTs into tuples, as Spark has them."""
    if isinstance(value, dict):
        return tuple(dicts_to_tuples(field) for field in value.values())
    if isinstance(value, list | tuple):
        return type(value)(dicts_to_tuples(field) for field in value)
    return value


def numbered(spark: Any, *rows: tuple[int, str | None]) -> Any:
    """A small frame of numbers and names."""
    return spark.createDataFrame(list(rows), "id BIGINT, name STRING")


def dated(spark: Any, *rows: tuple[int, str]) -> Any:
    """A small frame of numbers and days."""
    return spark.createDataFrame(list(rows), "id BIGINT, text STRING").selectExpr(
        "id", "CAST(text AS DATE) AS day"
    )


# --- Cloud Storage ---------------------------------------------------------------------------


def test_parquet_round_trip(cloud: CloudServices, cloud_spark: Any, folder: str) -> None:
    """Parquet written to a bucket comes back equal, and lies in the bucket for other clients."""
    frame = cloud_spark.createDataFrame(EVERY_TYPE_ROWS, EVERY_TYPE)

    frame.write.parquet(folder)

    assert cloud_spark.read.parquet(folder).sort("id").collect() == frame.sort("id").collect()
    blobs = cloud.storage_client().list_blobs(cloud.temporary_bucket, timeout=TIMEOUT)
    names = [blob.name for blob in blobs if blob.name.startswith(folder.rsplit("/", 1)[1])]
    assert any(name.endswith("/_SUCCESS") for name in names)
    assert any(name.endswith(".parquet") for name in names)


def test_csv_round_trip_and_overwrite(cloud_spark: Any, folder: str) -> None:
    """CSV comes back equal; an overwrite leaves nothing of the former files."""
    numbered(cloud_spark, (1, "old"), (2, "old"), (3, "old")).write.csv(folder, header=True)
    wanted = [(1, 'a,"b"'), (4, None)]

    numbered(cloud_spark, *wanted).write.csv(folder, header=True, mode="overwrite")

    frame = cloud_spark.read.csv(folder, header=True, schema="id BIGINT, name STRING", escape="\\")
    assert sorted(tuple(row) for row in frame.collect()) == wanted


def test_partitioned_folders(cloud_spark: Any, folder: str) -> None:
    """Folders of a partitioned write are found again, and read one by one."""
    numbered(cloud_spark, (1, "a"), (2, "b"), (3, "b")).write.partitionBy("name").parquet(folder)

    rows = cloud_spark.read.parquet(folder).where("name = 'b'").sort("id").collect()

    assert [tuple(row) for row in rows] == [(2, "b"), (3, "b")]


# --- BigQuery writes ---------------------------------------------------------------------------


@pytest.mark.parametrize("method", WRITE_METHODS)
def test_every_type(cloud_spark: Any, table: Table, method: str) -> None:
    """Every type, NULLs and nested fields arrive in BigQuery, and come back to Spark."""
    frame = cloud_spark.createDataFrame(EVERY_TYPE_ROWS, EVERY_TYPE)

    write(frame, table, method)

    assert dicts_to_tuples(table.rows()) == EVERY_TYPE_ROWS
    back = read(cloud_spark, table).sort("id").select(frame.columns)
    assert back.collect() == frame.sort("id").collect()
    types = {field.name: (field.field_type, field.mode) for field in table.metadata().schema}
    assert types["at"] == ("TIMESTAMP", "NULLABLE")
    assert types["day"] == ("DATE", "NULLABLE")
    assert types["price"] == ("NUMERIC", "NULLABLE")
    assert types["tags"] == ("RECORD", "REPEATED")


@pytest.mark.parametrize("method", WRITE_METHODS)
def test_append(cloud_spark: Any, table: Table, method: str) -> None:
    """A second write adds rows, and a read after it sees them."""
    write(numbered(cloud_spark, (1, "a")), table, method)
    assert read(cloud_spark, table).collect() == [(1, "a")]

    write(numbered(cloud_spark, (2, None), (3, "c")), table, method)

    assert table.rows() == [(1, "a"), (2, None), (3, "c")]
    assert read(cloud_spark, table).sort("id").collect() == [(1, "a"), (2, None), (3, "c")]


@pytest.mark.parametrize("method", WRITE_METHODS)
def test_overwrite(cloud_spark: Any, table: Table, method: str) -> None:
    """An overwrite leaves the new rows only."""
    write(numbered(cloud_spark, (1, "old"), (2, "old")), table, method)

    write(numbered(cloud_spark, (2, "new"), (9, "new")), table, method, mode="overwrite")

    assert table.rows() == [(2, "new"), (9, "new")]


def test_many_rows_from_several_tasks(cloud_spark: Any, table: Table) -> None:
    """Rows of several write streams all arrive, each once."""
    frame = cloud_spark.range(20_000, numPartitions=4).selectExpr("id", "id * 0.5 AS half")

    write(frame, table, "direct")

    expected = [(20_000, 20_000, 19_999, sum(range(20_000)) * 0.5)]
    assert table.run("SELECT count(*), count(DISTINCT id), max(id), sum(half) FROM {table}") == (
        expected
    )
    assert read(cloud_spark, table).selectExpr(
        "count(*)", "count(DISTINCT id)", "max(id)", "sum(half)"
    ).collect() == (expected)


def test_more_rows_than_one_request_holds(cloud_spark: Any, table: Table) -> None:
    """A task sends its rows in several requests of at most 10 MB, to one stream."""
    frame = cloud_spark.range(3_000, numPartitions=1).selectExpr("id", "repeat('x', 6000) AS text")

    write(frame, table, "direct")

    expected = [(3_000, 3_000, 18_000_000)]
    sql = "SELECT count(*) AS n, count(DISTINCT id) AS ids, sum(length(text)) AS size FROM {table}"
    assert table.run(sql) == expected


# --- BigQuery reads ----------------------------------------------------------------------------


def test_projection_and_filter(cloud_spark: Any, table: Table) -> None:
    """The connector reads the chosen columns, in the chosen order, of the chosen rows."""
    frame = cloud_spark.createDataFrame(EVERY_TYPE_ROWS, EVERY_TYPE)
    write(frame, table, "direct")

    chosen = read(cloud_spark, table).where("id < 3 AND day < DATE'2000-01-01'")

    assert chosen.select("price", "id").collect() == [(Decimal("-0.01"), 2)]
    assert read(cloud_spark, table).where("name IS NULL").select("id").collect() == [(3,)]


def test_query(cloud_spark: Any, table: Table) -> None:
    """The connector reads the result of a query, which BigQuery stores in a table first."""
    write(numbered(cloud_spark, (1, "a"), (2, "b"), (3, "b")), table, "direct")
    sql = f"SELECT name, count(*) AS number FROM `{table.path}` GROUP BY name"

    reader = cloud_spark.read.format("bigquery").option("viewsEnabled", "true")
    rows = reader.option("query", sql).load().sort("name").collect()

    assert rows == [("a", 1), ("b", 2)]


# --- partitions and clusters ---------------------------------------------------------------------


@pytest.mark.parametrize("method", WRITE_METHODS)
def test_partitioned_table_of_the_client(cloud_spark: Any, table: Table, method: str) -> None:
    """A table created by the client keeps partitioning and clustering when Spark fills it."""
    table.create(("id", "INT64"), ("day", "DATE"), partition="day", cluster="id")

    write(dated(cloud_spark, (1, "2024-01-01"), (2, "2024-01-02")), table, method)

    assert table.rows() == [(1, date(2024, 1, 1)), (2, date(2024, 1, 2))]
    assert table.metadata().time_partitioning.field == "day"
    assert table.metadata().clustering_fields == ["id"]


def test_type_names_of_created_tables(table: Table) -> None:
    """A created table answers the older type names, as the real service does."""
    table.create(("a", "INT64"), ("b", "FLOAT64"), ("c", "BOOL"), ("d", "STRING"))

    kinds = [field.field_type for field in table.metadata().schema]

    assert kinds == ["INTEGER", "FLOAT", "BOOLEAN", "STRING"]


def test_partitioned_table_of_the_connector(cloud_spark: Any, table: Table) -> None:
    """An indirect write creates the table with the partitioning and clustering it asks for."""
    frame = dated(cloud_spark, (1, "2024-01-01"))

    write(frame, table, "indirect", partitionField="day", clusteredFields="id")

    assert table.rows() == [(1, date(2024, 1, 1))]
    assert table.metadata().time_partitioning.field == "day"
    assert table.metadata().clustering_fields == ["id"]


@pytest.mark.parametrize("method", WRITE_METHODS)
def test_dynamic_partition_overwrite(cloud_spark: Any, table: Table, method: str) -> None:
    """A dynamic overwrite replaces the days it has rows for, and leaves the others alone."""
    table.create(("id", "INT64"), ("day", "DATE"), partition="day")
    write(dated(cloud_spark, (1, "2024-01-01"), (2, "2024-01-02")), table, method)

    cloud_spark.conf.set("spark.sql.sources.partitionOverwriteMode", "DYNAMIC")
    try:
        write(dated(cloud_spark, (3, "2024-01-02")), table, method, mode="overwrite")
    finally:
        cloud_spark.conf.unset("spark.sql.sources.partitionOverwriteMode")

    assert table.rows() == [(1, date(2024, 1, 1)), (3, date(2024, 1, 2))]


def test_one_day_overwrite(cloud_spark: Any, table: Table) -> None:
    """An overwrite of `table$YYYYMMDD` replaces that day."""
    frame = dated(cloud_spark, (1, "2024-01-01"), (2, "2024-01-02"))
    write(frame, table, "indirect", partitionField="day")

    new_day = dated(cloud_spark, (3, "2024-01-02"))
    write(
        new_day,
        table,
        "indirect",
        mode="overwrite",
        partitionField="day",
        datePartition="20240102",
    )

    assert table.rows() == [(1, date(2024, 1, 1)), (3, date(2024, 1, 2))]


# --- SQL of the client ---------------------------------------------------------------------------


@pytest.fixture
def filled(table: Table) -> Table:
    """A table of two rows."""
    table.create(("id", "INT64"), ("name", "STRING"))
    table.run("INSERT INTO {table} (id, name) VALUES (1, 'old'), (2, 'old')")
    return table


REPLACE = "DELETE FROM {table} WHERE id = 2; INSERT INTO {table} (id, name) VALUES (2, 'new');"
OLD_ROWS = [(1, "old"), (2, "old")]


def test_transaction_commits(filled: Table) -> None:
    """DELETE and INSERT of one transaction take effect together."""
    filled.run(f"BEGIN TRANSACTION; {REPLACE} COMMIT TRANSACTION;")

    assert filled.rows() == [(1, "old"), (2, "new")]


def test_transaction_rolls_back_on_error(filled: Table) -> None:
    """An error between DELETE and COMMIT leaves the table as it was."""
    from google.api_core.exceptions import BadRequest

    with pytest.raises(BadRequest, match="wrong number of rows"):
        filled.run(
            f"BEGIN TRANSACTION; {REPLACE} RAISE USING MESSAGE = 'wrong number of rows';"
            "COMMIT TRANSACTION;"
        )

    assert filled.rows() == OLD_ROWS


def test_transaction_rolls_back_on_error_of_a_statement(filled: Table) -> None:
    """So does a statement that cannot be run."""
    from google.api_core.exceptions import GoogleAPICallError

    with pytest.raises(GoogleAPICallError):
        filled.run(
            f"BEGIN TRANSACTION; {REPLACE} INSERT INTO {{table}} (missing) VALUES (3);"
            "COMMIT TRANSACTION;"
        )

    assert filled.rows() == OLD_ROWS


@pytest.mark.parametrize("reraise", ["RAISE", "RAISE USING MESSAGE = @@error.message"])
def test_exception_handler_rolls_back(filled: Table, reraise: str) -> None:
    """A handler may roll back and raise the error again."""
    from google.api_core.exceptions import BadRequest

    with pytest.raises(BadRequest, match="stop here"):
        filled.run(
            f"BEGIN BEGIN TRANSACTION; {REPLACE} RAISE USING MESSAGE = 'stop here';"
            f"EXCEPTION WHEN ERROR THEN ROLLBACK TRANSACTION; {reraise}; END;"
        )

    assert filled.rows() == OLD_ROWS


def test_exception_handler_commits(filled: Table) -> None:
    """A handler may keep what was done before the error."""
    filled.run(
        f"BEGIN BEGIN TRANSACTION; {REPLACE} RAISE USING MESSAGE = 'go on';"
        "EXCEPTION WHEN ERROR THEN COMMIT TRANSACTION; END;"
    )

    assert filled.rows() == [(1, "old"), (2, "new")]


def test_forgotten_commit_rolls_back(filled: Table) -> None:
    """A script that ends without COMMIT changes nothing."""
    filled.run(f"BEGIN TRANSACTION; {REPLACE}")

    assert filled.rows() == OLD_ROWS


def test_merge_and_create_as_select(filled: Table) -> None:
    """MERGE updates and inserts; CREATE TABLE AS SELECT makes a partitioned copy."""
    filled.run(
        "MERGE {table} AS target USING (SELECT 2 AS id, 'new' AS name UNION ALL SELECT 3, 'new')"
        " AS source ON target.id = source.id WHEN MATCHED THEN UPDATE SET name = source.name"
        " WHEN NOT MATCHED THEN INSERT (id, name) VALUES (source.id, source.name)"
    )
    assert filled.rows() == [(1, "old"), (2, "new"), (3, "new")]

    copy = Table(filled.client, filled.path.split(".")[0], "copy")
    copy.run(
        "CREATE TABLE {table} PARTITION BY day AS "
        f"SELECT id, DATE '2024-01-01' AS day FROM `{filled.path}` WHERE id > 1"
    )

    assert copy.rows("id") == [(2,), (3,)]
    assert copy.metadata().time_partitioning.field == "day"


@pytest.mark.parametrize(
    ("disposition", "expected"),
    [
        ("WRITE_APPEND", [(1, "old"), (2, "new"), (2, "old")]),
        ("WRITE_TRUNCATE", [(2, "new")]),
    ],
)
def test_query_destination(
    filled: Table, disposition: str, expected: list[tuple[int, str]]
) -> None:
    """A SELECT job writes to the table it names."""
    from google.cloud import bigquery

    config = bigquery.QueryJobConfig(
        destination=f"{filled.client.project}.{filled.path}", write_disposition=disposition
    )
    sql = "SELECT 'new' AS name, 2 AS id"
    job = filled.client.query(sql, config, timeout=TIMEOUT, job_retry=None)
    job.result(timeout=TIMEOUT)

    assert filled.rows("id, name", "id, name") == expected


def test_load_from_bucket_replaces_schema(cloud_spark: Any, filled: Table, folder: str) -> None:
    """A load with WRITE_TRUNCATE takes over the schema of the Parquet files."""
    from google.cloud import bigquery

    cloud_spark.createDataFrame([(0.5, 7)], "ratio DOUBLE, id BIGINT").coalesce(1).write.parquet(
        folder
    )
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE")
    destination = f"{filled.client.project}.{filled.path}"
    job = filled.client.load_table_from_uri(
        f"{folder}/*.parquet", destination, job_config=config, timeout=TIMEOUT
    )
    job.result(timeout=TIMEOUT)

    assert filled.rows("id, ratio") == [(7, 0.5)]


def test_load_matches_columns_by_name(cloud_spark: Any, filled: Table, folder: str) -> None:
    """Parquet columns in another order than the table's land where their names say."""
    from google.cloud import bigquery

    cloud_spark.createDataFrame([("c", 3)], "name STRING, id BIGINT").write.parquet(folder)
    config = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_APPEND")
    destination = f"{filled.client.project}.{filled.path}"
    job = filled.client.load_table_from_uri(
        f"{folder}/*.parquet", destination, job_config=config, timeout=TIMEOUT
    )
    job.result(timeout=TIMEOUT)

    assert filled.rows() == [*OLD_ROWS, (3, "c")]


def test_upload_of_the_client(filled: Table) -> None:
    """The Python client uploads rows of its own."""
    from google.cloud import bigquery

    config = bigquery.LoadJobConfig(
        schema=filled.metadata().schema, write_disposition="WRITE_TRUNCATE"
    )
    rows = [{"id": 5, "name": "uploaded"}, {"id": 6, "name": None}]
    destination = f"{filled.client.project}.{filled.path}"
    job = filled.client.load_table_from_json(rows, destination, job_config=config, timeout=TIMEOUT)
    job.result(timeout=TIMEOUT)

    assert filled.rows() == [(5, "uploaded"), (6, None)]


# --- the services themselves -------------------------------------------------------------------


def test_other_emulator_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The corrections are never applied to a version they were not written for."""
    monkeypatch.setattr(bigquery_emulator, "PINNED_VERSION", "0.0.0")

    with pytest.raises(SystemExit, match=r"installed version is: 1\.4\.0"):
        bigquery_emulator.require_pinned_version()


def test_vanished_private_function_is_refused() -> None:
    """Nor is a name replaced that the emulator does not have."""
    with pytest.raises(SystemExit, match=r"has no tests\.doubles\.services\.missing to correct"):
        bigquery_emulator.replace_attribute(services, "missing", None)


def test_failed_start_shows_the_log(tmp_path: Path) -> None:
    """A service that ends at once is reported with the end of its log."""
    command = [sys.executable, "-c", "raise SystemExit('port taken')"]
    service = services.Service("broken", command, lambda: False, tmp_path / "broken.log")

    with pytest.raises(services.ServiceError, match=r"broken ended with exit code 1:\nport taken"):
        service.wait_until_ready(time.monotonic() + TIMEOUT)


def wait_until_silent(address: str) -> None:
    """Wait until nothing answers at `http://host:port` any more."""
    host, port = address.removeprefix("http://").split(":")
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
        except OSError:
            return
        time.sleep(0.05)
    pytest.fail(f"{address} still answers")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_command_line_leaves_nothing_behind(ending: signal.Signals, tmp_path: Path) -> None:
    """`services.py` prints its settings and takes its children along, however it ends."""
    process = subprocess.Popen(
        [sys.executable, str(SERVICES_SCRIPT), "--directory", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    exports: dict[str, str] = {}
    for line in process.stdout:
        if line.startswith("export "):
            name, _, value = line.removeprefix("export ").strip().partition("=")
            exports[name] = value
        if "Stop with Ctrl-C" in line:
            break

    os.kill(process.pid, ending)

    assert process.wait(TIMEOUT) == (-ending if ending == signal.SIGKILL else 0)
    process.stdout.close()
    for name in ("STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST"):
        wait_until_silent(exports[name])
    conf = Path(exports["SPARK_CONF_DIR"], "spark-defaults.conf").read_text(encoding="utf-8")
    assert f"spark.hadoop.fs.gs.storage.root.url {exports['STORAGE_EMULATOR_HOST']}/\n" in conf
