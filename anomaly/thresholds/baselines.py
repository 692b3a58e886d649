"""Baselines of both levels: what is usual among customers, among cells, and among like cells.

The number that a KPI is compared with is its centre; beside it stands the spread around it, where
the method has one. Both are on the scale of the rule. What a rule makes of them stands in
`anomaly.thresholds.limits`.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.sql import constant_array
from anomaly.expressions.sql_text import exact_mean, rounded_for_quantiles
from anomaly.profile.methods import IQR_OF_NORMAL, MAD_OF_NORMAL, Method, Scale
from anomaly.profile.model import Profile
from anomaly.profile.sections import Rule

# The name of the group that holds every row of a level.
ALL = ""
QUARTILES = (0.25, 0.5, 0.75)
# Distances are squared in millionths of the range of the values: then squares are at most 1e12, as
# exact_mean requires, and keep their digits however small the values are.
PARTS_OF_RANGE = 1e6

# The SQL of what is known of a rule's values after one aggregate. Rounding must not carry the mean
# of equal values away from them, or they would have a spread.
CENTRED = f"""struct(
    CASE rule.method
        WHEN '{Method.STATIC.value}' THEN rule.value
        WHEN '{Method.MEAN.value}' THEN found.mean
        WHEN '{Method.MEAN_STD.value}' THEN greatest(found.lowest, least(found.highest, found.mean))
        ELSE get(found.quantiles, rule.middle)
    END AS centre,
    CASE WHEN rule.method = '{Method.MEDIAN_IQR.value}' THEN
        (get(found.quantiles, rule.upper) - get(found.quantiles, rule.lower)) / {IQR_OF_NORMAL}D
    END AS spread,
    found.error AS error,
    found.count AS count,
    CASE WHEN rule.method = '{Method.MEAN_STD.value}' THEN found.highest - found.lowest END AS range
)"""


# The SQL of the spread of values by their distances from the centre, as an aggregate. The sample
# standard deviation is sqrt(sum of squares / (count - 1)), and NULL for one value; only rules that
# take it have a range. Median distances are of distances rounded like the values of quantiles.
SPREAD_OF_DISTANCES = f"""nvl2(
    max(range),
    max(range) / {PARTS_OF_RANGE}D * coalesce(sqrt({exact_mean("square")}), 0D)
        * sqrt(count(distance) / nullif(count(distance) - 1, 0)),
    {MAD_OF_NORMAL}D * percentile({rounded_for_quantiles("distance")}, 0.5D)
)"""


def baselines(metrics: DataFrame, profile: Profile) -> DataFrame:
    """Metrics of both levels to a row per level: level, baselines.

    `metrics`: level, peers (the group of a cell, NULL for none), kpis and errors (arrays in the
    order of Profile.position_of: the KPIs, and the standard errors of those that have one).

    `baselines` is a map from groups (ALL for every row of the level) to an array in the order of
    the profile's rules of struct<centre, spread, error, count>: the number that a KPI is compared
    with (NULL where no value was there), the spread of the values (NULL where the method has none),
    the median of their standard errors (NULL where they have none), all three on the scale of the
    rule, and how many values there were.
    """
    scaled = _scaled(metrics, profile)
    centred = _centred(scaled, profile)
    if _around_centre(profile):
        centred = centred.transform(_with_distances, scaled, profile)
    if profile.peers is None:
        return centred.selectExpr("level", f"map('{ALL}', centred) AS baselines")
    of_groups = "map_from_entries(collect_list(struct(peers, centred)))"
    return centred.groupBy("level").agg(F.expr(of_groups).alias("baselines"))


def judged_values(profile: Profile) -> str:
    """The SQL of the KPIs that rules judge, as an array in the order of the rules."""
    return _of_rules("kpis", profile)


def judged_counts(counts: str, profile: Profile) -> str:
    """The SQL of what stands behind these KPIs: one of the two arrays of averages.COUNTS."""
    return _of_rules(counts, profile)


def judged_errors(profile: Profile) -> str:
    """The SQL of the standard errors of these KPIs, in their units; NULL where there is none."""
    return _of_rules("errors", profile)


def _of_rules(array: str, profile: Profile) -> str:
    elements = (f"{array}[{profile.position_of(rule.kpi)}]" for rule in profile.rules)
    return f"array({', '.join(elements)})"


def _scaled(metrics: DataFrame, profile: Profile) -> DataFrame:
    """A row per row and group that it belongs to: level, peers, and arrays by rule.

    scaled: the values that rules judge, on their scales; errors: their standard errors likewise.
    """
    values, errors = [], []
    for rule in profile.rules:
        place = profile.position_of(rule.kpi)
        value, error = f"kpis[{place}]", f"errors[{place}]"
        if rule.scale is Scale.LOG:
            shifted = f"({value} + {rule.offset!r}D)"
            value, error = f"ln{shifted}", f"{error} / {shifted}"
        values.append(value)
        errors.append(error)
    groups = f"array('{ALL}')"
    if profile.peers is not None:
        groups = f"CASE WHEN peers IS NULL THEN {groups} ELSE array('{ALL}', peers) END"
    return metrics.selectExpr(
        "level",
        f"explode({groups}) AS peers",
        f"array({', '.join(values)}) AS scaled",
        f"array({', '.join(errors)}) AS errors",
    )


def _centred(scaled: DataFrame, profile: Profile) -> DataFrame:
    """A row per level and group: level, peers, centred (an array of CENTRED by rule)."""
    found = ", ".join(_found(rule, place, profile) for place, rule in enumerate(profile.rules))
    # One formula for all KPIs: of one for each Spark would compile its largest classes.
    rounded = (
        f"transform({values}, kpi -> {rounded_for_quantiles('kpi')}) AS rounded_{values}"
        for values in ("scaled", "errors")
    )
    return (
        scaled.selectExpr("level", "peers", "scaled", *rounded)
        .groupBy("level", "peers")
        .agg(F.expr(f"array({found}) AS found"))
        .withColumn("rules", _rules(profile))
        .selectExpr(
            "level", "peers", f"zip_with(found, rules, (found, rule) -> {CENTRED}) AS centred"
        )
    )


def _found(rule: Rule, place: int, profile: Profile) -> str:
    """The SQL of what one aggregate finds of a rule's values: as much as its method needs."""
    value, rounded, error = (
        f"{name}[{place}]" for name in ("scaled", "rounded_scaled", "rounded_errors")
    )
    is_mean = rule.method in (Method.MEAN, Method.MEAN_STD)
    has_range = rule.method is Method.MEAN_STD
    numbers = ", ".join(f"{share!r}D" for share in _all_shares(profile))
    # Of values rounded, so that the memory of the aggregate is bounded.
    quantiles = f"percentile({rounded}, array({numbers}))" if _shares(rule) else "NULL"
    median_error = f"percentile({error}, 0.5D)" if profile.has_standard_error(rule) else "NULL"
    return (
        f"struct(CAST({exact_mean(value) if is_mean else 'NULL'} AS double) AS mean, "
        f"CAST({quantiles} AS array<double>) AS quantiles, count({value}) AS count, "
        f"CAST({median_error} AS double) AS error, "
        f"CAST({f'min({value})' if has_range else 'NULL'} AS double) AS lowest, "
        f"CAST({f'max({value})' if has_range else 'NULL'} AS double) AS highest)"
    )


