"""The profile `default` on the real inputs, counted again by DuckDB."""

from collections import Counter
from datetime import date

import duckdb
import pytest

from anomaly import load_profile
from runners.local import run_locally
from tests.test_parity import INPUTS

pytestmark = pytest.mark.real_data


@pytest.fixture(scope="module")
def run(spark, tmp_path_factory):
    out = tmp_path_factory.mktemp("default")
    finished = run_locally(load_profile("default"), INPUTS, str(out), date(2026, 11, 1))
    return finished.summary, out


@pytest.fixture(scope="module")
def database():
    """The inputs as DuckDB reads them, the customer number cut from the text of Customer_ID."""
    connection = duckdb.connect()
    connection.sql(f"create view customers as from '{INPUTS['customers']}/*.parquet'")
    connection.sql(f"create view samples as from read_csv('{INPUTS['samples']}')")
    connection.sql(
        "create view calls as select *, substr(Customer_ID, 4)::bigint as number "
        f"from read_csv('{INPUTS['call_statistics']}', types={{'Customer_ID': 'VARCHAR'}})"
    )
    return connection


def counts(run, section, subject):
    """The figures of a section by their names, those of several files added up."""
    found = Counter()
    for row in run[0]:
        if (row.section, row.subject) == (section, subject):
            found[row.item] += row.value
    return found


def test_every_row_is_used_and_accounted_for(run, database):
    for source, view in (
        ("customers", "customers"), ("samples", "samples"), ("call_statistics", "calls"),
    ):  # fmt: skip
        rows = database.sql(f"select count(*) from {view}").fetchall()[0][0]
        assert counts(run, "input", source) == {
            "rows in": rows, "rows clean": rows, "rows rejected": 0,
        }  # fmt: skip


def test_all_customers_with_call_rows_are_published(run, database):
    published = duckdb.sql(
        "select customerID, call_row_count "
        f"from '{run[1]}/customer_service_metrics_data/*/*.parquet'"
    ).fetchall()
    with_calls = database.sql(
        'select "Index", count(*) from customers join calls on number = "Index" group by 1'
    ).fetchall()
    assert sorted(published) == sorted(with_calls)


def test_each_cell_averages_all_of_its_samples(run, database):
    published = duckdb.sql(
        "select CellName, sample_count, avg_PRBUsageUL "
        f"from '{run[1]}/cell_tower_performance_data/*/*.parquet' where sample_count > 0"
    ).fetchall()
    by_hand = database.sql(
        "select CellName, count(*), avg(PRBUsageUL) from samples group by CellName"
    ).fetchall()
    assert sum(row[1] for row in published) == 36_904
    assert {row[:2] for row in published} == {row[:2] for row in by_hand}
    means = {row[0]: row[2] for row in by_hand}
    assert {row[0]: row[2] for row in published} == pytest.approx(means, rel=1e-9)


def test_towers_without_samples_are_named(run, database):
    named = counts(run, "unmatched", "cells without samples")
    by_hand = database.sql(
        "select CellTower, count(*) from customers "
        "where CellTower not in (select CellName from samples) group by 1"
    ).fetchall()
    assert named == dict(by_hand)
    assert (len(named), sum(named.values())) == (19, 1946)


def test_the_evidence_of_a_kpi_is_what_duckdb_finds(run, database):
    """PRBUsageUL of each cell: its mean, the median and quartiles of the cells, the bound."""
    evidence = duckdb.sql(
        "select CellName, kpi.value, kpi.baseline, kpi.spread, kpi.bound, kpi.flag from ("
        "select CellName, unnest(evidence) as kpi "
        f"from '{run[1]}/cell_tower_performance_data/*/*.parquet') "
        "where kpi.kpi = 'PRBUsageUL' and kpi.value is not null order by CellName"
    ).fetchall()
    by_hand = database.sql(
        "with means as (select CellName, avg(PRBUsageUL) as mean from samples group by 1), "
        # Quantiles are taken of means with four significant digits.
        "rounded as (select round(mean, 3 - floor(log10(mean))::int) as mean from means), "
        "quartiles as (select quantile_cont(mean, [0.25, 0.5, 0.75]) as q from rounded), "
        "judged as (select CellName, mean, q[2] as median, (q[3] - q[1]) / 1.349 as spread "
        "from means, quartiles) "
        "select CellName, mean, median, spread, median + greatest(2 * spread, 5) as bound, "
        "(mean > bound)::int from judged order by CellName"
    ).fetchall()
    assert len(evidence) == 33
    for found, expected in zip(evidence, by_hand, strict=True):
        assert (found[0], found[5]) == (expected[0], expected[5])
        assert found[1:5] == pytest.approx(expected[1:5], rel=1e-9)
