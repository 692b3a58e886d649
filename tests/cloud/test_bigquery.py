"""Tables published to BigQuery by the real connector: all or nothing, and as often as you like."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from anomaly import ConfigurationError, OutputError, Run
from anomaly.schema.tables import (
    ALARMS_TABLE,
    CELL_TABLE,
    CUSTOMER_TABLE,
    HISTORY_COLUMNS,
    HISTORY_TABLE,
    SUMMARY_TABLE,
)
from runners.storage.bigquery import BigQueryDataset
from runners.storage.destination import Publishing
from runners.storage.places import destination_of, storage_of
from tests.cloud.bigquery_tables import (
    COLUMNS,
    DAY,
    NEXT_DAY,
    TABLES,
    TIMEOUT,
    Published,
    expected,
    frames,
    rows,
)
from tests.doubles.fault_proxy import Faults, HttpFaultProxy, TcpFaultProxy
from tests.doubles.services import CloudServices

pytestmark = pytest.mark.cloud

OLD = {"1A": 0.1, "2B": None}
NEW = {"2B": 2.5, "3C": 1 / 3, "Zürich ✓": None}
FIRST, SECOND = Run(DAY, "first"), Run(DAY, "second")


@pytest.fixture
def published(
    cloud: CloudServices,
    cloud_spark: Any,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Published]:
    """An empty dataset, and the client of the runner pointed to the emulator."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", cloud.bigquery_url)
    client = cloud.bigquery_client()
    dataset = re.sub(r"\W", "_", request.node.name)
    client.create_dataset(dataset, timeout=TIMEOUT)
    yield Published(cloud_spark, client, dataset)
    client.delete_dataset(dataset, delete_contents=True, timeout=TIMEOUT)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client gives up after seconds, not minutes."""
    from runners.storage import bigquery_calls

    for patience in (bigquery_calls.CALL, bigquery_calls.END):
        monkeypatch.setitem(patience, "retry", bigquery_calls.RETRY.with_timeout(3))


@pytest.fixture(scope="module")
def template(cloud: CloudServices, cloud_spark: Any) -> Published:
    """A dataset with one day published, which tests copy."""
    client = cloud.bigquery_client()
    client.create_dataset("template", timeout=TIMEOUT)
    template = Published(cloud_spark, client, "template")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", cloud.bigquery_url)
        template.publish(FIRST, OLD)
    return template


@pytest.fixture
def filled(published: Published, template: Published) -> Published:
    """The same with one day published: rows and metadata of the template."""
    for name in TABLES:
        original = published.client.get_table(template.place.full_name(name), timeout=TIMEOUT)
        described = original.to_api_repr()
        described["tableReference"]["datasetId"] = published.place.parts[1]
        published.client.create_table(type(original).from_api_repr(described), timeout=TIMEOUT)
        rows_of = f"SELECT * FROM `{template.place.full_name(name)}`"
        published.query(f"INSERT INTO {{{name}}} {rows_of}")
    assert published.found() == expected((FIRST, OLD))
    return published


# --- what is published ---------------------------------------------------------------------------


@pytest.mark.parametrize("bucket", [None, "spark-temporary"], ids=["direct", "indirect"])
def test_every_value_arrives(published: Published, bucket: str | None) -> None:
    published.publish(FIRST, NEW, staging_bucket=bucket)
    assert published.found() == expected((FIRST, NEW))
    assert published.table_names() == {f"x_{name}" for name in TABLES}


def test_a_day_is_replaced_and_other_days_stay(filled: Published) -> None:
    next_day = Run(NEXT_DAY, "next")
    filled.publish(next_day, OLD)
    filled.publish(SECOND, NEW)
    assert filled.found() == expected((SECOND, NEW), (next_day, OLD))


def test_the_same_run_again_leaves_the_same_rows(filled: Published) -> None:
    filled.publish(FIRST, OLD)
    assert filled.found() == expected((FIRST, OLD))


def test_a_day_without_rows_is_a_day_without_rows(filled: Published) -> None:
    filled.publish(SECOND, {})
    assert filled.found() == expected((SECOND, {}))


def test_published_days_are_read_back(filled: Published) -> None:
    next_day = Run(NEXT_DAY, "next")
    filled.publish(next_day, NEW)
    with filled.destination(SECOND) as destination:
        assert destination.days(CELL_TABLE) == [DAY, NEXT_DAY]
        assert destination.days(HISTORY_TABLE) == []
        for name, frame in frames(filled.spark, rows(next_day, NEW)).items():
            back = destination.published(name, [NEXT_DAY]).select(frame.columns).collect()
            assert sorted(map(str, back)) == sorted(map(str, frame.collect()))


# --- more than the rows of a day -----------------------------------------------------------------


def test_later_days_of_the_history_are_replaced_and_earlier_ones_stay(filled: Published) -> None:
    columns = COLUMNS | {HISTORY_TABLE: HISTORY_COLUMNS}
    schema = ", ".join(f"{column.name} {column.type}" for column in HISTORY_COLUMNS)

    def publish(run: Run, days: list[date]) -> None:
        with BigQueryDataset(filled.spark, filled.place, run, columns) as destination:
            for name, frame in frames(filled.spark, rows(run, OLD)).items():
                destination.stage(name, frame)
            of_run = (run.run_id, "p")
            of_days = [
                ("1A", "NEW", day, day, None, "Required", 1, 2, 3, [(day, None)], *of_run, day)
                for day in days
            ]
            destination.stage(HISTORY_TABLE, filled.spark.createDataFrame(of_days, schema))
            destination.publish()

    last_day = NEXT_DAY + timedelta(days=1)
    for run in (FIRST, Run(NEXT_DAY, "next"), Run(last_day, "last")):
        publish(run, [run.run_date])
    publish(Run(NEXT_DAY, "again"), [NEXT_DAY, last_day])
    history = filled.query(f"SELECT * FROM `{filled.place.full_name(HISTORY_TABLE)}`")
    assert {(row["run_date"], row["run_id"]) for row in history} == {
        (DAY, "first"),
        (NEXT_DAY, "again"),
        (last_day, "again"),
    }
    assert history[0]["recent"] == [{"run_date": history[0]["run_date"], "verdict": None}]
    cells = filled.query("SELECT DISTINCT run_date, run_id FROM {cell_tower_performance_data}")
    assert {(row["run_date"], row["run_id"]) for row in cells} == {
        (DAY, "first"),
        (NEXT_DAY, "again"),
        (last_day, "last"),
    }


@pytest.mark.parametrize("day", [DAY, NEXT_DAY], ids=["the same day", "the day before"])
def test_of_two_runs_at_once_the_later_one_fails(filled: Published, day: date) -> None:
    """What the later one rests on, or would replace, is not what it has seen."""
    filled.publish(Run(NEXT_DAY, "next"), OLD)
    slow = Run(day, "slow")
    with filled.destination(slow) as destination:
        for name, frame in frames(filled.spark, rows(slow, NEW)).items():
            destination.stage(name, frame)
        filled.publish(Run(DAY, "quick"), NEW)
        before = filled.found()
        with pytest.raises(OutputError, match=r"another run was published meanwhile \(quick\)"):
            destination.publish()
    assert filled.found() == before
    assert before == expected((Run(DAY, "quick"), NEW), (Run(NEXT_DAY, "next"), OLD))


def test_a_run_that_ends_after_one_of_an_earlier_day_counts(filled: Published) -> None:
    filled.publish(Run(NEXT_DAY, "next"), OLD)
    later = Run(NEXT_DAY + timedelta(days=1), "later")
    with filled.destination(later) as destination:
        for name, frame in frames(filled.spark, rows(later, NEW)).items():
            destination.stage(name, frame)
        filled.publish(SECOND, NEW)
        destination.publish()
    assert filled.found() == expected((SECOND, NEW), (Run(NEXT_DAY, "next"), OLD), (later, NEW))


def test_old_days_go_only_where_so_many_are_to_be_kept(filled: Published) -> None:
    for place in (1, 2):
        filled.publish(Run(DAY + timedelta(days=place), f"run{place}"), OLD)
    last = Run(DAY + timedelta(days=3), "last")
    filled.publish(last, NEW, keep_days=2)
    assert filled.found() == expected((Run(DAY + timedelta(days=2), "run2"), OLD), (last, NEW))


def test_alarms_of_a_day_go_where_its_samples_are_no_longer_dated(filled: Published) -> None:
    alarms = filled.place.full_name(ALARMS_TABLE)
    filled.query(f"CREATE TABLE `{alarms}` (CellName STRING, run_date DATE)")
    filled.query(f"INSERT INTO `{alarms}` VALUES ('1A', '{DAY}'), ('1A', '{NEXT_DAY}')")
    filled.publish(SECOND, NEW)
    assert filled.query(f"SELECT run_date FROM `{alarms}`") == [{"run_date": NEXT_DAY}]


# --- metadata ------------------------------------------------------------------------------------


def test_new_tables_are_partitioned_clustered_and_described(filled: Published) -> None:
    said = filled.metadata()
    for name in TABLES:
        assert said[name]["timePartitioning"] == {"type": "DAY", "field": "run_date"}
        described = {
            field["name"]: field["description"] for field in said[name]["schema"]["fields"]
        }
        assert described == {
            column.name: f"{column.meaning} ({column.unit})" if column.unit else column.meaning
            for column in COLUMNS[name]
        }
    assert said[CELL_TABLE]["clustering"] == {"fields": ["CellName"]}
    assert said[CUSTOMER_TABLE]["clustering"] == {"fields": ["CellName", "customerID"]}
    assert said[CELL_TABLE]["description"].startswith("Per cell: KPI averages")


def test_what_others_changed_on_a_table_survives(filled: Published) -> None:
    """Overwriting a table is what takes these away; a run only ever replaces rows."""
    table = filled.client.get_table(filled.place.full_name(CELL_TABLE), timeout=TIMEOUT)
    from google.cloud import bigquery

    table.labels = {"owner": "radio"}
    table.description = "our towers"
    table.clustering_fields = ["severity_rank"]
    table.schema = [*table.schema, bigquery.SchemaField("note", "STRING", description="ours")]
    changed = ["labels", "description", "clustering_fields", "schema"]
    filled.client.update_table(table, changed, timeout=TIMEOUT)
    filled.query(f"UPDATE {{{CELL_TABLE}}} SET note = 'seen' WHERE CellName = '1A'")
    before = filled.metadata()
    next_day = Run(NEXT_DAY, "next")
    filled.publish(next_day, NEW)
    assert filled.metadata() == before
    notes = {row["CellName"]: row["note"] for row in filled.found()[CELL_TABLE]}
    assert notes == {"1A": "seen", "2B": None, "3C": None, "Zürich ✓": None}


def test_staging_tables_expire(published: Published) -> None:
    with published.destination(FIRST) as destination:
        for table in destination.tables.values():
            expires = published.client.get_table(table.staging, timeout=TIMEOUT).expires
            assert timedelta(hours=23) < expires - datetime.now(UTC) <= timedelta(hours=24)
    assert published.table_names() == set()


# --- schemas that differ -------------------------------------------------------------------------


def change_schema(published: Published, change: Any) -> None:
    """Make the cell table anew with a changed schema, without rows."""
    table = published.client.get_table(published.place.full_name(CELL_TABLE), timeout=TIMEOUT)
    from google.cloud import bigquery

    fields = change([field.to_api_repr() for field in table.schema])
    published.client.delete_table(table, timeout=TIMEOUT)
    new = bigquery.Table(table.reference, [bigquery.SchemaField.from_api_repr(f) for f in fields])
    published.client.create_table(new, timeout=TIMEOUT)


def without(*names: str) -> Any:
    return lambda fields: [field for field in fields if field["name"] not in names]


def test_differences_are_all_told_before_anything_is_written(filled: Published) -> None:
    def change(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = [field for field in fields if field["name"] not in ("avg_s0", "evidence")]
        for field in kept:
            if field["name"] == "severity_rank":
                field["type"] = "STRING"
        return [*kept, {"name": "region", "type": "STRING", "mode": "REQUIRED"}]

    change_schema(filled, change)
    tables = filled.table_names()
    with pytest.raises(OutputError) as told, filled.destination(SECOND):
        pass
    for fault in (
        "column severity_rank is STRING there, INTEGER here",
        "column region is REQUIRED there, and no run fills it",
        "column avg_s0 (FLOAT) is missing",
        "column evidence (RECORD) is missing",
        "--add-columns adds new columns",
    ):
        assert fault in str(told.value)
    assert filled.table_names() == tables


def test_missing_columns_are_added_only_when_asked_to(filled: Published) -> None:
    change_schema(filled, without("avg_s0", "evidence"))
    with pytest.raises(OutputError, match="avg_s0"):
        filled.publish(SECOND, NEW)
    filled.publish(SECOND, NEW, add_columns=True)
    found = filled.found()[CELL_TABLE]
    assert {row["CellName"]: row["avg_s0"] for row in found} == NEW
    assert [
        len(row["evidence"]) for row in sorted(found, key=lambda row: row["severity_rank"])
    ] == [
        1,
        2,
        3,
    ]


def test_a_required_column_takes_no_null(filled: Published) -> None:
    def change(fields: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for field in fields:
            if field["name"] in ("CellName", "avg_s0"):
                field["mode"] = "REQUIRED"
        return fields

    change_schema(filled, change)
    filled.publish(SECOND, {"1A": 0.5})
    with pytest.raises(OutputError, match="column avg_s0 is REQUIRED there, but NULL in 1 rows"):
        filled.publish(FIRST, OLD)
    assert [row["CellName"] for row in filled.found()[CELL_TABLE]] == ["1A"]


def test_a_column_that_runs_no_longer_have_is_null_in_new_rows(
    filled: Published, caplog: pytest.LogCaptureFixture
) -> None:
    change_schema(filled, lambda fields: [*fields, {"name": "avg_old", "type": "FLOAT"}])
    filled.publish(SECOND, OLD)
    assert [row["avg_old"] for row in filled.found()[CELL_TABLE]] == [None, None]
    assert "no longer filled, NULL from now on: avg_old" in caplog.text


# --- what is found out before the first stage ----------------------------------------------------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"dataset": "nowhere"}, r"bq://p1.nowhere: cannot be used: .*[Nn]ot found"),
        ({"bucket": "no-such-bucket"}, "--staging-bucket no-such-bucket: cannot be written"),
        ({"format": "nosuchformat"}, "Spark's BigQuery connector cannot be used"),
    ],
)
def test_a_missing_destination_is_told_at_once(
    published: Published,
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, str],
    said: str,
) -> None:
    if "dataset" in change:
        published.place = type(published.place)(f"bq://p1.{change['dataset']}")
    if "format" in change:
        from pyspark.sql import DataFrameReader

        original = DataFrameReader.format
        monkeypatch.setattr(
            DataFrameReader, "format", lambda reader, _: original(reader, change["format"])
        )
    with (
        pytest.raises(OutputError, match=said),
        published.destination(FIRST, staging_bucket=change.get("bucket")),
    ):
        pass
    if "dataset" not in change:
        assert published.table_names() == set()


@pytest.mark.parametrize(
    ("out", "prefix", "bucket", "faults"),
    [
        ("bq://p1", "", None, 1),
        ("bq://p1.d.t", "", None, 1),
        ("bq://p1.d`; DROP TABLE x; --", "", None, 1),
        ("bq://P1.demo", "x-y", "gs://bucket", 3),
        ("bq://p1.demo", "a b", "Bucket", 2),
    ],
)
def test_names_are_checked_all_at_once(
    out: str, prefix: str, bucket: str | None, faults: int
) -> None:
    with pytest.raises(ConfigurationError) as told:
        destination_of(out, Publishing(prefix, bucket))
    assert len(told.value.problems) == faults


def test_names_that_google_takes_are_taken() -> None:
    text = "bq://example.com:my-project.Data_1"
    place = destination_of(text, Publishing("lab", "my.bucket-1"))
    assert str(place) == text
    assert place.full_name("t") == "example.com:my-project.Data_1.lab_t"
    assert storage_of("bq://p1.demo", "lab").full_name("t") == "p1.demo.lab_t"
    assert storage_of("bq://p1.demo.other", "lab").full_name("t") == "p1.demo.other"
    assert storage_of("bq://p1.demo.lab_t").around("t") == storage_of("bq://p1.demo", "lab")


def test_decimals_fit_or_are_refused(cloud_spark: Any) -> None:
    """NUMERIC has 9 digits behind the point; what has more is no NUMERIC."""
    from anomaly.schema.inputs import Column
    from runners.storage.bigquery_schema import fields_of

    kinds = ["decimal(10,2)", "decimal(38,9)", "decimal(38,10)", "decimal(38,38)", "decimal(10,0)"]
    fields = fields_of(cloud_spark, [Column(f"c{n}", kind, "") for n, kind in enumerate(kinds)])
    assert [field.field_type for field in fields] == [
        "NUMERIC",
        "NUMERIC",
        "BIGNUMERIC",
        "BIGNUMERIC",
        "NUMERIC",
    ]


# --- a run that fails ----------------------------------------------------------------------------


def refused(published: Published, run: Run, cells: Any, said: str) -> None:
    """The run fails, and leaves rows, metadata and tables as they were."""
    before = published.found(), published.metadata(), published.table_names()
    with pytest.raises(OutputError, match=said):
        published.publish(run, cells)
    assert (published.found(), published.metadata(), published.table_names()) == before


@pytest.mark.parametrize(
    ("times", "said"),
    [(0, "0 of 3 rows arrived"), (0.5, "[012] of 3 rows arrived"), (2, "6 of 3 rows arrived")],
    ids=["nothing", "a part", "twice"],
)
def test_a_write_that_returns_though_rows_are_lost_or_doubled(
    filled: Published, monkeypatch: pytest.MonkeyPatch, times: float, said: str
) -> None:
    from runners.storage.bigquery import BigQueryDataset

    write = BigQueryDataset._write

    def lossy(destination: Any, frame: Any, table: str) -> None:
        if CELL_TABLE in table:
            frame = (
                frame.where("severity_rank = 1") if times == 0.5 else frame.where(f"{times} > 0")
            )
            frame = frame.union(frame) if times == 2 else frame
        write(destination, frame, table)

    monkeypatch.setattr(BigQueryDataset, "_write", lossy)
    refused(filled, SECOND, NEW, f"{CELL_TABLE}: {said}")


REST_FAULTS = {
    "dataset": ("GET", "/datasets/[^/]*$", b""),
    "schemas": ("GET", f"/tables/x_{CELL_TABLE}$", b""),
    "staging": ("POST", "/tables$", b"_staging_"),
    "check": ("POST", "/jobs$", b"COUNT("),
    "publish": ("POST", "/jobs$", b"BEGIN TRANSACTION"),
}


@pytest.mark.parametrize("point", REST_FAULTS)
def test_a_service_that_is_down_at_any_point(
    filled: Published,
    cloud: CloudServices,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
    point: str,
) -> None:
    method, path, said = REST_FAULTS[point]

    def when(a_method: str, a_path: str, body: bytes) -> str | None:
        a_path = a_path.split("?")[0]
        is_meant = a_method == method and re.search(path, a_path) and said in body
        return "503" if is_meant else None

    with HttpFaultProxy(port_of(cloud.bigquery_url), Faults(when=when)) as proxy:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        refused(filled, SECOND, NEW, "p1.*")
        assert proxy.injected["503"]


def test_the_connector_cannot_write(filled: Published) -> None:
    """Here because its table has other columns by then."""
    from google.cloud import bigquery

    before = filled.found()
    with filled.destination(SECOND) as destination:
        staging = destination.tables[CELL_TABLE].staging
        filled.client.delete_table(staging, timeout=TIMEOUT)
        other = bigquery.Table(staging, [bigquery.SchemaField("CellName", "INTEGER")])
        filled.client.create_table(other, timeout=TIMEOUT)
        with pytest.raises(OutputError, match=f"{staging}: cannot be written: .*schema"):
            destination.stage(CELL_TABLE, frames(filled.spark, rows(SECOND, NEW))[CELL_TABLE])
    assert filled.found() == before
    assert filled.table_names() == {f"x_{name}" for name in TABLES}


def fail_between_the_tables(published: Published, run: Run, cells: Any) -> None:
    """Publish when the last staging table is gone."""
    with published.destination(run) as destination:
        for name, frame in frames(published.spark, rows(run, cells)).items():
            destination.stage(name, frame)
        published.query(f"DROP TABLE `{destination.tables[SUMMARY_TABLE].staging}`")
        with pytest.raises(OutputError, match="not published"):
            destination.publish()


def test_a_statement_fails_between_the_tables(filled: Published) -> None:
    """The first tables have their new rows by then; all are rolled back."""
    before = filled.found()
    fail_between_the_tables(filled, SECOND, NEW)
    assert filled.found() == before
    assert filled.table_names() == {f"x_{name}" for name in TABLES}


def test_new_tables_stay_empty_and_are_named_when_the_first_publishing_fails(
    published: Published, caplog: pytest.LogCaptureFixture
) -> None:
    """They are not dropped: another run may have published to them meanwhile."""
    fail_between_the_tables(published, FIRST, OLD)
    assert published.found() == {name: [] for name in TABLES}
    assert published.table_names() == {f"x_{name}" for name in TABLES}
    assert (
        f"{published.place.full_name(CELL_TABLE)}, new and without rows of this run" in caplog.text
    )


def test_a_transaction_that_another_one_aborts_is_tried_again(
    filled: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator isolates nothing, so the abortion is made here; the second try is real."""
    from google.api_core.exceptions import BadRequest

    from runners.storage import bigquery

    run_once, jobs = bigquery.run_once, []

    def aborted_at_first(client: Any, sql: str, job_id: str, *others: Any) -> None:
        jobs.append(job_id)
        if len(jobs) == 1:
            raise BadRequest("Transaction is aborted due to concurrent update against table t.")
        run_once(client, sql, job_id, *others)

    monkeypatch.setattr(bigquery, "run_once", aborted_at_first)
    monkeypatch.setattr(bigquery, "LONGEST_PAUSE_SECONDS", 0)
    filled.publish(SECOND, NEW)
    assert filled.found() == expected((SECOND, NEW))
    assert len(set(jobs)) == 2


