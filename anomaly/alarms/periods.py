"""Clean samples to periods: what each cell reported in each quarter hour, on the KPIs' scales.

A period is told by its number since 1970, so many to a day (`AlarmRules.periods_a_day`), in UTC. A
step is the `baseline_days` days during which a baseline is used; it begins with a Monday.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.cleaning.sample_times import JITTER_SECONDS
from anomaly.expressions.sql_text import exact_mean
from anomaly.profile.alarm_rules import AlarmKpi, AlarmRules, Group
from anomaly.profile.methods import Scale
from anomaly.profile.model import Profile
from anomaly.schema.inputs import SAMPLES

# 1970 began with a Thursday.
DAYS_TO_FIRST_MONDAY = 4
FIRST_MONDAY = date(1970, 1, 1) + timedelta(days=DAYS_TO_FIRST_MONDAY)
# The column that holds each group.
GROUP_COLUMNS = {
    Group.CELL: "CellName",
    Group.PEERS: "peers",
    Group.SLOT: "slot",
    Group.HOUR: "hour",
    Group.DAY_TYPE: "day_type",
}


def judged_span(samples: DataFrame, rules: AlarmRules, start: datetime | None) -> DataFrame:
    """One row: first_period (of all dated samples), start_period and last_period, which are judged.

    All NULL where no sample is dated. `start` is the first instant that is judged; without it all
    is that there is.
    """
    first = "min(period)"
    judged_from = first
    if start is not None:
        judged_from = f"greatest({first}, {first_period_from(start, rules)})"
    return (
        samples.where("time IS NOT NULL")
        .selectExpr(f"{period_of('time', rules)} AS period")
        .selectExpr(
            f"{first} AS first_period",
            f"{judged_from} AS start_period",
            "max(period) AS last_period",
        )
    )


def reported_periods(
    samples: DataFrame, history: DataFrame | None, span: DataFrame, profile: Profile
) -> DataFrame:
    """A row per cell and period with a dated sample: CellName, period, peers, is_reported, values.

    values: array of the alarm KPIs on their scale, NULL where one cannot be computed; samples of
    one period are averaged, and of a ratio both of its parts are (what is dropped of what is
    called, added up). is_reported: whether any KPI of the samples had a value. peers: NULL
    without a peers_column. Of `history` what lies before the first sample counts.
    """
    rules = profile.alarms or AlarmRules(())
    rows = _on_scale(samples, profile, rules)
    if history is not None:
        # Many rows to the one row of the span.
        before = _on_scale(history, profile, rules).join(F.broadcast(span), how="cross")
        rows = rows.unionByName(before.where("period < first_period").select(*rows.columns))
    of_rows = ("CellName", "period", "peers", "is_reported")
    names = [name for name in rows.columns if name not in of_rows]
    values = ", ".join(_of_period(kpi, position) for position, kpi in enumerate(rules.kpis))
    return (
        rows.groupBy("CellName", "period")
        .agg(
            F.expr("max(peers)").alias("peers"),
            F.expr("bool_or(is_reported)").alias("is_reported"),
            *(F.expr(exact_mean(name)).alias(name) for name in names),
        )
        .selectExpr(*of_rows, f"array({values}) AS values")
    )


def with_step(periods: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds `step`, the number of the time during which one baseline is used."""
    return periods.selectExpr("*", f"{step_of('period', rules)} AS step")


