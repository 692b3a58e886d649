"""The samples of the cells, one per granularity period of 15 minutes."""

from collections.abc import Mapping
from math import exp

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from runners.sample.cells import (
    CELLS_WITHOUT_SAMPLES,
    LOW_BAND,
    SAMPLED_CELLS_PER_UNIT,
    SHARED_CELLS,
    band,
    cell_name,
)
from runners.sample.draws import (
    around,
    around_by,
    fine_uniform,
    normal,
    seeded_hash,
    shuffled,
    uniform,
)
from runners.sample.expressions import cut, item, quotient, whole
from runners.sample.faults import fault_code, is_silent, multiplier
from runners.sample.scale import checked_scale, parts

QUARTER_HOURS = 96
DAYS = 12

KEPT_SHARE = 0.971
REPEATED_SHARE = 0.003
MISSING_SHARE = 0.002
UNUSUAL_SHARE = 0.276

# Factors of a low-band cell compared with a high-band cell with the same traffic.
LOW_BAND_USERS = 1.8
LOW_BAND_PRB = 1.6
LOW_BAND_THROUGHPUT_PER_PRB = 0.5

# Mbps per per cent of the resource blocks in the high band, and how much cells differ in it.
THROUGHPUT_PER_PRB_DL = 0.25
THROUGHPUT_PER_PRB_UL = 0.0086
RADIO_DEVIATION = 0.12


def samples(spark: SparkSession, scale: int, seed: int, partitions: int | None = None) -> DataFrame:
    """Return about 36,000 samples per scale unit, in shuffled order.

    As in the real data, a few rows repeat another row exactly, and `Unusual` carries no
    information. `partitions` sets the number of partitions (and files); it does not change the
    rows.
    """
    total = SAMPLED_CELLS_PER_UNIT * checked_scale(scale) * QUARTER_HOURS * DAYS
    rows = spark.range(0, total, 1, partitions or parts(scale, 0.5, at_least=2))
    positions = rows.select(shuffled(F.col("id"), total, seed).alias("position"))
    return _columns(_with_amounts(_with_load(_sent(_keys(positions, seed), seed), seed)))


def _keys(positions: DataFrame, seed: int) -> DataFrame:
    """Turn positions into cell, slot and draws; drop some, and let some repeat another."""
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
        (F.col("key") % DAYS).alias("day"),
        *(
            seeded_hash(seed, stream, F.col("key")).alias(stream)
            for stream in ("load", "usage", "peak", "label")
        ),
    )


def _sent(keyed: DataFrame, seed: int) -> DataFrame:
    """Drop the days on which a cell sent nothing; add fault and band."""
    place = F.col("unit"), F.col("cell")
    return keyed.where(~is_silent(seed, *place, F.col("day") / DAYS)).select(
        "*", fault_code(seed, *place).alias("fault"), band(F.col("cell")).alias("band")
    )


def _with_load(sent: DataFrame, seed: int) -> DataFrame:
    """Add the load, which drives PRB usage, users and throughput, and the radio conditions.

    A faulty cell has average load and radio conditions: extreme ones could hide its fault.
    """
    healthy = F.col("fault") == 0
    level = normal(seeded_hash(seed, "level", F.col("unit"), F.col("cell")))
    radio = seeded_hash(seed, "radio", F.col("unit"), F.col("cell"))
    mean_load = F.exp(level * F.when(healthy, 0.6).otherwise(0.1))
    load = mean_load * F.exp(normal(F.col("load")) * 0.4)
    return sent.select(
        "*",
        (item(_day_shape(), F.col("slot")) * load).alias("traffic"),
        # As in real cells, bursts of a quiet cell are nearly as high as those of a busy one.
        (1.0 / F.sqrt(mean_load)).alias("burst"),
        *(
            F.when(healthy, around_by(uniform(radio, slot), RADIO_DEVIATION)).otherwise(1.0)
            .alias(name)
            for slot, name in enumerate(("radio_dl", "radio_ul"))
        ),
    )  # fmt: skip


