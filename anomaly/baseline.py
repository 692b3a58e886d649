"""Baselines: what the KPIs of a level are compared with, all of them from one aggregate."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL
from anomaly.numbers import exact_mean, rounded_for_quantiles
from anomaly.profile import Direction, Method, Profile, Rule
from anomaly.sql import constant_array

# The quartiles of a normal distribution lie 1.349 standard deviations apart.
IQR_OF_NORMAL = 1.349


def baselines(metrics: DataFrame, profile: Profile) -> DataFrame:
    """Metrics of both levels to a row per level: level, baselines.

    `baselines` is an array in the order of the profile's rules of struct<centre, spread, count,
    bound>: the number a KPI is compared with in its unit (NULL where no value was there), the
    spread of the values in the same unit (NULL where the method has none), how many values it
    rests on, and bound = centre +/- max(k x spread, smallest_change) on the bad side, NULL where
    fewer values were there than the level's minimum_baseline_count.
    """
    columns = ", ".join(_baseline(rule, profile.column_of(rule.kpi)) for rule in profile.rules)
    found = metrics.groupBy("level").agg(F.expr(f"array({columns})").alias("baselines"))
    minimum_count = F.when(
        F.col("level") == CUSTOMER_LEVEL, profile.level(CUSTOMER_LEVEL).minimum_baseline_count
    ).otherwise(profile.level(CELL_LEVEL).minimum_baseline_count)
    rules = constant_array(
        map(_margin_of, profile.rules),
        "spreads: double, smallest_change: double, is_static: boolean",
    )
    bounded = F.zip_with("baselines", rules, lambda one, rule: _bounded(one, rule, minimum_count))
    return found.select("level", bounded.alias("baselines"))


def _baseline(rule: Rule, column: str) -> str:
    """The SQL of a rule's aggregate: struct<centre, spread, count>."""
    spread = "NULL"
    if rule.method is Method.STATIC:
        centre = f"first({float(rule.value or 0.0)!r}D)"
    elif rule.method is Method.MEAN:
        centre = exact_mean(column)
    elif rule.method is Method.QUANTILE:
        centre = f"{_quantiles(column, float(rule.q or 0.0))}[0]"
    else:
        quartiles = _quantiles(column, 0.25, 0.5, 0.75)
        centre = f"{quartiles}[1]"
        spread = f"({quartiles}[2] - {quartiles}[0]) / {IQR_OF_NORMAL}D"
    return (
        f"struct(CAST({centre} AS double) AS centre, CAST({spread} AS double) AS spread, "
        f"count(`{column}`) AS count)"
    )


def _quantiles(column: str, *shares: float) -> str:
    """Interpolated quantiles, of values rounded so that the aggregate's memory is bounded."""
    wanted = ", ".join(f"{share!r}D" for share in shares)
    return f"percentile({rounded_for_quantiles(column)}, array({wanted}))"


def _margin_of(rule: Rule) -> dict[str, object]:
    """What a rule allows on its bad side, signed: positive above the centre, negative below."""
    sign = 1.0 if rule.bad_when is Direction.ABOVE else -1.0
    return {
        "spreads": sign * rule.k,
        "smallest_change": sign * rule.smallest_change,
        "is_static": rule.method is Method.STATIC,
    }


def _bounded(baseline: Column, rule: Column, minimum_count: Column) -> Column:
    of_spread = F.coalesce(rule["spreads"] * baseline["spread"], F.lit(0.0))
    margin = F.when(F.abs(of_spread) > F.abs(rule["smallest_change"]), of_spread).otherwise(
        rule["smallest_change"]
    )
    is_usable = rule["is_static"] | (baseline["count"] >= minimum_count)
    return F.struct(
        *(baseline[name].alias(name) for name in ("centre", "spread", "count")),
        F.when(is_usable, baseline["centre"] + margin).alias("bound"),
    )
