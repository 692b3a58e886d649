"""The judgement of cells, by frames small enough to work out by hand."""

from datetime import date

import pytest

from anomaly import Run, detect, parse_profile
from tests.builders.kept import kept
from tests.builders.small_inputs import customers_on

PROFILE = """
name = "small"
[join]
keep_cells_without_customers = true
[verdict]
minimum_defects = 1
[kpis.samples]
meanThr_DL = { unit = "Mbps" }
[kpis.call_statistics]
drop_vce_Mean = { unit = "calls" }
[rules.meanThr_DL]
bad_when = "below"
method = "mean"
[rules.drop_vce_Mean]
bad_when = "above"
method = "static"
value = 3
"""


@pytest.fixture(scope="module")
def cells(spark):
    customers = customers_on(spark, {"1": "1ALTE", "2": "9XLTE"})
    samples = spark.createDataFrame(
        [("3BLTE", None), ("1ALTE", 4.0), ("1ALTE", 6.0), ("2ALTE", 15.0)],
        "CellName string, meanThr_DL double",
    )
    calls = spark.createDataFrame(
        [("1000001", 2.0), ("1000001", 4.0)], "Customer_ID string, drop_vce_Mean double"
    )
    run = Run(date(2026, 11, 1), "test")
    results = detect(
        samples,
        customers=customers,
        calls=calls,
        profile=parse_profile(PROFILE),
        run=run,
        keep=kept,
    )
    rows = results.cells.collect()
    return {row.CellName: row for row in rows}


def test_missing_is_not_judged_and_a_tie_is_no_defect(cells):
    # The mean of 5 and 15 is 10; 3BLTE has no value. The drops of 1ALTE are 3, equal to the bound.
    assert {name: row.meanThr_DL_Thrsld for name, row in cells.items()} == {
        "3BLTE": None,
        "1ALTE": 1,
        "2ALTE": 0,
    }
    assert cells["1ALTE"].drop_vce_Mean_Thrsld == 0
    assert cells["3BLTE"].evidence[0].status == "NO_DATA"
    assert {name: row.evaluated_kpis for name, row in cells.items()} == {
        "3BLTE": 0,
        "1ALTE": 2,
        "2ALTE": 1,
    }


def test_each_flag_is_explained_by_its_row(cells):
    evidence = cells["1ALTE"].evidence[0]
    assert (evidence.value, evidence.bound, evidence.baseline, evidence.baseline_count) == (
        5.0,
        10.0,
        10.0,
        2,
    )
    assert evidence.deviation == -50.0
    assert (
        evidence.reason
        == "meanThr_DL is 5 Mbps against the usual 10 Mbps (mean of 2 cells, limit 10 Mbps)"
    )


def test_the_worst_tower_ranks_first(cells):
    assert cells["1ALTE"].severity_rank == 1
    assert sorted(row.severity_rank for row in cells.values()) == [1, 2, 2]
    assert cells["1ALTE"].Maintainence_Required == "Required"
