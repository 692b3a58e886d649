"""The rules of a level: what they say of a value, once the baselines of the level are known.

A level has one row of them, however many rows it has, so whatever does not depend on the row that
is judged is found here: bounds, limits, and most of the words of a reason.
"""

from pyspark.sql import DataFrame

from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL
from anomaly.methods import Direction, Method
from anomaly.numbers import limit_above, limit_below, number_text
from anomaly.profile import MissingPolicy, Profile, Rule
from anomaly.sql import constant_array

ABOVE, BELOW = Direction.ABOVE.value, Direction.BELOW.value
# What a rule of a level has of its rule in the profile, and of its baseline.
OF_RULE = (
    "kpi",
    "unit",
    "method",
    "direction",
    "rests_on_samples",
    "minimum_count",
    "denominator",
    "denominator_position",
    "minimum_denominator",
)
OF_BASELINE = ("centre", "spread", "count")


def level_rules(baselines: DataFrame, profile: Profile) -> DataFrame:
    """Baselines (baseline.baselines) to a row per level: level, rules.

    `rules` is an array in the order of the profile's rules of struct: kpi, unit, method, direction,
    centre, spread, count and deviation_unit as the evidence tells them; above and below, the bounds
    of either side; crit_above, crit_below, warn_above and warn_below, what a value must pass to
    have that status (NULL where no bound is known); minimum_count, how many rows a value must rest
    on, which are samples or call rows (rests_on_samples); missing_is_healthy, whether the level
    counts a missing value as healthy; of a ratio its denominator, and what it must reach; origin,
    words for where the bound comes from.
    """
    rules = constant_array(
        (_of_profile(rule, profile) for rule in profile.rules),
        "kpi: string, unit: string, method: string, is_static: boolean, direction: string, "
        "rests_on_samples: boolean, minimum_count: bigint, is_healthy_for_customers: boolean, "
        "is_healthy_for_cells: boolean, denominator: string, denominator_position: int, "
        "minimum_denominator: double",
    )
    return baselines.withColumn("rules", rules).selectExpr(
        "level", f"zip_with(baselines, rules, (baseline, rule) -> {_of_level()}) AS rules"
    )


def _of_profile(rule: Rule, profile: Profile) -> dict[str, object]:
    samples = profile.rests_on_samples(rule.kpi)
    ratio = profile.ratio(rule.kpi)
    is_quantile = rule.method is Method.QUANTILE
    return {
        "kpi": rule.kpi,
        "unit": profile.unit_of(rule.kpi),
        "method": f"quantile {rule.q:g}" if is_quantile else rule.method.value,
        "is_static": rule.method is Method.STATIC,
        "direction": rule.bad_when.value,
        "rests_on_samples": samples,
        "minimum_count": profile.join.minimum_samples
        if samples
        else profile.join.minimum_call_rows,
        "is_healthy_for_customers": profile.level(CUSTOMER_LEVEL).missing is MissingPolicy.HEALTHY,
        "is_healthy_for_cells": profile.level(CELL_LEVEL).missing is MissingPolicy.HEALTHY,
        "denominator": ratio and ratio.second,
        "denominator_position": ratio and profile.position_of(ratio.second),
        "minimum_denominator": ratio and (ratio.minimum_denominator or None),
    }


def _of_level() -> str:
    """The SQL of a rule of a level, from a `rule` of the profile and its `baseline`."""
    is_customer = f"level = '{CUSTOMER_LEVEL}'"
    centre = number_text("baseline.centre")
    fields = {
        **{name: f"rule.{name}" for name in OF_RULE},
        **{name: f"baseline.{name}" for name in OF_BASELINE},
        **{side: f"baseline.{side}.bound" for side in (ABOVE, BELOW)},
        **_limits(),
        "missing_is_healthy": f"if({is_customer}, rule.is_healthy_for_customers, "
        "rule.is_healthy_for_cells)",
        "deviation_unit": "CASE WHEN baseline.spread > 0 THEN 'spreads' ELSE '%' END",
        "origin": "CASE WHEN rule.is_static THEN ' (fixed)' ELSE "
        f"concat(' (', rule.method, ' of ', baseline.count, ': ', {centre}, ')') END",
    }
    return f"struct({', '.join(f'{sql} AS {name}' for name, sql in fields.items())})"


def _limits() -> dict[str, str]:
    """The SQL of the four limits of a rule; a side that is not bad has one that nothing passes."""
    is_usable = "coalesce(baseline.above.bound, baseline.below.bound) IS NOT NULL"
    of_sides = {ABOVE: (limit_above, "Infinity"), BELOW: (limit_below, "-Infinity")}
    return {
        f"{name}_{side}": f"CASE WHEN {is_usable} THEN coalesce("
        f"{limit(f'baseline.{side}.{bound}')}, CAST('{never}' AS double)) END"
        for side, (limit, never) in of_sides.items()
        for name, bound in (("crit", "bound"), ("warn", "warn_bound"))
    }
