"""Cleaning: each kind of fault by hand-made rows."""

from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from anomaly import InputError, load_profile, parse_profile
from anomaly.cleaning.checks import check_calls, check_samples, clean_rows
from anomaly.profile.model import Profile
from tests.builders.dated_inputs import PROFILE_TEXT

KPIS = [kpi.column for kpi in load_profile("default").kpis_of("samples")]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile("default")


def samples(spark, *values, kpi="maxUE_UL+DL"):
    """A row of the cell 3BLTE per value of one KPI; every other KPI is 1."""
    schema = ", ".join(["CellName string", *(f"`{name}` string" for name in KPIS)])
    rows = [("3BLTE", *(value if name == kpi else "1" for name in KPIS)) for value in values]
    return spark.createDataFrame(rows, schema)


def test_a_text_that_is_no_number_is_missing_with_its_reason(spark, profile):
    texts = ["#\u00a1VALOR!", "9", " 10 ", "N/A", "-", "", None, "abc", "12d", "NaN", "-1", "1e400"]
    checked = check_samples(samples(spark, *texts), profile).collect()
    reasons = [row.faults[0].reason if row.faults else None for row in checked]
    assert reasons == [
        "spreadsheet_error", None, None, "missing_text", "missing_text", None, None,
        "not_a_number", "not_a_number", "not_finite", "out_of_range", "not_finite",
    ]  # fmt: skip
    assert [row["values"].maxUE_UL_DL for row in checked] == [None, 9.0, 10.0, *[None] * 9]
    assert all(row.row_reason is None for row in checked)


def test_a_row_without_a_cell_is_rejected(spark, profile):
    raw = samples(spark, "1", "2").replace("3BLTE", " ", subset="CellName")
    checked = check_samples(raw, profile)
    assert {row.row_reason for row in checked.collect()} == {"missing_key"}
    assert clean_rows(checked).collect() == []


def test_rows_beyond_a_limit_are_kept_without_text_and_values(spark, profile):
    raw = samples(spark, "1", "abc", "2", "3").coalesce(1)
    numbered = raw.withColumn("source_row_id", F.monotonically_increasing_id())
    rules = replace(profile.inputs["samples"], rows_per_key=2)
    limited = replace(profile, inputs={**profile.inputs, "samples": rules})
    checked = check_samples(numbered, limited).orderBy("source_row_id").collect()
    assert [row.row_reason for row in checked] == [None, None, *["beyond_row_limit"] * 2]
    # The second row has a fault to be shown; what is beyond the limit has none.
    assert "abc" in checked[1].raw_row
    assert [row.raw_row for row in checked if row is not checked[1]] == [None] * 3
    assert [row["values"].maxUE_UL_DL for row in checked[:2]] == [1.0, None]
    assert [row["values"] for row in checked[2:]] == [None, None]


def test_a_customer_number_may_have_another_prefix_or_none(spark, profile):
    kpis = [kpi.column for kpi in profile.kpis_of("call_statistics")]
    schema = ", ".join(["Customer_ID string", *(f"`{name}` double" for name in kpis)])
    ids = ["42", "0042", "1000042", "A42", "48-7", "481", "48.7"]
    raw = spark.createDataFrame([(one, *[1.0] * len(kpis)) for one in ids], schema)
    expected = {
        0: [42, 42, 1000042, None, None, 481, None],
        1: [2, 42, 42, 42, None, 81, None],
        2: [None, 42, 42, None, None, 1, None],
    }
    for prefix, numbers in expected.items():
        rules = replace(profile.inputs["call_statistics"], customer_id_prefix=prefix)
        inputs = {**profile.inputs, "call_statistics": rules}
        rows = check_calls(raw, replace(profile, inputs=inputs)).collect()
        assert [row.customerID for row in rows] == numbers, prefix


def test_customer_numbers_are_the_text_from_the_fourth_character(spark, profile):
    kpis = [kpi.column for kpi in profile.kpis_of("call_statistics")]
    schema = ", ".join(["Customer_ID string", *(f"`{name}` double" for name in kpis)])
    ids = ["1000042", "100A7", "1000007.0", None, "CUS12345678", "10012345678", "A1234", "CUST12"]
    raw = spark.createDataFrame([(one, *[1.0] * len(kpis)) for one in ids], schema)
    rows = check_calls(raw, profile).collect()
    # Of A1234 nothing says whether its number is 1234, 234 or 34; and the prefix has three.
    numbers = [42, None, 7, None, 12345678, 12345678, None, None]
    assert [row.customerID for row in rows] == numbers
    bad = "bad_customer_number"
    reasons = [None, bad, None, "missing_key", None, None, bad, bad]
    assert [row.row_reason for row in rows] == reasons


def test_a_missing_column_is_named(spark, profile):
    with pytest.raises(
        InputError,
        match=r'column PRBUsageUL is missing \(say in \[inputs.samples.columns\] .* X = ""',
    ):
        check_samples(samples(spark, "1").drop("PRBUsageUL"), profile)


def test_a_condition_compares_numbers_as_numbers_and_no_other_text_holds(spark):
    profile = parse_profile(f'{PROFILE_TEXT}\n[inputs.samples.keep_where]\nCellName = "> 9"\n')
    raw = spark.createDataFrame(
        [("10", 1.0), ("9", 1.0), ("3BLTE", 1.0)], "CellName string, load double"
    )
    reasons = {row.CellName: row.row_reason for row in check_samples(raw, profile).collect()}
    left_out = "filtered_by_profile"
    assert reasons == {"10": None, "9": left_out, "3BLTE": left_out}
