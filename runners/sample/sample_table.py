"""The quarter-hour samples of the cells."""

from collections.abc import Mapping, Sequence
from math import exp

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from runners.sample import faults
from runners.sample.cells import (
    CELLS_WITHOUT_SAMPLES,
    SAMPLED_CELLS_PER_UNIT,
    SHARED_CELLS,
    cell_name,
)
from runners.sample.draws import around, fine_uniform, normal, seeded_hash, shuffled, uniform
from runners.sample.expressions import cut, item, quotient, whole
from runners.sample.scale import checked_scale, parts

QUARTER_HOURS = 96
DAYS = 12

KEPT_SHARE = 0.971
REPEATED_SHARE = 0.003
MISSING_SHARE = 0.002
UNUSUAL_SHARE = 0.276


def samples(spark: SparkSession, scale: int, seed: int, partitions: int | None = None) -> DataFrame:
    """Return about 37,000 quarter-hour samples per scale unit, in shuffled order.

    As in the real data, a few rows are exact repeats of another. `Unusual` carries no information.
    `partitions` says how many parts (and files) the rows are made in, never which rows.
    """
    total = SAMPLED_CELLS_PER_UNIT * checked_scale(scale) * QUARTER_HOURS * DAYS
    rows = spark.range(0, total, 1, partitions or parts(scale, 0.5, at_least=2))
    positions = rows.select(shuffled(F.col("id"), total, seed).alias("position"))
    return _columns(_with_amounts(_with_load(_keys(positions, seed), seed)))


def _keys(positions: DataFrame, seed: int) -> DataFrame:
    """Turn positions into cell, quarter hour and draws; leave some out, let some repeat another."""
    repeat = fine_uniform(seeded_hash(seed, "repeat", F.col("position"))) < REPEATED_SHARE
    before = F.greatest(F.col("position") - 1, F.lit(0))
    keys = positions.select(F.when(repeat, before).otherwise(F.col("position")).alias("key"))
    kept = keys.where(fine_uniform(seeded_hash(seed, "kept", F.col("key"))) < KEPT_SHARE)
    number = quotient(F.col("key"), QUARTER_HOURS * DAYS)
    place = number % SAMPLED_CELLS_PER_UNIT
    without_customers = place >= len(SHARED_CELLS)
    return kept.select(
        "key",
        quotient(number, SAMPLED_CELLS_PER_UNIT).alias("unit"),
        (place + F.when(without_customers, len(CELLS_WITHOUT_SAMPLES)).otherwise(0)).alias("cell"),
        (quotient(F.col("key"), DAYS) % QUARTER_HOURS).alias("slot"),
        *(
            seeded_hash(seed, stream, F.col("key")).alias(stream)
            for stream in ("load", "usage", "peak", "label")
        ),
    )


def _with_load(keyed: DataFrame, seed: int) -> DataFrame:
    """Add the fault and the load, which moves PRB usage, users and throughput together."""
    fault = faults.fault_code(seed, F.col("unit"), F.col("cell"))
    level = normal(seeded_hash(seed, "level", F.col("unit"), F.col("cell")))
    # A faulty cell has an ordinary level: an extreme one could hide its fault.
    spread = F.when(F.col("fault") == 0, 0.6).otherwise(0.1)
    load = F.exp(level * spread + normal(F.col("load")) * 0.4)
    return keyed.select("*", fault.alias("fault")).select(
        "*", (item(_day_shape(), F.col("slot")) * load).alias("traffic")
    )


def _day_shape() -> list[float]:
    """The load of each quarter hour, mean about one: quiet at five, busiest at half past eight."""

    def bump(hour: float, top: float, width: float) -> float:
        apart = min(abs(hour - top), 24.0 - abs(hour - top))
        return exp(-((apart / width) ** 2))

    hours = [slot / 4 for slot in range(QUARTER_HOURS)]
    return [round(0.25 + bump(h, 13, 4.5) + 1.6 * bump(h, 20.5, 2.8), 4) for h in hours]


def _with_amounts(loaded: DataFrame) -> DataFrame:
    """Add the demand for resource blocks, the throughput (Mbps) and the mean and most users."""
    traffic = F.col("traffic")
    usage = [around(uniform(F.col("usage"), slot), 1.0) for slot in range(4)]
    active = [around(uniform(F.col("label"), slot), 0.8) for slot in (2, 3)]
    users_effect = _effect(faults.USERS_EFFECT)
    crowd = F.sqrt(traffic) + _peak(2)
    return loaded.select(
        "*",
        (traffic * usage[0] * 7.0 * _effect(faults.PRB_UL_EFFECT)).alias("demand_ul"),
        (traffic * usage[1] * 2.0 * _effect(faults.PRB_DL_EFFECT)).alias("demand_dl"),
        (traffic * usage[2] * 0.5 * _effect(faults.THROUGHPUT_DL_EFFECT)).alias("rate_dl"),
        (traffic * usage[3] * 0.06 * _effect(faults.THROUGHPUT_UL_EFFECT)).alias("rate_ul"),
        ((traffic * active[0] * 0.25 + 0.9) * users_effect).alias("users_dl"),
        ((traffic * active[1] * 0.1 + 0.9) * users_effect).alias("users_ul"),
    ).select(
        "*",
        F.ceil(F.col("users_dl") * (crowd * 1.4 + 1.2)).cast("int").alias("most_dl"),
        F.ceil(F.col("users_ul") * (crowd + _peak(3) * 0.6 + 1.0)).cast("int").alias("most_ul"),
    )


def _effect(multipliers: Sequence[float]) -> Column:
    return item(multipliers, F.col("fault"))


def _peak(slot: int) -> Column:
    return uniform(F.col("peak"), slot)


def _columns(amounts: DataFrame) -> DataFrame:
    measured = {
        "PRBUsageUL": _share_in_use(F.col("demand_ul")),
        "PRBUsageDL": _share_in_use(F.col("demand_dl")),
        "meanThr_DL": F.col("rate_dl"),
        "meanThr_UL": F.col("rate_ul"),
        "maxThr_DL": F.col("rate_dl") * (_peak(0) * 45.0 + 8.0),
        "maxThr_UL": F.col("rate_ul") * (_peak(1) * 35.0 + 6.0),
        "meanUE_DL": F.col("users_dl"),
        "meanUE_UL": F.col("users_ul"),
    }
    times = [f"{slot // 4:02d}:{slot % 4 * 15:02d}" for slot in range(QUARTER_HOURS)]
    return amounts.select(
        item(times, F.col("slot")).alias("Time"),
        cell_name(F.col("unit"), F.col("cell")).alias("CellName"),
        *_with_gaps(measured),
        F.col("most_dl").alias("maxUE_DL"),
        F.col("most_ul").alias("maxUE_UL"),
        (F.col("most_dl") + F.col("most_ul")).alias("maxUE_UL+DL"),
        F.when(uniform(F.col("label"), 0) < UNUSUAL_SHARE, 1).otherwise(0).alias("Unusual"),
    )


def _share_in_use(demand: Column) -> Column:
    """Per cent of the resource blocks: nearly the demand while it is small, never above 100."""
    return (1.0 - F.exp(demand / -100.0)) * 100.0


def _with_gaps(measured: Mapping[str, Column]) -> list[Column]:
    """Keep three decimals; one draw says which column, if any, is missing in the row."""
    gap = whole(uniform(F.col("label"), 1) / MISSING_SHARE)
    return [
        F.when(gap != place, cut(value, 1000)).alias(name)
        for place, (name, value) in enumerate(measured.items())
    ]
