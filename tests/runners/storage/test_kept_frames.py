"""Frames that a run keeps: what they hold, and what they leave of the session's settings."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from chispa import assert_df_equality

from runners.engines.choice import engine_of
from runners.engines.spark.kept import CONSTRAINTS, without_constraints


@pytest.fixture
def with_constraints(spark):
    before = spark.conf.get(CONSTRAINTS)
    spark.conf.set(CONSTRAINTS, "true")
    yield
    spark.conf.set(CONSTRAINTS, before)


@pytest.mark.classic
def test_a_thread_waits_while_another_one_has_constraints_off(spark, with_constraints):
    def found() -> str:
        with without_constraints(spark):
            return spark.conf.get(CONSTRAINTS)

    with ThreadPoolExecutor(max_workers=1) as threads:
        with without_constraints(spark):
            other = threads.submit(found)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
        assert other.result() == "false"
    assert spark.conf.get(CONSTRAINTS) == "true"


@pytest.mark.classic
def test_no_thread_waits_where_they_are_off_anyway(spark):
    def found() -> str:
        with without_constraints(spark):
            return spark.conf.get(CONSTRAINTS)

    with ThreadPoolExecutor(max_workers=1) as threads, without_constraints(spark):
        assert threads.submit(found).result(timeout=60) == "false"
    assert spark.conf.get(CONSTRAINTS) == "false"


def test_rows_of_this_process_become_a_frame_as_they_are(spark):
    text = 'a "quoted" \\ back\nslash, \U0001f5fc مرحبا'
    rows = [
        (text, 0.1, None, date(2026, 11, 1)),
        (None, 1 / 3, "x", None),
        ("", math.inf, "", date(1999, 12, 31)),
        ("least", 5e-324, None, None),
    ]
    fields = "key: string, value: double, detail: string, day: date"
    expected = spark.createDataFrame(rows, f"struct<{fields}>")
    made = engine_of(spark).frame_of(spark, expected.collect(), f"struct<{fields}>")
    assert_df_equality(made, expected, ignore_row_order=False)
    assert engine_of(spark).frame_of(spark, [], f"struct<{fields}>").count() == 0
