"""Where and how batches run, from a TOML file; all problems are reported at once."""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from anomaly.errors import ConfigurationError
from anomaly.profile.toml_section import TEXT, WHOLE, Kind, Section
from runners.storage.bigquery_names import BUCKET, DATASET, PROJECT

ENVIRONMENT = "CELL_TOWER_"
OVERRIDABLE = (
    "project",
    "region",
    "code_bucket",
    "service_account",
    "subnetwork",
    "history_server",
)
# The table of the DAG that starts batches: runners/composer/deploy/settings.py reads it.
COMPOSER = "composer"
UNCHECKED: Kind[object] = Kind("anything", lambda found: found, None)
# The Python of each supported runtime. 2.2 ended in 2026-09.
# https://cloud.google.com/dataproc-serverless/docs/concepts/versions/dataproc-serverless-versions
RUNTIMES = {"2.3": (3, 11), "3.0": (3, 12)}
# https://cloud.google.com/dataproc-serverless/docs/reference/rest/v1/EnvironmentConfig
SHORTEST_TTL_MINUTES, LONGEST_TTL_MINUTES = 10, 14 * 24 * 60
LEAST_EXECUTORS, MOST_EXECUTORS = 2, 2000
REGION = re.compile(r"[a-z]+-[a-z]+[0-9]{1,2}")
CLUSTER = re.compile(r"[a-z]([a-z0-9-]{0,49}[a-z0-9])?")
ACCOUNT = re.compile(r"[a-z0-9-]+@[a-z0-9.-]+")
SUBNETWORK = re.compile(r"[a-z0-9/:._-]*[a-z0-9]")
# https://cloud.google.com/dataproc-serverless/docs/guides/create-labels
LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LABEL_VALUE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
PREFIX = re.compile(r".*[A-Za-z0-9].*")


@dataclass(frozen=True)
class DataprocSettings:
    """The keys of conf/dataproc.toml, which explains them."""

    project: str
    region: str
    code_bucket: str
    service_account: str
    subnetwork: str
    history_server: str
    prefix: str
    runtime_version: str
    ttl_minutes: int
    minimum_executors: int
    maximum_executors: int
    labels: dict[str, str]
    properties: dict[str, str]
    data_bucket: str
    history_bucket: str
    dataset: str

    @property
    def location(self) -> str:
        """The parent resource of batches."""
        return f"projects/{self.project}/locations/{self.region}"


def load_settings(path: str, environment: Mapping[str, str] | None = None) -> DataprocSettings:
    """The settings of a file, with overrides by environment variables.

    Raises ConfigurationError, which lists every problem.
    """
    settings, problems = settings_of(read_tables(path), environment)
    if problems:
        raise ConfigurationError(path, problems)
    return settings


def read_tables(path: str) -> dict[str, Any]:
    """The tables of a TOML file. Raises ConfigurationError if it cannot be read."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(path, [f"cannot be read: {error}"]) from error


def settings_of(
    tables: Mapping[str, object], environment: Mapping[str, str] | None = None
) -> tuple[DataprocSettings, list[str]]:
    """The settings of batches in the tables of a file, and their problems."""
    given = os.environ if environment is None else environment
    overrides = {
        key: given[ENVIRONMENT + key.upper()]
        for key in OVERRIDABLE
        if ENVIRONMENT + key.upper() in given
    }
    root = Section({**tables, **overrides})
    root.value(COMPOSER, UNCHECKED, None)
    settings = _settings(root)
    return settings, root.problems() or _problems(settings)


def _settings(root: Section) -> DataprocSettings:
    batch, provision = root.section("batch"), root.section("provision")
    return DataprocSettings(
        project=root.needed("project", TEXT),
        region=root.needed("region", TEXT),
        code_bucket=root.needed("code_bucket", TEXT),
        service_account=root.value("service_account", TEXT, ""),
        subnetwork=root.value("subnetwork", TEXT, ""),
        history_server=root.value("history_server", TEXT, ""),
        prefix=batch.value("prefix", TEXT, "cell-tower-anomaly"),
        runtime_version=batch.value("runtime_version", TEXT, "2.3"),
        ttl_minutes=batch.value("ttl_minutes", WHOLE, 240),
        minimum_executors=batch.value("minimum_executors", WHOLE, LEAST_EXECUTORS),
        maximum_executors=batch.value("maximum_executors", WHOLE, 10),
        labels=root.section("labels").all_values(TEXT),
        properties=root.section("properties").all_values(TEXT),
        data_bucket=provision.value("data_bucket", TEXT, ""),
        history_bucket=provision.value("history_bucket", TEXT, ""),
        dataset=provision.value("dataset", TEXT, ""),
    )


def _problems(settings: DataprocSettings) -> list[str]:
    return [
        *_name_problems(settings),
        *_label_problems(settings.labels),
        *_property_problems(settings.properties),
        *_batch_problems(settings),
    ]


def _name_problems(settings: DataprocSettings) -> list[str]:
    patterns = {
        "project": PROJECT,
        "region": REGION,
        "code_bucket": BUCKET,
        "service_account": ACCOUNT,
        "subnetwork": SUBNETWORK,
        "history_server": CLUSTER,
        "prefix": PREFIX,
        "data_bucket": BUCKET,
        "history_bucket": BUCKET,
        "dataset": DATASET,
    }
    optional = patterns.keys() - {"project", "region", "code_bucket", "prefix"}
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return [
        f"{name} {values[name]!r} is not a valid name"
        for name, pattern in patterns.items()
        if not (pattern.fullmatch(values[name]) or (name in optional and not values[name]))
    ]


def _label_problems(labels: Mapping[str, str]) -> list[str]:
    return [
        f"[labels] {key} = {value!r}: use at most 63 lower-case letters, digits and inner dashes"
        for key, value in labels.items()
        if not LABEL_KEY.fullmatch(key) or not LABEL_VALUE.fullmatch(value)
    ]


def _property_problems(properties: Mapping[str, str]) -> list[str]:
    return [
        f"[properties] {key} = {value!r}: the image has its own BigQuery connector, and Spark "
        "does not start with two; choose a version with dataproc.sparkBqConnector.version"
        for key, value in properties.items()
        if key in ("spark.jars", "spark.jars.packages") and "bigquery" in value
    ]


def _batch_problems(settings: DataprocSettings) -> list[str]:
    problems = []
    if settings.runtime_version not in RUNTIMES:
        known = " or ".join(RUNTIMES)
        problems.append(f"[batch] runtime_version {settings.runtime_version!r}: choose {known}")
    if not SHORTEST_TTL_MINUTES <= settings.ttl_minutes <= LONGEST_TTL_MINUTES:
        bounds = f"{SHORTEST_TTL_MINUTES} and {LONGEST_TTL_MINUTES}"
        problems.append(f"[batch] ttl_minutes {settings.ttl_minutes} is not between {bounds}")
    if settings.history_server and settings.runtime_version == "3.0":
        problems.append(
            "history_server: not available in runtime 3.0; leave it empty, or choose 2.3"
        )
    if settings.history_server and not settings.history_bucket:
        problems.append("[provision] history_bucket: required by history_server")
    least, most = settings.minimum_executors, settings.maximum_executors
    if not LEAST_EXECUTORS <= least <= most <= MOST_EXECUTORS:
        problems.append(
            f"[batch] minimum_executors {least} and maximum_executors {most}: must be from "
            f"{LEAST_EXECUTORS} to {MOST_EXECUTORS}, the first not above the second"
        )
    return problems
