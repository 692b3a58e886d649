"""The distribution of each KPI over all cells, aggregated by Spark."""

from collections import defaultdict
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from anomaly.profile.methods import Scale
from runners.report.family_states import NO_FAMILY

BARS = 30
SIDES = ("above", "below")


@dataclass(frozen=True)
class Bar:
    """A part of a KPI's range: the cells in it, those with a defect, those not judged."""

    begin: float
    end: float
    cells: int
    defects: int
    not_judged: int = 0


@dataclass(frozen=True)
class Bounds:
    """The limits of a KPI on one side, over all cells: the lowest, the median, the highest."""

    low: float
    median: float
    high: float


@dataclass(frozen=True)
class Distribution:
    """The distribution of a KPI over all cells, and the limits of those that were judged.

    offset: what is added to the values of a KPI judged on the scale log; else None. Without any
    value there are no bars.
    """

    kpi: str
    family: str
    unit: str
    judged: int
    flagged: int
    bounds: dict[str, Bounds]
    bars: list[Bar]
    offset: float | None = None


def distributions_of(cells: DataFrame) -> list[Distribution]:
    """A distribution per KPI: families in the order of the evidence, KPIs by number of defects."""
    kpis = _kpis(cells)
    ranges = kpis.groupBy("kpi").agg(
        F.min("place").alias("place"),
        *(F.max(name).alias(name) for name in ("family", "unit", "scale", "log_offset")),
        F.count("flag").alias("judged"),
        F.coalesce(F.sum("flag"), F.lit(0)).alias("flagged"),
        F.percentile("scaled", F.lit(0.01)).alias("low"),
        F.percentile("scaled", F.lit(0.99)).alias("high"),
        *(column for side in SIDES for column in _bounds(side)),
    )
    found = ranges.collect()
    bars = defaultdict(list)
    for row in _bars(kpis, ranges).orderBy("kpi", "begin").collect():
        bars[row.kpi].append(Bar(row.begin, row.end, row.cells, row.defects, row.not_judged))
    first: dict[str | None, int] = {}
    for row in found:
        first[row.family] = min(row.place, first.get(row.family, row.place))
    in_order = sorted(found, key=lambda row: (first[row.family], -row.flagged, row.place))
    return [_distribution(row, bars[row.kpi]) for row in in_order]


def _distribution(row: Row, bars: list[Bar]) -> Distribution:
    bounds = {
        side: Bounds(*(row[f"{figure}_{side}"] for figure in ("low", "median", "high")))
        for side in SIDES
        if row[f"median_{side}"] is not None
    }
    offset = row.log_offset if row.scale == Scale.LOG.value else None
    family = row.family or NO_FAMILY
    return Distribution(row.kpi, family, row.unit, row.judged, row.flagged, bounds, bars, offset)


def _kpis(cells: DataFrame) -> DataFrame:
    """A row per cell and KPI; `scaled` is the value on the axis of the plot."""
    kpis = cells.select(F.posexplode("evidence").alias("place", "kpi")).select("place", "kpi.*")
    return kpis.withColumns(
        {"scaled": _scaled(F.col("value")), "scaled_bound": _scaled(F.col("bound"))}
    )


def _is_log() -> Column:
    return F.col("scale") == Scale.LOG.value


def _scaled(value: Column) -> Column:
    return F.when(_is_log(), F.log(value + F.col("log_offset"))).otherwise(value)


def _unscaled(scaled: Column) -> Column:
    return F.when(_is_log(), F.exp(scaled) - F.col("log_offset")).otherwise(scaled)


def _bounds(side: str) -> list[Column]:
    """The limits on one side of the cells that were judged there, raw and scaled."""

    def judged(bound: str) -> Column:
        return F.when(F.col("flag").isNotNull() & (F.col("direction") == side), F.col(bound))

    return [
        F.min(judged("bound")).alias(f"low_{side}"),
        F.percentile(judged("bound"), F.lit(0.5)).alias(f"median_{side}"),
        F.max(judged("bound")).alias(f"high_{side}"),
        F.min(judged("scaled_bound")).alias(f"begin_{side}"),
        F.max(judged("scaled_bound")).alias(f"end_{side}"),
    ]


def _bars(kpis: DataFrame, ranges: DataFrame) -> DataFrame:
    """A row per KPI and part of its range: how many cells, how many of them defects or not judged.

    The range covers the 1st to the 99th percentile and the limits; the outermost parts hold what
    is beyond.
    """
    low = F.least("low", *(f"begin_{side}" for side in SIDES)).alias("low")
    high = F.greatest("high", *(f"end_{side}" for side in SIDES)).alias("high")
    # Many to one: each KPI has one range.
    in_range = kpis.where("scaled IS NOT NULL").join(
        F.broadcast(ranges.select("kpi", low, high)), "kpi", "inner"
    )
    width = F.when(F.col("high") > F.col("low"), (F.col("high") - F.col("low")) / BARS)
    part = F.greatest(
        F.least(F.floor((F.col("scaled") - F.col("low")) / width), F.lit(BARS - 1)), F.lit(0)
    )
    begin = F.col("low") + F.col("part") * F.col("width")
    return (
        in_range.select(
            "kpi",
            "scale",
            "log_offset",
            F.col("low"),
            F.coalesce(width, F.lit(0.0)).alias("width"),
            F.coalesce(part, F.lit(0)).alias("part"),
            "flag",
        )
        .groupBy("kpi", "scale", "log_offset", "low", "width", "part")
        .agg(
            F.count(F.lit(1)).alias("cells"),
            F.coalesce(F.sum("flag"), F.lit(0)).alias("defects"),
            F.count(F.when(F.col("flag").isNull(), 1)).alias("not_judged"),
        )
        .select(
            "kpi",
            _unscaled(begin).alias("begin"),
            _unscaled(begin + F.col("width")).alias("end"),
            "cells",
            "defects",
            "not_judged",
        )
    )
