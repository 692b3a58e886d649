"""Tells whoever the settings name how a run went."""

import json
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from airflow.exceptions import AirflowException

from runners.composer.airflow_names import BaseHook
from runners.composer.deployed import DEPLOYMENT
from runners.composer.plan import PLAN
from runners.composer.result_check import CHECK


def alert(ti: Any, run_id: str) -> None:
    """Tells whom the settings name that the run is through, and what it found."""
    result = ti.xcom_pull(task_ids=CHECK)
    tell(ti.xcom_pull(task_ids=PLAN), {"dag_run_id": run_id, "passed": True, **result})


def alert_failure(ti: Any, run_id: str) -> None:
    """Tells whom the settings name that the run did not get through its checks."""
    # Where the plan itself was refused, whom the deployment names.
    plan = ti.xcom_pull(task_ids=PLAN) or DEPLOYMENT.settings
    tell(plan, {"dag_run_id": run_id, "passed": False})


def tell(plan: Mapping[str, Any], what: Mapping[str, Any]) -> None:
    """Call the function and post to the connection that the settings name; both are tried."""
    of_run = {"dag_id": DEPLOYMENT.dag_id, "run_date": plan.get("run_date"), "out": plan.get("out")}
    told = {**of_run, **what}
    print(json.dumps(told))
    ways = {"alert_callable": call, "alert_connection": post}
    faults = []
    for name, way in ways.items():
        if target := plan.get(name):
            try:
                way(target, told)
            except Exception as error:
                # The message of an error may hold the address of a webhook, which is a secret.
                faults.append(f"{name} {target}: {type(error).__name__}")
    if faults:
        raise AirflowException("; ".join(faults))


def call(name: str, told: Mapping[str, Any]) -> None:
    """Call the function that a dotted path names."""
    module, _, function = name.rpartition(".")
    getattr(import_module(module), function)(told)


def post(connection_id: str, told: Mapping[str, Any]) -> None:
    """Post as JSON to the address that an HTTP connection names, with its user and headers."""
    import requests

    connection = BaseHook.get_connection(connection_id)
    address = connection.host
    if "://" not in address:
        port = f":{connection.port}" if connection.port else ""
        address = f"{connection.schema or 'https'}://{address}{port}"
    user = (connection.login, connection.password) if connection.login else None
    answer = requests.post(
        address, json=told, auth=user, headers=connection.extra_dejson, timeout=60
    )
    answer.raise_for_status()
