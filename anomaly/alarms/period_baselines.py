"""Baselines from the periods before a step: what the periods of the step are compared with."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.periods import GROUP_COLUMNS, step_of, with_groups, with_step
from anomaly.profile.alarm_rules import AlarmKpi, AlarmRules, Grouping
from anomaly.profile.methods import IQR_OF_NORMAL, MAD_OF_NORMAL, Method


def keys_of(grouping: Grouping) -> list[str]:
    """The columns that tell the baselines of a grouping apart: its groups and the step."""
    return [*(GROUP_COLUMNS[group] for group in grouping.groups), "step"]


def period_baselines(
    periods: DataFrame, span: DataFrame, grouping: Grouping, rules: AlarmRules
) -> DataFrame:
    """A row per group and step that is judged: the groups' columns, step, baselines.

    baselines: array, in the order of rules.positions_of(grouping), of struct<centre, spread,
    count> on the scale of the KPI, from the `history_days` before the step. centre: NULL where
    fewer than minimum_samples values were there; spread: NULL where the method has none.

    All KPIs of a grouping come from one aggregate. It sorts the values of a group, so quantiles
    are exact and sums do not depend on the order of the rows. The values of one group have to fit
    into memory: without the group `cell` it holds all cells, 8 bytes for each period and KPI.
    """
    keys, positions = keys_of(grouping), rules.positions_of(grouping)
    gathered = (
        periods.transform(with_step, rules)
        .transform(with_groups, rules)
        .groupBy(*keys)
        .agg(*(F.expr(f"collect_list(values[{p}])").alias(f"values_{p}") for p in positions))
    )
    if grouping.neighbouring_slots:
        gathered = gathered.transform(_for_neighbours, grouping.neighbouring_slots, rules)
    return (
        gathered.transform(_for_later_steps, span, rules)
        .groupBy(*keys)
        .agg(
            *(
                F.expr(f"sort_array(flatten(collect_list(values_{p})))").alias(f"sorted_{p}")
                for p in positions
            )
        )
        .selectExpr("*", *(f"{_centre(rules.kpis[p], p)} AS centre_{p}" for p in positions))
        .selectExpr(
            *keys,
            f"array({', '.join(_baseline(rules.kpis[p], p) for p in positions)}) AS baselines",
        )
    )


def _for_neighbours(gathered: DataFrame, neighbours: int, rules: AlarmRules) -> DataFrame:
    """The values of each slot, once for the slot itself and for each slot next to it."""
    others = [name for name in gathered.columns if name != "slot"]
    around = f"sequence(slot - {neighbours}, slot + {neighbours})"
    slots = f"transform({around}, slot -> CAST(pmod(slot, {rules.periods_a_day}) AS int))"
    return gathered.selectExpr(*others, f"explode({slots}) AS slot")


def _for_later_steps(gathered: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """The values of each step, once for each judged step whose history they belong to."""
    others = [name for name in gathered.columns if name != "step"]
    later = f"explode(sequence(step + 1, step + {rules.baselines_back})) AS step"
    is_judged = f"step BETWEEN {step_of('start_period', rules)} AND {step_of('last_period', rules)}"
    return (
        gathered.selectExpr(*others, later)
        # Many rows to the one row of the span.
        .join(F.broadcast(span), how="cross")
        .where(is_judged)
        .select(*gathered.columns)
    )


def _centre(kpi: AlarmKpi, position: int) -> str:
    """The SQL of the number that a KPI is compared with."""
    values = f"sorted_{position}"
    centre = {
        Method.MEAN: _mean(values),
        Method.MEAN_STD: _mean(values),
        Method.MEDIAN_MAD: _quantile(values, 0.5),
        Method.MEDIAN_IQR: _quantile(values, 0.5),
        Method.QUANTILE: _quantile(values, kpi.q or 0.0),
    }[kpi.method]
    return f"CASE WHEN size({values}) >= {kpi.minimum_samples} THEN {centre} END"


def _baseline(kpi: AlarmKpi, position: int) -> str:
    """The SQL of struct<centre, spread, count>."""
    values, centre = f"sorted_{position}", f"centre_{position}"
    squares = f"aggregate({values}, 0D, (total, value) -> total + power(value - {centre}, 2))"
    distances = f"sort_array(transform({values}, value -> abs(value - {centre})))"
    quartiles = f"{_quantile(values, 0.75)} - {_quantile(values, 0.25)}"
    spread = {
        Method.MEAN_STD: f"sqrt({squares} / nullif(size({values}) - 1, 0))",
        Method.MEDIAN_MAD: f"{_quantile(distances, 0.5, size=values)} * {MAD_OF_NORMAL}D",
        Method.MEDIAN_IQR: f"({quartiles}) / {IQR_OF_NORMAL}D",
    }.get(kpi.method, "NULL")
    return (
        f"named_struct('centre', {centre}, 'spread', CAST({spread} AS double), "
        f"'count', CAST(size({values}) AS bigint))"
    )


def _mean(values: str) -> str:
    total = f"aggregate({values}, 0D, (total, value) -> total + value)"
    return f"{total} / nullif(size({values}), 0)"


def _quantile(values: str, share: float, size: str = "") -> str:
    """The SQL of a quantile of a sorted array, between two values in proportion."""
    rank = f"({share!r}D * (size({size or values}) - 1))"
    below = f"get({values}, CAST(floor{rank} AS int))"
    above = f"get({values}, CAST(ceil{rank} AS int))"
    return f"({below} + ({above} - {below}) * ({rank} - floor{rank}))"
