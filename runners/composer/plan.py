"""The first task of a run: it settles the day, the places, the code and the machines."""

import json
import uuid
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from runners.composer.airflow_names import AirflowFailException
from runners.composer.deployed import DEPLOYMENT, SCHEMA, VARIABLE
from runners.composer.run_settings import INPUTS, faults_of, is_file, overlaps
from runners.storage.addresses import address_of

PLAN = "plan"
LONGEST_PREFIX = 24


def make_plan(
    variable: str,
    params: Mapping[str, Any],
    dag_run: Any,
    data_interval_start: datetime | None = None,
) -> dict[str, Any]:
    """What this run goes by, whatever is deployed or set while it is under way.

    Its key marks its batches and its rows. Fails, without another try, with everything that is
    wrong.
    """
    chosen = {name: value for name, value in params.items() if value is not None}
    asked = chosen.pop("run_date", None)
    day = date.fromisoformat(asked) if asked else ended_day(dag_run, data_interval_start)
    plan = settings_of_run(of_variable(variable), chosen)
    for name in INPUTS:
        plan[name] = plan[name].replace("{run_date}", day.isoformat())
        bucket, prefix = looked_for(plan[name], plan["marker"])
        plan |= {f"bucket_of_{name}": bucket, f"prefix_of_{name}": prefix}
    plan["history"] = plan["history"].replace("{run_date}", day.isoformat())
    if faults := overlaps(plan):
        raise refused(faults)
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
    """The template of a setting of the run."""
    return f"{{{{ ti.xcom_pull(task_ids='{PLAN}')['{name}'] }}}}"


def of_variable(text: str) -> dict[str, Any]:
    """The settings that the Airflow Variable overrides."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise AirflowFailException(f"the Variable {VARIABLE} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise AirflowFailException(f"the Variable {VARIABLE} is no JSON object")
    return found


def settings_of_run(variable: Mapping[str, Any], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """The deployed settings, what the Variable overrides, and what was chosen for this run."""
    if not SCHEMA:
        raise AirflowFailException("no schema.json; `cell-tower-anomaly deploy-dag` writes it")
    settings = {**DEPLOYMENT.settings, **variable, **chosen}
    faults = [
        f"{name} is set by deploy-dag alone"
        for name, setting in SCHEMA.items()
        if name in variable and setting.set_in == "deployment"
    ]
    faults += [
        f"{name} is not set for one run"
        for name, setting in SCHEMA.items()
        if name in chosen and setting.set_in != "form"
    ]
    if faults := faults + faults_of(settings, SCHEMA, DEPLOYMENT.shape):
        raise refused(faults)
    return settings | {name: settings[name].rstrip("/") for name in ("steps", "out")}


def refused(faults: list[str]) -> AirflowFailException:
    """What is told of settings."""
    by = f"set by `cell-tower-anomaly deploy-dag`, the Variable {VARIABLE} or the form"
    return AirflowFailException("\n".join([f"{by}:", *faults]))


def ended_day(dag_run: Any, interval_start: datetime | None) -> date:
    """The day that a run is for: that of its interval, or the one before it was asked for."""
    if interval_start is not None and dag_run.run_type != "manual":
        return interval_start.date()
    # In Airflow 3 a run that is started by hand may have no date.
    asked: datetime = dag_run.logical_date or dag_run.run_after
    return (asked - timedelta(days=1)).date()


def looked_for(address: str, marker: str) -> tuple[str, str]:
    """The bucket of an input, and how the names of its objects begin; or the marker's name."""
    _, bucket, name = address_of(address)
    if name and not name.endswith("/") and not is_file(address):
        # Otherwise `samples` would find `samples-of-last-year`.
        name += "/"
    return bucket, name + marker
