"""Writes docs/reference/profile.md from the dataclasses that profiles are made of.

`make docs-reference` runs it; a test compares the page with what it makes.
"""

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

Written by `make docs-reference` from the code; change it there.

A profile is a TOML file. `cell-tower-anomaly check-config PROFILE` lists everything that is wrong
with one. Before its tables stand

| setting | meaning |
|---|---|
| `name` | the name, which every published row carries with the fingerprint |
| `description` | one sentence |
| `extends` | the profile that this one builds on: a path from its own folder, or `catalogue`, \
`default` or `lab` |

**Extending.** The tables of the extended profile are merged below those of the file, setting by
setting: what the file says counts, and what is new comes after what is extended. A list is replaced
as a whole, and a table cannot be taken out. `catalogue` has the columns of the published data with
their units and meanings, and is no profile by itself. `name` and `description` are never
inherited.

**Defaults.** `[rule_defaults]` has settings that count in every `[rules.KPI]` that does not say
otherwise, `[alarms.kpi_defaults]` likewise for `[alarms.kpis.NAME]`.

**Fingerprint.** The 12 letters after the `@` are made of all settings as they count in the end.
Profiles that judge alike have the same one, in however many files they are written.
"""


def page() -> str:
    """The whole page."""
    sections = (_section(heading, table) for heading, table in TABLES.items())
    return "\n".join((INTRODUCTION, *sections))


def _section(heading: str, table: type) -> str:
    rows = "".join(f"| {' | '.join(row)} |\n" for row in _rows(table))
    return (
        f"## `{heading}`\n\n{inspect.getdoc(table)}\n\n"
        f"| setting | holds | unit | default | meaning |\n|---|---|---|---|---|\n{rows}"
    )


def _rows(table: Any) -> Iterator[tuple[str, ...]]:
    hints = get_type_hints(table)
    for one in fields(table):
        found, hint = about_of(one), hints[one.name]
        if found:
            default = _default(one, found)
            yield f"`{one.name}`", _holds(found, hint), found.unit, default, found.meaning
        elif is_dataclass(hint):  # its settings stand in the same table
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
        return found.default or "needed"
    return "" if default in (None, "", ()) else f"`{_written(default)}`"


def _written(value: object) -> str:
    """A value as it is written in TOML."""
    if isinstance(value, Enum):
        return f'"{value.value}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
