"""Calls, minutes and money of each row of the call statistics, from its draws."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from runners.sample.call_draws import draw_of
from runners.sample.draws import pick
from runners.sample.expressions import cut, whole
from runners.sample.faults import CALL_DROPS, CALL_TROUBLE


def with_amounts(drawn: DataFrame) -> DataFrame:
    """Add calls (in three months), minutes and money (dollars, both per month) to the draws."""
    return _with_money(_with_minutes(_with_counts(drawn)))


def _with_counts(drawn: DataFrame) -> DataFrame:
    """Add whole calls in three months, so that parts never exceed their whole."""
    silent = draw_of("placed") < 0.045
    volume = F.exp(F.col("habit") * 0.7 + F.col("month") * 0.5)
    data_volume = F.exp(draw_of("data_volume") * 5.0)
    trouble = F.when(F.col("fault") == CALL_DROPS, CALL_TROUBLE).otherwise(1.0)
    placed = drawn.select(
        "*",
        trouble.alias("trouble"),
        F.when(silent, 0).otherwise(whole(volume * 390.0)).alias("placed"),
        F.when(draw_of("data_user") < 0.88, 0).otherwise(whole(data_volume)).alias("data_placed"),
    )
    completed = placed.select(
        "*",
        whole(F.col("placed") * (draw_of("completed") * 0.2 + 0.66)).alias("completed"),
        whole(F.col("placed") * (draw_of("received") * 0.55 + 0.2)).alias("received"),
        whole(F.col("placed") * draw_of("dropped") * F.col("trouble") * 0.075).alias("dropped"),
        whole(F.col("data_placed") * (draw_of("data_quality") * 0.2 + 0.8)).alias("data_completed"),
    )
    failed = F.col("placed") - F.col("completed")
    refused = F.col("placed") * draw_of("blocked") * F.col("trouble") * 0.044
    answered = F.col("completed") + F.col("received")
    data_failed = F.col("data_placed") - F.col("data_completed")
    return completed.select(
        "*",
        F.least(failed, whole(refused)).alias("blocked"),
        F.least(failed, whole(F.col("placed") * draw_of("unanswered") * 0.3)).alias("unanswered"),
        whole(answered * (draw_of("peak") * 0.35 + 0.5)).alias("peak"),
        answered.alias("answered"),
        whole(F.col("data_completed") * draw_of("peak")).alias("data_peak"),
        whole(data_failed * draw_of("unanswered") * F.least(F.col("trouble"), F.lit(2.0)) * 0.5)
        .alias("data_dropped"),
    )  # fmt: skip


def _with_minutes(counted: DataFrame) -> DataFrame:
    length = (draw_of("length") * 1.6 + 1.1) / 3.0
    timed = counted.select(
        "*",
        (F.col("completed") * length).alias("minutes_out"),
        (F.col("received") * length * 1.1).alias("minutes_in"),
        (F.col("answered") * length).alias("minutes_answered"),
        (F.col("data_completed") * length).alias("data_minutes"),
    )
    return timed.select("*", ((F.col("minutes_out") + F.col("minutes_in")) * 1.5).alias("minutes"))


def _with_money(timed: DataFrame) -> DataFrame:
    abroad = F.greatest(draw_of("roaming") - 0.74, F.lit(0.0))
    plans = (17.0, 22.5, 29.99, 30.0, 35.0, 39.99, 44.99, 49.99, 59.99, 75.0, 100.0, 150.0)
    beyond = F.greatest(F.col("minutes") * draw_of("account") - 350.0, F.lit(0.0))
    priced = timed.select(
        "*",
        cut(abroad * abroad * abroad * 1000.0).alias("roam"),
        pick(plans, draw_of("account")).alias("charge"),
        cut(beyond * 0.4).alias("beyond"),
    )
    revenue = cut(F.col("charge") + F.col("beyond") * 0.2 + F.col("roam") * 0.5 + 4.75)
    return priced.select("*", revenue.alias("revenue"))
