"""Baselines: what the KPIs of a level are compared with, all of them from one aggregate.

A second one, about the centres that the first has found, is taken where a rule needs it.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL
from anomaly.methods import IQR_OF_NORMAL, MAD_OF_NORMAL, Direction, Method
from anomaly.numbers import exact_mean, rounded_for_quantiles
from anomaly.profile import Profile, Rule
from anomaly.sql import constant_array

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

    `baselines` is an array in the order of the profile's rules of struct<centre, spread, count,
    above, below>: the number a KPI is compared with in its unit (NULL where no value was there),
    the spread of the values in the same unit (NULL where the method has none), how many values it
    rests on, and for either side, NULL where it is not bad, struct<bound, warn_bound>:

        bound = centre +/- max(k x spread, ignore_below); warn_bound: the same with warn_k

    above not lower than `at_least`, below not higher than `at_most`. The bounds are NULL where
    fewer values were there than the level's minimum_baseline_count, or too few to have a spread;
    without a warn_k the two are equal.
    """
    centred = _centred(metrics, profile)
    if _around_centre(profile):
        centred = centred.transform(_with_distances, metrics, profile)
    return centred.withColumn("rules", _rules(profile)).selectExpr(
        "level", f"zip_with(centred, rules, (baseline, rule) -> {_bounded(profile)}) AS baselines"
    )


def judged_values(profile: Profile) -> str:
    """The SQL of the KPIs that rules judge, as an array in the order of the rules."""
    return f"array({', '.join(kpi_of(rule, profile) for rule in profile.rules)})"


def kpi_of(rule: Rule, profile: Profile) -> str:
    """The SQL of the KPI that a rule judges."""
    return f"kpis[{profile.position_of(rule.kpi)}]"


def _centred(metrics: DataFrame, profile: Profile) -> DataFrame:
    """A row per level: level, centred (an array of CENTRED in the order of the rules)."""
    places = [profile.position_of(rule.kpi) for rule in profile.rules]
    found = ", ".join(
        _found(rule, f"kpis[{place}]", f"rounded[{place}]", _all_shares(profile))
        for rule, place in zip(profile.rules, places, strict=True)
    )
    return (
        # One formula for all KPIs: of one for each Spark would compile its largest classes.
        metrics.selectExpr(
            "level", "kpis", f"transform(kpis, kpi -> {rounded_for_quantiles('kpi')}) AS rounded"
        )
        .groupBy("level")
        .agg(F.expr(f"array({found}) AS found"))
        .withColumn("rules", _rules(profile))
        .selectExpr("level", f"zip_with(found, rules, (found, rule) -> {CENTRED}) AS centred")
    )


def _found(rule: Rule, value: str, rounded: str, shares: list[float]) -> str:
    """The SQL of what one aggregate finds of a rule's values: as much as its method needs."""
    is_mean = rule.method in (Method.MEAN, Method.MEAN_STD)
    has_range = rule.method is Method.MEAN_STD
    numbers = ", ".join(f"{share!r}D" for share in shares)
    # Of values rounded, so that the memory of the aggregate is bounded.
    quantiles = f"percentile({rounded}, array({numbers}))" if _shares(rule) else "NULL"
    return (
        f"struct(CAST({exact_mean(value) if is_mean else 'NULL'} AS double) AS mean, "
        f"CAST({quantiles} AS array<double>) AS quantiles, count({value}) AS count, "
        f"CAST({f'min({value})' if has_range else 'NULL'} AS double) AS lowest, "
        f"CAST({f'max({value})' if has_range else 'NULL'} AS double) AS highest)"
    )


def _around_centre(profile: Profile) -> list[str]:
    """The positions of the rules whose spread is measured from their centre."""
    methods = (Method.MEAN_STD, Method.MEDIAN_MAD)
    return [str(place) for place, rule in enumerate(profile.rules) if rule.method in methods]


