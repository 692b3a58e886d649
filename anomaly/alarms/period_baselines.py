"""Baselines from the periods before a step: what the periods of the step are compared with."""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.periods import GROUP_COLUMNS, slots_around, step_of, with_groups, with_step
from anomaly.expressions.arithmetic import ratio
from anomaly.expressions.arrays import let
from anomaly.expressions.guards import require_columns
from anomaly.profile.alarm_rules import AlarmKpi, AlarmRules, Grouping
from anomaly.profile.methods import IQR_OF_NORMAL, MAD_OF_NORMAL, Method


def keys_of(grouping: Grouping) -> list[str]:
    """The columns that tell the baselines of a grouping apart: its groups and the step."""
    return [*(GROUP_COLUMNS[group] for group in grouping.groups), "step"]


def baseline_name(kpi: AlarmKpi) -> str:
    """The column of a KPI's baseline."""
    return f"baseline of {kpi.name}"


def period_baselines(
    periods: DataFrame, span: DataFrame, grouping: Grouping, rules: AlarmRules
) -> DataFrame:
    """A row per group and step that is judged: the groups' columns, step, and baselines.

    For each KPI of the grouping a column `baseline of` it: struct<centre, spread, count> of its
    values in the `history_days` before the step, on its scale. centre: NULL where fewer than
    minimum_samples values were there; spread: NULL where the method has none; count: values.

    `periods` and `span` are those of periods.reported_periods and judged_span. All KPIs of a
    grouping come from one aggregate. It sorts the values of a group, so quantiles are exact and
    sums do not depend on the order of the rows. The values of one group have to fit into memory:
    without the group `cell` it holds all cells, 8 bytes for each period and KPI.

    Raises InputError for a column that is missing.
    """
    require_columns(periods, ["CellName", "period", "peers", "values"], "period_baselines")
    keys, kpis = keys_of(grouping), rules.kpis_of(grouping)
    gathered = (
        periods.transform(with_step, rules)
        .transform(with_groups, rules)
        .groupBy(*keys)
        .agg(*(F.collect_list(F.col("values")[kpi.name]).alias(_values(kpi)) for kpi in kpis))
    )
    if grouping.neighbouring_slots:
        gathered = gathered.transform(_for_neighbours, grouping.neighbouring_slots, rules)
    ordered = (
        gathered.transform(_for_later_steps, span, rules)
        .groupBy(*keys)
        .agg(
            *(
                F.sort_array(F.flatten(F.collect_list(_values(kpi)))).alias(_values(kpi))
                for kpi in kpis
            )
        )
    )
    # Beside the values, because the spread uses it once for each of them.
    return ordered.withColumns({_centre(kpi): _centre_of(kpi) for kpi in kpis}).select(
        *keys, *(_baseline(kpi).alias(baseline_name(kpi)) for kpi in kpis)
    )


def _for_neighbours(gathered: DataFrame, neighbours: int, rules: AlarmRules) -> DataFrame:
    """The values of each slot, once for the slot itself and for each slot next to it."""
    around = slots_around(F.col("slot"), neighbours, rules)
    return gathered.withColumn("slot", F.explode(around))


def _for_later_steps(gathered: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """The values of each step, once for each judged step whose history they belong to."""
    step = F.col("step")
    first, last = (step_of(F.col(name), rules) for name in ("start_period", "last_period"))
    return (
        gathered.withColumn("step", F.explode(F.sequence(step + 1, step + rules.baselines_back)))
        # Many rows to the one row of the span.
        .join(F.broadcast(span), how="cross")
        .where(step.between(first, last))
        .select(*gathered.columns)
    )


def _values(kpi: AlarmKpi) -> str:
    return f"values of {kpi.name}"


def _centre(kpi: AlarmKpi) -> str:
    return f"centre of {kpi.name}"


def _centre_of(kpi: AlarmKpi) -> Column:
    """The number that a KPI is compared with, from its values in order."""
    values = F.col(_values(kpi))
    if kpi.method in (Method.MEAN, Method.MEAN_STD):
        centre = _mean(values)
    else:
        centre = _quantile(values, 0.5 if kpi.q is None else kpi.q)
    return F.when(F.array_size(values) >= kpi.minimum_samples, centre)


def _baseline(kpi: AlarmKpi) -> Column:
    """The struct<centre, spread, count> of a KPI, from its values in order and their centre."""
    values, centre = F.col(_values(kpi)), F.col(_centre(kpi))
    spread_of = SPREADS.get(kpi.method)
    spread = spread_of(values, centre) if spread_of else F.lit(None)
    return F.struct(
        centre.alias("centre"),
        spread.cast("double").alias("spread"),
        F.array_size(values).cast("bigint").alias("count"),
    )


def _standard_deviation(values: Column, centre: Column) -> Column:
    squares = _sum(values, lambda value: F.pow(value - centre, 2))
    return F.sqrt(ratio(squares, F.array_size(values) - 1))


def _median_distance(values: Column, centre: Column) -> Column:
    distances = F.sort_array(F.transform(values, lambda value: F.abs(value - centre)))
    return let(distances, lambda ordered: _quantile(ordered, 0.5)) * MAD_OF_NORMAL


def _quartile_range(values: Column, _: Column) -> Column:
    return (_quantile(values, 0.75) - _quantile(values, 0.25)) / IQR_OF_NORMAL


# The spread of values in order around their centre, by the methods that have one.
SPREADS: dict[Method, Callable[[Column, Column], Column]] = {
    Method.MEAN_STD: _standard_deviation,
    Method.MEDIAN_MAD: _median_distance,
    Method.MEDIAN_IQR: _quartile_range,
}


def _mean(values: Column) -> Column:
    return ratio(_sum(values, lambda value: value), F.array_size(values))


def _sum(values: Column, term: Callable[[Column], Column]) -> Column:
    return F.aggregate(values, F.lit(0.0), lambda total, value: total + term(value))


def _quantile(values: Column, share: float) -> Column:
    """A quantile of values in order, between two of them in proportion."""
    rank = share * (F.array_size(values) - 1)
    below, above = (F.get(values, place(rank).cast("int")) for place in (F.floor, F.ceil))
    return below + (above - below) * (rank - F.floor(rank))
