"""Arithmetic that does not depend on how rows are split."""

import random
from statistics import fmean

import pytest
from pyspark.sql import functions as F

from anomaly.expressions.arithmetic import exact_mean, exceeds, limit_above, limit_below


def test_mean_is_the_same_to_the_last_bit_for_every_partitioning(spark):
    numbers = [random.Random(7).uniform(-1e4, 1e4) for _ in range(500)]
    frame = spark.createDataFrame([(number,) for number in numbers] + [(None,)], "value double")
    means = {
        frame.repartition(parts).agg(exact_mean(F.col("value"))).first()[0] for parts in (1, 3, 17)
    }
    assert len(means) == 1
    assert means.pop() == pytest.approx(fmean(numbers), rel=1e-12)


def test_mean_of_nothing_is_null(spark):
    frame = spark.createDataFrame([(None,)], "value double")
    assert frame.agg(exact_mean(F.col("value"))).first()[0] is None


def test_a_tie_is_no_excess(spark):
    frame = spark.createDataFrame(
        [(5.0, 0.0, 0.1 + 0.2, 0.3)], "a double, b double, c double, d double"
    )
    row = frame.select(
        exceeds(F.col("c"), F.col("d")).alias("tie"),
        exceeds(F.col("a"), F.col("b")).alias("above"),
    ).first()
    assert (row.tie, row.above) == (False, True)


def test_limits_say_the_same_as_a_comparison_with_the_bound(spark):
    """Far from a bound of either sign, and next to it on both sides of the tolerance."""
    bounds = [-3e7, -0.3, 0.0, 1e-6, 0.3, 2.5e11]
    pairs = [(value, bound) for bound in bounds for value in (-1e12, -0.2, 0.0, 0.2, 1e12)]
    pairs += [
        (bound * (1 + nearness), bound)
        for bound in bounds
        for nearness in (-1e-8, -2e-9, -5e-10, 0.0, 5e-10, 2e-9, 1e-8)
    ]
    rows = (
        spark.createDataFrame(pairs, "value double, bound double")
        .select(
            "*",
            exceeds(F.col("value"), F.col("bound")).alias("above"),
            exceeds(F.col("bound"), F.col("value")).alias("below"),
            (F.col("value") > limit_above(F.col("bound"))).alias("beyond_above"),
            (F.col("value") < limit_below(F.col("bound"))).alias("beyond_below"),
        )
        .collect()
    )
    assert {(row.above, row.below) for row in rows} == {
        (True, False),
        (False, True),
        (False, False),
    }
    for row in rows:
        assert (row.beyond_above, row.beyond_below) == (row.above, row.below), row
