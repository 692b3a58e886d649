"""The profile `default` on the real inputs, counted again by DuckDB."""

from collections import Counter
from datetime import date

import duckdb
import pytest

from anomaly import load_profile
from runners.local import run_locally
from runners.storage.places import destination_of
from tests.builders.real_inputs import INPUTS

pytestmark = [pytest.mark.slow, pytest.mark.on_each_spark, pytest.mark.real_data]


@pytest.fixture(scope="module")
def run(spark, tmp_path_factory):
    out = tmp_path_factory.mktemp("default")
    finished = run_locally(
        load_profile("default"), INPUTS, destination_of(str(out)), date(2026, 11, 1)
    )
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
    for row in run[0].rows:
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


# Quantiles are taken of values with four significant digits.
ROUNDED = "round({0}, 3 - floor(log10(abs({0})))::int)"


def evidence_of(run, kpi):
    """A row per cell with a value: value, baseline, spread, standard error, bound and flag."""
    return duckdb.sql(
        "select CellName, kpi.value, kpi.baseline, kpi.spread, kpi.standard_error, kpi.bound, "
        "kpi.flag from (select CellName, unnest(evidence) as kpi "
        f"from '{run[1]}/cell_tower_performance_data/*/*.parquet') "
        f"where kpi.kpi = '{kpi}' and kpi.value is not null order by CellName"
    ).fetchall()


def test_the_evidence_of_a_kpi_of_the_samples_is_what_duckdb_finds(run, database):
    """Each cell's mean, the median and quartiles of the cells' logarithms, and the bound.

    Of PRBUsageUL the floor of 40 % decides; of maxThr_UL 3.5 spreads, or the factor of 2.5.
    """
    for kpi, offset, bound in (
        ("PRBUsageUL", 1.0, "greatest(exp(median + greatest(2.75 * spread, ln(1.8))) - 1, 40)"),
        ("maxThr_UL", 0.1, "exp(median - greatest(3.5 * spread, ln(2.5))) - 0.1"),
    ):
        sign = ">" if kpi == "PRBUsageUL" else "<"
        by_hand = database.sql(
            f"with means as (select CellName, avg({kpi}) as mean from samples group by 1), "
            f"logs as (select ln(mean + {offset}) as log from means), "
            f"rounded as (select {ROUNDED.format('log')} as log from logs), "
            "quartiles as (select quantile_cont(log, [0.25, 0.5, 0.75]) as q from rounded), "
            "judged as (select CellName, mean, q[2] as median, (q[3] - q[1]) / 1.349 as spread "
            f"from means, quartiles) select CellName, mean, exp(median) - {offset} as baseline, "
            f"spread, {bound} as bound, (mean {sign} least({bound}, 85))::int "
            "from judged order by CellName"
        ).fetchall()
        found = evidence_of(run, kpi)
        assert len(found) == 33
        for one, expected in zip(found, by_hand, strict=True):
            name, value, baseline, spread, error, limit, flag = one
            assert (name, error, flag) == (expected[0], None, expected[5])
            assert (value, baseline, spread) == pytest.approx(expected[1:4], rel=1e-9)
            assert limit == pytest.approx(min(expected[4], 85), rel=1e-9)


def test_the_evidence_of_a_share_of_calls_is_what_duckdb_finds(run, database):
    """Dropped of attempted voice calls: a ratio of sums, and limits that widen with its error.

    The error is that of the mean residual, dropped - share x attempted, per attempted call.
    """
    by_hand = database.sql(
        "with customer_means as (select CellTower as cell, number, avg(drop_vce_Mean) as dropped, "
        'avg(plcd_vce_Mean) as placed from customers join calls on number = "Index" '
        "group by all), "
        "shares as (select cell, sum(dropped) / sum(placed) as share, avg(placed) as placed "
        "from customer_means group by 1), "
        "errors as (select cell, any_value(share) as share, "
        # Of n customers, with the variance of the t distribution.
        "stddev_samp(dropped - share * customer_means.placed) / sqrt(count(*)) "
        "* sqrt((count(*) - 1) / (count(*) - 3)) "
        "/ any_value(shares.placed) / (any_value(share) + 0.002) as error "
        "from customer_means join shares using (cell) group by cell), "
        f"rounded as (select {ROUNDED.format('ln(share + 0.002)')} as log, "
        f"{ROUNDED.format('error')} as error from errors), "
        "usual as (select median(log) as median, median(error) as usual_error, "
        "(quantile_cont(log, 0.75) - quantile_cont(log, 0.25)) / 1.349 as spread from rounded), "
        "own as (select cell, share, median, error, "
        "sqrt(greatest(spread ** 2 - usual_error ** 2, 0) + error ** 2) as spread "
        "from errors, usual) "
        "select cell, share, exp(median) - 0.002, spread, error, "
        "greatest(exp(median + greatest(2.5 * spread, ln(1.9))) - 0.002, "
        "exp(median) - 0.002 + 0.02) from own order by cell"
    ).fetchall()
    found = evidence_of(run, "dropped_voice_share")
    assert len(found) == len(by_hand) == 48
    for one, expected in zip(found, by_hand, strict=True):
        assert one[0] == expected[0]
        assert one[1:6] == pytest.approx(expected[1:6], rel=1e-6)
        assert one[6] == int(expected[1] > expected[5])


def test_the_one_cell_that_hardly_carries_traffic_is_required(run):
    """2ALTE: 1.2 Mbps at best where 15 are usual; 19 cells send nothing, and none is healthy."""
    cells = duckdb.sql(
        "select CellName, Maintainence_Required, failed_families, sample_state, verdict_reason "
        f"from '{run[1]}/cell_tower_performance_data/*/*.parquet'"
    ).fetchall()
    (required,) = [cell for cell in cells if cell[1] == "Required"]
    assert required[:4] == ("2ALTE", "Required", ["traffic", "integrity"], "REPORTING")
    assert required[4].startswith("looks like a sleeping cell, on air and hardly used: ")
    silent = [cell for cell in cells if cell[3] == "NO_SAMPLES"]
    assert (len(silent), {cell[1] for cell in silent}) == (19, {None})
    assert all("sends no samples while other cells do" in cell[4] for cell in silent)
