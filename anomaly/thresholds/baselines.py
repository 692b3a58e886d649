"""Baselines of both levels: what is usual among customers, among cells, and among like cells.

The number that a KPI is compared with is its centre; beside it stands the spread around it, where
the method has one. Both are on the scale of the rule. What a rule makes of them stands in
`anomaly.thresholds.limits`.
"""

from collections import defaultdict
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.arithmetic import exact_mean, rounded_for_quantiles
from anomaly.expressions.arrays import named_array
from anomaly.profile.methods import IQR_OF_NORMAL, MAD_OF_NORMAL, Method, Scale
from anomaly.profile.model import Profile
from anomaly.profile.sections import Rule

# The name of the group that holds every row of a level.
ALL = ""
QUARTILES = (0.25, 0.5, 0.75)
# Distances are squared in millionths of the range of the values: then squares are at most 1e12, as
# exact_mean requires, and keep their digits however small the values are.
PARTS_OF_RANGE = 1e6
# The methods whose spread is measured from their centre.
AROUND_CENTRE = (Method.MEAN_STD, Method.MEDIAN_MAD)
# Those whose centre is the mean.
AVERAGED = (Method.MEAN, Method.MEAN_STD)
OF_KPI = ("level", "peers", "kpi")


def baselines(metrics: DataFrame, profile: Profile) -> DataFrame:
    """Metrics of both levels to a row per level: level, baselines.

    `metrics`: level, peers (the group of a cell, NULL for none), kpis and errors (structs with a
    field for each KPI: its value, and the standard error of those that have one).

    `baselines` has an element for each group and judged KPI, struct<peers, kpi, centre, spread,
    error, count>: the group, of which ALL is every row of the level; the number that the KPI is
    compared with (NULL where no value was there), the spread of the values (NULL where the method
    has none), the median of their standard errors (NULL where they have none), all three on the
    scale of the rule, and how many values there were.
    """
    scaled = _scaled(metrics, profile)
    found = _centred(scaled, profile)
    around_centre = [rule.kpi for rule in profile.rules if rule.method in AROUND_CENTRE]
    if around_centre:
        found = found.transform(_with_distances, scaled, around_centre)
    of_kpi = F.struct("peers", "kpi", "centre", "spread", "error", "count")
    return found.groupBy("level").agg(F.collect_list(of_kpi).alias("baselines"))


def _scaled(metrics: DataFrame, profile: Profile) -> DataFrame:
    """A row per row, group that it belongs to, and judged KPI: OF_KPI, value, error, and two more.

    value: what the KPI's rule judges, on its scale; error: its standard error likewise, where the
    rule takes it. is_averaged and is_ranked: whether the rule needs the mean of the values, and
    quantiles of them.
    """
    kpis, errors = F.col("kpis"), F.col("errors")

    def on_scale(rule: Rule) -> dict[str, Column]:
        value, error = kpis[rule.kpi], errors[rule.kpi]
        if rule.scale is Scale.LOG:
            shifted = value + rule.offset
            value, error = F.ln(shifted), error / shifted
        return {
            "value": value,
            "error": error if profile.has_standard_error(rule) else F.lit(None).cast("double"),
            "is_averaged": F.lit(rule.method in AVERAGED),
            "is_ranked": F.lit(bool(_shares(rule))),
        }

    # Outer, though none is empty: else Spark first filters by the size of the array, and so makes
    # all that is in it a second time.
    group = F.lit(ALL)
    if profile.peers is not None:
        both = F.array(F.lit(ALL), "peers")
        group = F.explode_outer(F.when(F.col("peers").isNull(), F.array(group)).otherwise(both))
    scaled = named_array({rule.kpi: on_scale(rule) for rule in profile.rules})
    of_groups = metrics.select("level", group.alias("peers"), scaled.alias("scaled"))
    return of_groups.select("level", "peers", F.inline_outer("scaled"))


def _centred(scaled: DataFrame, profile: Profile) -> DataFrame:
    """A row per level, group and KPI: OF_KPI, centre, spread, range, error, count.

    The spread is NULL where distances are needed for it; range is that of the values.
    """
    shares = sorted({share for rule in profile.rules for share in _shares(rule)})
    found = scaled.groupBy(*OF_KPI).agg(
        *(aggregate.alias(name) for name, aggregate in _aggregates(profile, shares).items())
    )
    kpis_by_method = defaultdict(list)
    for rule in profile.rules:
        kpis_by_method[rule.method, rule.value, rule.q].append(rule.kpi)
    measures = [
        (F.col("kpi").isin(*kpis), _measures(*method, shares))
        for method, kpis in kpis_by_method.items()
    ]

    def measure(name: str) -> Column:
        of_methods = (F.when(is_its, by[name]) for is_its, by in measures if name in by)
        return F.coalesce(*of_methods, F.lit(None).cast("double")).alias(name)

    return found.select(*OF_KPI, *map(measure, ("centre", "spread", "range")), "error", "count")