def _around_centre(profile: Profile) -> list[str]:
    """The positions of the rules whose spread is measured from their centre."""
    methods = (Method.MEAN_STD, Method.MEDIAN_MAD)
    return [str(place) for place, rule in enumerate(profile.rules) if rule.method in methods]


def _with_distances(centred: DataFrame, scaled: DataFrame, profile: Profile) -> DataFrame:
    """The same with the spreads of the rules that measure them from their centre."""
    pairs = (
        "zip_with(scaled, centred, (value, baseline) -> "
        "struct(value - baseline.centre AS distance, baseline.range AS range))"
    )
    part = f"nullif(pair.range / {PARTS_OF_RANGE}D, 0D)"
    keys = ["level", "peers"]
    spreads = (
        # Many metrics to the one row of their group.
        scaled.join(F.broadcast(centred), on=keys, how="inner")
        .selectExpr(*keys, f"posexplode({pairs}) AS (position, pair)")
        .where(f"position IN ({', '.join(_around_centre(profile))})")
        .selectExpr(
            *keys,
            "position",
            "pair.range AS range",
            "abs(pair.distance) AS distance",
            f"power(pair.distance / {part}, 2D) AS square",
        )
        .groupBy(*keys, "position")
        .agg(F.expr(f"{SPREAD_OF_DISTANCES} AS spread"))
        .groupBy(*keys)
        .agg(F.expr("map_from_entries(collect_list(struct(position, spread))) AS spreads"))
    )
    spread = "coalesce(baseline.spread, try_element_at(spreads, position))"
    kept = ", ".join(f"baseline.{name} AS {name}" for name in ("centre", "error", "count"))
    # One row of a group to one; merged, because a broadcast would cost a job of its own.
    return centred.join(spreads.hint("merge"), on=keys, how="inner").selectExpr(
        *keys,
        f"transform(centred, (baseline, position) -> struct({kept}, {spread} AS spread)) "
        "AS centred",
    )


def _all_shares(profile: Profile) -> list[float]:
    """The quantiles that the rules of a profile need."""
    return sorted({share for rule in profile.rules for share in _shares(rule)})


def _shares(rule: Rule) -> tuple[float, ...]:
    """The quantiles that a rule needs; the one in the middle is its centre."""
    if rule.method is Method.MEDIAN_IQR:
        return QUARTILES
    if rule.method is Method.MEDIAN_MAD:
        return (0.5,)
    return (rule.q,) if rule.method is Method.QUANTILE and rule.q is not None else ()


def _rules(profile: Profile) -> Column:
    """What finding a centre takes of the rules, with the places of their quantiles."""
    shares = _all_shares(profile)

    def of_rule(rule: Rule) -> dict[str, object]:
        places = [shares.index(share) for share in _shares(rule)] or [0]
        return {
            "method": rule.method.value,
            "value": rule.value,
            "lower": places[0],
            "middle": places[len(places) // 2],
            "upper": places[-1],
        }

    return constant_array(
        map(of_rule, profile.rules),
        "method: string, value: double, lower: int, middle: int, upper: int",
    )
