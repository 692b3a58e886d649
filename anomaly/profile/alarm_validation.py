"""Validation of `[alarms]`: problems that show only when its settings are seen together."""

import re
from collections import Counter
from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from anomaly.profile.alarm_rules import DAY_MINUTES, AlarmKpi, AlarmRules, Group
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.sections import Kpi
from anomaly.schema.inputs import SAMPLES, SAMPLES_CONTRACT
from anomaly.schema.tables import SAMPLES_KPI
from anomaly.suggestions import did_you_mean

# The names are those of columns and of fields.
LEGAL_NAME = re.compile(r"[A-Za-z0-9_-]{1,100}")


def alarm_problems(rules: AlarmRules, kpis: Sequence[Kpi]) -> list[str]:
    """A message for each setting of `[alarms]` that is out of range or contradicts another."""
    measured = {kpi.name: kpi for kpi in kpis if kpi.source == SAMPLES}
    return [
        *_count_problems(rules),
        *_calendar_problems(rules),
        *_peers_problems(rules, {kpi.column.lower() for kpi in measured.values()}),
        *_name_problems(rules),
        *(problem for kpi in rules.kpis for problem in _kpi_problems(kpi, rules, measured)),
    ]


def _count_problems(rules: AlarmRules) -> list[str]:
    problems = []
    if rules.raise_within < rules.raise_periods:
        problems.append("[alarms] raise_within must be at least raise_periods")
    if rules.largest_deviation <= 0 or rules.clear_level <= 0:
        problems.append("[alarms] largest_deviation and clear_level must be above 0")
    if not rules.kpis:
        problems.append("[alarms.kpis] has no KPI")
    return problems


def _calendar_problems(rules: AlarmRules) -> list[str]:
    problems = []
    if rules.period_minutes < 1 or DAY_MINUTES % rules.period_minutes:
        problems.append("[alarms] period_minutes must divide a day (1440 minutes) evenly")
    elif 60 % rules.period_minutes and any(Group.HOUR in kpi.grouping.groups for kpi in rules.kpis):
        problems.append(
            "[alarms] period_minutes must divide an hour evenly if a KPI has the group hour"
        )
    if rules.baseline_days >= 1 and rules.history_days % rules.baseline_days:
        problems.append("[alarms] history_days must be a multiple of baseline_days")
    try:
        ZoneInfo(rules.time_zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        problems.append(
            f"[alarms] time_zone {rules.time_zone!r} is unknown; write a name such as Europe/Berlin"
            f"{did_you_mean(rules.time_zone, available_timezones())}"
        )
    return problems


def _peers_problems(rules: AlarmRules, kpi_columns: set[str]) -> list[str]:
    uses_peers = any(Group.PEERS in kpi.grouping.groups for kpi in rules.kpis)
    if uses_peers != bool(rules.peers_column):
        return ["[alarms] peers_column is needed if a KPI has the group peers, and only then"]
    taken = {column.name.lower() for column in SAMPLES_CONTRACT.columns} | kpi_columns
    if rules.peers_column.lower() in taken:
        return [f"[alarms] peers_column {rules.peers_column!r} has another meaning in the samples"]
    return []


def _name_problems(rules: AlarmRules) -> list[str]:
    # Fields of structs are found without regard to case.
    counted = Counter(kpi.name.lower() for kpi in rules.kpis)
    return [
        f"[alarms.kpis.{kpi.name}] needs another name: another differs in nothing but case"
        for kpi in rules.kpis
        if counted[kpi.name.lower()] > 1
    ]


def _kpi_problems(kpi: AlarmKpi, rules: AlarmRules, measured: dict[str, Kpi]) -> list[str]:
    where = f"[alarms.kpis.{kpi.name}]"
    problems = [
        *_method_problems(kpi),
        *_level_problems(kpi, rules),
        *_group_problems(kpi, rules),
        *_scale_problems(kpi, measured),
    ]
    problems += [
        f"uses {name!r}, which is not a KPI of the samples{did_you_mean(name, measured)}"
        for name in kpi.sources
        if name not in measured
    ]
    if not LEGAL_NAME.fullmatch(kpi.name) or kpi.name == SAMPLES_KPI:
        problems.append(f"has an invalid name: use letters, digits, _ and -, and not {SAMPLES_KPI}")
    if not kpi.of:
        problems.append("of is empty: name a KPI")
    if kpi.minimum_denominator and not kpi.relative_to:
        problems.append("minimum_denominator needs relative_to")
    return [f"{where} {problem}" for problem in problems]


def _method_problems(kpi: AlarmKpi) -> list[str]:
    problems = []
    if (kpi.fixed is not None) != (kpi.method is Method.STATIC):
        problems.append("fixed belongs to the method static, which needs it")
    if (kpi.q is not None) != (kpi.method is Method.QUANTILE):
        problems.append("q belongs to the method quantile, which needs it")
    return problems


def _level_problems(kpi: AlarmKpi, rules: AlarmRules) -> list[str]:
    problems = []
    if not kpi.smallest_spread > 0:
        problems.append("smallest_spread must be above 0, because a constant KPI has no spread")
    if not 0 < kpi.warn <= kpi.crit <= rules.largest_deviation:
        problems.append("0 < warn <= crit <= largest_deviation must hold")
    if rules.clear_level > kpi.warn:
        problems.append(
            "warn must be at least clear_level, or an alarm would be cleared while it is raised"
        )
    if kpi.at_least is not None and kpi.bad_when is Direction.BELOW:
        problems.append("at_least does not go with bad_when below")
    if kpi.at_most is not None and kpi.bad_when is Direction.ABOVE:
        problems.append("at_most does not go with bad_when above")
    if min(kpi.ignore_below, kpi.minimum_denominator) < 0:
        problems.append("ignore_below and minimum_denominator must not be negative")
    return problems


def _group_problems(kpi: AlarmKpi, rules: AlarmRules) -> list[str]:
    groups, neighbours = kpi.grouping.groups, kpi.grouping.neighbouring_slots
    problems = []
    if len(set(groups)) < len(groups) or {Group.SLOT, Group.HOUR} <= set(groups):
        problems.append("groups must not repeat a group, nor name both slot and hour")
    if {Group.CELL, Group.PEERS} <= set(groups):
        problems.append("groups must not name both cell and peers")
    if neighbours and Group.SLOT not in groups:
        problems.append("neighbouring_slots needs the group slot")
    # A period that is none has a problem of its own.
    is_around = rules.period_minutes > 0 and 2 * neighbours >= max(rules.periods_a_day, 1)
    if neighbours < 0 or is_around:
        problems.append("neighbouring_slots must not be negative, nor cover more than the day")
    return problems


def _scale_problems(kpi: AlarmKpi, measured: dict[str, Kpi]) -> list[str]:
    if kpi.scale is Scale.LINEAR:
        has_offset = kpi.offset or kpi.relative_offset
        return ["offset and relative_offset need the scale log"] if has_offset else []
    problems = []
    if not kpi.offset > 0 or (kpi.relative_to and not kpi.relative_offset > 0):
        problems.append(
            "the scale log needs an offset above 0 (with relative_to, a relative_offset as well)"
        )
    minimums = {name: measured[name].minimum for name in kpi.sources if name in measured}
    problems += [
        f"the scale log needs a minimum of 0 or more for the KPI {name}"
        for name, minimum in minimums.items()
        if minimum is None or minimum < 0
    ]
    if kpi.fixed is not None and not kpi.fixed + kpi.offset > 0:
        problems.append("fixed must not be negative on the scale log")
    return problems
