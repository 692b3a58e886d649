"""The DAG and its runs, read from the file of the batches with every fault of both told at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from anomaly.errors import ConfigurationError
from anomaly.profile.toml_section import TEXT, TRUTH, WHOLE, Kind, Section, list_of, one_of
from runners.composer.deploy.schedule import faults_of as faults_of_schedule
from runners.composer.deploy.schema import CONNECTION, RUN_SETTINGS
from runners.composer.run_settings import faults_of, overlaps
from runners.dataproc.settings import (
    COMPOSER,
    LABEL_VALUE,
    UNCHECKED,
    DataprocSettings,
    read_tables,
    settings_of,
)
from runners.storage.bigquery_names import BUCKET

# https://cloud.google.com/composer/docs/reference/rest/v1/projects.locations.environments
ENVIRONMENT = re.compile(r"[a-z]([a-z0-9-]{0,62}[a-z0-9])?")
LONGEST_TAG = 100
BOUNDS = {"retries": (0, 100), "retry_minutes": (0, 24 * 60), "input_hours": (1, 7 * 24)}


def _date(found: object) -> date | None:
    # In Python a datetime is a date; a DAG starts with a day.
    return found if isinstance(found, date) and not isinstance(found, datetime) else None


DATE = Kind("a day such as 2026-01-01, without quotes", _date, date(2026, 1, 1))


class Shape(str, Enum):
    """How a run is split into batches: one for each step, or one for them all."""

    STAGED = "staged"
    SINGLE = "single"


@dataclass(frozen=True)
class ComposerSettings:
    """The keys of [composer] in conf/dataproc.toml, each explained there.

    run: those of [composer.run], by the names of their schema.
    """

    environment: str
    bucket: str
    dag_id: str
    shape: Shape
    schedule: str
    start_date: date
    owner: str
    tags: tuple[str, ...]
    retries: int
    retry_minutes: int
    input_hours: int
    deferrable: bool
    connection: str
    run: Mapping[str, Any]


def load_deployment(
    path: str, bucket: str | None = None, environment: Mapping[str, str] | None = None
) -> tuple[DataprocSettings, ComposerSettings]:
    """The settings of the batches and of the DAG; a bucket that is given replaces the file's.

    Raises ConfigurationError that lists every fault of both.
    """
    tables = read_tables(path)
    settings, faults = settings_of(tables, environment)
    root = Section({key: table for key, table in tables.items() if key == COMPOSER})
    composer = _settings(root.section(COMPOSER, needed=True), bucket)
    faults += root.problems() or [*_faults(composer), *_faults_of_run(composer)]
    if faults:
        raise ConfigurationError(path, faults)
    return settings, composer


def _settings(section: Section, bucket: str | None) -> ComposerSettings:
    named = section.value("bucket", TEXT, "")
    return ComposerSettings(
        environment=section.value("environment", TEXT, ""),
        bucket=named if bucket is None else bucket,
        dag_id=section.value("dag_id", TEXT, "cell-tower-anomaly"),
        shape=section.value("shape", one_of(Shape), Shape.STAGED),
        schedule=section.value("schedule", TEXT, "0 3 * * *"),
        start_date=section.value("start_date", DATE, date(2026, 1, 1)),
        owner=section.value("owner", TEXT, "network-operations"),
        tags=section.value("tags", list_of(TEXT), ("cell-tower-anomaly",)),
        retries=section.value("retries", WHOLE, 2),
        retry_minutes=section.value("retry_minutes", WHOLE, 5),
        input_hours=section.value("input_hours", WHOLE, 12),
        deferrable=section.value("deferrable", TRUTH, True),
        connection=section.value("connection", TEXT, "google_cloud_default"),
        run=_run_settings(section.section("run", needed=True)),
    )


def _run_settings(section: Section) -> dict[str, Any]:
    """All that the table holds, and the defaults of what it leaves out."""
    defaults = {name: setting.default for name, setting in RUN_SETTINGS.items()}
    return defaults | section.all_values(UNCHECKED)


def _faults(composer: ComposerSettings) -> list[str]:
    faults = []
    if composer.bucket and not BUCKET.fullmatch(composer.bucket):
        faults.append(f"bucket {composer.bucket!r} is no name of a bucket; leave gs:// out")
    if composer.environment and not ENVIRONMENT.fullmatch(composer.environment):
        faults.append(f"environment {composer.environment!r} is no name that Google takes")
    if not composer.bucket and not composer.environment:
        faults.append("environment is empty, and no bucket is named: name one of them")
    if not LABEL_VALUE.fullmatch(composer.dag_id):
        faults.append(
            f"dag_id {composer.dag_id!r}: use small letters, digits and inner dashes, at most 63"
        )
    if not composer.owner.strip():
        faults.append("owner is empty: name whom to ask about the DAG")
    if not all(tag.strip() and len(tag) <= LONGEST_TAG for tag in composer.tags):
        faults.append(f"tags: each has 1 to {LONGEST_TAG} characters")
    if not CONNECTION.fullmatch(composer.connection):
        faults.append(f"connection {composer.connection!r} is no id that Airflow takes")
    faults += faults_of_schedule(composer.schedule)
    faults += [
        f"{key} {getattr(composer, key)} is not in {least} to {most}"
        for key, (least, most) in BOUNDS.items()
        if not least <= getattr(composer, key) <= most
    ]
    return [f"[composer] {fault}" for fault in faults]


def _faults_of_run(composer: ComposerSettings) -> list[str]:
    faults = faults_of(composer.run, RUN_SETTINGS, composer.shape) or overlaps(composer.run)
    return [f"[composer.run] {fault}" for fault in faults]
