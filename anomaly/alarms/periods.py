"""Clean samples to periods: what each cell reported in each quarter hour, on the KPIs' scales.

A period is told by its number since 1970, so many to a day (`AlarmRules.periods_a_day`), in UTC. A
step is the `baseline_days` days during which a baseline is used; it begins with a Monday.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import reduce
from operator import add
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.cleaning.sample_times import JITTER_SECONDS
from anomaly.cleaning.values import kpi_values
from anomaly.expressions.arithmetic import exact_mean, ratio
from anomaly.expressions.arrays import struct_of
from anomaly.expressions.guards import require_columns
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
# What is known of a period besides its KPIs.
OF_PERIOD = ("CellName", "period", "peers", "is_reported")


def judged_span(samples: DataFrame, rules: AlarmRules, start: datetime | None) -> DataFrame:
    """One row: first_period (of all dated samples), start_period and last_period, which are judged.

    All NULL where no sample is dated. `samples` has a column `time`, the instant of a sample or
    NULL. `start` is the first instant that is judged; without it all is that there is.

    Raises InputError where the column is missing.
    """
    require_columns(samples, ["time"], "judged_span")
    first = F.min("period")
    judged_from = first
    if start is not None:
        judged_from = F.greatest(first, F.lit(first_period_from(start, rules)))
    return (
        samples.where(F.col("time").isNotNull())
        .select(period_of(F.col("time"), rules).alias("period"))
        .agg(
            first.alias("first_period"),
            judged_from.alias("start_period"),
            F.max("period").alias("last_period"),
        )
    )


def reported_periods(
    samples: DataFrame, history: DataFrame | None, span: DataFrame, profile: Profile
) -> DataFrame:
    """A row per cell and period with a dated sample: CellName, period, peers, is_reported, values.

    values: a struct with a field per alarm KPI, named by it: its value on its scale, NULL where it
    cannot be computed; samples of one period are averaged, and of a ratio both of its parts are
    (what is dropped of what is called, added up). is_reported: whether any KPI of the samples had a
    value. peers: NULL without a peers_column. Of `history` what lies before the first sample
    counts. Both are clean samples (checks.check_samples); `span` is that of `judged_span`.

    Raises InputError for a column that is missing.
    """
    rules = profile.alarms or AlarmRules(())
    rows = _on_scale(samples, profile, rules)
    if history is not None:
        # Many rows to the one row of the span.
        before = _on_scale(history, profile, rules).join(F.broadcast(span), how="cross")
        is_before = F.col("period") < F.col("first_period")
        rows = rows.unionByName(before.where(is_before).select(*rows.columns))
    parts = (name for name in rows.columns if name not in OF_PERIOD)
    return (
        rows.groupBy("CellName", "period")
        .agg(
            F.max("peers").alias("peers"),
            F.bool_or("is_reported").alias("is_reported"),
            *(exact_mean(F.col(name)).alias(name) for name in parts),
        )
        .select(
            *OF_PERIOD,
            struct_of({kpi.name: _of_period(kpi) for kpi in rules.kpis}).alias("values"),
        )
    )


def with_step(periods: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds `step`, the number of the time during which one baseline is used."""
    return periods.withColumn("step", step_of(F.col("period"), rules))


