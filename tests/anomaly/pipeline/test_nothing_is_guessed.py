"""What is missing, too few or divided by zero is not judged, and says so; with ANSI mode on."""

from datetime import date

import pytest

from anomaly import Run, detect, parse_profile
from tests.builders.kept import kept
from tests.builders.small_inputs import customers_on

PROFILE = """
name = "few"
[join]
minimum_samples = 5
keep_cells_without_customers = true
[customer_level]
derived = ["stability", "steady"]
[cell_level]
derived = ["stability", "steady"]
[verdict]
minimum_defects = 1
[kpis.samples]
meanThr_DL = { unit = "Mbps" }
"RRC.SuccRate" = { name = "rrc", unit = "%" }
[kpis.call_statistics]
avg_peak = { name = "peak", unit = "calls" }
avg_opk = { name = "opk", unit = "calls" }
[derived.stability]
formula = "ratio"
first = "peak"
second = "opk"
[derived.steady]
formula = "ratio"
first = "peak"
second = "opk"
minimum_denominator = 3
[rules.meanThr_DL]
bad_when = "below"
method = "mean"
[rules.rrc]
bad_when = "below"
method = "median_iqr"
[rules.stability]
bad_when = "below"
method = "static"
value = 1
[rules.steady]
bad_when = "below"
method = "static"
value = 1
"""


CELLS = ("1ALTE", "2ALTE")


@pytest.fixture(scope="module")
def results(spark):
    towers = {"0001": "1ALTE", "2": "2ALTE", "A7": "2ALTE", "3": None, "4": "NOLTE"}
    customers = customers_on(spark, towers)
    # RRC.SuccRate is missing in every row; 9NLTE is new and has a single sample.
    values = [("1ALTE", 5.0)] * 5 + [("2ALTE", 15.0)] * 5 + [("9NLTE", 1.0)]
    samples = spark.createDataFrame(
        [(*value, None) for value in values],
        "CellName string, meanThr_DL double, `RRC.SuccRate` string",
    )
    calls = spark.createDataFrame(
        [("1000001", 5.0, 0.0), ("1000002", 4.0, 2.0), ("1000090", 4.0, 2.0)],
        "Customer_ID string, avg_peak double, avg_opk double",
    )
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", "true")
    run = Run(date(2026, 11, 1), "test")
    yield detect(
        samples,
        customers=customers,
        calls=calls,
        profile=parse_profile(PROFILE),
        run=run,
        keep=kept,
    )
    spark.conf.set("spark.sql.ansi.enabled", before)


@pytest.fixture(scope="module")
def cells(results):
    return {row.CellName: row for row in results.cells.collect()}


def evidence_of(row, kpi):
    return next(one for one in row.evidence if one.kpi == kpi)


def test_a_ratio_over_zero_is_no_value_and_says_why(cells):
    of_zero, of_two = (evidence_of(cells[cell], "stability") for cell in ("1ALTE", "2ALTE"))
    assert (of_zero.status, of_zero.value, of_zero.flag) == ("NO_DATA", None, None)
    assert of_zero.reason == "zero_denominator: opk is 0"
    assert (of_two.value, of_two.flag) == (2.0, 0)
    assert cells["1ALTE"].stability is None


def test_a_ratio_over_next_to_nothing_is_no_value_and_says_why(cells):
    of_zero, of_two = (evidence_of(cells[cell], "steady") for cell in ("1ALTE", "2ALTE"))
    assert of_zero.reason == "zero_denominator: opk is 0"
    assert (of_two.status, of_two.value, of_two.flag) == ("NO_DATA", None, None)
    assert of_two.reason == "small_denominator: opk is 2, below the minimum of 3"


def test_a_kpi_without_any_value_is_not_judged_anywhere(cells):
    found = [evidence_of(row, "rrc") for row in cells.values()]
    assert {(one.status, one.value, one.flag) for one in found} == {("NO_DATA", None, None)}
    assert {name: row.evaluated_kpis for name, row in cells.items()} == {
        "1ALTE": 1,
        "2ALTE": 2,
        "9NLTE": 0,
    }


def test_a_new_cell_is_published_and_not_judged(cells):
    # The mean over the three cells is 7, which 1ALTE falls below.
    one = evidence_of(cells["9NLTE"], "meanThr_DL")
    assert (one.status, one.flag, one.value, one.value_count) == ("NO_BASELINE", None, 1.0, 1)
    assert one.reason == "rests on 1 rows with a value and is compared with 3 values: too few"
    assert evidence_of(cells["1ALTE"], "meanThr_DL").flag == 1
    assert evidence_of(cells["2ALTE"], "meanThr_DL").flag == 0


@pytest.fixture(scope="module")
def figures(results):
    return {(row.subject, row.item): row.value for row in results.summary.collect()}


def test_a_kpi_without_any_value_counts_as_not_evaluated(figures):
    assert figures["cell", "rrc evaluated"] == 0
    assert figures["cell", "stability evaluated"] == 1


