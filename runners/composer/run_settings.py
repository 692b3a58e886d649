"""Checks the settings of a run against the schema that `deploy-dag` writes beside the DAG.

`deploy-dag` checks its file with these functions, and the first task of each run its settings.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runners.storage.addresses import BIGQUERY, address_of

INPUTS = ("customers", "samples", "calls")
FILES = (".csv", ".csv.gz", ".csv.bz2", ".parquet")
# By their names in JSON Schema, from which Airflow draws the form of a run.
KINDS = {"string": str, "number": float, "boolean": bool}


@dataclass(frozen=True)
class Setting:
    """What a setting means, and its valid values; an empty text means none.

    default: None if it is required. set_in: the last of deployment, variable and form that may set
    it.
    """

    meaning: str
    pattern: str = ".*"
    kind: str = "string"
    default: str | float | bool | None = None
    set_in: str = "form"

    def problem(self, value: object) -> str | None:
        """What is wrong with a value, if anything."""
        if value is None:
            return f"is missing; it must be: {self.meaning}"
        kind = KINDS[self.kind]
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, kind):
            return f"is {value!r}; it must be of type {kind.__name__}"
        if isinstance(value, str) and not re.fullmatch(self.pattern, value):
            return f"is {value!r}; it must be: {self.meaning}"
        if isinstance(value, float) and not 0 <= value <= 1:
            return f"is {value!r}; it must be from 0 to 1"
        return None


def problems_of(
    settings: Mapping[str, Any], schema: Mapping[str, Setting], shape: str
) -> list[str]:
    """The problems of single settings; if there are none, the contradictions between them."""
    problems = [
        f"{name} {problem}"
        for name, setting in schema.items()
        if (problem := setting.problem(settings.get(name)))
    ]
    problems += [f"{name} is not a setting" for name in settings if name not in schema]
    return problems or _contradictions(settings, shape)


def _contradictions(settings: Mapping[str, Any], shape: str) -> list[str]:
    problems = []
    if shape == "staged" and not settings["steps"]:
        problems.append("steps is empty: name a folder for the results of stages")
    bigquery_only = [name for name in ("prefix", "staging_bucket", "add_columns") if settings[name]]
    if bigquery_only and address_of(settings["out"]).scheme != BIGQUERY:
        problems.append(f"{' and '.join(bigquery_only)}: only for an out on bq://")
    if settings["smallest_required_share"] > settings["largest_required_share"]:
        problems.append("smallest_required_share is above largest_required_share")
    if settings["marker"] and any(is_file(settings[name]) for name in INPUTS):
        problems.append("marker: an input that is a single file has none")
    return problems


def overlaps(settings: Mapping[str, Any]) -> list[str]:
    """The inputs and outputs that overlap."""
    read = {f"the {name} input": settings[name] for name in (*INPUTS, "history")}
    places = read | {name: settings[name] for name in ("steps", "out")}
    pairs = [(name, other) for name in ("steps", "out") for other in read]
    return [
        f"{name} {places[name]} and {other} {places[other]} overlap"
        for name, other in [*pairs, ("out", "steps")]
        if _is_within(places[name], places[other]) or _is_within(places[other], places[name])
    ]


def _is_within(address: str, folder: str) -> bool:
    """Whether an address is a folder or something in it."""
    return bool(folder) and f"{address}/".startswith(f"{folder.rstrip('/')}/")


def is_file(address: str) -> bool:
    """Whether an input is a single file, not a folder."""
    return address.lower().endswith(FILES)