def _aggregates(profile: Profile, shares: Sequence[float]) -> dict[str, Column]:
    """What one aggregate finds of the values of a KPI: as much as the rules need.

    Only of the KPIs whose rule needs it: a sum of others may be more than a number holds.
    """
    value = F.col("value")
    found = {"count": F.count(value)}
    if any(rule.method in AVERAGED for rule in profile.rules):
        mean = exact_mean(value, where=F.col("is_averaged"))
        found |= {"mean": mean, "lowest": F.min(value), "highest": F.max(value)}
    # Quantiles are of rounded values, so that the memory of the aggregate is bounded.
    if shares:
        ranked = F.when(F.col("is_ranked"), rounded_for_quantiles(value))
        found["quantiles"] = F.percentile(ranked, [*shares])
    return found | {"error": F.percentile(rounded_for_quantiles(F.col("error")), 0.5)}


def _measures(
    method: Method, value: float | None, q: float | None, shares: Sequence[float]
) -> dict[str, Column]:
    """The centre of a method, from _aggregates; its spread, or the range that it needs for it."""

    def quantile(share: float) -> Column:
        return F.get("quantiles", F.lit(shares.index(share)))

    lowest, mean, highest = (F.col(name) for name in ("lowest", "mean", "highest"))
    if method is Method.STATIC:
        return {"centre": F.lit(value)}
    if method is Method.MEAN:
        return {"centre": mean}
    if method is Method.MEAN_STD:
        # Rounding must not carry the mean of equal values away from them, or they would have a
        # spread.
        centre = F.greatest(lowest, F.least(highest, mean))
        return {"centre": centre, "range": highest - lowest}
    if method is Method.MEDIAN_IQR:
        lower, centre, upper = map(quantile, QUARTILES)
        return {"centre": centre, "spread": (upper - lower) / IQR_OF_NORMAL}
    return {"centre": quantile(0.5 if q is None else q)}


def _with_distances(found: DataFrame, scaled: DataFrame, kpis: list[str]) -> DataFrame:
    """The same with the spreads of the KPIs whose rules measure them from their centre."""
    distance = F.when(F.col("kpi").isin(*kpis), F.col("value") - F.col("centre"))
    part = F.nullif(F.col("range") / PARTS_OF_RANGE, F.lit(0.0))
    spread = F.coalesce(F.max("spread"), _spread_of_distances())
    return (
        # Many values to the one baseline of their group and KPI.
        scaled.drop("error")
        .join(F.broadcast(found), on=[*OF_KPI], how="inner")
        .select(
            *OF_KPI,
            *("centre", "spread", "range", "error", "count"),
            F.abs(distance).alias("distance"),
            F.pow(distance / part, F.lit(2.0)).alias("square"),
        )
        .groupBy(*OF_KPI)
        .agg(
            *(F.max(name).alias(name) for name in ("centre", "error", "count")),
            spread.alias("spread"),
        )
    )


def _spread_of_distances() -> Column:
    """An aggregate: the spread of values by their distances from the centre.

    The sample standard deviation is sqrt(sum of squares / (count - 1)), and NULL for one value;
    only rules that take it have a range. Median distances are of distances rounded like the values
    of quantiles.
    """
    extent, distance = F.max("range"), F.col("distance")
    count = F.count(distance)
    mean_distance = F.coalesce(F.sqrt(exact_mean(F.col("square"))), F.lit(0.0))
    deviation = (
        extent / PARTS_OF_RANGE * mean_distance * F.sqrt(count / F.nullif(count - 1, F.lit(0)))
    )
    median = F.percentile(rounded_for_quantiles(distance), 0.5)
    return F.nvl2(extent, deviation, MAD_OF_NORMAL * median)


def _shares(rule: Rule) -> tuple[float, ...]:
    """The quantiles that a rule needs; the one in the middle is its centre."""
    if rule.method is Method.MEDIAN_IQR:
        return QUARTILES
    if rule.method is Method.MEDIAN_MAD:
        return (0.5,)
    return (rule.q,) if rule.method is Method.QUANTILE and rule.q is not None else ()