def test_what_has_no_partner_is_counted_and_named(figures):
    expected = {
        ("customers", "bad_customer_number"): 1,
        ("customers to samples", "matched customers"): 2,
        ("customers to samples", "unmatched customers"): 2,
        ("cells without samples", "(none)"): 1,
        ("cells without samples", "NOLTE"): 1,
        ("cells without customers", "9NLTE"): 1,
        ("customers to calls", "matched customers"): 2,
        ("customers to calls", "unmatched customers"): 2,
        ("callers who are not customers", "90"): 1,
    }
    assert {key: figures.get(key) for key in expected} == expected


@pytest.fixture(scope="module")
def of_few_values(spark):
    """Ten cells of 30 samples each; of 1ALTE one has a value, of 2ALTE all have."""
    texts = {"1ALTE": ["N/A"] * 29 + ["95"], "2ALTE": ["95"] * 30}
    usual = {f"{number}BLTE": ["10"] * 30 for number in range(8)}
    values = [(cell, text, "99") for cell, of in (texts | usual).items() for text in of]
    samples = spark.createDataFrame(
        values, "CellName string, meanThr_DL string, `RRC.SuccRate` string"
    )
    # 1ALTE has four customers, of whom one has a value of opk; 2ALTE has four with one each.
    towers = {str(number): "1ALTE" if number < 5 else "2ALTE" for number in range(1, 9)}
    calls = spark.createDataFrame(
        [
            (f"100000{number}", peak, None if number in (1, 2, 3) else 1.0)
            for number in range(1, 9)
            for peak in (4.0, 6.0)
        ],
        "Customer_ID string, avg_peak double, avg_opk double",
    )
    text = PROFILE.replace("minimum_samples = 5", "minimum_samples = 24\nminimum_customers = 3")
    text = text.replace(
        'bad_when = "below"\nmethod = "mean"', 'bad_when = "above"\nmethod = "mean"'
    )
    run = Run(date(2026, 11, 1), "test")
    found = detect(
        samples,
        customers=customers_on(spark, towers),
        calls=calls,
        profile=parse_profile(text),
        run=run,
        keep=kept,
    )
    return {row.CellName: row for row in found.cells.collect()}


@pytest.mark.slow
def test_a_mean_of_one_value_among_thirty_rows_is_not_judged(of_few_values):
    one, all_of_them = (evidence_of(of_few_values[cell], "meanThr_DL") for cell in CELLS)
    assert (one.status, one.flag, one.value, one.value_count) == ("NO_BASELINE", None, 95.0, 1)
    assert one.reason.startswith("rests on 1 rows with a value and is compared with 10 values")
    assert (all_of_them.status, all_of_them.flag, all_of_them.value_count) == ("CRIT", 1, 30)
    # The rows are counted as they were.
    assert [of_few_values[cell].sample_count for cell in CELLS] == [30, 30]
    assert [of_few_values[cell].call_row_count for cell in CELLS] == [8, 8]


@pytest.mark.slow
def test_a_ratio_is_of_as_many_values_and_customers_as_its_operand_with_fewer(of_few_values):
    one, all_of_them = (evidence_of(of_few_values[cell], "stability") for cell in CELLS)
    assert (one.status, one.value_count) == ("NO_BASELINE", 2)
    assert one.reason == "rests on 1 customers: too few"
    assert (all_of_them.status, all_of_them.value, all_of_them.value_count) == ("OK", 5.0, 8)


@pytest.mark.slow
def test_a_small_denominator_is_that_of_the_customers_who_have_one(of_few_values):
    # 1 of one customer is below the 3 that `steady` asks for, 1 of each of four is not.
    one, all_of_them = (evidence_of(of_few_values[cell], "steady") for cell in CELLS)
    assert one.reason == "small_denominator: opk is 1, below the minimum of 3"
    assert (all_of_them.status, all_of_them.value) == ("OK", 5.0)


@pytest.mark.slow
def test_one_cell_alone_has_no_baseline_and_is_published(spark):
    customers = customers_on(spark, {"1": "1ALTE"})
    samples = spark.createDataFrame(
        [("1ALTE", 5.0, "99")] * 5, "CellName string, meanThr_DL double, `RRC.SuccRate` string"
    )
    calls = spark.createDataFrame(
        [("1000001", 5.0, 4.0)], "Customer_ID string, avg_peak double, avg_opk double"
    )
    profile = parse_profile(
        PROFILE.replace("[cell_level]", "[cell_level]\nminimum_baseline_count = 2")
    )
    run = Run(date(2026, 11, 1), "test")
    found = detect(samples, customers=customers, calls=calls, profile=profile, run=run, keep=kept)
    (cell,) = found.cells.collect()
    one = evidence_of(cell, "meanThr_DL")
    assert (one.status, one.flag, one.value, one.baseline_count) == ("NO_BASELINE", None, 5.0, 1)
    # A fixed bound needs no other cell.
    assert evidence_of(cell, "stability").flag == evidence_of(cell, "steady").flag == 0
    assert cell.evaluated_kpis == 2
