"""Frames that a run keeps: what they hold, and what they leave of the session's settings."""

import math
from concurrent.futures import ThreadPoolExecutor
from datetime import date

import pytest
from chispa import assert_df_equality

from runners.run import frame_of
from runners.storage.held import CONSTRAINTS, counted, with_short_plan


@pytest.fixture
def with_constraints(spark):
    before = spark.conf.get(CONSTRAINTS)
    spark.conf.set(CONSTRAINTS, "true")
    yield
    spark.conf.set(CONSTRAINTS, before)


def test_frames_of_two_threads_are_kept_and_the_setting_is_as_before(spark, with_constraints):
    def kept(rows: int) -> int:
        return counted("numbers", with_short_plan("numbers", spark.range(rows)))[1]

    with ThreadPoolExecutor(max_workers=2) as threads:
        assert list(threads.map(kept, range(1, 9))) == list(range(1, 9))
    assert spark.conf.get(CONSTRAINTS) == "true"


def test_columns_made_of_each_other_are_kept_with_constraints_on(spark, with_constraints):
    """With the constraints of such a plan all memory would not do."""
    frame = spark.range(3).selectExpr("id", "id AS c0")
    for place in range(40):
        frame = frame.selectExpr("*", f"coalesce(c{place}, id) + 1 AS c{place + 1}")
    kept = with_short_plan("columns", frame)
    assert [row.c40 for row in kept.orderBy("id").collect()] == [40, 41, 42]


def test_rows_of_this_process_become_a_frame_as_they_are(spark):
    text = 'a "quoted" \\ back\nslash, \U0001f5fc مرحبا'
    rows = [
        (text, 0.1, None, date(2026, 11, 1)),
        (None, 1 / 3, "x", None),
        ("", math.inf, "", date(1999, 12, 31)),
        ("least", 5e-324, None, None),
    ]
    expected = spark.createDataFrame(rows, "key string, value double, detail string, day date")
    made = frame_of(expected.collect(), expected)
    assert_df_equality(made, expected, ignore_row_order=False)
    assert frame_of([], expected).count() == 0
