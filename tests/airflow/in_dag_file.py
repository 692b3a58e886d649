"""What parts of a deployed DAG file do, where a whole run cannot show it; for Airflow's Python.

    python in_dag_file.py DAG_FILE WHAT JSON

Loads the file as Airflow does, and prints as its last line, as JSON, what came of the cases that
the JSON lists.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import sys
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

from airflow.exceptions import AirflowException


def load(dag_file: str) -> ModuleType:
    """The file as a module."""
    sys.path.append(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
    spec = importlib.util.spec_from_file_location("deployed_dag", dag_file)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def beside(module: ModuleType, name: str) -> ModuleType:
    """A module of the package that the file belongs to."""
    return importlib.import_module(f"{Path(module.__file__).parent.name}.{name}")


def settings(module: ModuleType, variable: dict[str, Any], chosen: dict[str, Any]) -> str:
    """The problems of the settings that a Variable and a form make; empty if they are right."""
    run = SimpleNamespace(run_type="manual", logical_date=datetime(2026, 11, 2, 3))
    try:
        beside(module, "plan").make_plan(json.dumps(variable), chosen, run)
    except AirflowException as error:
        return str(error)
    return ""


def day(module: ModuleType, run_type: str, asked: str, interval_start: str | None) -> str:
    """The day that a run is for; one that is asked for by hand has no logical date."""
    is_by_hand = run_type == "manual"
    time = datetime.fromisoformat(asked)
    run = SimpleNamespace(
        run_type=run_type, logical_date=None if is_by_hand else time, run_after=time
    )
    start = interval_start and datetime.fromisoformat(interval_start)
    return str(beside(module, "plan").default_day(run, start))


def sensor(module: ModuleType, method: str, options: dict[str, Any]) -> str:
    """The kind of exception that a sensor ends with where it is resumed so."""
    task = module.dag.get_task("wait-for-samples")
    task.bucket, task.prefix = "bucket", "samples/"
    return ended(lambda: task.resume_execution(method, options, {}))


def batch(module: ModuleType, batch_id: str, error: str) -> str:
    """The same of a batch that is at the service, under another deployment than this one."""
    task = module.dag.get_task("single")
    plan = {name: "gs://b/x" for name in beside(module, "deployed").SCHEMA} | {
        **{"key": "k", "run_date": "2026-11-01", "batch": {"runtime_config": {"version": "2.3"}}},
        **{"add_columns": False, "main_file": "gs://b/main.py", "archive": "gs://b/code.zip"},
    }
    ti = SimpleNamespace(
        xcom_pull=lambda **_: plan, xcom_push=lambda **_: None, try_number=1, dag_id="d"
    )
    # As the templates give it, which the plan fills in.
    task.batch_id, task.project_id, task.region = batch_id, "p1", "europe-west1"
    context = {"ti": ti, "task_instance": ti, "task": task}
    return ended(lambda: task.resume_execution("__fail__", {"error": error}, context))


def ended(action: Any) -> str:
    """The name of the exception of an action, or that there was none."""
    try:
        action()
    except BaseException as error:  # TaskDeferred is no Exception
        return type(error).__name__
    return "success"


def main() -> None:
    """Load the file, and go through the cases."""
    module = load(sys.argv[1])
    action = {"settings": settings, "day": day, "sensor": sensor, "batch": batch}[sys.argv[2]]
    print(json.dumps([action(module, *case) for case in json.loads(sys.argv[3])]))


if __name__ == "__main__":
    main()
