"""docs/reference/profile.md, from the dataclasses of the profile."""

import inspect
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any, get_type_hints

from anomaly.profile.alarm_rules import AlarmKpi, AlarmRules
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
from anomaly.profile.settings import About, about_of, kind_of
from docs.markdown import markdown_table

PAGE = Path(__file__).parent / "reference" / "profile.md"

TABLES: dict[str, type] = {
    "[inputs.NAME]": InputRules,
    "[kpis.INPUT.COLUMN]": Kpi,
    "[derived.NAME]": DerivedKpi,
    "[rules.KPI]": Rule,
    "[customer_level], [cell_level]": Level,
    "[join]": JoinRules,
    "[peers]": Peers,
    "[families.NAME]": Family,
    "[diagnoses.NAME]": Diagnosis,
    "[verdict]": VerdictRule,
    "[history]": HistoryRules,
    "[limits]": Limits,
    "[alarms]": AlarmRules,
    "[alarms.kpis.NAME]": AlarmKpi,
}

INTRODUCTION = """\
# Settings of a profile

Generated from the code by `make docs-reference`; do not edit this page.

A profile is a TOML file. `cell-tower-anomaly check-config PROFILE` lists all of its problems. It
starts with

| setting | meaning |
|---|---|
| `name` | its name, which every published row contains together with the fingerprint |
| `description` | one sentence |
| `extends` | the profile that this one extends: a path relative to the file, or `catalogue`, \
`default` or `lab` |

**Extending.** A profile inherits all tables of the profile that it extends, and overrides them
setting by setting. New entries come after the inherited ones. A list is replaced as a whole; a
table cannot be removed. `catalogue` has the columns of the published data with their units and
meanings, and is not a profile by itself. `name` and `description` are never inherited.

**Defaults.** `[rule_defaults]` holds defaults for every `[rules.KPI]`, `[alarms.kpi_defaults]` for
every `[alarms.kpis.NAME]`.

**Fingerprint.** The 12 characters after the `@` are a hash of all settings, after extending.
Profiles with equal settings have the same fingerprint, however many files they are written in.
"""


def page() -> str:
    """The text of the page."""
    sections = (_section(heading, table) for heading, table in TABLES.items())
    return "\n".join((INTRODUCTION, *sections))


def _section(heading: str, table: type) -> str:
    settings = markdown_table(("setting", "holds", "unit", "default", "meaning"), _rows(table))
    return f"## `{heading}`\n\n{inspect.getdoc(table)}\n\n{settings}"


def _rows(table: Any) -> Iterator[tuple[str, ...]]:
    hints = get_type_hints(table)
    for one in fields(table):
        found, hint = about_of(one), hints[one.name]
        if found:
            default = _default(one, found)
            yield f"`{one.name}`", _holds(found, hint), found.unit, default, found.meaning
        elif is_dataclass(hint):  # its settings are in the same table
            yield from _rows(hint)


def _holds(found: About, hint: Any) -> str:
    if found.table:
        return "a table"
    words = kind_of(found, hint).words
    if found.most is not None:
        return f"{words}, {found.least:g} to {found.most:g}"
    return words if found.least is None else f"{words}, {found.least:g} or more"


def _default(one: Field[Any], found: About) -> str:
    default = one.default
    if found.default or default is MISSING:
        return found.default or "required"
    return "" if default in (None, "", ()) else f"`{_written(default)}`"


def _written(value: object) -> str:
    """A value as TOML."""
    if isinstance(value, Enum):
        return f'"{value.value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"
