"""Comparison of each period of a cell with its baselines: how far each KPI is out of line."""

import json
from collections.abc import Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from anomaly.alarms.period_baselines import baseline_name, keys_of, period_baselines
from anomaly.alarms.periods import first_period_of_step, step_of, time_of, with_groups, with_step
from anomaly.expressions.arithmetic import TIE_TOLERANCE
from anomaly.expressions.arrays import named_array, struct_of
from anomaly.expressions.guards import require_columns
from anomaly.expressions.timestamps import UTC_ZONE, is_doubled
from anomaly.profile.alarm_rules import AlarmKpi, AlarmRules, Grouping
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.thresholds.compare import CRIT, NO_BASELINE, NO_DATA, OK, WARN

# What a profile says of how a KPI is compared, as a constant of the plan.
RULE_TYPE = (
    "struct<direction: string, is_log: boolean, shift: double, fixed: double, "
    "smallest_spread: double, warn: double, crit: double, at_least: double, at_most: double, "
    "ignore_below: double>"
)
# What is known of a KPI in a period, and published as it is.
OF_PERIOD = ("kpi", "value", "deviation", "smoothed_deviation")


def in_step() -> WindowSpec:
    """The periods of a cell in turn, within a step.

    What is remembered of a cell begins anew with each step, so that what is found in a step depends
    on nothing but its own samples and those of its baselines.
    """
    return Window.partitionBy("CellName", "step").orderBy("period")


