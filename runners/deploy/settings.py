"""The DAG and its runs, read from the file of the batches with every fault of both told at once."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from anomaly.errors import ConfigurationError
from anomaly.toml_section import NUMBER, TEXT, TRUTH, WHOLE, Kind, Section, list_of, one_of
from runners.dataproc.settings import (
    COMPOSER,
    LABEL_VALUE,
    DataprocSettings,
    read_tables,
    settings_of,
)
from runners.deploy.schedule import faults_of as faults_of_schedule
from runners.run import keep_apart
from runners.storage.bigquery_names import BUCKET
from runners.storage.bigquery_names import SCHEME as BIGQUERY
from runners.storage.destination import Publishing, check_destination

INPUTS = ("customers", "samples", "calls")
PLACEHOLDER = "{run_date}"
# https://cloud.google.com/composer/docs/reference/rest/v1/projects.locations.environments
ENVIRONMENT = re.compile(r"[a-z]([a-z0-9-]{0,62}[a-z0-9])?")
ADDRESS = re.compile(rf"gs://{BUCKET.pattern}(/[^{{}}*?\[\]\s]*)?")
# What Airflow takes.
CONNECTION = re.compile(r"[\w#!()\-.:/\\]{1,200}")
LONGEST_TAG = 100
FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")
FILES = (".csv", ".parquet")
MARKER = re.compile(r"[^/{}\n]*")
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
class RunSettings:
    """The keys of [composer.run] in conf/dataproc.toml, each explained there."""

    customers: str
    samples: str
    calls: str
    marker: str
    steps: str
    out: str
    prefix: str
    staging_bucket: str
    add_columns: bool
    smallest_required_share: float
    largest_required_share: float
    alert_callable: str
    alert_connection: str

    @property
    def inputs(self) -> dict[str, str]:
        """The address of each input by its key."""
        return {key: getattr(self, key) for key in INPUTS}


@dataclass(frozen=True)
class ComposerSettings:
    """The keys of [composer] in conf/dataproc.toml, each explained there."""

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
    run: RunSettings


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
    faults += root.problems() or [*_faults(composer), *_faults_of_run(composer.run, composer.shape)]
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


def _run_settings(section: Section) -> RunSettings:
    return RunSettings(
        customers=section.needed("customers", TEXT),
        samples=section.needed("samples", TEXT),
        calls=section.needed("calls", TEXT),
        marker=section.value("marker", TEXT, ""),
        steps=section.value("steps", TEXT, ""),
        out=section.needed("out", TEXT),
        prefix=section.value("prefix", TEXT, ""),
        staging_bucket=section.value("staging_bucket", TEXT, ""),
        add_columns=section.value("add_columns", TRUTH, False),
        smallest_required_share=section.value("smallest_required_share", NUMBER, 0.0),
        largest_required_share=section.value("largest_required_share", NUMBER, 0.5),
        alert_callable=section.value("alert_callable", TEXT, ""),
        alert_connection=section.value("alert_connection", TEXT, ""),
    )


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


def _faults_of_run(run: RunSettings, shape: Shape) -> list[str]:
    faults = _faults_of_places(run, shape)
    if not MARKER.fullmatch(run.marker):
        faults.append(f"marker {run.marker!r} is no name of an object in the folder of an input")
    if run.marker and any(path.endswith(FILES) for path in run.inputs.values()):
        faults.append("marker is set, but an input that is a file has none")
    if run.alert_callable and not FUNCTION.fullmatch(run.alert_callable):
        faults.append(f"alert_callable {run.alert_callable!r} is not PACKAGE.MODULE.NAME")
    if run.alert_connection and not CONNECTION.fullmatch(run.alert_connection):
        faults.append(f"alert_connection {run.alert_connection!r} is no id that Airflow takes")
    smallest, largest = run.smallest_required_share, run.largest_required_share
    if not 0 <= smallest <= largest <= 1:
        faults.append(
            f"smallest_required_share {smallest} and largest_required_share {largest}: from 0 to "
            "1, the first not above the second"
        )
    return [f"[composer.run] {fault}" for fault in faults]


def _faults_of_places(run: RunSettings, shape: Shape) -> list[str]:
    faults = [
        f"{key} {path!r} is not gs://BUCKET/FOLDER, in which {PLACEHOLDER} may stand for the day"
        for key, path in run.inputs.items()
        if not _is_input(path)
    ]
    if run.steps and not ADDRESS.fullmatch(run.steps):
        faults.append(f"steps {run.steps!r} is not gs://BUCKET/FOLDER")
    if not run.steps and shape == Shape.STAGED:
        faults.append("steps is empty, and shape is staged: name the gs:// folder of their results")
    if run.out.startswith(BIGQUERY) or ADDRESS.fullmatch(run.out):
        publishing = Publishing(run.prefix, run.staging_bucket or None, run.add_columns)
        told = _faults_of(check_destination, run.out, publishing)
        faults += [_in_words_of_file(fault) for fault in told]
    else:
        faults.append(f"out {run.out!r} is neither gs://BUCKET/FOLDER nor bq://PROJECT.DATASET")
    return faults + _overlaps(run)


def _is_input(path: str) -> bool:
    # A bucket has no capital letters, and so no placeholder.
    return ADDRESS.fullmatch(path.replace(PLACEHOLDER, "DAY")) is not None


def _overlaps(run: RunSettings) -> list[str]:
    """What is written among what is read, or the other way round: a later run would read it."""
    read = {key: path for key, path in run.inputs.items() if _is_input(path)}
    faults = []
    for key, place in (("steps", run.steps), ("out", run.out)):
        if ADDRESS.fullmatch(place):
            faults += [f"{key} {place} {fault}" for fault in _faults_of(keep_apart, read, place)]
            read[key] = place
    return faults


def _faults_of(check: Callable[..., None], *arguments: object) -> tuple[str, ...]:
    try:
        check(*arguments)
    except ConfigurationError as error:
        return error.problems
    return ()


def _in_words_of_file(fault: str) -> str:
    """What a check tells of --staging-bucket is true of the key staging_bucket."""
    return re.sub(
        r"(?<!\S)--([a-z]+(?:-[a-z]+)*)", lambda option: option[1].replace("-", "_"), fault
    )
