"""Baselines of both levels: what is usual among customers, among cells, and among like cells.

The number that a KPI is compared with is its centre; beside it stands the spread around it, where
the method has one. Both are on the scale of the rule. What a rule makes of them stands in
`anomaly.thresholds.limits`.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.arithmetic import exact_mean, rounded_for_quantiles
from anomaly.expressions.arrays import by_name, named_array, struct_of
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
BASELINES_TYPE = (
    "array<struct<kpi:string,centre:double,spread:double,error:double,count:bigint,range:double>>"
)


def baselines(metrics: DataFrame, profile: Profile) -> DataFrame:
    """Metrics of both levels to a row per level: level, baselines.

    `metrics`: level, peers (the group of a cell, NULL for none), kpis and errors (structs with a
    field for each KPI: its value, and the standard error of those that have one).

    `baselines` has an element for each group, struct<peers, kpis>, of which ALL is every row of the
    level; and `kpis` one for each judged KPI, struct<kpi, centre, spread, error, count>: the number
    that it is compared with (NULL where no value was there), the spread of the values (NULL where
    the method has none), the median of their standard errors (NULL where they have none), all three
    on the scale of the rule, and how many values there were.
    """
    scaled = _scaled(metrics, profile)
    centred = _centred(scaled, profile)
    around_centre = [rule.kpi for rule in profile.rules if rule.method in AROUND_CENTRE]
    if around_centre:
        centred = centred.transform(_with_distances, scaled, around_centre)
    of_group = F.struct("peers", F.col("centred").alias("kpis"))
    if profile.peers is None:
        return centred.select("level", F.array(of_group).alias("baselines"))
    return centred.groupBy("level").agg(F.collect_list(of_group).alias("baselines"))


def _scaled(metrics: DataFrame, profile: Profile) -> DataFrame:
    """A row per row and group that it belongs to: level, peers, and `scaled`, an array by KPI.

    value: what the KPI's rule judges, on its scale; error: its standard error likewise.
    """
    kpis, errors = F.col("kpis"), F.col("errors")

    def on_scale(rule: Rule) -> dict[str, Column]:
        value, error = kpis[rule.kpi], errors[rule.kpi]
        if rule.scale is Scale.LOG:
            shifted = value + rule.offset
            value, error = F.ln(shifted), error / shifted
        return {"value": value, "error": error}

    group = F.lit(ALL)
    if profile.peers is not None:
        both = F.array(F.lit(ALL), "peers")
        group = F.explode(F.when(F.col("peers").isNull(), F.array(group)).otherwise(both))
    return metrics.select(
        "level",
        group.alias("peers"),
        named_array({rule.kpi: on_scale(rule) for rule in profile.rules}).alias("scaled"),
    )


def _centred(scaled: DataFrame, profile: Profile) -> DataFrame:
    """A row per level and group: level, peers, centred (an array of a baseline for each KPI)."""
    # One formula for all KPIs: of one for each Spark would compile its largest classes.
    rounded = F.transform(
        "scaled",
        lambda kpi: F.struct(
            kpi["value"].alias("value"),
            rounded_for_quantiles(kpi["value"]).alias("rounded"),
            rounded_for_quantiles(kpi["error"]).alias("rounded_error"),
        ),
    )
    kpis = by_name(F.col("rounded"), (rule.kpi for rule in profile.rules))
    found = struct_of({rule.kpi: _found(rule, kpis[rule.kpi], profile) for rule in profile.rules})
    centred = named_array(
        {rule.kpi: _centre(rule, F.col("found")[rule.kpi], profile) for rule in profile.rules}
    )
    return (
        scaled.select("level", "peers", rounded.alias("rounded"))
        .groupBy("level", "peers")
        .agg(found.alias("found"))
        .select("level", "peers", centred.cast(BASELINES_TYPE).alias("centred"))
    )


def _found(rule: Rule, kpi: Column, profile: Profile) -> Column:
    """What one aggregate finds of the values of a KPI: as much as its rule needs."""
    value, rounded = kpi["value"], kpi["rounded"]
    found = {"count": F.count(value)}
    if rule.method in (Method.MEAN, Method.MEAN_STD):
        found["mean"] = exact_mean(value)
    if rule.method is Method.MEAN_STD:
        found |= {"lowest": F.min(value), "highest": F.max(value)}
    if _shares(rule):
        # Of values rounded, so that the memory of the aggregate is bounded.
        found["quantiles"] = F.percentile(rounded, list(_shares(rule)))
    if profile.has_standard_error(rule):
        found["error"] = F.percentile(kpi["rounded_error"], 0.5)
    return struct_of(found)


def _centre(rule: Rule, found: Column, profile: Profile) -> dict[str, Column]:
    """A baseline from what was `_found`; its spread, too, where no distances are needed for it."""
    nothing = F.lit(None).cast("double")
    centre, spread, extent = nothing, nothing, nothing
    if rule.method is Method.STATIC:
        centre = F.lit(rule.value).cast("double")
    elif rule.method is Method.MEAN:
        centre = found["mean"]
    elif rule.method is Method.MEAN_STD:
        # Rounding must not carry the mean of equal values away from them, or they would have a
        # spread.
        centre = F.greatest(found["lowest"], F.least(found["highest"], found["mean"]))
        extent = found["highest"] - found["lowest"]
    elif rule.method is Method.MEDIAN_IQR:
        lower, centre, upper = (F.get(found["quantiles"], F.lit(place)) for place in range(3))
        spread = (upper - lower) / IQR_OF_NORMAL
    else:
        centre = F.get(found["quantiles"], F.lit(0))
    error = found["error"] if profile.has_standard_error(rule) else nothing
    return {
        "centre": centre,
        "spread": spread,
        "error": error,
        "count": found["count"],
        "range": extent,
    }


def _with_distances(centred: DataFrame, scaled: DataFrame, kpis: list[str]) -> DataFrame:
    """The same with the spreads of the KPIs whose rules measure them from their centre."""
    group = ["level", "peers"]
    values = scaled.select(*group, F.explode("scaled").alias("scaled")).select(
        *group, F.col("scaled.kpi").alias("kpi"), F.col("scaled.value").alias("value")
    )
    centres = centred.select(*group, F.explode("centred").alias("baseline")).select(
        *group, F.col("baseline.kpi").alias("kpi"), "baseline"
    )
    distance, extent = F.col("value") - F.col("baseline.centre"), F.col("baseline.range")
    part = F.nullif(extent / PARTS_OF_RANGE, F.lit(0.0))
    spreads = (
        # Many values to the one baseline of their group and KPI.
        values.where(F.col("kpi").isin(*kpis))
        .join(F.broadcast(centres), on=[*group, "kpi"], how="inner")
        .select(
            *group,
            "kpi",
            extent.alias("range"),
            F.abs(distance).alias("distance"),
            F.pow(distance / part, F.lit(2.0)).alias("square"),
        )
        .groupBy(*group, "kpi")
        .agg(_spread_of_distances().alias("spread"))
        .groupBy(*group)
        .agg(F.map_from_entries(F.collect_list(F.struct("kpi", "spread"))).alias("spreads"))
    )

    def with_spread(baseline: Column) -> Column:
        spread = F.coalesce(baseline["spread"], F.try_element_at("spreads", baseline["kpi"]))
        fields = {name: baseline[name] for name in ("kpi", "centre", "error", "count")}
        return struct_of({**fields, "spread": spread})

    # One row of a group to one; merged, because a broadcast would cost a job of its own.
    return centred.join(spreads.hint("merge"), on=group, how="inner").select(
        *group, F.transform("centred", with_spread).alias("centred")
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
