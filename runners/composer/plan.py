"""The first task of a run: it fixes the day, the paths, the code and the machines."""

import json
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from runners.composer.airflow_names import AirflowFailException
from runners.composer.deployed import DEPLOYMENT, SCHEMA, VARIABLE
from runners.composer.run_settings import INPUTS, is_file, overlaps, problems_of
from runners.storage.addresses import address_of

PLAN = "plan"
LONGEST_PREFIX = 24


def make_plan(
    variable: str,
    params: Mapping[str, Any],
    dag_run: Any,
    data_interval_start: datetime | None = None,
) -> dict[str, Any]:
    """The plan of this run, which later deployments and settings do not change.

    The key of the plan marks its batches and its rows. Fails without a retry, and lists all
    problems.
    """
    chosen = {name: value for name, value in params.items() if value is not None}
    given = chosen.pop("run_date", None)
    day = date.fromisoformat(given) if given else default_day(dag_run, data_interval_start)
    plan = settings_of_run(parse_variable(variable), chosen)
    for name in INPUTS:
        plan[name] = plan[name].replace("{run_date}", day.isoformat())
        bucket, prefix = object_prefix(plan[name], plan["marker"])
        plan |= {f"bucket_of_{name}": bucket, f"prefix_of_{name}": prefix}
    plan["history"] = plan["history"].replace("{run_date}", day.isoformat())
    if problems := overlaps(plan):
        raise refused(problems)
    return {
        **plan,
        "run_date": day.isoformat(),
        "key": uuid.uuid4().hex[:8],
        "project": DEPLOYMENT.project,
        "region": DEPLOYMENT.region,
        "batch_prefix": DEPLOYMENT.batch_prefix[:LONGEST_PREFIX].rstrip("-"),
        "batch": DEPLOYMENT.batch,
    }


def planned(name: str) -> str:
    """The Airflow template for a value of the plan."""
    return f"{{{{ ti.xcom_pull(task_ids='{PLAN}')['{name}'] }}}}"


def parse_variable(text: str) -> dict[str, Any]:
    """The settings in the Airflow Variable."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise AirflowFailException(f"the Variable {VARIABLE} is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise AirflowFailException(f"the Variable {VARIABLE} is not a JSON object")
    return found


def settings_of_run(variable: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The deployed settings, overridden by the Variable, then by those chosen for this run."""
    if not SCHEMA:
        raise AirflowFailException("schema.json is missing; run `cell-tower-anomaly deploy-dag`")
    settings = {**DEPLOYMENT.settings, **variable, **chosen}
    problems = [
        f"{name} can only be set by deploy-dag"
        for name, setting in SCHEMA.items()
        if name in variable and setting.set_in == "deployment"
    ]
    problems += [
        f"{name} cannot be set for a single run"
        for name, setting in SCHEMA.items()
        if name in chosen and setting.set_in != "form"
    ]
    if problems := problems + problems_of(settings, SCHEMA, DEPLOYMENT.shape):
        raise refused(problems)
    return settings | {name: settings[name].rstrip("/") for name in ("steps", "out")}


def refused(problems: list[str]) -> AirflowFailException:
    """The error that lists the problems of the settings."""
    origin = f"settings of `cell-tower-anomaly deploy-dag`, the Variable {VARIABLE} or the form"
    return AirflowFailException("\n".join([f"{origin}:", *problems]))


def default_day(dag_run: Any, interval_start: datetime | None) -> date:
    """The day that a run is for: that of its interval, or the day before it was requested."""
    if interval_start is not None and dag_run.run_type != "manual":
        return interval_start.date()
    # In Airflow 3 a manual run may have no date.
    requested: datetime = dag_run.logical_date or dag_run.run_after
    return (requested - timedelta(days=1)).date()


def object_prefix(address: str, marker: str) -> tuple[str, str]:
    """The bucket of an input, and the prefix of its objects, or the name of the marker."""
    _, bucket, name = address_of(address)
    if name and not name.endswith("/") and not is_file(address):
        # Otherwise `samples` would match `samples-of-last-year`.
        name += "/"
    return bucket, name + marker