def with_groups(periods: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds what baselines are grouped by: slot and hour of the day, and day_type, in local time."""
    local = F.from_utc_timestamp(time_of(F.col("period"), rules), rules.time_zone)
    days_since_monday = F.pmod(F.col("local_day") - DAYS_TO_FIRST_MONDAY, 7)
    return (
        periods.withColumn("local_period", F.floor(F.unix_seconds(local) / period_seconds(rules)))
        .withColumns(
            {
                "slot": _slot(F.col("local_period"), rules),
                "local_day": F.floor(F.col("local_period") / rules.periods_a_day),
            }
        )
        .select(
            *periods.columns,
            "slot",
            F.floor(F.col("slot") * rules.period_minutes / 60).cast("int").alias("hour"),
            F.when(days_since_monday < 5, "weekday").otherwise("weekend").alias("day_type"),
        )
    )


def slots_around(slot: Column, neighbours: int, rules: AlarmRules) -> Column:
    """The slots of the day from so many before a slot to as many after it, as an array."""
    around = F.sequence(slot - neighbours, slot + neighbours)
    return F.transform(around, lambda slot: _slot(slot, rules))


def step_of(period: Column, rules: AlarmRules) -> Column:
    """The step that a period lies in."""
    day = F.floor(period / rules.periods_a_day)
    return F.floor((day - DAYS_TO_FIRST_MONDAY) / rules.baseline_days)


def first_period_of_step(step: Column, rules: AlarmRules) -> Column:
    """The first period of a step."""
    return (step * rules.baseline_days + DAYS_TO_FIRST_MONDAY) * rules.periods_a_day


def history_begin(day: date, rules: AlarmRules) -> date:
    """The first day whose samples have a part in what is found on a day; both are local days.

    Its step, and the history_days before it: as `step_of` and `first_period_of_step` have it.
    """
    zone = ZoneInfo(rules.time_zone)
    first = datetime.combine(day, time(), zone).astimezone(UTC).date()
    since_monday = (first - FIRST_MONDAY).days % rules.baseline_days
    begin = first - timedelta(days=since_monday + rules.history_days)
    return datetime.combine(begin, time(), UTC).astimezone(zone).date()


def time_of(period: Column, rules: AlarmRules) -> Column:
    """The instant at which a period begins."""
    return F.timestamp_seconds(period * period_seconds(rules))


def period_of(time: Column, rules: AlarmRules) -> Column:
    """The period that the instant of a sample lies in."""
    return F.floor((F.unix_seconds(time) + JITTER_SECONDS) / period_seconds(rules))


def period_seconds(rules: AlarmRules) -> int:
    """How long a period is, in seconds."""
    return rules.period_minutes * 60


def first_period_from(start: datetime, rules: AlarmRules) -> int:
    """The first period that does not begin before an instant (naive: in UTC)."""
    instant = start if start.tzinfo else start.replace(tzinfo=UTC)
    return -int(-instant.timestamp() // period_seconds(rules))


def _on_scale(samples: DataFrame, profile: Profile, rules: AlarmRules) -> DataFrame:
    """A row per dated sample: CellName, period, peers, is_reported, and the parts of each KPI."""
    require_columns(samples, ["CellName", "time", "peers", "values"], "reported_periods")
    measured = kpi_values(profile.kpis_of(SAMPLES))
    return samples.where(F.col("time").isNotNull()).select(
        "CellName",
        period_of(F.col("time"), rules).alias("period"),
        "peers",
        F.coalesce(*measured.values()).isNotNull().alias("is_reported"),
        *(
            part.alias(f"{name} of {kpi.name}")
            for kpi in rules.kpis
            for name, part in _parts(kpi, measured).items()
        ),
    )


def _parts(kpi: AlarmKpi, measured: Mapping[str, Column]) -> dict[str, Column]:
    """What an alarm KPI of a period is made of, from the KPIs of a sample, by their names.

    A ratio on the scale `linear` is one of sums: both of its parts, each where the other is there.
    """
    is_log = kpi.scale is Scale.LOG

    def mean(names: tuple[str, ...], offset: float) -> Column:
        terms = (measured[name] for name in names)
        return _mean([F.ln(term + offset) for term in terms] if is_log else [*terms])

    value = mean(kpi.of, kpi.offset)
    if not kpi.relative_to:
        return {"value": value}
    denominator = mean(kpi.relative_to, kpi.relative_offset)
    if not is_log:
        return {
            "value": F.when(denominator.isNotNull(), value),
            "denominator": F.when(value.isNotNull(), denominator),
        }
    plain = _mean([measured[name] for name in kpi.relative_to])
    return {"value": F.when(plain >= kpi.minimum_denominator, value - denominator)}


def _of_period(kpi: AlarmKpi) -> Column:
    """An alarm KPI on its scale, from the means of its parts in a period."""
    value = F.col(f"value of {kpi.name}")
    if not kpi.relative_to or kpi.scale is Scale.LOG:
        return value
    denominator = F.col(f"denominator of {kpi.name}")
    return F.when(denominator >= kpi.minimum_denominator, ratio(value, denominator))


def _mean(terms: Sequence[Column]) -> Column:
    return reduce(add, terms) / len(terms)


def _slot(period: Column, rules: AlarmRules) -> Column:
    """The slot of a period that is counted from some midnight on."""
    return F.pmod(period, rules.periods_a_day).cast("int")
