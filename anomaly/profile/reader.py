"""Reads a profile from TOML, or reports all of its problems at once."""

import re
from pathlib import Path

from anomaly.errors import ConfigurationError
from anomaly.profile.alarm_rules import AlarmKpi, AlarmRules, Grouping
from anomaly.profile.files import EXTENDS, Tables, read_tables, tables_of
from anomaly.profile.model import Profile, without_kpis
from anomaly.profile.sections import (
    DerivedKpi,
    Diagnosis,
    Family,
    HistoryRules,
    InputRules,
    JoinRules,
    Kpi,
    Level,
    Limits,
    Peers,
    Rule,
    VerdictRule,
)
from anomaly.profile.settings import read
from anomaly.profile.toml_section import TEXT, Section
from anomaly.profile.validation import problems_of
from anomaly.schema.inputs import CALL_STATISTICS, INPUT_CONTRACTS, SAMPLES

# BigQuery: letters, digits and underscores, not starting with a digit, at most 300 characters.
# Here the limit leaves room for `avg_` and `_Thrsld`.
# https://cloud.google.com/bigquery/docs/schemas#column_names
LEGAL_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")


def load_profile(source: str | Path) -> Profile:
    """Load a profile from a TOML file, or a shipped one by its name ("default", "lab").

    Raises ConfigurationError, which lists every problem of the file.
    """
    return _checked(read_tables(source), str(source))


def parse_profile(text: str, subject: str = "profile") -> Profile:
    """Build a profile from TOML text; `subject` names it in messages.

    Raises ConfigurationError, which lists every problem of the text.
    """
    return _checked(tables_of(text, subject), subject)


def _checked(tables: Tables, subject: str) -> Profile:
    root = Section(tables)
    profile = _profile(root)
    # A setting that could not be read has a placeholder, which may contradict other settings.
    problems = root.problems() or problems_of(profile)
    if problems:
        raise ConfigurationError(subject, problems)
    return _without_absent_kpis(profile, subject)


def _without_absent_kpis(profile: Profile, subject: str) -> Profile:
    """The profile without the KPIs whose columns the files do not have.

    Raises ConfigurationError if that leaves no valid profile.
    """
    absent = [
        kpi.name
        for kpi in profile.kpis
        if not dict(profile.inputs[kpi.source].columns).get(kpi.column, kpi.column).strip()
    ]
    if not absent:
        return profile
    remaining = without_kpis(profile, absent)
    if problems := problems_of(remaining):
        without = f"without {', '.join(absent)}, whose columns the files do not have: "
        raise ConfigurationError(subject, [f"{without}{problem}" for problem in problems])
    return remaining


def _profile(root: Section) -> Profile:
    root.value(EXTENDS, TEXT, None)
    inputs, kpis = root.section("inputs"), root.section("kpis", needed=True)
    rules, rule_defaults = root.section("rules", needed=True), root.section("rule_defaults")
    derived = tuple(_derived(name, table) for name, table in root.section("derived").sections())
    names = tuple(kpi.name for kpi in derived)
    return Profile(
        name=root.value("name", TEXT, ""),
        description=root.value("description", TEXT, ""),
        inputs={name: read(inputs.section(name), InputRules) for name in INPUT_CONTRACTS},
        kpis=tuple(
            _kpi(source, column, table)
            for source in (SAMPLES, CALL_STATISTICS)
            for column, table in kpis.section(source).sections()
        ),
        derived=derived,
        rules=tuple(_rule(kpi, table) for kpi, table in rules.sections(rule_defaults)),
        customer_level=read(root.section("customer_level"), Level, derived=names),
        cell_level=read(root.section("cell_level"), Level, derived=names),
        join=read(root.section("join"), JoinRules),
        verdict=read(root.section("verdict"), VerdictRule),
        limits=read(root.section("limits"), Limits),
        history=read(root.section("history"), HistoryRules),
        alarms=_alarm_rules(root.section("alarms")) if root.has("alarms") else None,
        families=tuple(
            read(table, Family, name=name) for name, table in root.section("families").sections()
        ),
        diagnoses=tuple(
            read(table, Diagnosis) for _, table in root.section("diagnoses").sections()
        ),
        peers=read(root.section("peers"), Peers) if root.has("peers") else None,
    )


def _kpi(source: str, column: str, table: Section) -> Kpi:
    kpi = read(table, Kpi, column=column, source=source, name=column)
    _check_column(kpi.name, table, "set a `name`")
    return kpi


def _derived(name: str, table: Section) -> DerivedKpi:
    _check_column(name, table, "choose a name")
    return read(table, DerivedKpi, name=name)


def _rule(kpi: str, table: Section) -> Rule:
    rule = read(table, Rule, kpi=kpi, flag=f"{kpi}_Thrsld")
    _check_column(rule.flag, table, "set a `flag`")
    return rule


def _check_column(name: str, table: Section, remedy: str) -> None:
    if not LEGAL_COLUMN.fullmatch(name):
        table.refuse(
            f"would be published as {name!r}, which BigQuery does not allow; {remedy} of letters, "
            "digits and underscores"
        )


def _alarm_rules(table: Section) -> AlarmRules:
    kpis, defaults = table.section("kpis", needed=True), table.section("kpi_defaults")
    return read(table, AlarmRules, kpis=tuple(_alarm_kpi(*one) for one in kpis.sections(defaults)))


def _alarm_kpi(name: str, table: Section) -> AlarmKpi:
    grouping = read(table, Grouping)
    return read(table, AlarmKpi, name=name, meaning=name, of=(name,), grouping=grouping)
