"""Baselines: what the KPIs of a level are compared with, all of them from one aggregate."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL
from anomaly.methods import Direction, Method
from anomaly.numbers import exact_mean, rounded_for_quantiles
from anomaly.profile import Profile, Rule
from anomaly.sql import constant_array, gathered

# The quartiles of a normal distribution lie 1.349 standard deviations apart.
IQR_OF_NORMAL = 1.349
QUARTILES = (0.25, 0.5, 0.75)


def baselines(metrics: DataFrame, profile: Profile) -> DataFrame:
    """Metrics of both levels to a row per level: level, baselines.

    `baselines` is an array in the order of the profile's rules of struct<centre, spread, count,
    bound>: the number a KPI is compared with in its unit (NULL where no value was there), the
    spread of the values in the same unit (NULL where the method has none), how many values it
    rests on, and bound = centre +/- max(k x spread, smallest_change) on the bad side, NULL where
    fewer values were there than the level's minimum_baseline_count.
    """
    shares = sorted({share for rule in profile.rules for share in _shares(rule)})
    # Of values rounded, so that the memory of the aggregate is bounded.
    quantiles = f"percentile({rounded_for_quantiles('value')}, array({_numbers(shares)}))"
    found = (
        metrics.selectExpr("level", f"posexplode({judged_values(profile)}) AS (position, value)")
        .groupBy("level", "position")
        .agg(
            F.expr(exact_mean("value")).alias("mean"),
            F.expr(quantiles if shares else "array()").cast("array<double>").alias("quantiles"),
            F.count("value").alias("count"),
        )
        .groupBy("level")
        .agg(gathered("struct(mean, quantiles, count)").alias("found"))
    )
    minimum_count = F.when(
        F.col("level") == CUSTOMER_LEVEL, profile.level(CUSTOMER_LEVEL).minimum_baseline_count
    ).otherwise(profile.level(CELL_LEVEL).minimum_baseline_count)
    rules = constant_array(
        (_constants(rule, shares) for rule in profile.rules),
        "method: string, value: double, lower: int, middle: int, upper: int, spreads: double, "
        "smallest_change: double",
    )
    centred = F.zip_with("found", rules, _centred)
    bounded = F.zip_with(centred, rules, lambda one, rule: _bounded(one, rule, minimum_count))
    return found.select("level", bounded.alias("baselines"))


def judged_values(profile: Profile) -> str:
    """The SQL of the KPIs that rules judge, as an array in the order of the rules."""
    return f"array({', '.join(f'kpis[{profile.position_of(rule.kpi)}]' for rule in profile.rules)})"


def _shares(rule: Rule) -> tuple[float, ...]:
    """The quantiles that a rule needs."""
    if rule.method is Method.MEDIAN_IQR:
        return QUARTILES
    return (rule.q,) if rule.method is Method.QUANTILE and rule.q is not None else ()


def _numbers(shares: list[float]) -> str:
    return ", ".join(f"{share!r}D" for share in shares)


def _constants(rule: Rule, shares: list[float]) -> dict[str, object]:
    """A rule as a constant of the plan; its margin is signed: positive above the centre."""
    sign = 1.0 if rule.bad_when is Direction.ABOVE else -1.0
    positions = [shares.index(share) for share in _shares(rule)] or [0]
    return {
        "method": rule.method.value,
        "value": rule.value,
        "lower": positions[0],
        "middle": positions[len(positions) // 2],
        "upper": positions[-1],
        "spreads": sign * rule.k,
        "smallest_change": sign * rule.smallest_change,
    }


def _centred(found: Column, rule: Column) -> Column:
    quantiles, method = found["quantiles"], rule["method"]
    spread = (quantiles[rule["upper"]] - quantiles[rule["lower"]]) / F.lit(IQR_OF_NORMAL)
    return F.struct(
        F.when(method == Method.STATIC.value, rule["value"])
        .when(method == Method.MEAN.value, found["mean"])
        .otherwise(quantiles[rule["middle"]])
        .alias("centre"),
        F.when(method == Method.MEDIAN_IQR.value, spread).alias("spread"),
        found["count"].alias("count"),
    )


def _bounded(baseline: Column, rule: Column, minimum_count: Column) -> Column:
    of_spread = F.coalesce(rule["spreads"] * baseline["spread"], F.lit(0.0))
    margin = F.when(F.abs(of_spread) > F.abs(rule["smallest_change"]), of_spread).otherwise(
        rule["smallest_change"]
    )
    is_usable = (rule["method"] == Method.STATIC.value) | (baseline["count"] >= minimum_count)
    return F.struct(
        *(baseline[name].alias(name) for name in ("centre", "spread", "count")),
        F.when(is_usable, baseline["centre"] + margin).alias("bound"),
    )
