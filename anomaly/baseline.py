"""Baselines: what the KPIs of a level are compared with, all of them from one aggregate."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.numbers import exact_mean, rounded_for_quantiles
from anomaly.profile import Method, Profile, Rule

# The quartiles of a normal distribution lie 1.349 standard deviations apart.
IQR_OF_NORMAL = 1.349


def baselines(metrics: DataFrame, profile: Profile) -> DataFrame:
    """Metrics of both levels to a row per level: level, baselines.

    `baselines` is an array in the order of the profile's rules of struct<centre, spread, count>:
    the number a KPI is compared with in its unit (NULL where no value was there), the spread of
    the values in the same unit (NULL where the method has none), and how many values it rests on.
    """
    columns = [_baseline(rule, F.col(profile.column_of(rule.kpi))) for rule in profile.rules]
    return metrics.groupBy("level").agg(F.array(*columns).alias("baselines"))


def _baseline(rule: Rule, value: Column) -> Column:
    no_spread = F.lit(None).cast("double")
    if rule.method is Method.STATIC:
        centre, spread = F.first(F.lit(float(rule.value or 0.0))), no_spread
    elif rule.method is Method.MEAN:
        centre, spread = exact_mean(value), no_spread
    elif rule.method is Method.QUANTILE:
        centre, spread = _quantiles(value, float(rule.q or 0.0))[0], no_spread
    else:
        lower, centre, upper = _quantiles(value, 0.25, 0.5, 0.75)
        spread = (upper - lower) / F.lit(IQR_OF_NORMAL)
    return F.struct(
        centre.cast("double").alias("centre"),
        spread.cast("double").alias("spread"),
        F.count(value).alias("count"),
    )


def _quantiles(value: Column, *shares: float) -> list[Column]:
    """Interpolated quantiles, of values rounded so that the aggregate's memory is bounded."""
    found = F.percentile(rounded_for_quantiles(value), [*shares])
    return [found[position] for position in range(len(shares))]
