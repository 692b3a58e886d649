"""Reads the table `[alarms]` of a profile."""

from anomaly.alarm_rules import AlarmKpi, AlarmRules, Group, Grouping
from anomaly.methods import Direction, Method, Scale
from anomaly.toml_section import NUMBER, TEXT, WHOLE, Section, list_of, one_of


def read_alarm_rules(table: Section) -> AlarmRules:
    """The rules of the table `[alarms]`; what is wrong with it is remembered there."""
    default = AlarmRules(())
    return AlarmRules(
        kpis=tuple(
            _alarm_kpi(name, kpi) for name, kpi in table.section("kpis", needed=True).sections()
        ),
        period_minutes=table.value("period_minutes", WHOLE, default.period_minutes),
        time_zone=table.value("time_zone", TEXT, default.time_zone),
        peers_column=table.value("peers_column", TEXT, default.peers_column),
        baseline_days=table.value("baseline_days", WHOLE, default.baseline_days),
        history_days=table.value("history_days", WHOLE, default.history_days),
        smoothed_periods=table.value("smoothed_periods", WHOLE, default.smoothed_periods),
        largest_deviation=table.value("largest_deviation", NUMBER, default.largest_deviation),
        raise_periods=table.value("raise_periods", WHOLE, default.raise_periods),
        raise_within=table.value("raise_within", WHOLE, default.raise_within),
        silent_periods=table.value("silent_periods", WHOLE, default.silent_periods),
        clear_periods=table.value("clear_periods", WHOLE, default.clear_periods),
        clear_level=table.value("clear_level", NUMBER, default.clear_level),
    )


def _alarm_kpi(name: str, table: Section) -> AlarmKpi:
    return AlarmKpi(
        name=name,
        unit=table.value("unit", TEXT, ""),
        meaning=table.value("meaning", TEXT, name),
        of=table.value("of", list_of(TEXT), (name,)),
        relative_to=table.value("relative_to", list_of(TEXT), ()),
        scale=table.value("scale", one_of(Scale), Scale.LINEAR),
        offset=table.value("offset", NUMBER, 0.0),
        relative_offset=table.value("relative_offset", NUMBER, 0.0),
        bad_when=table.needed("bad_when", one_of(Direction)),
        method=table.needed("method", one_of(Method)),
        grouping=Grouping(
            table.value("groups", list_of(one_of(Group)), (Group.CELL,)),
            table.value("neighbouring_slots", WHOLE, 0),
        ),
        q=table.value("q", NUMBER, None),
        fixed=table.value("fixed", NUMBER, None),
        smallest_spread=table.needed("smallest_spread", NUMBER),
        warn=table.needed("warn", NUMBER),
        crit=table.needed("crit", NUMBER),
        minimum_samples=table.value("minimum_samples", WHOLE, 1),
        minimum_denominator=table.value("minimum_denominator", NUMBER, 0.0),
        at_least=table.value("at_least", NUMBER, None),
        at_most=table.value("at_most", NUMBER, None),
        ignore_below=table.value("ignore_below", NUMBER, 0.0),
        family=table.value("family", TEXT, None),
    )
