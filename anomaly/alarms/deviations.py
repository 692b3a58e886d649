"""Comparison of each period of a cell with its baselines: how far each KPI is out of line."""

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.period_baselines import keys_of, period_baselines
from anomaly.alarms.periods import first_period_of_step, step_of, time_of, with_groups, with_step
from anomaly.expressions.arithmetic import TIE_TOLERANCE
from anomaly.expressions.sql import constant_array
from anomaly.expressions.sql_text import is_doubled
from anomaly.expressions.timestamps import UTC_ZONE
from anomaly.profile.alarm_rules import AlarmKpi, AlarmRules
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.thresholds.compare import CRIT, NO_BASELINE, NO_DATA, OK, WARN

# What is remembered of a cell begins anew with each step, so that what is found in a step depends
# on nothing but its own samples and those of its baselines.
IN_STEP = "PARTITION BY CellName, step ORDER BY period"


def judged_periods(periods: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per cell and period in which a sample is expected, from the first judged step on.

    CellName, step, period, is_missing (no KPI was reported) and `judged`, an array in the order of
    rules.kpis of struct<position, status, level, direction, value, smoothed_value, baseline,
    baseline_count, bound, deviation, smoothed_deviation>. The values are in the KPI's unit, as
    they were measured, deviations in spreads, largest_deviation at most; the smoothed ones are
    means over the last periods (of values on the KPI's scale); `level` is the smoothed
    deviation on the bad side, 0 where a static floor lies between; `bound` is where WARN begins.

    A cell is expected from its first sample on, and where it had samples in the history; not in the
    hour that clocks repeat, whose samples are rejected where they were sent once.
    """
    expected = _expected(periods, span, rules)
    reported = periods.select("CellName", "period", "is_reported", "values")
    nothing = f"array_repeat(CAST(NULL AS double), {len(rules.kpis)})"
    # One expected period to at most one that was reported.
    sent = expected.join(reported, on=["CellName", "period"], how="left")
    if rules.time_zone != UTC_ZONE:
        is_told_apart = f"NOT {is_doubled(time_of('period', rules), rules.time_zone)}"
        sent = sent.where(f"is_reported IS NOT NULL OR {is_told_apart}")
    compared = (
        sent.withColumn("values", F.expr(f"coalesce(values, {nothing})"))
        .transform(with_groups, rules)
        .transform(_with_baselines, periods, span, rules)
        .transform(_with_deviations, rules)
    )
    parts = F.arrays_zip(
        "values", "means", "baselines", "deviations", "smoothed", _constants(rules)
    )
    return compared.withColumn("compared", parts).select(
        "CellName",
        "step",
        "period",
        (~F.coalesce("is_reported", F.lit(False))).alias("is_missing"),
        F.transform("compared", _judged).alias("judged"),
    )


def _expected(periods: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per cell and period of the judged steps: CellName, step, period, peers."""
    step_start = first_period_of_step("step", rules)
    step_end = f"{first_period_of_step('step + 1', rules)} - 1"
    later = (
        f"transform(sequence(1, {rules.baselines_back}), later -> "
        f"struct(step + later AS step, {first_period_of_step('step + later', rules)} AS first))"
    )
    is_judged = f"step >= {step_of('start_period', rules)} AND {step_start} <= last_period"
    return (
        periods.transform(with_step, rules)
        .groupBy("CellName", "step")
        .agg(F.min("period").alias("first"), F.max("peers").alias("peers"))
        .selectExpr(
            "CellName", "peers", f"explode(concat(array(struct(step, first)), {later})) AS seen"
        )
        .groupBy("CellName", "seen.step")
        .agg(F.min("seen.first").alias("first"), F.max("peers").alias("peers"))
        # Many rows to the one row of the span.
        .join(F.broadcast(span), how="cross")
        .where(is_judged)
        .selectExpr(
            "CellName",
            "step",
            "peers",
            f"explode(sequence(first, least({step_end}, last_period))) AS period",
        )
    )


def _with_baselines(
    expected: DataFrame, periods: DataFrame, span: DataFrame, rules: AlarmRules
) -> DataFrame:
    """Adds `baselines`: array in the order of rules.kpis of struct<centre, spread, count>."""

    def joined(rows: DataFrame, place: int) -> DataFrame:
        grouping = rules.groupings[place]
        found = period_baselines(periods, span, grouping, rules)
        # Many periods to at most one baseline of their group.
        return rows.join(
            found.withColumnRenamed("baselines", f"of_grouping_{place}"),
            on=keys_of(grouping),
            how="left",
        )

    def baseline(position: int, kpi: AlarmKpi) -> str:
        if kpi.method is Method.STATIC:
            return _fixed(kpi)
        place = rules.groupings.index(kpi.grouping)
        return f"of_grouping_{place}[{rules.positions_of(kpi.grouping).index(position)}]"

    with_found = reduce(joined, range(len(rules.groupings)), expected)
    baselines = ", ".join(baseline(position, kpi) for position, kpi in enumerate(rules.kpis))
    return with_found.selectExpr(*expected.columns, f"array({baselines}) AS baselines")


def _fixed(kpi: AlarmKpi) -> str:
    fixed = f"{kpi.fixed!r}D"
    centre = f"ln({fixed} + {_shift(kpi)!r}D)" if kpi.scale is Scale.LOG else fixed
    return (
        f"named_struct('centre', {centre}, 'spread', CAST(NULL AS double), "
        "'count', CAST(NULL AS bigint))"
    )


def _with_deviations(compared: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds arrays in the order of rules.kpis, of which the first two are in spreads.

    `deviations`, `smoothed`, their means over the last periods, and `means`, those of the values
    that they are of.
    """
    largest = f"{rules.largest_deviation!r}D"

    def deviation(position: int, kpi: AlarmKpi) -> str:
        value, baseline = f"values[{position}]", f"baselines[{position}]"
        spread = f"greatest(coalesce({baseline}.spread, 0D), {kpi.smallest_spread!r}D)"
        in_spreads = f"({value} - {baseline}.centre) / {spread}"
        # Not least and greatest alone, which take NULL for nothing.
        return (
            f"CASE WHEN {value} IS NOT NULL AND {baseline}.centre IS NOT NULL "
            f"THEN greatest(-{largest}, least({largest}, {in_spreads})) END"
        )

    names = [f"deviation_{position}" for position in range(len(rules.kpis))]
    last = f"{IN_STEP} ROWS BETWEEN {rules.smoothed_periods - 1} PRECEDING AND CURRENT ROW"

    def mean(name: str, of: str) -> str:
        return f"CASE WHEN {name} IS NOT NULL THEN avg({of}) OVER ({last}) END"

    smoothed = (mean(name, name) for name in names)
    means = (
        mean(name, f"CASE WHEN {name} IS NOT NULL THEN values[{position}] END")
        for position, name in enumerate(names)
    )
    return (
        compared.selectExpr(
            "*",
            *(
                f"{deviation(position, kpi)} AS {names[position]}"
                for position, kpi in enumerate(rules.kpis)
            ),
        )
        .selectExpr(
            "*",
            f"array({', '.join(names)}) AS deviations",
            f"array({', '.join(smoothed)}) AS smoothed",
            f"array({', '.join(means)}) AS means",
        )
        .drop(*names)
    )


def _constants(rules: AlarmRules) -> Column:
    return constant_array(
        (
            {
                "position": position,
                "direction": kpi.bad_when.value,
                "is_log": kpi.scale is Scale.LOG,
                "shift": _shift(kpi),
                "smallest_spread": kpi.smallest_spread,
                "warn": kpi.warn,
                "crit": kpi.crit,
                "at_least": kpi.at_least,
                "at_most": kpi.at_most,
                "ignore_below": kpi.ignore_below,
            }
            for position, kpi in enumerate(rules.kpis)
        ),
        "position: int, direction: string, is_log: boolean, shift: double, "
        "smallest_spread: double, warn: double, crit: double, at_least: double, "
        "at_most: double, ignore_below: double",
    ).alias("rule")


def _shift(kpi: AlarmKpi) -> float:
    """What was added to a KPI before its logarithm was taken, if that can be taken away again."""
    return 0.0 if kpi.relative_to else kpi.offset


def _judged(compared: Column) -> Column:
    rule, baseline, smoothed = compared["rule"], compared["baselines"], compared["smoothed"]
    spread = F.greatest(F.coalesce(baseline["spread"], F.lit(0.0)), rule["smallest_spread"])

    def in_unit(on_scale: Column) -> Column:
        return F.when(rule["is_log"], F.exp(on_scale) - rule["shift"]).otherwise(on_scale)

    is_above = F.when(rule["direction"] == Direction.BOTH.value, smoothed >= 0).otherwise(
        rule["direction"] == Direction.ABOVE.value
    )
    side = F.when(is_above, 1.0).otherwise(-1.0)
    usual = in_unit(baseline["centre"])
    smoothed_value, capped = (
        in_unit(mean) for mean in (compared["means"], baseline["centre"] + smoothed * spread)
    )
    # Capped, a value may stay below a floor that what was measured is beyond.
    farthest = F.greatest(side * smoothed_value, side * capped)
    floor = F.when(is_above, F.greatest(rule["at_least"], usual + rule["ignore_below"])).otherwise(
        F.least(rule["at_most"], usual - rule["ignore_below"])
    )
    bound = in_unit(baseline["centre"] + side * rule["warn"] * spread)
    level = F.when(farthest >= side * floor, side * smoothed).otherwise(0.0)
    return F.struct(
        rule["position"].alias("position"),
        F.when(compared["values"].isNull(), NO_DATA)
        .when(baseline["centre"].isNull(), NO_BASELINE)
        .when(level > rule["crit"] + TIE_TOLERANCE, CRIT)
        .when(level > rule["warn"] + TIE_TOLERANCE, WARN)
        .otherwise(OK)
        .alias("status"),
        level.alias("level"),
        F.when(is_above, Direction.ABOVE.value).otherwise(Direction.BELOW.value).alias("direction"),
        in_unit(compared["values"]).alias("value"),
        smoothed_value.alias("smoothed_value"),
        usual.alias("baseline"),
        baseline["count"].alias("baseline_count"),
        F.when(is_above, F.greatest(bound, floor)).otherwise(F.least(bound, floor)).alias("bound"),
        compared["deviations"].alias("deviation"),
        smoothed.alias("smoothed_deviation"),
    )
