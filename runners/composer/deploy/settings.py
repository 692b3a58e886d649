"""The settings of the DAG and its runs, from the file of the batches; all problems at once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from anomaly.errors import ConfigurationError
from anomaly.profile.toml_section import TEXT, TRUTH, WHOLE, Kind, Section, list_of, one_of
from runners.composer.deploy.schedule import problems_of_schedule
from runners.composer.deploy.schema import CONNECTION, RUN_SETTINGS
from runners.composer.run_settings import overlaps, problems_of
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
    # In Python a datetime is a date; a DAG starts on a day.
    return found if isinstance(found, date) and not isinstance(found, datetime) else None


DATE = Kind("a day such as 2026-01-01, without quotes", _date, date(2026, 1, 1))


class Shape(str, Enum):
    """How a run is split into batches: one per stage, or a single one."""

    STAGED = "staged"
    SINGLE = "single"


@dataclass(frozen=True)
class ComposerSettings:
    """The keys of [composer] in conf/dataproc.toml, which explains them.

    run: the keys of [composer.run], by name.
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
    """The settings of the batches and of the DAG; `bucket` overrides that of the file.

    Raises ConfigurationError, which lists every problem of both.
    """
    tables = read_tables(path)
    settings, problems = settings_of(tables, environment)
    root = Section({key: table for key, table in tables.items() if key == COMPOSER})
    composer = _settings(root.section(COMPOSER, needed=True), bucket)
    problems += root.problems() or [*_problems(composer), *_run_problems(composer)]
    if problems:
        raise ConfigurationError(path, problems)
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
    """The settings in the table, with defaults for those that are missing."""
    defaults = {name: setting.default for name, setting in RUN_SETTINGS.items()}
    return defaults | section.all_values(UNCHECKED)


def _problems(composer: ComposerSettings) -> list[str]:
    problems = []
    if composer.bucket and not BUCKET.fullmatch(composer.bucket):
        problems.append(f"bucket {composer.bucket!r} is not a bucket name; omit gs://")
    if composer.environment and not ENVIRONMENT.fullmatch(composer.environment):
        problems.append(f"environment {composer.environment!r} is not a valid name")
    if not composer.bucket and not composer.environment:
        problems.append("environment and bucket are empty: set one of them")
    if not LABEL_VALUE.fullmatch(composer.dag_id):
        problems.append(
            f"dag_id {composer.dag_id!r}: use at most 63 lower-case letters, digits and inner "
            "dashes"
        )
    if not composer.owner.strip():
        problems.append("owner is empty: name the person or team that owns the DAG")
    if not all(tag.strip() and len(tag) <= LONGEST_TAG for tag in composer.tags):
        problems.append(f"tags: each must have 1 to {LONGEST_TAG} characters")
    if not CONNECTION.fullmatch(composer.connection):
        problems.append(f"connection {composer.connection!r} is not a valid Airflow connection id")
    problems += problems_of_schedule(composer.schedule)
    problems += [
        f"{key} {getattr(composer, key)} is not between {least} and {most}"
        for key, (least, most) in BOUNDS.items()
        if not least <= getattr(composer, key) <= most
    ]
    return [f"[composer] {problem}" for problem in problems]


def _run_problems(composer: ComposerSettings) -> list[str]:
    problems = problems_of(composer.run, RUN_SETTINGS, composer.shape) or overlaps(composer.run)
    return [f"[composer.run] {problem}" for problem in problems]
