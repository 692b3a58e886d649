"""Comparison of KPIs with their baselines: a flag for each, and the evidence for it.

All KPIs of a row are judged by one expression over an array, so the plan stays small however many
KPIs a profile has.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.contracts import EVIDENCE_TYPE
from anomaly.numbers import exceeds
from anomaly.profile import Direction, Method, Profile, Rule

# Status of a KPI in a row. Only OK and CRIT are judged; the flag of the others is NULL.
NO_DATA, NO_BASELINE, OK, CRIT = "NO_DATA", "NO_BASELINE", "OK", "CRIT"


def judge(metrics: DataFrame, baselines: DataFrame, profile: Profile) -> DataFrame:
    """Metrics with their evidence: a row per row of `metrics`, and the column `evidence` added.

    `evidence` has an element per rule, in the order of the profile (contracts.EVIDENCE_TYPE).
    bound = baseline +/- max(k x spread, smallest_change). A value within a relative 1e-9 of its
    bound is equal to it, and so no defect.
    """
    return (
        # Many metrics to the one baseline row of their level.
        metrics.join(F.broadcast(baselines), on="level", how="inner")
        .withColumn("evidence", _evidence(profile))
        .drop("baselines")
    )


def flags(profile: Profile) -> list[Column]:
    """The 0/1/NULL flag column of each rule, from the evidence of the row."""
    return [
        F.col("evidence")[position]["flag"].alias(rule.flag)
        for position, rule in enumerate(profile.rules)
    ]


def defects(evidence: Column) -> Column:
    """The elements of the evidence that are defects."""
    return F.filter(evidence, lambda kpi: kpi["flag"] == 1)


def severity(kpi: Column) -> Column:
    """How far beyond its bound a defect lies, comparable between KPIs.

    In units of spread; where there is no spread, 100 % beyond the bound count as one.
    """
    units = F.when(kpi["deviation_unit"] == "%", kpi["deviation"] / 100.0).otherwise(
        kpi["deviation"]
    )
    return F.coalesce(F.abs(units), F.lit(0.0))


def _evidence(profile: Profile) -> Column:
    rules = F.array(*(_rule(rule, profile) for rule in profile.rules))
    values = F.array(*(F.col(profile.column_of(rule.kpi)) for rule in profile.rules))
    measured = F.transform(
        rules,
        lambda rule, position: _measured(rule, F.get(values, position), position),
    )
    judged = F.transform(F.transform(measured, _bounded), _judged)
    return F.transform(judged, _explained).cast(EVIDENCE_TYPE)


def _rule(rule: Rule, profile: Profile) -> Column:
    """What the profile says of a KPI, as a constant of the plan."""
    samples = profile.rests_on_samples(rule.kpi)
    minimum = profile.join.minimum_samples if samples else profile.join.minimum_call_rows
    return F.struct(
        F.lit(rule.kpi).alias("kpi"),
        F.lit(profile.unit_of(rule.kpi)).alias("unit"),
        F.lit(rule.bad_when.value).alias("direction"),
        F.lit(_in_words(rule)).alias("method"),
        F.lit(float(rule.k)).alias("k"),
        F.lit(float(rule.smallest_change)).alias("smallest_change"),
        F.lit(rule.method is Method.STATIC).alias("is_static"),
        F.lit(samples).alias("rests_on_samples"),
        F.lit(minimum).cast("bigint").alias("minimum_count"),
    )


def _in_words(rule: Rule) -> str:
    return f"quantile {rule.q:g}" if rule.method is Method.QUANTILE else rule.method.value


def _measured(rule: Column, value: Column, position: Column) -> Column:
    baseline = F.get(F.col("baselines"), position)
    count = F.when(rule["rests_on_samples"], F.col("sample_count")).otherwise(
        F.col("call_row_count")
    )
    return F.struct(
        rule.alias("rule"),
        value.alias("value"),
        F.coalesce(count, F.lit(0)).cast("bigint").alias("value_count"),
        baseline.alias("baseline"),
        F.greatest(
            F.coalesce(rule["k"] * baseline["spread"], F.lit(0.0)), rule["smallest_change"]
        ).alias("margin"),
    )


def _bounded(kpi: Column) -> Column:
    centre, margin = kpi["baseline"]["centre"], kpi["margin"]
    is_above = kpi["rule"]["direction"] == Direction.ABOVE.value
    return F.struct(
        *(kpi[name].alias(name) for name in ("rule", "value", "value_count", "baseline")),
        F.when(is_above, centre + margin).otherwise(centre - margin).alias("bound"),
        _status_before_comparison(kpi).alias("not_judged"),
    )


def _status_before_comparison(kpi: Column) -> Column:
    """The status of a KPI that cannot be compared with its bound, NULL where it can."""
    rule, baseline = kpi["rule"], kpi["baseline"]
    has_baseline = rule["is_static"] | (baseline["count"] >= F.col("minimum_baseline_count"))
    return (
        F.when(kpi["value"].isNull() & F.col("missing_is_healthy"), OK)
        .when(kpi["value"].isNull(), NO_DATA)
        .when(kpi["value_count"] < rule["minimum_count"], NO_BASELINE)
        .when(~has_baseline | baseline["centre"].isNull(), NO_BASELINE)
    )


def _judged(kpi: Column) -> Column:
    value, bound, baseline = kpi["value"], kpi["bound"], kpi["baseline"]
    is_above = kpi["rule"]["direction"] == Direction.ABOVE.value
    is_bad = F.when(is_above, exceeds(value, bound)).otherwise(exceeds(bound, value))
    has_spread = baseline["spread"] > 0
    in_spreads = (value - baseline["centre"]) / F.when(has_spread, baseline["spread"])
    in_per_cent = 100.0 * (value - bound) / F.when(bound != 0, F.abs(bound))
    return F.struct(
        *(kpi[name].alias(name) for name in ("rule", "value", "value_count", "baseline", "bound")),
        F.coalesce(kpi["not_judged"], F.when(is_bad, CRIT).otherwise(OK)).alias("status"),
        F.when(has_spread, in_spreads).otherwise(in_per_cent).alias("deviation"),
        F.when(has_spread, "spreads").otherwise("%").alias("deviation_unit"),
    )


def _explained(kpi: Column) -> Column:
    """An element of the evidence, in the order of contracts.EVIDENCE_TYPE."""
    rule, baseline = kpi["rule"], kpi["baseline"]
    return F.struct(
        rule["kpi"].alias("kpi"),
        kpi["status"].alias("status"),
        F.when(kpi["status"] == CRIT, 1).when(kpi["status"] == OK, 0).alias("flag"),
        kpi["value"].alias("value"),
        rule["unit"].alias("unit"),
        kpi["bound"].alias("bound"),
        rule["direction"].alias("direction"),
        rule["method"].alias("method"),
        baseline["centre"].alias("baseline"),
        baseline["spread"].alias("spread"),
        baseline["count"].alias("baseline_count"),
        kpi["value_count"].alias("value_count"),
        kpi["deviation"].alias("deviation"),
        kpi["deviation_unit"].alias("deviation_unit"),
        _reason(kpi).alias("reason"),
    )


def _reason(kpi: Column) -> Column:
    """Why the KPI has its status, in words."""
    rule, baseline = kpi["rule"], kpi["baseline"]
    found = F.concat_ws(" ", rule["kpi"], _number(kpi["value"]), rule["unit"])
    bound = F.concat_ws(" ", F.lit("the bound"), _number(kpi["bound"]), rule["unit"])
    origin = F.concat(
        F.lit(" ("),
        rule["method"],
        F.lit(" of "),
        baseline["count"].cast("string"),
        F.lit(": "),
        _number(baseline["centre"]),
        F.lit(")"),
    )
    origin = F.when(rule["is_static"], F.lit(" (fixed)")).otherwise(origin)
    too_few = F.concat(
        F.lit("rests on "),
        kpi["value_count"].cast("string"),
        F.lit(" rows and is compared with "),
        baseline["count"].cast("string"),
        F.lit(" values: too few"),
    )
    return (
        F.when(
            kpi["status"] == CRIT,
            F.concat(found, F.lit(" is "), rule["direction"], F.lit(" "), bound, origin),
        )
        .when(kpi["status"] == NO_BASELINE, too_few)
        .when(kpi["status"] == NO_DATA, F.lit("no data"))
        .when(kpi["value"].isNull(), F.lit("no data, which the profile counts as healthy"))
        .otherwise(F.lit("within its bound"))
    )


def _number(value: Column) -> Column:
    return F.round(value, 4).cast("string")
