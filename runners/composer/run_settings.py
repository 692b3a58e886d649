"""Whether the settings of a run fit the schema that `deploy-dag` writes beside the DAG.

`deploy-dag` checks its file with these functions, and the plan of each run what is then set.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from runners.storage.addresses import BIGQUERY, address_of

INPUTS = ("customers", "samples", "calls")
FILES = (".csv", ".csv.gz", ".csv.bz2", ".parquet")
# By their names in JSON Schema, which the form of a run is drawn from.
KINDS = {"string": str, "number": float, "boolean": bool}


@dataclass(frozen=True)
class Setting:
    """What a setting means, and what it may be; empty texts stand for none.

    default: None where it must be set. set_in: the last place that may set it, of deployment,
    variable and form.
    """

    meaning: str
    pattern: str = ".*"
    kind: str = "string"
    default: str | float | bool | None = None
    set_in: str = "form"

    def fault(self, value: object) -> str | None:
        """What is wrong with a value."""
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


def faults_of(settings: Mapping[str, Any], schema: Mapping[str, Setting], shape: str) -> list[str]:
    """What is wrong with settings, each for itself; where nothing is, with all together."""
    faults = [
        f"{name} {fault}"
        for name, setting in schema.items()
        if (fault := setting.fault(settings.get(name)))
    ]
    faults += [f"{name} is no setting" for name in settings if name not in schema]
    return faults or _contradictions(settings, shape)


def _contradictions(settings: Mapping[str, Any], shape: str) -> list[str]:
    faults = []
    if shape == "staged" and not settings["steps"]:
        faults.append("steps names no folder for the results of the steps")
    of_bigquery = [name for name in ("prefix", "staging_bucket", "add_columns") if settings[name]]
    if of_bigquery and address_of(settings["out"]).scheme != BIGQUERY:
        faults.append(f"{' and '.join(of_bigquery)}: for an out on bq:// alone")
    if settings["smallest_required_share"] > settings["largest_required_share"]:
        faults.append("smallest_required_share is above largest_required_share")
    if settings["marker"] and any(is_file(settings[name]) for name in INPUTS):
        faults.append("marker: an input that is a file has none")
    return faults


def overlaps(settings: Mapping[str, Any]) -> list[str]:
    """What would be written among what is read, or the other way round."""
    read = {f"the {name} input": settings[name] for name in (*INPUTS, "history")}
    places = read | {name: settings[name] for name in ("steps", "out")}
    pairs = [(name, other) for name in ("steps", "out") for other in read]
    return [
        f"{name} {places[name]} and {other} {places[other]} lie in each other"
        for name, other in [*pairs, ("out", "steps")]
        if _is_within(places[name], places[other]) or _is_within(places[other], places[name])
    ]


def _is_within(address: str, folder: str) -> bool:
    """Whether an address is a folder or lies below it."""
    return bool(folder) and f"{address}/".startswith(f"{folder.rstrip('/')}/")


def is_file(address: str) -> bool:
    """Whether an input is one file, not a folder."""
    return address.lower().endswith(FILES)
