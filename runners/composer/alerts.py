"""Alerts: notify the function and the connection in the settings how a run went."""

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
    """Notify that the run passed its checks, with its counts."""
    result = ti.xcom_pull(task_ids=CHECK)
    notify(ti.xcom_pull(task_ids=PLAN), {"dag_run_id": run_id, "passed": True, **result})


def alert_failure(ti: Any, run_id: str) -> None:
    """Notify that the run failed, or did not pass its checks."""
    # If the plan itself failed, the settings of the deployment apply.
    plan = ti.xcom_pull(task_ids=PLAN) or DEPLOYMENT.settings
    notify(plan, {"dag_run_id": run_id, "passed": False})


def notify(plan: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Call the function and post to the connection in the settings; try both even if one fails."""
    run = {"dag_id": DEPLOYMENT.dag_id, "run_date": plan.get("run_date"), "out": plan.get("out")}
    message = {**run, **result}
    print(json.dumps(message))
    channels = {"alert_callable": call, "alert_connection": post}
    failures = []
    for name, send in channels.items():
        if target := plan.get(name):
            try:
                send(target, message)
            except Exception as error:
                # The error message may contain the address of a webhook, which is a secret.
                failures.append(f"{name} {target}: {type(error).__name__}")
    if failures:
        raise AirflowException("; ".join(failures))


def call(name: str, message: Mapping[str, Any]) -> None:
    """Call the function with this dotted path."""
    module, _, function = name.rpartition(".")
    getattr(import_module(module), function)(message)


def post(connection_id: str, message: Mapping[str, Any]) -> None:
    """Post the message as JSON to an HTTP connection, with its user and headers."""
    import requests

    connection = BaseHook.get_connection(connection_id)
    address = connection.host
    if "://" not in address:
        port = f":{connection.port}" if connection.port else ""
        address = f"{connection.schema or 'https'}://{address}{port}"
    user = (connection.login, connection.password) if connection.login else None
    answer = requests.post(
        address, json=message, auth=user, headers=connection.extra_dejson, timeout=60
    )
    answer.raise_for_status()
