"""Checks the published tables of the day before anyone relies on them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from io import BytesIO
from typing import Any

from runners.composer.airflow_names import AirflowFailException
from runners.composer.deployed import DEPLOYMENT
from runners.composer.plan import PLAN
from runners.storage.addresses import BIGQUERY, GCS, address_of

CHECK = "check-result"
CUSTOMER_TABLE = "customer_service_metrics_data"
CELL_TABLE = "cell_tower_performance_data"
SUMMARY_TABLE = "run_summary"


@dataclass(frozen=True)
class Published:
    """The contents of the tables of a day, by level (customer, cell).

    rows: rows in the table; expected_rows: rows by the summary of the run; required: cells that
    need maintenance.
    """

    rows: Mapping[str, int]
    expected_rows: Mapping[str, int]
    required: int
    run_ids: frozenset[str]


def check_result(ti: Any) -> dict[str, Any]:
    """Check the published tables of the day; fails without a retry if they are wrong."""
    plan = ti.xcom_pull(task_ids=PLAN)
    found = READERS[address_of(plan["out"]).scheme](plan)
    problems = [
        f"rows of {plan['run_date']} in the {level} table: {found.rows.get(level, 0)}, in the "
        f"summary of the run: {found.expected_rows.get(level, 0)}"
        for level in ("customer", "cell")
        if not 0 < found.rows.get(level, 0) == found.expected_rows.get(level, 0)
    ]
    if len(found.run_ids) != 1 or not all(one.startswith(plan["key"]) for one in found.run_ids):
        problems.append(f"rows of the runs {sorted(found.run_ids)}, not only of {plan['key']}")
    cells = found.rows.get("cell", 0)
    share = found.required / cells if cells else 0.0
    least, most = plan["smallest_required_share"], plan["largest_required_share"]
    if not least <= share <= most:
        problems.append(f"{share:.1%} of {cells} cells are Required, not {least:.1%} to {most:.1%}")
    if problems:
        raise AirflowFailException(f"{plan['out']}, {plan['run_date']}:\n" + "\n".join(problems))
    return {
        "run_id": min(found.run_ids),
        "customers": found.rows["customer"],
        "cells": cells,
        "required": found.required,
    }


def in_bigquery(plan: Mapping[str, Any]) -> Published:
    """The tables of a day in BigQuery."""
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
    from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

    prefix = f"{plan['prefix']}_" if plan["prefix"] else ""
    dataset = address_of(plan["out"]).host
    customers, cells, summary = (
        f"`{dataset}.{prefix}{name}`" for name in (CUSTOMER_TABLE, CELL_TABLE, SUMMARY_TABLE)
    )
    rows = "COUNT(*) AS row_count, ARRAY_AGG(DISTINCT run_id) AS run_ids"
    day = "WHERE run_date = @run_date"
    required = "COUNTIF(Maintainence_Required = 'Required')"
    expected = "CAST(SUM(value) AS INT64) AS row_count, ARRAY_AGG(DISTINCT run_id) AS run_ids"
    query = f"""
        SELECT 'customer' AS level, 'rows' AS what, {rows}, 0 AS required FROM {customers} {day}
        UNION ALL
        SELECT 'cell' AS level, 'rows' AS what, {rows}, {required} AS required FROM {cells} {day}
        UNION ALL
        SELECT subject AS level, 'expected' AS what, {expected}, 0 AS required FROM {summary} {day}
        AND section = 'kpi' AND item = 'rows' GROUP BY subject
    """
    parameter = ScalarQueryParameter("run_date", "DATE", plan["run_date"])
    client = BigQueryHook(gcp_conn_id=DEPLOYMENT.connection).get_client(DEPLOYMENT.project)
    found = [*client.query(query, QueryJobConfig(query_parameters=[parameter])).result(timeout=600)]
    return Published(
        rows={row.level: row.row_count for row in found if row.what == "rows"},
        expected_rows={row.level: row.row_count for row in found if row.what == "expected"},
        required=sum(row.required for row in found),
        run_ids=frozenset(one for row in found for one in row.run_ids or ()),
    )


def on_storage(plan: Mapping[str, Any]) -> Published:
    """The tables that this run has published in a folder of a bucket; empty if it has not."""
    from pyarrow import concat_tables
    from pyarrow.parquet import read_table

    day = date.fromisoformat(plan["run_date"])
    published = {name.split("/")[-2] for name, _ in objects(f"{plan['out']}/published/")}
    ours = [run_id for run_id in published if run_id.startswith(plan["key"])]
    if not ours:
        return Published({}, {}, 0, frozenset())
    # The last one of several tries.
    tables = f"{plan['out']}/runs/{max(ours, key=lambda run_id: (len(run_id), run_id))}"

    def rows(table: str, *columns: str) -> Any:
        chosen = ["run_id", "run_date", *columns]
        parts = [
            read_table(BytesIO(content()), columns=chosen, filters=[("run_date", "=", day)])
            for name, content in objects(f"{tables}/{table}/")
            if name.endswith(".parquet")
        ]
        return concat_tables(parts)

    customers, cells = rows(CUSTOMER_TABLE), rows(CELL_TABLE, "Maintainence_Required")
    summary = rows(SUMMARY_TABLE, "section", "subject", "item", "value")
    return Published(
        rows={"customer": customers.num_rows, "cell": cells.num_rows},
        expected_rows={
            row["subject"]: int(row["value"])
            for row in summary.to_pylist()
            if (row["section"], row["item"]) == ("kpi", "rows")
        },
        required=cells["Maintainence_Required"].to_pylist().count("Required"),
        run_ids=frozenset(
            run_id
            for table in (customers, cells, summary)
            for run_id in table["run_id"].unique().to_pylist()
        ),
    )


def objects(address: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The objects with this prefix: the name of each, and a function that downloads it."""
    from airflow.providers.google.cloud.hooks.gcs import GCSHook

    hook = GCSHook(gcp_conn_id=DEPLOYMENT.connection)
    _, bucket, prefix = address_of(address)
    for name in hook.list(bucket, prefix=prefix):
        yield name, partial(hook.download, bucket, name)


# By the scheme of the destination.
READERS = {BIGQUERY: in_bigquery, GCS: on_storage}
