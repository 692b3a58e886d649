"""Calls, minutes and money of each row of the call statistics, from its draws."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from runners.sample.call_draws import cell_factor, draw_of
from runners.sample.draws import again, pick
from runners.sample.expressions import cut, whole
from runners.sample.faults import multiplier

# Share of the attempted calls. Even in the worst case more calls complete than are dropped.
MOST_INCOMPLETE = 0.9


def with_amounts(drawn: DataFrame) -> DataFrame:
    """Add calls (in three months), minutes and money (dollars, both per month) to the draws."""
    return _with_money(_with_minutes(_with_counts(drawn)))


def _with_counts(drawn: DataFrame) -> DataFrame:
    """Add integer call counts of three months, so that parts never exceed their total."""
    return _with_lost(_with_completed(_with_placed(drawn)))


def _with_placed(drawn: DataFrame) -> DataFrame:
    silent = draw_of("placed") < 0.045
    volume = F.exp(F.col("habit") * 0.7 + F.col("month") * 0.5) * cell_factor("volume")
    data_volume = F.exp(draw_of("data_volume") * 5.0) * cell_factor("volume")
    return drawn.select(
        "*",
        _times_usual("dropped").alias("drops"),
        _times_usual("blocked").alias("blocks"),
        _times_usual("incomplete").alias("failures"),
        F.when(silent, 0).otherwise(whole(volume * 390.0)).alias("placed"),
        F.when(draw_of("data_user") < 0.88, 0).otherwise(whole(data_volume)).alias("data_placed"),
    )


def _times_usual(kind: str) -> Column:
    return cell_factor(kind) * multiplier(f"{kind}_calls")


def _with_completed(placed: DataFrame) -> DataFrame:
    incomplete = (0.34 - draw_of("completed") * 0.2) * F.col("failures")
    data_incomplete = (0.2 - draw_of("data_quality") * 0.2) * F.col("failures")
    completed = 1.0 - F.least(incomplete, F.lit(MOST_INCOMPLETE))
    data_completed = 1.0 - F.least(data_incomplete, F.lit(MOST_INCOMPLETE))
    return placed.select(
        "*",
        whole(F.col("placed") * completed).alias("completed"),
        whole(F.col("placed") * (draw_of("received") * 0.55 + 0.2)).alias("received"),
        whole(F.col("data_placed") * data_completed).alias("data_completed"),
    ).select(
        "*",
        (F.col("completed") + F.col("received")).alias("answered"),
        (F.col("placed") - F.col("completed")).alias("failed"),
        (F.col("data_placed") - F.col("data_completed")).alias("data_failed"),
    )


def _with_lost(completed: DataFrame) -> DataFrame:
    """Add the dropped calls, and the blocked and unanswered ones of the failed calls."""
    drops = draw_of("dropped") * F.col("drops")
    blocks = draw_of("blocked") * F.col("blocks")
    data_drops = F.col("data_placed") * draw_of("unanswered") * F.col("drops") * 0.05
    data_blocks = F.col("data_placed") * blocks * 0.02
    # There are few data calls: rounded down, nearly all of these shares would be zero.
    rest = again(draw_of("data_volume"), 37)
    return completed.select(
        "*",
        whole(F.col("placed") * drops * 0.075).alias("dropped"),
        F.least(F.col("failed"), whole(F.col("placed") * blocks * 0.044)).alias("blocked"),
        whole(F.col("answered") * (draw_of("peak") * 0.35 + 0.5)).alias("peak"),
        F.least(F.col("data_completed"), whole(data_drops + rest)).alias("data_dropped"),
        F.least(F.col("data_failed"), whole(data_blocks + rest)).alias("data_blocked"),
        whole(F.col("data_completed") * draw_of("peak")).alias("data_peak"),
    ).select(
        "*",
        F.least(F.col("failed") - F.col("blocked"),
                whole(F.col("placed") * draw_of("unanswered") * 0.3)).alias("unanswered"),
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
