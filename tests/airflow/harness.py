"""A DAG file in a real Airflow, whose operators meet the services of this machine.

    airflow = Airflow("2.11", home, environment)
    dag_file = airflow.write("example.py", TEXT)
    assert airflow.describe(dag_file).import_errors == []
    (run,) = airflow.test(dag_file, "example", logical_date="2026-11-01T05:00:00+00:00")
    assert run.state == "success", run.log

Airflow is never imported here: it runs in processes of its own environment (`in_airflow.py`).
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.doubles.connect_proxy import ConnectProxy
from tests.doubles.services import CloudServices

REPOSITORY = Path(__file__).resolve().parents[2]
PROGRAM = Path(__file__).with_name("in_airflow.py")
TIMEOUT_SECONDS = 120.0
LOG_TAIL_CHARACTERS = 20_000
LOGICAL_DATE = "2026-11-01T05:00:00+00:00"


@dataclass(frozen=True)
class Task:
    """A task of a DAG."""

    kind: str
    downstream: list[str]
    is_deferrable: bool
    retries: int
    retry_seconds: float


@dataclass(frozen=True)
class Dag:
    """What a DAG is set to."""

    timetable: str
    schedule: str
    catchup: bool
    max_active_runs: int
    owner: str
    tags: list[str]
    has_doc: bool
    params: dict[str, Any]
    tasks: dict[str, Task]


@dataclass(frozen=True)
class Description:
    """What a DAG file is to Airflow.

    Attributes:
        import_errors: why it could not be loaded.
        dags: what it defines, by id.
        is_stable: whether loading it twice gave the same.
        digest: of what it defines; the same as long as that is.
        touched: what executing it asked the network, the database, Variables or connections for.
        warnings: what Python warned of in it, such as imports that are going away.
        import_seconds: that its imports took, with Airflow itself there already.
        seconds: that executing it took, with what it imports there already.
    """

    import_errors: list[str]
    dags: dict[str, Dag]
    is_stable: bool
    digest: str
    touched: list[str]
    warnings: list[str]
    import_seconds: float
    seconds: float


@dataclass(frozen=True)
class Collection:
    """What one process finds in a folder: its DAG files, and the tasks of each DAG by its id."""

    import_errors: list[str]
    files: list[str]
    tasks: dict[str, list[str]]


@dataclass(frozen=True)
class TaskRun:
    """How a task ended in a run: its state, the number of its last try, and its XComs by key."""

    state: str
    tries: int
    left: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """How a run ended. The log is all that the process printed, for all times together."""

    run_id: str
    state: str
    tasks: dict[str, TaskRun]
    log: str


class Airflow:
    """One version of Airflow with a database and a folder of DAGs of its own.

    Attributes:
        version: "2.11" or "3.1".
        environment: the variables of its processes; add to them at any time.
        timeout_seconds: how long one of its processes may take.
        dags: the folder of DAG files.
    """

    def __init__(
        self, version: str, home: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Lay it out in a directory, which may hold a database already."""
        self.version = version
        self.timeout_seconds = TIMEOUT_SECONDS
        self.programs = REPOSITORY / f".venv-airflow-{version}" / "bin"
        self.dags = home / "dags"
        self.dags.mkdir(parents=True, exist_ok=True)
        self.environment = dict(environment or {}) | {
            "HOME": str(home),  # Google's clients look there for credentials
            "PATH": f"{self.programs}{os.pathsep}{os.environ['PATH']}",
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(self.dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    def write(self, name: str, text: str) -> Path:
        """Write a DAG file."""
        file = self.dags / name
        file.write_text(text, encoding="utf-8")
        return file

    def variable(self, name: str, value: Any) -> None:
        """Set a Variable of Airflow to a value, which it keeps as JSON."""
        self.environment[f"AIRFLOW_VAR_{name.upper()}"] = json.dumps(value)

    def command(self, *arguments: str) -> str:
        """Run the command `airflow`; give what it prints."""
        return self._run("airflow", *arguments)

    def describe(self, dag_file: Path) -> Description:
        """Tell what a DAG file is."""
        answer = self._ask("describe", str(dag_file))[0]
        for dag in answer["dags"].values():
            dag["tasks"] = {name: Task(**task) for name, task in dag["tasks"].items()}
        answer["dags"] = {dag_id: Dag(**dag) for dag_id, dag in answer["dags"].items()}
        return Description(**answer)

    def collect(self) -> Collection:
        """Tell what is in the folder of DAG files."""
        return Collection(**self._ask("collect", str(self.dags))[0])

    def test(
        self,
        dag_file: Path,
        dag_id: str,
        logical_date: str | None = LOGICAL_DATE,
        conf: Mapping[str, Any] | None = None,
        times: int = 1,
    ) -> list[Run]:
        """Run a DAG with its real operators, where needed several times for the same date.

        Airflow 3 can do without a logical date, as for a run that somebody starts by hand. Retries
        come at once, and what waits for something looks for it all the time.
        """
        options = [f"--times={times}"]
        options += [f"--logical-date={logical_date}"] if logical_date else []
        options += [f"--conf={json.dumps(conf)}"] if conf else []
        answer, log = self._ask("test", str(dag_file), dag_id, *options)
        runs = []
        for run in answer["runs"]:
            run["tasks"] = {name: TaskRun(**task) for name, task in run["tasks"].items()}
            runs.append(Run(**run, log=log))
        return runs

    def ask_dag_file(self, dag_file: Path, what: str, *cases: Any) -> list[Any]:
        """What comes of cases in a part of the product's DAG file; see `in_dag_file.py`."""
        program = str(PROGRAM.with_name("in_dag_file.py"))
        printed = self._run("python", program, str(dag_file), what, json.dumps(cases))
        found: list[Any] = json.loads(printed.rstrip().rpartition("\n")[2])
        return found

    def _ask(self, *arguments: str) -> tuple[Any, str]:
        log, _, answer = self._run("python", str(PROGRAM), *arguments).rstrip().rpartition("\n")
        return json.loads(answer), log

    def _run(self, program: str, *arguments: str) -> str:
        """Run a program of the environment; give what it prints."""
        with subprocess.Popen(
            [str(self.programs / program), *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            timer = threading.Timer(self.timeout_seconds, process.kill)
            timer.start()
            printed, _ = process.communicate()
            timer.cancel()
        if process.returncode != 0:
            what = f"{program} {' '.join(arguments)} ended with {process.returncode}"
            raise AssertionError(f"{what}:\n{printed[-LOG_TAIL_CHARACTERS:]}")
        return printed


def environment_of(
    cloud: CloudServices, proxy: ConnectProxy, certificate_file: Path
) -> dict[str, str]:
    """Give the variables with which Google's clients find the services, and need no account."""
    connection = {
        "conn_type": "google_cloud_platform",
        "extra": {"is_anonymous": True, "project": cloud.project},
    }
    return {
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(connection),
        "STORAGE_EMULATOR_HOST": cloud.gcs_url,
        "BIGQUERY_EMULATOR_HOST": cloud.bigquery_url,
        "grpc_proxy": proxy.url,
        "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate_file),
    }