def _with_distances(centred: DataFrame, metrics: DataFrame, profile: Profile) -> DataFrame:
    """The same with the spreads of the rules that measure them from their centre."""
    pairs = (
        f"zip_with({judged_values(profile)}, centred, (value, baseline) -> "
        "struct(value - baseline.centre AS distance, baseline.range AS range))"
    )
    part = f"nullif(pair.range / {PARTS_OF_RANGE}D, 0D)"
    spreads = (
        # Many metrics to the one row of their level.
        metrics.join(F.broadcast(centred), on="level", how="inner")
        .selectExpr("level", f"posexplode({pairs}) AS (position, pair)")
        .where(f"position IN ({', '.join(_around_centre(profile))})")
        .selectExpr(
            "level",
            "position",
            "pair.range AS range",
            "abs(pair.distance) AS distance",
            f"power(pair.distance / {part}, 2D) AS square",
        )
        .groupBy("level", "position")
        .agg(F.expr(f"{SPREAD_OF_DISTANCES} AS spread"))
        .groupBy("level")
        .agg(F.expr("map_from_entries(collect_list(struct(position, spread))) AS spreads"))
    )
    spread = "coalesce(baseline.spread, try_element_at(spreads, position))"
    with_spread = f"struct(baseline.centre AS centre, {spread} AS spread, baseline.count AS count)"
    # One row of a level to one; merged, because a broadcast would cost a job of its own.
    return centred.join(spreads.hint("merge"), on="level", how="inner").selectExpr(
        "level", f"transform(centred, (baseline, position) -> {with_spread}) AS centred"
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
    """The rules as a constant of the plan, with the places of their quantiles."""
    shares = _all_shares(profile)
    return constant_array(
        (
            _constants(rule, [shares.index(share) for share in _shares(rule)] or [0])
            for rule in profile.rules
        ),
        "method: string, value: double, lower: int, middle: int, upper: int, has_spread: boolean, "
        "direction: string, k: double, warn_k: double, ignore_below: double, at_least: double, "
        "at_most: double",
    )


def _constants(rule: Rule, places: list[int]) -> dict[str, object]:
    return {
        "method": rule.method.value,
        "value": rule.value,
        "lower": places[0],
        "middle": places[len(places) // 2],
        "upper": places[-1],
        "has_spread": rule.method.has_spread,
        "direction": rule.bad_when.value,
        "k": rule.k,
        "warn_k": rule.k if rule.warn_k is None else rule.warn_k,
        "ignore_below": rule.ignore_below,
        "at_least": rule.at_least,
        "at_most": rule.at_most,
    }


def _bounded(profile: Profile) -> str:
    """The SQL of an element of `baselines`."""
    customers, cells = (
        profile.level(level).minimum_baseline_count for level in (CUSTOMER_LEVEL, CELL_LEVEL)
    )
    minimum = f"CASE WHEN level = '{CUSTOMER_LEVEL}' THEN {customers} ELSE {cells} END"
    is_usable = (
        f"(rule.method = '{Method.STATIC.value}' OR baseline.count >= {minimum}) "
        "AND (baseline.spread IS NOT NULL OR NOT rule.has_spread)"
    )
    # greatest and least leave out what is NULL: the spread of a method that has none, or a floor.
    above = _side(Direction.ABOVE, "greatest(baseline.centre + {}, rule.at_least)", is_usable)
    below = _side(Direction.BELOW, "least(baseline.centre - {}, rule.at_most)", is_usable)
    kept = ", ".join(f"baseline.{name} AS {name}" for name in ("centre", "spread", "count"))
    return f"struct({kept}, {above} AS above, {below} AS below)"


def _side(direction: Direction, limit: str, is_usable: str) -> str:
    """The SQL of the bounds of one side; `limit` has a place for the distance from the centre."""
    bounds = (
        limit.format(f"greatest(rule.{k} * baseline.spread, rule.ignore_below)")
        for k in ("k", "warn_k")
    )
    bound, warn_bound = (f"CASE WHEN {is_usable} THEN {sql} END" for sql in bounds)
    is_bad = f"rule.direction IN ('{direction.value}', '{Direction.BOTH.value}')"
    return f"CASE WHEN {is_bad} THEN struct({bound} AS bound, {warn_bound} AS warn_bound) END"
