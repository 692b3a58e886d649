"""The files that `deploy-dag` wrote beside these modules: deployment.json and schema.json."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from runners.composer.run_settings import Setting


@dataclass(frozen=True)
class Deployment:
    """The content of deployment.json; with the defaults, the DAG can be parsed but not run.

    batch: the Dataproc batch without arguments. settings: those of every run, see schema.json.
    """

    dag_id: str = "cell-tower-anomaly"
    shape: str = "staged"
    schedule: str | None = None
    start_date: str = "2026-01-01"
    owner: str = "network-operations"
    tags: tuple[str, ...] = ()
    retries: int = 2
    retry_minutes: float = 5
    input_hours: float = 12
    deferrable: bool = True
    connection: str = "google_cloud_default"
    project: str = ""
    region: str = ""
    batch_prefix: str = "cell-tower-anomaly"
    batch: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


Kind = TypeVar("Kind", Deployment, Setting)


def read(name: str) -> dict[str, Any]:
    """The content of a file beside these modules; empty if there is none."""
    file = Path(__file__).with_name(name)
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def made(kind: type[Kind], found: Mapping[str, Any]) -> Kind:
    """Build it, ignoring keys for newer modules, which may arrive a moment later."""
    known = {one.name for one in fields(kind)}
    return kind(**{name: value for name, value in found.items() if name in known})


DEPLOYMENT = made(Deployment, read("deployment.json"))
SCHEMA = {name: made(Setting, rule) for name, rule in read("schema.json").items()}
# The Airflow Variable whose settings override the deployed ones.
VARIABLE = DEPLOYMENT.dag_id.replace("-", "_")
