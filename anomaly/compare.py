"""Comparison of KPIs with their baselines: a flag for each, and the evidence for it.

All KPIs of a row are judged by one expression over an array, so the plan stays small however many
KPIs a profile has. `judge` finds the numbers, `evidence` adds what the profile says and the words.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.baseline import judged_values
from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL, EVIDENCE_TYPE
from anomaly.methods import Direction, Method
from anomaly.numbers import exceeds
from anomaly.profile import MissingPolicy, Profile, Rule
from anomaly.sql import constant_array

# Status of a KPI in a row. Of those that are not judged, NO_DATA and NO_BASELINE, the flag is NULL;
# WARN is no defect yet.
NO_DATA, NO_BASELINE, OK, WARN, CRIT = "NO_DATA", "NO_BASELINE", "OK", "WARN", "CRIT"

# The SQL of how far beyond its bound a defect `kpi` lies, comparable between KPIs: in units of
# spread; where there is no spread, 100 % beyond the bound count as one.
SEVERITY = (
    "coalesce(abs(CASE WHEN kpi.deviation_unit = '%' THEN kpi.deviation / 100D "
    "ELSE kpi.deviation END), 0D)"
)


def judge(metrics: DataFrame, baselines: DataFrame, profile: Profile) -> DataFrame:
    """Metrics with their judgement: a row per row of `metrics`, and the column `judged` added.

    `judged` is an array in the order of the profile's rules of struct<status, value, value_count,
    centre, spread, count, direction, bound, deviation, deviation_unit>. Where both sides are bad,
    direction and bound are those of the side of the centre on which the value lies; without a
    value, direction stays `both` and bound is NULL. A value within a relative 1e-9 of its bound is
    equal to it, and so no defect.
    """
    rules = constant_array(
        (_rule_for_judging(rule, profile) for rule in profile.rules),
        "direction: string, rests_on_samples: boolean, minimum_count: bigint",
    )
    values = F.expr(judged_values(profile))
    kpis = F.arrays_zip(values.alias("value"), rules.alias("rule"), F.col("baselines"))
    judged = F.transform(
        F.transform(kpis, _on_its_side), lambda kpi: _judged(kpi, _missing_status(profile))
    )
    return (
        # Many metrics to the one baseline row of their level.
        metrics.join(F.broadcast(baselines), on="level", how="inner")
        .withColumn("judged", judged)
        .drop("baselines")
    )


def defects(kpis: str) -> str:
    """The SQL of those elements of `judged`, or of `evidence`, that are defects."""
    return f"filter({kpis}, kpi -> kpi.status = '{CRIT}')"


def evidence(profile: Profile) -> Column:
    """The evidence of a row from its column `judged` (contracts.EVIDENCE_TYPE)."""
    rules = constant_array(
        (_rule_for_words(rule, profile) for rule in profile.rules),
        "kpi: string, unit: string, method: string, is_static: boolean, denominator: string, "
        "denominator_position: int, minimum_denominator: double",
    )
    return F.zip_with(F.col("judged"), rules, _explained).cast(EVIDENCE_TYPE)


def _rule_for_judging(rule: Rule, profile: Profile) -> dict[str, object]:
    samples = profile.rests_on_samples(rule.kpi)
    minimum = profile.join.minimum_samples if samples else profile.join.minimum_call_rows
    return {
        "direction": rule.bad_when.value,
        "rests_on_samples": samples,
        "minimum_count": minimum,
    }


def _rule_for_words(rule: Rule, profile: Profile) -> dict[str, object]:
    ratio = profile.ratio(rule.kpi)
    quantile = f"quantile {rule.q:g}" if rule.method is Method.QUANTILE else rule.method.value
    return {
        "kpi": rule.kpi,
        "unit": profile.unit_of(rule.kpi),
        "method": quantile,
        "is_static": rule.method is Method.STATIC,
        "denominator": ratio and ratio.second,
        "denominator_position": ratio and profile.position_of(ratio.second),
        "minimum_denominator": ratio and (ratio.minimum_denominator or None),
    }


def _missing_status(profile: Profile) -> Column:
    """The status of a KPI without a value, by the level of the row."""

    def status(level: str) -> str:
        return OK if profile.level(level).missing is MissingPolicy.HEALTHY else NO_DATA

    return F.when(F.col("level") == CUSTOMER_LEVEL, status(CUSTOMER_LEVEL)).otherwise(
        status(CELL_LEVEL)
    )


def _on_its_side(kpi: Column) -> Column:
    """A value with its rule and baseline, and with the direction and the bounds of its side."""
    value, rule, baseline = kpi["value"], kpi["rule"], kpi["baselines"]
    direction = (
        F.when(rule["direction"] != Direction.BOTH.value, rule["direction"])
        .when(value >= baseline["centre"], Direction.ABOVE.value)
        .when(value < baseline["centre"], Direction.BELOW.value)
        .otherwise(Direction.BOTH.value)
    )
    bounds = F.when(direction == Direction.ABOVE.value, baseline["above"]).when(
        direction == Direction.BELOW.value, baseline["below"]
    )
    return F.struct(
        value.alias("value"),
        rule.alias("rule"),
        baseline.alias("baseline"),
        direction.alias("direction"),
        bounds.alias("bounds"),
    )


def _judged(kpi: Column, missing_status: Column) -> Column:
    value, rule, baseline = kpi["value"], kpi["rule"], kpi["baseline"]
    bound, spread = kpi["bounds"]["bound"], baseline["spread"]
    count = F.coalesce(
        F.when(rule["rests_on_samples"], F.col("sample_count")).otherwise(F.col("call_row_count")),
        F.lit(0),
    ).cast("bigint")
    is_above = kpi["direction"] == Direction.ABOVE.value

    def is_beyond(limit: Column) -> Column:
        return F.when(is_above, exceeds(value, limit)).otherwise(exceeds(limit, value))

    status = (
        F.when(value.isNull(), missing_status)
        .when(bound.isNull() | (count < rule["minimum_count"]), NO_BASELINE)
        .when(is_beyond(bound), CRIT)
        .otherwise(F.when(is_beyond(kpi["bounds"]["warn_bound"]), WARN).otherwise(OK))
    )
    in_spreads = F.when(spread > 0, (value - baseline["centre"]) / spread)
    in_per_cent = 100.0 * (value - bound) / F.when(bound != 0, F.abs(bound))
    return F.struct(
        status.alias("status"),
        value.alias("value"),
        count.alias("value_count"),
        *(baseline[name].alias(name) for name in ("centre", "spread", "count")),
        kpi["direction"].alias("direction"),
        bound.alias("bound"),
        F.coalesce(in_spreads, in_per_cent).alias("deviation"),
        F.when(spread > 0, "spreads").otherwise("%").alias("deviation_unit"),
    )


def _explained(kpi: Column, rule: Column) -> Column:
    """An element of the evidence, in the order of contracts.EVIDENCE_TYPE."""
    return F.struct(
        rule["kpi"].alias("kpi"),
        kpi["status"].alias("status"),
        F.when(kpi["status"] == CRIT, 1).when(kpi["status"].isin(OK, WARN), 0).alias("flag"),
        kpi["value"].alias("value"),
        rule["unit"].alias("unit"),
        kpi["bound"].alias("bound"),
        kpi["direction"].alias("direction"),
        rule["method"].alias("method"),
        kpi["centre"].alias("baseline"),
        kpi["spread"].alias("spread"),
        kpi["count"].alias("baseline_count"),
        kpi["value_count"].alias("value_count"),
        kpi["deviation"].alias("deviation"),
        kpi["deviation_unit"].alias("deviation_unit"),
        _reason(kpi, rule).alias("reason"),
    )


def _reason(kpi: Column, rule: Column) -> Column:
    """Why the KPI has its status, in words."""
    against_bound = F.format_string(
        "%s %s %s is %s the bound %s %s",
        rule["kpi"],
        _number(kpi["value"]),
        rule["unit"],
        F.when(kpi["status"] == CRIT, kpi["direction"]).otherwise("near"),
        _number(kpi["bound"]),
        rule["unit"],
    )
    origin = F.when(rule["is_static"], " (fixed)").otherwise(
        F.format_string(" (%s of %s: %s)", rule["method"], kpi["count"], _number(kpi["centre"]))
    )
    too_few = F.format_string(
        "rests on %s rows and is compared with %s values: too few",
        kpi["value_count"],
        kpi["count"],
    )
    return (
        F.when(kpi["status"].isin(CRIT, WARN), F.concat(against_bound, origin))
        .when(kpi["status"] == NO_BASELINE, too_few)
        .when(kpi["value"].isNull(), F.coalesce(_fault_of_denominator(rule), _no_data(kpi)))
        .otherwise("within its bound")
    )


def _fault_of_denominator(rule: Column) -> Column:
    """Why a ratio without a value has none, if its denominator is why; else NULL."""
    denominator = F.col("kpis")[rule["denominator_position"]]
    is_small = F.format_string(
        "small_denominator: %s is %s, below the minimum of %s",
        rule["denominator"],
        _number(denominator),
        _number(rule["minimum_denominator"]),
    )
    return F.when(
        denominator == 0, F.format_string("zero_denominator: %s is 0", rule["denominator"])
    ).when(denominator < rule["minimum_denominator"], is_small)


def _no_data(kpi: Column) -> Column:
    return F.when(kpi["status"] == NO_DATA, "no data").otherwise(
        "no data, which the profile counts as healthy"
    )


def _number(value: Column) -> Column:
    return F.round(value, 4).cast("string")
