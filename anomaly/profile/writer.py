"""Writes a profile as TOML that `anomaly.profile.reader` can read back."""

from dataclasses import fields
from enum import Enum
from typing import TYPE_CHECKING

from anomaly.profile.files import Tables, toml_of
from anomaly.profile.model import Profile
from anomaly.profile.settings import about_of

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def profile_to_toml(profile: Profile) -> str:
    """The profile as self-contained TOML with all settings."""
    return toml_of(_tables(profile))


def _tables(profile: Profile) -> Tables:
    tables: Tables = {
        "name": profile.name,
        "description": profile.description,
        "inputs": {name: _table(rules) for name, rules in profile.inputs.items()},
        "kpis": {
            source: {kpi.column: _table(kpi) for kpi in profile.kpis_of(source)}
            for source in profile.inputs
            if profile.kpis_of(source)
        },
        "derived": {kpi.name: _table(kpi) for kpi in profile.derived},
        "rules": {rule.kpi: _table(rule) for rule in profile.rules},
        "families": {family.name: _table(family) for family in profile.families},
        "diagnoses": {str(n): _table(one) for n, one in enumerate(profile.diagnoses, 1)},
    }
    for name in ("customer_level", "cell_level", "join", "verdict", "limits", "history", "peers"):
        found = getattr(profile, name)
        if found is not None:
            tables[name] = _table(found)
    if profile.alarms:
        kpis = {kpi.name: _table(kpi) | _table(kpi.grouping) for kpi in profile.alarms.kpis}
        tables["alarms"] = _table(profile.alarms) | {"kpis": kpis}
    return tables


def _table(settings: "DataclassInstance") -> Tables:
    """The settings of a dataclass, without those that are None."""
    table: Tables = {}
    for one in fields(settings):
        about, value = about_of(one), getattr(settings, one.name)
        if about is None or value is None:
            continue
        if about.table:
            # Each entry starts with its key: a column, then its condition or its name in the files.
            table[one.name] = {key: " ".join(map(str, rest)) for key, *rest in value}
        else:
            table[one.name] = _plain(value)
    return table


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(member) for member in value]
    return value.value if isinstance(value, Enum) else value
