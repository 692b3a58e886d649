"""What a DAG file is, and what it does when it runs; for the Python of an Airflow environment.

    python in_airflow.py describe DAG_FILE
    python in_airflow.py collect FOLDER
    python in_airflow.py test DAG_FILE DAG_ID [--logical-date DATE] [--conf JSON] [--times N]

It runs on Airflow 2.11 and 3.1. The last line that it prints is a JSON object, of which
`harness.py` makes a `Description`, a `Collection`, or one `Run` for each time.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import functools
import gc
import hashlib
import importlib
import json
import operator
import os
import sys
import time
import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import airflow
from airflow.models.dagbag import DagBag
from airflow.serialization.serialized_objects import SerializedDAG
from airflow.utils.session import create_session

# As Airflow's own processes do; Airflow 2 does it when it is imported.
sys.path.append(os.environ["AIRFLOW__CORE__DAGS_FOLDER"])
IS_AIRFLOW_3 = airflow.__version__.startswith("3.")

if IS_AIRFLOW_3:
    from airflow.models.xcom import XComModel as XCom
    from airflow.sdk.execution_time import supervisor

    value_of = XCom.deserialize_value
    # Airflow builds the API that its tasks talk to anew for each try: two seconds each time.
    supervisor.in_process_api_server = functools.cache(supervisor.in_process_api_server)
else:
    # The models of its users: without them no run can be deleted, and so none tested again.
    importlib.import_module("airflow.providers.fab.auth_manager.models")
    from airflow.models.xcom import XCom

    value_of = operator.attrgetter("value")

# What Python tells before it happens: the metadata database (SQLite here) and the network.
OUTSIDE = ("sqlite3.connect", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname")
# Through one of these functions of Airflow goes whoever asks for a Variable or a connection.
LOOKUPS = ("get_variable_from_secrets", "get_connection_from_secrets")
LOOKUPS += ("_get_variable", "_get_connection")

SHORT_SECONDS = 0.05
WAITS = ("polling_interval_seconds", "poke_interval")


class Tripwire:
    """Records what reaches for something outside while it is set."""

    def __init__(self) -> None:
        """Make it; it is not set yet, and Python lets nobody remove it."""
        self.touched: list[str] = []
        self._is_set = False
        sys.addaudithook(self._hear)

    @contextlib.contextmanager
    def set(self) -> Iterator[None]:
        """Record from here on, to the end of the block."""
        self._is_set = True
        sys.setprofile(self._see)
        try:
            yield
        finally:
            sys.setprofile(None)
            self._is_set = False

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._is_set and event in OUTSIDE:
            self.touched.append(f"{event} {arguments[-1]}")

    def _see(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_code.co_name in LOOKUPS:
            self.touched.append(f"{frame.f_code.co_name} {list(frame.f_locals.values())}")


def describe(dag_file: str) -> dict[str, Any]:
    """Tell what a file defines, what executing it touches, and how long that takes."""
    tree = ast.parse(Path(dag_file).read_text(encoding="utf-8"), dag_file)
    imports = ast.Module([node for node in tree.body if is_import(node)], type_ignores=[])
    tripwire = Tripwire()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        import_seconds = execute(imports, dag_file)
    seconds = execute(tree, dag_file)
    with tripwire.set():
        execute(tree, dag_file)
    bags = [load(dag_file) for _ in range(2)]
    serialized = [serialize(bag) for bag in bags]
    return {
        "import_errors": list(bags[0].import_errors.values()),
        "dags": {dag_id: describe_dag(dag) for dag_id, dag in bags[0].dags.items()},
        "is_stable": serialized[0] == serialized[1],
        "digest": hashlib.sha256(serialized[0].encode()).hexdigest(),
        "touched": tripwire.touched,
        "warnings": [str(one.message) for one in warned if is_beside(one.filename, dag_file)],
        "import_seconds": import_seconds,
        "seconds": seconds,
    }


def collect(folder: str) -> dict[str, Any]:
    """Tell which files of a folder one process takes for DAG files, and what they define."""
    bag = DagBag(folder, include_examples=False)
    return {
        "import_errors": list(bag.import_errors.values()),
        "files": sorted(str(Path(folder, found.file.lstrip("/"))) for found in bag.dagbag_stats),
        "tasks": {dag_id: sorted(dag.task_ids) for dag_id, dag in bag.dags.items()},
    }


def load(dag_file: str) -> DagBag:
    """Load a file as a process of Airflow does that has not seen it before."""
    forget_modules_beside(dag_file)
    return DagBag(dag_file, include_examples=False)


def forget_modules_beside(dag_file: str) -> None:
    """Let the next import execute the modules again that belong to a DAG file."""
    for name, module in list(sys.modules.items()):
        if is_beside(getattr(module, "__file__", None) or "", dag_file):
            del sys.modules[name]


def is_beside(file: str, dag_file: str) -> bool:
    """Tell whether a file lies in the folder of a DAG file."""
    return Path(file).parent == Path(dag_file).parent


def is_import(node: ast.stmt) -> bool:
    """Tell whether a statement imports something, or tries to."""
    first = node.body[0] if isinstance(node, ast.Try) else node
    return isinstance(first, ast.Import | ast.ImportFrom)


def execute(tree: ast.Module, dag_file: str) -> float:
    """Execute a DAG file, or part of it, and the modules beside it; give the seconds.

    Without Airflow's own doings.
    """
    forget_modules_beside(dag_file)
    module = ModuleType("described")
    module.__file__ = dag_file
    sys.modules[module.__name__] = module  # where dataclasses look for their types
    code = compile(tree, dag_file, "exec")
    start = time.perf_counter()
    with contextlib.suppress(Exception):  # that DagBag tells as an import error
        exec(code, vars(module))
    return time.perf_counter() - start


def serialize(bag: DagBag) -> str:
    """Give all that the scheduler and the web server get to know of the DAGs."""
    dags = {dag_id: SerializedDAG.to_dict(dag) for dag_id, dag in bag.dags.items()}
    return json.dumps(dags, sort_keys=True)  # Airflow itself writes them in any order


def describe_dag(dag: Any) -> dict[str, Any]:
    """Tell what a DAG is set to."""
    return {
        "timetable": type(dag.timetable).__name__,
        "schedule": dag.timetable.summary,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "owner": dag.owner,
        "tags": sorted(dag.tags),
        "has_doc": bool(dag.doc_md),
        "params": dag.params.dump(),
        "tasks": {task.task_id: describe_task(task) for task in dag.tasks},
    }


def describe_task(task: Any) -> dict[str, Any]:
    """Tell what a task is set to."""
    return {
        "kind": task.task_type,
        "downstream": sorted(task.downstream_task_ids),
        "is_deferrable": getattr(task, "deferrable", False),
        "retries": task.retries,
        "retry_seconds": task.retry_delay.total_seconds(),
    }


def test(
    dag_file: str, dag_id: str, logical_date: str | None, conf: str | None, times: int
) -> dict[str, Any]:
    """Run a DAG, as often as asked; each run takes the place of the one before."""
    gc.disable()  # frees nothing in so short a process that was worth the seconds
    bag = DagBag(dag_file, include_examples=False)
    if bag.import_errors:
        raise SystemExit("\n".join(bag.import_errors.values()))
    dag = bag.dags[dag_id]
    shorten_waits(dag)
    date = None if logical_date is None else datetime.fromisoformat(logical_date)
    when = {"logical_date" if IS_AIRFLOW_3 else "execution_date": date}
    runs = []
    for _ in range(times):
        run = dag.test(run_conf=conf and json.loads(conf), **when)
        runs.append(describe_run(run))
    return {"runs": runs}


def shorten_waits(dag: Any) -> None:
    """Let nothing wait for long: between retries, and between two looks at something."""
    hook = importlib.import_module("airflow.providers.google.cloud.hooks.dataproc").DataprocHook
    # What waits for a batch in a worker looks every ten seconds, and nobody can tell it otherwise.
    hook.wait_for_batch = functools.partialmethod(
        hook.wait_for_batch, wait_check_interval=SHORT_SECONDS
    )
    for task in dag.tasks:
        task.retry_delay = timedelta(0)
        task.retry_exponential_backoff = False
        for name in WAITS:
            if hasattr(task, name):
                setattr(task, name, SHORT_SECONDS)


def describe_run(run: Any) -> dict[str, Any]:
    """Tell how a run ended, and what its tasks left for each other."""
    with create_session() as session:
        left = session.query(XCom).filter_by(dag_id=run.dag_id, run_id=run.run_id).all()
        return {
            "run_id": run.run_id,
            "state": str(run.state),
            "tasks": {
                task.task_id: {
                    "state": str(task.state),
                    "tries": task.try_number,
                    "left": {one.key: value_of(one) for one in left if one.task_id == task.task_id},
                }
                for task in run.get_task_instances(session=session)
            },
        }


def main() -> None:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for command in (describe, test):
        commands.add_parser(command.__name__).add_argument("dag_file")
    commands.add_parser(collect.__name__).add_argument("folder")
    arguments = commands.choices["test"]
    arguments.add_argument("dag_id")
    arguments.add_argument("--logical-date", help="none if not given, which takes Airflow 3")
    arguments.add_argument("--conf")
    arguments.add_argument("--times", type=int, default=1)
    options = vars(parser.parse_args())
    command = {"describe": describe, "collect": collect, "test": test}[options.pop("command")]
    answer = command(**options)
    print(json.dumps(answer, default=str), flush=True)
    os._exit(0)  # tidying up what is about to go away would take Airflow 3 seconds


if __name__ == "__main__":
    main()