def judged_periods(periods: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per cell and period in which a sample is expected, from the first judged step on.

    CellName, step, period, is_missing (no KPI was reported) and `judged`, an array of a struct per
    KPI<kpi, status, level, direction, value, smoothed_value, baseline, baseline_count, bound,
    deviation, smoothed_deviation>. The values are in the KPI's unit, as they were measured,
    deviations in spreads, largest_deviation at most; the smoothed ones are means over the last
    periods (of values on the KPI's scale); `level` is the smoothed deviation on the bad side, 0
    where a static floor lies between; `bound` is where WARN begins.

    A cell is expected from its first sample on, and where it had samples in the history; not in the
    hour that clocks repeat, whose samples are rejected where they were sent once. `periods` and
    `span` are those of periods.reported_periods and judged_span.

    Raises InputError for a column that is missing.
    """
    needed = ["CellName", "period", "peers", "is_reported", "values"]
    require_columns(periods, needed, "judged_periods")
    reported = periods.select("CellName", "period", "is_reported", "values")
    # One expected period to at most one that was reported.
    sent = _expected(periods, span, rules).join(reported, on=["CellName", "period"], how="left")
    if rules.time_zone != UTC_ZONE:
        is_repeated = is_doubled(time_of(F.col("period"), rules), rules.time_zone)
        sent = sent.where(F.col("is_reported").isNotNull() | ~is_repeated)
    compared = named_array({kpi.name: _compared(kpi, rules) for kpi in rules.kpis})
    # One step after the other: nested in one, Sail plans some of it dozens of times.
    steps = (_with_side, _with_level, _judged)
    judged = reduce(F.transform, steps, compared)
    return (
        sent.transform(with_groups, rules)
        .transform(_with_baselines, periods, span, rules)
        .withColumns({_deviation(kpi): _deviation_of(kpi, rules) for kpi in rules.kpis})
        .select(
            "CellName",
            "step",
            "period",
            (~F.coalesce("is_reported", F.lit(False))).alias("is_missing"),
            judged.alias("judged"),
        )
    )


def _expected(periods: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per cell and period of the judged steps: CellName, step, period, peers."""
    step, later, first = F.col("step"), F.col("later"), F.col("first")
    # In later steps it is expected from their beginning on.
    begin = F.when(later == 0, first).otherwise(first_period_of_step(step + later, rules))
    is_judged = (step >= step_of(F.col("start_period"), rules)) & (
        first_period_of_step(step, rules) <= F.col("last_period")
    )
    end = F.least(first_period_of_step(step + 1, rules) - 1, F.col("last_period"))
    return (
        periods.transform(with_step, rules)
        .groupBy("CellName", "step")
        .agg(F.min("period").alias("first"), F.max("peers").alias("peers"))
        .withColumn("later", F.explode(F.sequence(F.lit(0), F.lit(rules.baselines_back))))
        .groupBy("CellName", (step + later).alias("step"))
        .agg(F.min(begin).alias("first"), F.max("peers").alias("peers"))
        # Many rows to the one row of the span.
        .join(F.broadcast(span), how="cross")
        .where(is_judged)
        .select("CellName", "step", "peers", F.explode(F.sequence(first, end)).alias("period"))
    )


def _with_baselines(
    expected: DataFrame, periods: DataFrame, span: DataFrame, rules: AlarmRules
) -> DataFrame:
    """Adds the columns of the baselines (period_baselines), NULL where a group has none."""

    def joined(rows: DataFrame, grouping: Grouping) -> DataFrame:
        found = period_baselines(periods, span, grouping, rules)
        # Many periods to at most one baseline of their group.
        return rows.join(found, on=keys_of(grouping), how="left")

    return reduce(joined, rules.groupings, expected)


def _baseline(kpi: AlarmKpi) -> dict[str, Column]:
    """The centre, the spread and the count of a KPI's baseline; NULL where it is a fixed number."""
    types = {"centre": "double", "spread": "double", "count": "bigint"}
    if kpi.method is Method.STATIC:
        return {name: F.lit(None).cast(type_) for name, type_ in types.items()}
    return {name: F.col(baseline_name(kpi))[name] for name in types}


def _centre(found: Column, rule: Column) -> Column:
    """What a KPI is compared with, on its scale: the centre that was found, or a fixed number."""
    fixed = rule["fixed"]
    on_scale = F.when(rule["is_log"], F.ln(fixed + rule["shift"])).otherwise(fixed)
    return F.coalesce(found, on_scale)


def _spread(found: Column, rule: Column) -> Column:
    """The spread of a KPI that counts, from the one that was found, if any."""
    return F.greatest(F.coalesce(found, F.lit(0.0)), rule["smallest_spread"])


def _deviation(kpi: AlarmKpi) -> str:
    return f"deviation of {kpi.name}"


def _deviation_of(kpi: AlarmKpi, rules: AlarmRules) -> Column:
    """How many spreads the value of a KPI is from its baseline, largest_deviation at most."""
    rule, baseline, value = _rule(kpi), _baseline(kpi), F.col("values")[kpi.name]
    centre, spread = _centre(baseline["centre"], rule), _spread(baseline["spread"], rule)
    largest = rules.largest_deviation
    in_spreads = (value - centre) / spread
    # Not least and greatest alone, which take NULL for nothing.
    return F.when(
        value.isNotNull() & centre.isNotNull(),
        F.greatest(F.lit(-largest), F.least(F.lit(largest), in_spreads)),
    )


def _compared(kpi: AlarmKpi, rules: AlarmRules) -> Mapping[str, Column]:
    """The fields of a KPI that `_judged` needs, on its scale; the smoothed ones are means."""
    value, deviation = F.col("values")[kpi.name], F.col(_deviation(kpi))
    last = in_step().rowsBetween(1 - rules.smoothed_periods, Window.currentRow)

    def smoothed(one: Column) -> Column:
        return F.when(deviation.isNotNull(), F.avg(one).over(last))

    return {
        "value": value,
        "smoothed_value": smoothed(F.when(deviation.isNotNull(), value)),
        **_baseline(kpi),
        "deviation": deviation,
        "smoothed_deviation": smoothed(deviation),
        "rule": _rule(kpi),
    }


def _rule(kpi: AlarmKpi) -> Column:
    rule = {
        "direction": kpi.bad_when.value,
        "is_log": kpi.scale is Scale.LOG,
        "shift": _shift(kpi),
        "fixed": kpi.fixed,
        "smallest_spread": kpi.smallest_spread,
        "warn": kpi.warn,
        "crit": kpi.crit,
        "at_least": kpi.at_least,
        "at_most": kpi.at_most,
        "ignore_below": kpi.ignore_below,
    }
    return F.from_json(F.lit(json.dumps(rule)), RULE_TYPE)


def _shift(kpi: AlarmKpi) -> float:
    """What was added to a KPI before its logarithm was taken, if that can be taken away again."""
    return 0.0 if kpi.relative_to else kpi.offset


def _with_side(compared: Column) -> Column:
    """A KPI (`_compared`) with the side on which it is judged, and both in its unit."""
    rule, smoothed = compared["rule"], compared["smoothed_deviation"]
    centre, spread = _centre(compared["centre"], rule), _spread(compared["spread"], rule)
    is_above = F.when(rule["direction"] == Direction.BOTH.value, smoothed >= 0).otherwise(
        rule["direction"] == Direction.ABOVE.value
    )
    return struct_of(
        {
            **{name: compared[name] for name in ("rule", "count", *OF_PERIOD)},
            "smoothed_value": _in_unit(compared["smoothed_value"], rule),
            "centre": centre,
            "spread": spread,
            "usual": _in_unit(centre, rule),
            "is_above": is_above,
            "side": F.when(is_above, 1.0).otherwise(-1.0),
        }
    )


def _with_level(one: Column) -> Column:
    """The same with its level, and the bound that it passes to be WARN."""
    rule, side, is_above, usual = (one[name] for name in ("rule", "side", "is_above", "usual"))
    smoothed, centre, spread = (one[name] for name in ("smoothed_deviation", "centre", "spread"))
    # Capped, a value may stay below a floor that what was measured is beyond.
    farthest = F.greatest(
        side * one["smoothed_value"], side * _in_unit(centre + smoothed * spread, rule)
    )
    floor = F.when(is_above, F.greatest(rule["at_least"], usual + rule["ignore_below"])).otherwise(
        F.least(rule["at_most"], usual - rule["ignore_below"])
    )
    bound = _in_unit(centre + side * rule["warn"] * spread, rule)
    passed = ("rule", "count", *OF_PERIOD, "smoothed_value", "centre", "usual", "is_above")
    return struct_of(
        {
            **{name: one[name] for name in passed},
            "level": F.when(farthest >= side * floor, side * smoothed).otherwise(0.0),
            "bound": F.when(is_above, F.greatest(bound, floor)).otherwise(F.least(bound, floor)),
        }
    )


def _judged(one: Column) -> Column:
    """What is found of a KPI in a period: an element of `judged`."""
    rule, level = one["rule"], one["level"]
    status = (
        F.when(one["value"].isNull(), NO_DATA)
        .when(one["centre"].isNull(), NO_BASELINE)
        .when(level > rule["crit"] + TIE_TOLERANCE, CRIT)
        .when(level > rule["warn"] + TIE_TOLERANCE, WARN)
        .otherwise(OK)
    )
    direction = F.when(one["is_above"], Direction.ABOVE.value).otherwise(Direction.BELOW.value)
    return struct_of(
        {
            "kpi": one["kpi"],
            "status": status,
            "level": level,
            "direction": direction,
            "value": _in_unit(one["value"], rule),
            "smoothed_value": one["smoothed_value"],
            "baseline": one["usual"],
            "baseline_count": one["count"],
            "bound": one["bound"],
            "deviation": one["deviation"],
            "smoothed_deviation": one["smoothed_deviation"],
        }
    )


def _in_unit(on_scale: Column, rule: Column) -> Column:
    return F.when(rule["is_log"], F.exp(on_scale) - rule["shift"]).otherwise(on_scale)