def _day_shape() -> list[float]:
    """The load by slot, about one on average: lowest at 5:00, highest at 20:30."""

    def bump(hour: float, top: float, width: float) -> float:
        apart = min(abs(hour - top), 24.0 - abs(hour - top))
        return exp(-((apart / width) ** 2))

    hours = [slot / 4 for slot in range(QUARTER_HOURS)]
    return [round(0.25 + bump(h, 13, 4.5) + 1.6 * bump(h, 20.5, 2.8), 4) for h in hours]


def _with_amounts(loaded: DataFrame) -> DataFrame:
    """Add demand for resource blocks, throughput (Mbps), and mean and maximum users."""
    traffic = F.col("traffic")
    usage = [around(uniform(F.col("usage"), slot), 1.0) for slot in range(4)]
    active = [around(uniform(F.col("label"), slot), 0.8) for slot in (2, 3)]
    crowd = F.sqrt(traffic) + _peak(2)
    # A cube root, because the users of a busy cell are also more active.
    normal_users = F.cbrt(traffic) * _in_low_band(LOW_BAND_USERS) * multiplier("users")
    blocks = traffic * _in_low_band(LOW_BAND_PRB)
    blocks_dl, blocks_ul = blocks * 2.0, blocks * 7.0
    # A fault changes PRB usage and throughput independently, so each starts from normal demand.
    rate_dl = _share_in_use(blocks_dl * usage[2]) * F.col("radio_dl") * THROUGHPUT_PER_PRB_DL
    rate_ul = _share_in_use(blocks_ul * usage[3]) * F.col("radio_ul") * THROUGHPUT_PER_PRB_UL
    carried = _in_low_band(LOW_BAND_THROUGHPUT_PER_PRB)
    return loaded.select(
        "*",
        (blocks_ul * usage[0] * multiplier("prb_ul")).alias("demand_ul"),
        (blocks_dl * usage[1] * multiplier("prb_dl")).alias("demand_dl"),
        (rate_dl * carried * multiplier("throughput_dl")).alias("rate_dl"),
        (rate_ul * carried * multiplier("throughput_ul")).alias("rate_ul"),
        (normal_users * active[0] * 1.2).alias("users_dl"),
        (normal_users * active[1]).alias("users_ul"),
    ).select(
        "*",
        F.ceil(F.col("users_dl") * (crowd * 1.4 + 1.2)).cast("int").alias("most_dl"),
        F.ceil(F.col("users_ul") * (crowd + _peak(3) * 0.6 + 1.0)).cast("int").alias("most_ul"),
    )


def _in_low_band(factor: float) -> Column:
    return F.when(F.col("band") == LOW_BAND, factor).otherwise(1.0)


def _peak(slot: int) -> Column:
    return uniform(F.col("peak"), slot)


def _columns(amounts: DataFrame) -> DataFrame:
    measured = {
        "PRBUsageUL": _share_in_use(F.col("demand_ul")),
        "PRBUsageDL": _share_in_use(F.col("demand_dl")),
        "meanThr_DL": F.col("rate_dl"),
        "meanThr_UL": F.col("rate_ul"),
        "maxThr_DL": F.col("rate_dl") * F.col("burst") * (_peak(0) * 45.0 + 8.0),
        "maxThr_UL": F.col("rate_ul") * F.col("burst") * (_peak(1) * 35.0 + 6.0),
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
        F.col("band").alias("Band"),
    )


def _share_in_use(demand: Column) -> Column:
    """Resource blocks in use (%): close to the demand while it is small, never above 100."""
    return (1.0 - F.exp(demand / -100.0)) * 100.0


def _with_gaps(measured: Mapping[str, Column]) -> list[Column]:
    """Keep three decimals; one draw decides which column, if any, is missing in a row."""
    gap = whole(uniform(F.col("label"), 1) / MISSING_SHARE)
    return [
        F.when(gap != place, cut(value, 1000)).alias(name)
        for place, (name, value) in enumerate(measured.items())
    ]