def with_groups(periods: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds what baselines are grouped by: slot and hour of the day, and day_type, in local time."""
    seconds = period_seconds(rules)
    instant = f"timestamp_seconds(period * {seconds})"
    local = f"unix_seconds(from_utc_timestamp({instant}, '{rules.time_zone}'))"
    return (
        periods.selectExpr("*", f"floor({local} / {seconds}) AS local_period")
        .selectExpr(
            "*",
            f"CAST(pmod(local_period, {rules.periods_a_day}) AS int) AS slot",
            f"floor(local_period / {rules.periods_a_day}) AS local_day",
        )
        .selectExpr(
            *periods.columns,
            "slot",
            f"CAST(floor(slot * {rules.period_minutes} / 60) AS int) AS hour",
            f"CASE WHEN pmod(local_day - {DAYS_TO_FIRST_MONDAY}, 7) < 5 THEN 'weekday' "
            "ELSE 'weekend' END AS day_type",
        )
    )


def step_of(period: str, rules: AlarmRules) -> str:
    """The SQL of the step that a period (its SQL) lies in."""
    day = f"floor({period} / {rules.periods_a_day})"
    return f"floor(({day} - {DAYS_TO_FIRST_MONDAY}) / {rules.baseline_days})"


def first_period_of_step(step: str, rules: AlarmRules) -> str:
    """The SQL of the first period of a step (its SQL)."""
    return f"(({step}) * {rules.baseline_days} + {DAYS_TO_FIRST_MONDAY}) * {rules.periods_a_day}"


def history_begin(day: date, rules: AlarmRules) -> date:
    """The first day whose samples have a part in what is found on a day; both are local days.

    Its step, and the history_days before it: as `step_of` and `first_period_of_step` have it.
    """
    zone = ZoneInfo(rules.time_zone)
    first = datetime.combine(day, time(), zone).astimezone(UTC).date()
    since_monday = (first - FIRST_MONDAY).days % rules.baseline_days
    begin = first - timedelta(days=since_monday + rules.history_days)
    return datetime.combine(begin, time(), UTC).astimezone(zone).date()


def time_of(period: str, rules: AlarmRules) -> str:
    """The SQL of the instant at which a period (its SQL) begins."""
    return f"timestamp_seconds(({period}) * {period_seconds(rules)})"


def period_of(time: str, rules: AlarmRules) -> str:
    """The SQL of the period that the instant of a sample (its SQL) lies in."""
    return f"floor((unix_seconds({time}) + {JITTER_SECONDS}) / {period_seconds(rules)})"


def period_seconds(rules: AlarmRules) -> int:
    """How long a period is, in seconds."""
    return rules.period_minutes * 60


def first_period_from(start: datetime, rules: AlarmRules) -> int:
    """The first period that does not begin before an instant (naive: in UTC)."""
    instant = start if start.tzinfo else start.replace(tzinfo=UTC)
    return -int(-instant.timestamp() // period_seconds(rules))


def _on_scale(samples: DataFrame, profile: Profile, rules: AlarmRules) -> DataFrame:
    """A row per dated sample: CellName, period, peers, is_reported, and the parts of each KPI."""
    names = [kpi.name for kpi in profile.kpis_of(SAMPLES)]
    is_reported = f"coalesce({', '.join(f'values.{name}' for name in names)}) IS NOT NULL"
    return samples.where("time IS NOT NULL").selectExpr(
        "CellName",
        f"{period_of('time', rules)} AS period",
        "peers",
        f"{is_reported} AS is_reported",
        *(
            f"{part} AS {name}_{position}"
            for position, kpi in enumerate(rules.kpis)
            for name, part in _parts(kpi).items()
        ),
    )


def _parts(kpi: AlarmKpi) -> dict[str, str]:
    """The SQLs of what an alarm KPI of a period is made of, from the `values` of a sample.

    A ratio on the scale `linear` is one of sums: both of its parts, each where the other is there.
    """
    is_log = kpi.scale is Scale.LOG

    def mean(names: tuple[str, ...], offset: float) -> str:
        terms = (f"values.{name}" for name in names)
        scaled = (f"ln({term} + {offset!r}D)" if is_log else term for term in terms)
        return f"(({' + '.join(scaled)}) / {len(names)})"

    value = mean(kpi.of, kpi.offset)
    if not kpi.relative_to:
        return {"value": value}
    denominator = mean(kpi.relative_to, kpi.relative_offset)
    if not is_log:
        return {
            "value": f"CASE WHEN {denominator} IS NOT NULL THEN {value} END",
            "denominator": f"CASE WHEN {value} IS NOT NULL THEN {denominator} END",
        }
    plain = " + ".join(f"values.{name}" for name in kpi.relative_to)
    smallest = f"({plain}) / {len(kpi.relative_to)} >= {kpi.minimum_denominator!r}D"
    return {"value": f"CASE WHEN {smallest} THEN {value} - {denominator} END"}


def _of_period(kpi: AlarmKpi, position: int) -> str:
    """The SQL of an alarm KPI on its scale, from the means of its parts in a period."""
    value, denominator = f"value_{position}", f"denominator_{position}"
    if not kpi.relative_to or kpi.scale is Scale.LOG:
        return value
    is_enough = f"{denominator} >= {kpi.minimum_denominator!r}D"
    return f"CASE WHEN {is_enough} THEN {value} / nullif({denominator}, 0D) END"