def test_a_view_is_no_place_for_rows(filled: Published) -> None:
    from google.cloud import bigquery

    name = filled.place.full_name(CELL_TABLE)
    filled.client.delete_table(name, timeout=TIMEOUT)
    view = bigquery.Table(name)
    view.view_query = f"SELECT * FROM `{filled.place.full_name(CUSTOMER_TABLE)}`"
    filled.client.create_table(view, timeout=TIMEOUT)
    with pytest.raises(OutputError, match="is a VIEW, whose rows"), filled.destination(SECOND):
        pass


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


def test_the_answer_of_the_publishing_is_lost(
    filled: Published, cloud: CloudServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for again, and the rows are there once."""
    lost: list[bytes] = []

    def when(method: str, path: str, body: bytes) -> str | None:
        if b"BEGIN TRANSACTION" in body and not lost:
            lost.append(body)
            return "drop_after"
        return None

    with HttpFaultProxy(port_of(cloud.bigquery_url), Faults(when=when)) as proxy:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        filled.publish(SECOND, NEW)
        assert proxy.injected["drop_after"] == 1
    assert filled.found() == expected((SECOND, NEW))


def test_what_cannot_be_dropped_is_named(
    filled: Published,
    cloud: CloudServices,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def when(method: str, path: str, body: bytes) -> str | None:
        return "503" if method == "DELETE" and CELL_TABLE in path else None

    with HttpFaultProxy(port_of(cloud.bigquery_url), Faults(when=when)) as proxy:
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", proxy.url)
        filled.publish(SECOND, NEW)
    assert filled.found() == expected((SECOND, NEW))
    assert f"left behind: {filled.place.full_name(CELL_TABLE)}_staging_second" in caplog.text


@pytest.mark.parametrize("seed", range(4))
def test_faults_at_random_leave_the_old_rows_or_the_new(
    filled: Published,
    cloud: CloudServices,
    cloud_spark: Any,
    impatient: None,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    """Client and connector both meet dropped connections, lost answers, 429, 500, 503, slowness."""
    prefix = "spark.datasource.bigquery."
    settings = {name: cloud_spark.conf.get(prefix + name) for name in (REST, GRPC)}
    kinds = {"drop_before", "drop_after", "429", "500", "503", "slow"}
    with (
        HttpFaultProxy(port_of(cloud.bigquery_url), Faults(kinds, 0.08, seed)) as rest,
        TcpFaultProxy(
            int(settings[GRPC].split(":")[1]), Faults({"drop", "slow"}, 0.05, seed)
        ) as grpc,
    ):
        monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", rest.url)
        cloud_spark.conf.set(prefix + REST, rest.url)
        cloud_spark.conf.set(prefix + GRPC, f"127.0.0.1:{grpc.port}")
        try:
            filled.publish(SECOND, NEW)
            allowed = [expected((SECOND, NEW))]
        except OutputError as error:
            assert len(str(error).splitlines()) == 1
            allowed = [expected((FIRST, OLD)), expected((SECOND, NEW))]
        finally:
            for name, value in settings.items():
                cloud_spark.conf.set(prefix + name, value)
        assert rest.injected.total() + grpc.injected.total()
    assert filled.found() in allowed
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", cloud.bigquery_url)
    filled.publish(SECOND, NEW)
    assert filled.found() == expected((SECOND, NEW))


REST, GRPC = "bigQueryHttpEndpoint", "bigQueryStorageGrpcEndpoint"
