"""Finds the cell towers that need maintenance, every day, with batches on Dataproc Serverless.

A run waits for the inputs of its day, runs its batches, checks the published tables, and tells
whoever is to be told. The first task, `plan`, settles the day, the places, the code and the
machines that the batches of the run use: what is deployed or set later counts from the next run on.

**Settings** come from `deployment.json` beside the DAG file; the Airflow Variable with the name of
the DAG (`cell_tower_anomaly`, a JSON object) overrides them for every run, and the form of *Trigger
DAG* for one. **To repeat** a day, clear the task from which it shall go on, or `plan` for all of it
with the newest code: the tables of the day are replaced, never added to.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow import DAG
from airflow.exceptions import AirflowException
from airflow.providers.google.cloud.operators.dataproc import DataprocCreateBatchOperator
from airflow.providers.google.cloud.sensors.gcs import GCSObjectsWithPrefixExistenceSensor
from airflow.timetables.interval import CronDataIntervalTimetable
from google.api_core.exceptions import InternalServerError, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type

try:
    from airflow.sdk import BaseHook, Param, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.hooks.base import BaseHook
    from airflow.models.param import Param
try:
    from airflow.sdk.exceptions import AirflowFailException
except ImportError:  # before Airflow 3.3
    from airflow.exceptions import AirflowFailException

INPUTS = ("customers", "samples", "calls")
# Dashes alone in all ids: they become labels of the batches, and underscores were refused there.
PLAN, CHECK, ALERT, ALERT_FAILURE = "plan", "check-result", "alert", "alert-failure"
CUSTOMER_TABLE = "customer_service_metrics_data"
CELL_TABLE = "cell_tower_performance_data"
SUMMARY_TABLE = "run_summary"
LONGEST_PREFIX = 24
POLL_SECONDS = 30
# For a task that waits for no batch: a service that never answers must not stop all later runs.
PROMPT = timedelta(minutes=15)
# Dataproc stops a batch after its ttl, which begins when there are machines for it.
PATIENCE = timedelta(minutes=30)
# A request whose answer is lost is sent again; its batch is known by its id.
SENT_AGAIN = Retry(
    predicate=if_exception_type(ServiceUnavailable, InternalServerError),
    initial=1,
    maximum=10,
    timeout=120,
)
UNDER_WAY = ("STATE_UNSPECIFIED", "PENDING", "RUNNING")
ATTEMPT = "t{{ ti.try_number }}"
# What Airflow resumes a task with whose triggerer failed, and what it says if that took too long.
GIVEN_UP, TIMEOUT = "__fail__", "timeout"
CONSOLE = "https://console.cloud.google.com"


@dataclass(frozen=True)
class Deployment:
    """What deployment.json says; with the defaults, the DAG can be seen but not run.

    batch: the Dataproc batch without arguments. settings: of every run, see SETTINGS.
    """

    dag_id: str = "cell-tower-anomaly"
    shape: str = "staged"
    schedule: str | None = None
    start_date: str = "2026-01-01"
    owner: str = "network-operations"
    tags: tuple[str, ...] = ()
    retries: int = 2
    retry_minutes: float = 5
    input_hours: float = 12
    deferrable: bool = True
    connection: str = "google_cloud_default"
    project: str = ""
    region: str = ""
    batch_prefix: str = "cell-tower-anomaly"
    batch: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)


def deployment() -> Deployment:
    """The deployment that this file belongs to."""
    described = Path(__file__).with_name("deployment.json")
    if not described.exists():
        return Deployment()
    found = json.loads(described.read_text(encoding="utf-8"))
    # For a moment it may be that of a newer DAG file, which has not arrived yet.
    known = {one.name for one in fields(Deployment)}
    return Deployment(**{name: value for name, value in found.items() if name in known})


DEPLOYMENT = deployment()
VARIABLE = DEPLOYMENT.dag_id.replace("-", "_")


@dataclass(frozen=True)
class Setting:
    """A setting of a run: what it means, and what it may be; empty texts stand for none."""

    meaning: str
    kind: type = str
    pattern: str = ".*"

    def fault(self, value: object) -> str | None:
        """What is wrong with a value."""
        if self.kind is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if not isinstance(value, self.kind):
            return f"is {value!r}; it must be of type {self.kind.__name__}"
        if isinstance(value, str) and not re.fullmatch(self.pattern, value, re.ASCII):
            return f"is {value!r}; it must be: {self.meaning}"
        if isinstance(value, float) and not 0 <= value <= 1:
            return f"is {value!r}; it must be from 0 to 1"
        return None


FOLDER = r"gs://[a-z0-9][a-z0-9._-]+(/[^{}*?\[\]\s]*)?"
BIGQUERY = r"bq://[a-z0-9:.-]+\.\w+"
OF_DAY = r"gs://[a-z0-9][a-z0-9._-]+(/([^{}*?\[\]\s]|\{run_date\})*)?"
SETTINGS = {
    "customers": Setting("customers, a gs:// folder; {run_date} stands for the day", str, OF_DAY),
    "samples": Setting("quarter-hour samples of the cells, likewise", str, OF_DAY),
    "calls": Setting("call statistics of the customers, likewise", str, OF_DAY),
    "marker": Setting("an object in the folder of an input, such as _SUCCESS", str, "[^/{}]*"),
    "steps": Setting("takes the results of the steps, a gs:// folder", str, f"({FOLDER})?"),
    "out": Setting(
        "the tables: bq://PROJECT.DATASET or a gs:// folder", str, f"{BIGQUERY}|{FOLDER}"
    ),
    "prefix": Setting("of BigQuery tables: PREFIX_NAME", str, r"\w*"),
    "staging_bucket": Setting("BigQuery tables are loaded from it", str, r"[a-z0-9._-]*"),
    "add_columns": Setting("add columns that an existing BigQuery table lacks", bool),
    "smallest_required_share": Setting("of the towers, Required; less is suspicious", float),
    "largest_required_share": Setting("of the towers, Required; more is suspicious", float),
    "alert_callable": Setting("PACKAGE.MODULE.FUNCTION that is called", str, r"(\w+(\.\w+)+)?"),
    "alert_connection": Setting("HTTP connection that the result is posted to"),
    "archive": Setting("the code, a zip", str, FOLDER),
    "main_file": Setting("what a batch starts", str, FOLDER),
    "profile": Setting("KPIs and rules, a TOML file", str, FOLDER),
}
# Code runs with the rights of the batches, or of Airflow's workers: not everyone who may start a
# run may choose it. add_columns is here because Airflow 2 draws no switch that may be left alone.
DEPLOYED_ALONE = ("archive", "main_file")
NOT_FOR_ONE_RUN = (*DEPLOYED_ALONE, "alert_callable", "alert_connection", "add_columns")


# --- plan: the day, the places and the code of a run ---------------------------------------------


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
    settings = {**DEPLOYMENT.settings, **variable, **chosen}
    faults = [
        f"{name} {fault}"
        for name, setting in SETTINGS.items()
        if (fault := setting.fault(settings.get(name)))
    ]
    faults += [f"{name} is no setting" for name in settings if name not in SETTINGS]
    faults += [f"{name} is set by deploy-dag alone" for name in DEPLOYED_ALONE if name in variable]
    faults += [f"{name} is not set for one run" for name in NOT_FOR_ONE_RUN if name in chosen]
    faults = faults or contradictions(settings)
    if faults:
        raise refused(faults)
    return settings | {name: settings[name].rstrip("/") for name in ("steps", "out")}


def contradictions(settings: Mapping[str, Any]) -> list[str]:
    """What is wrong with settings that are each right."""
    faults = []
    if DEPLOYMENT.shape == "staged" and not settings["steps"]:
        faults.append("steps names no folder for the results of the steps")
    of_bigquery = [name for name in ("prefix", "staging_bucket", "add_columns") if settings[name]]
    if of_bigquery and not settings["out"].startswith("bq://"):
        faults.append(f"{' and '.join(of_bigquery)}: for an out on bq:// alone")
    if settings["smallest_required_share"] > settings["largest_required_share"]:
        faults.append("smallest_required_share is above largest_required_share")
    if settings["marker"] and any(is_file(settings[name]) for name in INPUTS):
        faults.append("marker: an input that is a file has none")
    return faults


def overlaps(plan: Mapping[str, Any]) -> list[str]:
    """What would be written among what is read, or the other way round."""
    return [
        f"{name} {plan[name]} and the {source} input {plan[source]} lie in each other"
        for name in ("steps", "out")
        for source in INPUTS
        if is_within(plan[name], plan[source]) or is_within(plan[source], plan[name])
    ]


def is_within(address: str, folder: str) -> bool:
    """Whether an address is a folder or lies below it."""
    return bool(folder) and f"{address}/".startswith(f"{folder.rstrip('/')}/")


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


def planned(name: str) -> str:
    """The template of a setting of the run."""
    return f"{{{{ ti.xcom_pull(task_ids='{PLAN}')['{name}'] }}}}"


# --- batches -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stage:
    """What a stage reads (raw inputs, and what earlier stages left), and whether it publishes."""

    inputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    publishes: bool = False


WITH_SAMPLES, WITH_CALLS = "customers-with-samples", "with-call-statistics"
OF_CUSTOMERS, OF_CELLS = "customer-metrics", "cell-metrics"
# Each is a stage of `runners/batch.py`, and a task.
SHAPES = {
    "staged": {
        WITH_SAMPLES: Stage(inputs=("customers", "samples")),
        WITH_CALLS: Stage(inputs=("calls",), after=(WITH_SAMPLES,)),
        OF_CUSTOMERS: Stage(after=(WITH_CALLS,)),
        OF_CELLS: Stage(after=(WITH_CALLS,)),
        "publish": Stage(after=(WITH_SAMPLES, WITH_CALLS, OF_CUSTOMERS, OF_CELLS), publishes=True),
    },
    "single": {"single": Stage(inputs=INPUTS, publishes=True)},
}


def batch_for(
    name: str, stage: Stage, plan: Mapping[str, Any], ti: Any, batch_id: str
) -> dict[str, Any]:
    """The batch of a stage, as the run has planned it."""
    folders = {
        one: f"{plan['steps']}/{ti.xcom_pull(task_ids=one, key='batch_id')}" for one in stage.after
    }
    arguments = [
        *("--stage", name, "--run-date", plan["run_date"]),
        *("--run-id", f"{plan['key']}t{ti.try_number}", "--profile", plan["profile"]),
    ]
    for source in stage.inputs:
        arguments += [f"--{source}", plan[source]]
    if folders:
        arguments += ["--read", *(f"{one}={folder}" for one, folder in folders.items())]
    if stage.publishes:
        arguments += publishing(plan)
    else:
        # Each try writes a folder of its own: one that was given up may still run.
        arguments += ["--write-to", f"{plan['steps']}/{batch_id}"]
    started = {
        "main_python_file_uri": plan["main_file"],
        "python_file_uris": [plan["archive"]],
        "args": arguments,
    }
    return {**plan["batch"], "pyspark_batch": started}


def publishing(plan: Mapping[str, Any]) -> list[str]:
    """The arguments that say where the tables go."""
    arguments = ["--out", plan["out"]]
    if plan["prefix"]:
        arguments += ["--prefix", plan["prefix"]]
    if plan["staging_bucket"]:
        arguments += ["--staging-bucket", plan["staging_bucket"]]
    return arguments + ["--add-columns"] * plan["add_columns"]


class FollowedBatch(DataprocCreateBatchOperator):
    """The batch of a stage; the log of its task tells where everything about it is.

    Each try is a batch of its own, which the next stage finds by its id. The task succeeds only if
    the batch is found to have succeeded.
    """

    def __init__(self, *, stage: Stage, **options: Any) -> None:
        super().__init__(
            project_id=planned("project"),
            region=planned("region"),
            batch_id="-".join(
                (planned("batch_prefix"), options["task_id"], planned("key"), ATTEMPT)
            ),
            batch={},
            retry=SENT_AGAIN,
            **options,
        )
        self.stage = stage

    def execute(self, context: Any) -> None:
        """Start the batch and wait, or give the worker free while the triggerer waits."""
        ti = context["ti"]
        plan = ti.xcom_pull(task_ids=PLAN)
        self.batch = batch_for(self.task_id, self.stage, plan, ti, self.batch_id)
        ti.xcom_push(key="batch_id", value=self.batch_id)
        self.log.info("%s\nargs     %s", self._places(), self.batch["pyspark_batch"]["args"])
        try:
            super().execute(context)
        except AirflowException:
            self._look_for_success()
            raise
        self._look_for_success()

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Go on when the batch has ended."""
        self._look_for_success()
        super().execute_complete(context, event)

    def resume_execution(self, next_method: str, next_kwargs: Any, context: Any) -> Any:
        """Wait on where the triggerer failed: one answer that was lost is no end of the batch."""
        told = str((next_kwargs or {}).get("error", ""))
        if next_method != GIVEN_UP or TIMEOUT in told.lower():
            return super().resume_execution(next_method, next_kwargs, context)
        self.log.warning("waiting failed: %s", told)
        if self._look().state.name in UNDER_WAY:
            # It is there under its id, and is attached to.
            return self.execute(context)
        return self._look_for_success()

    def _places(self) -> str:
        where = f"{self.region}/{self.batch_id}"
        found_by = quote(
            f'resource.type="cloud_dataproc_batch" resource.labels.batch_id="{self.batch_id}"',
            safe="",
        )
        return (
            f"batch    {self.batch_id}\n"
            f"console  {CONSOLE}/dataproc/batches/{where}/summary?project={self.project_id}\n"
            f"logs     {CONSOLE}/logs/query;query={found_by}?project={self.project_id}"
        )

    def _look(self) -> Any:
        """The batch as it is now."""
        return self.hook.get_batch(
            batch_id=self.batch_id,
            region=self.region,
            project_id=self.project_id,
            retry=SENT_AGAIN,
            timeout=60,
        )

    def _look_for_success(self) -> None:
        """Tell how the batch ended; raises AirflowException unless it succeeded."""
        batch = self._look()
        state, info = batch.state.name, batch.runtime_info
        lines = [self._places(), f"state    {state} {batch.state_message}"]
        lines += [f"output   {info.output_uri}"] * bool(info.output_uri)
        lines += [f"history  {url}" for url in info.endpoints.values()] or ["history  none"]
        self.log.info("%s", "\n".join(lines))
        if state != "SUCCEEDED":
            raise AirflowException(f"batch {self.batch_id}: {state} {batch.state_message}")


def batch_task(name: str, stage: Stage) -> FollowedBatch:
    """The task of a stage."""
    return FollowedBatch(
        task_id=name,
        stage=stage,
        doc_md=f"`runners/batch.py --stage {name}` as a batch on Dataproc Serverless.",
        gcp_conn_id=DEPLOYMENT.connection,
        deferrable=DEPLOYMENT.deferrable,
        polling_interval_seconds=POLL_SECONDS,
        execution_timeout=time_to_live() + PATIENCE,
    )


def time_to_live() -> timedelta:
    """After which Dataproc stops a batch, whatever becomes of its task."""
    config = DEPLOYMENT.batch.get("environment_config", {}).get("execution_config", {})
    return timedelta(seconds=float(str(config.get("ttl", "14400s")).removesuffix("s")))


# --- the inputs of the day -----------------------------------------------------------------------


class InputSensor(GCSObjectsWithPrefixExistenceSensor):
    """Ends when an object is there; one that does not come in time is not waited for again."""

    def resume_execution(self, next_method: str, next_kwargs: Any, context: Any) -> Any:
        """Go on when the triggerer has found the object, or given up."""
        try:
            return super().resume_execution(next_method, next_kwargs, context)
        except AirflowException as error:
            # Airflow 2 would try again, and wait as long once more. What the triggerer tells of a
            # service that did not answer in time is another matter.
            if next_method == GIVEN_UP and TIMEOUT in str(error).lower():
                raise AirflowFailException(f"{self.bucket}/{self.prefix}: did not come") from error
            raise


def is_file(address: str) -> bool:
    """Whether an input is one file, not a folder."""
    return address.endswith((".csv", ".parquet"))


def looked_for(address: str, marker: str) -> tuple[str, str]:
    """The bucket of an input, and how the names of its objects begin; or the marker's name."""
    bucket, _, name = address.removeprefix("gs://").partition("/")
    if name and not name.endswith("/") and not is_file(address):
        # Otherwise `samples` would find `samples-of-last-year`.
        name += "/"
    return bucket, name + marker


def wait_for(source: str) -> InputSensor:
    """A task that ends when an input is there, and fails when it does not come."""
    return InputSensor(
        task_id=f"wait-for-{source}",
        doc_md=f"Waits until the {source} of the day are on gs://.",
        bucket=planned(f"bucket_of_{source}"),
        prefix=planned(f"prefix_of_{source}"),
        google_cloud_conn_id=DEPLOYMENT.connection,
        deferrable=DEPLOYMENT.deferrable,
        mode="reschedule",
        poke_interval=60,
        timeout=DEPLOYMENT.input_hours * 3600,
        # The names of all objects would go to Airflow's database.
        do_xcom_push=False,
    )


# --- the published tables ------------------------------------------------------------------------


@dataclass(frozen=True)
class Published:
    """What the tables of a day hold, by level (customer, cell).

    rows: those in the table; said: those that the summary of the run counts; required: towers
    that need maintenance.
    """

    rows: Mapping[str, int]
    said: Mapping[str, int]
    required: int
    run_ids: frozenset[str]


def check_result(ti: Any) -> dict[str, Any]:
    """Looks at the published tables of the day; fails, without another try, if they are wrong."""
    plan = ti.xcom_pull(task_ids=PLAN)
    look = in_bigquery if plan["out"].startswith("bq://") else on_storage
    found = look(plan)
    faults = [
        f"the {level} table has {found.rows.get(level, 0)} rows of {plan['run_date']}, the summary "
        f"of the run counts {found.said.get(level, 0)}"
        for level in ("customer", "cell")
        if not 0 < found.rows.get(level, 0) == found.said.get(level, 0)
    ]
    if len(found.run_ids) != 1 or not all(one.startswith(plan["key"]) for one in found.run_ids):
        faults.append(f"rows are of the runs {sorted(found.run_ids)}, not of {plan['key']} alone")
    towers = found.rows.get("cell", 0)
    share = found.required / towers if towers else 0.0
    least, most = plan["smallest_required_share"], plan["largest_required_share"]
    if not least <= share <= most:
        faults.append(f"{share:.1%} of {towers} towers are Required, not {least:.1%} to {most:.1%}")
    if faults:
        raise AirflowFailException(f"{plan['out']}, {plan['run_date']}:\n" + "\n".join(faults))
    return {
        "run_id": min(found.run_ids),
        "customers": found.rows["customer"],
        "towers": towers,
        "required": found.required,
    }


def in_bigquery(plan: Mapping[str, Any]) -> Published:
    """The tables of a day in BigQuery."""
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook
    from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

    prefix = f"{plan['prefix']}_" if plan["prefix"] else ""
    dataset = plan["out"].removeprefix("bq://")
    customers, cells, summary = (
        f"`{dataset}.{prefix}{name}`" for name in (CUSTOMER_TABLE, CELL_TABLE, SUMMARY_TABLE)
    )
    rows = "COUNT(*) AS row_count, ARRAY_AGG(DISTINCT run_id) AS run_ids"
    day = "WHERE run_date = @run_date"
    required = "COUNTIF(Maintainence_Required = 'Required')"
    said = "CAST(SUM(value) AS INT64) AS row_count, ARRAY_AGG(DISTINCT run_id) AS run_ids"
    query = f"""
        SELECT 'customer' AS level, 'rows' AS what, {rows}, 0 AS required FROM {customers} {day}
        UNION ALL
        SELECT 'cell' AS level, 'rows' AS what, {rows}, {required} AS required FROM {cells} {day}
        UNION ALL
        SELECT subject AS level, 'said' AS what, {said}, 0 AS required FROM {summary} {day}
        AND section = 'kpi' AND item = 'rows' GROUP BY subject
    """
    parameter = ScalarQueryParameter("run_date", "DATE", plan["run_date"])
    client = BigQueryHook(gcp_conn_id=DEPLOYMENT.connection).get_client(DEPLOYMENT.project)
    found = [*client.query(query, QueryJobConfig(query_parameters=[parameter])).result(timeout=600)]
    return Published(
        rows={row.level: row.row_count for row in found if row.what == "rows"},
        said={row.level: row.row_count for row in found if row.what == "said"},
        required=sum(row.required for row in found),
        run_ids=frozenset(one for row in found for one in row.run_ids or ()),
    )


def on_storage(plan: Mapping[str, Any]) -> Published:
    """The tables that this run has published in a folder of a bucket; none where it has not."""
    from pyarrow import concat_tables
    from pyarrow.parquet import read_table

    day = date.fromisoformat(plan["run_date"])
    published = {name.split("/")[-2] for name, _ in objects(f"{plan['out']}/published/")}
    ours = [run_id for run_id in published if run_id.startswith(plan["key"])]
    if not ours:
        return Published({}, {}, 0, frozenset())
    # Of several tries, the last one.
    tables = f"{plan['out']}/runs/{max(ours, key=lambda run_id: (len(run_id), run_id))}"

    def rows(table: str, *columns: str) -> Any:
        chosen = ["run_id", "run_date", *columns]
        parts = [
            read_table(BytesIO(content()), columns=chosen, filters=[("run_date", "=", day)])
            for name, content in objects(f"{tables}/{table}/")
            if name.endswith(".parquet")
        ]
        return concat_tables(parts)

    customers, cells = rows(CUSTOMER_TABLE), rows(CELL_TABLE, "Maintainence_Required")
    summary = rows(SUMMARY_TABLE, "section", "subject", "item", "value")
    return Published(
        rows={"customer": customers.num_rows, "cell": cells.num_rows},
        said={
            row["subject"]: int(row["value"])
            for row in summary.to_pylist()
            if (row["section"], row["item"]) == ("kpi", "rows")
        },
        required=cells["Maintainence_Required"].to_pylist().count("Required"),
        run_ids=frozenset(
            run_id
            for table in (customers, cells, summary)
            for run_id in table["run_id"].unique().to_pylist()
        ),
    )


def objects(address: str) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """The objects whose address begins so: the name of each, and what gives its content."""
    from airflow.providers.google.cloud.hooks.gcs import GCSHook

    hook = GCSHook(gcp_conn_id=DEPLOYMENT.connection)
    bucket, _, prefix = address.removeprefix("gs://").partition("/")
    for name in hook.list(bucket, prefix=prefix):
        yield name, partial(hook.download, bucket, name)


# --- the alert -----------------------------------------------------------------------------------


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


# --- the DAG -------------------------------------------------------------------------------------


def parameters() -> dict[str, Param]:
    """What the form of a run offers: the day, and the settings."""
    types = {str: "string", float: "number"}
    offered = {
        name: Param(None, type=["null", types[setting.kind]], description=setting.meaning)
        for name, setting in SETTINGS.items()
        if name not in NOT_FOR_ONE_RUN
    }
    day = Param(None, type=["null", "string"], format="date", description="empty: the last day")
    return {"run_date": day, **offered}


def prompt_task(name: str, function: Callable[..., Any], **options: Any) -> Any:
    """A task that runs a function of this file."""
    return task(task_id=name, execution_timeout=PROMPT, **options)(function)


def batch_tasks(stages: Mapping[str, Stage], waits: Mapping[str, Any]) -> FollowedBatch:
    """The tasks of all stages in their order; gives the one that publishes."""
    tasks: dict[str, FollowedBatch] = {}
    for name, stage in stages.items():
        tasks[name] = batch_task(name, stage)
        for source in stage.inputs:
            waits[source] >> tasks[name]
        for one in nearest(stage, stages):
            tasks[one] >> tasks[name]
    return tasks[name]


def nearest(stage: Stage, stages: Mapping[str, Stage]) -> list[str]:
    """The stages that a stage reads, but for those that others of them stand after already."""
    earlier = {before for one in stage.after for before in stages[one].after}
    return [one for one in stage.after if one not in earlier]


with DAG(
    dag_id=DEPLOYMENT.dag_id,
    description="Cell towers that need maintenance, and the customers they hurt",
    doc_md=__doc__,
    # By its class, because a text means another interval in Airflow 3 than in Airflow 2.
    schedule=CronDataIntervalTimetable(DEPLOYMENT.schedule, timezone="UTC")
    if DEPLOYMENT.schedule
    else None,
    start_date=datetime.combine(
        date.fromisoformat(DEPLOYMENT.start_date), datetime.min.time(), UTC
    ),
    catchup=False,
    max_active_runs=1,
    tags=[*DEPLOYMENT.tags],
    params=parameters(),
    default_args={
        "owner": DEPLOYMENT.owner,
        "retries": DEPLOYMENT.retries,
        "retry_delay": timedelta(minutes=DEPLOYMENT.retry_minutes),
    },
) as dag:
    plan = prompt_task(PLAN, make_plan)(variable=f"{{{{ var.value.get('{VARIABLE}', '{{}}') }}}}")
    waits = {source: wait_for(source) for source in INPUTS}
    plan >> [*waits.values()]
    checked = prompt_task(CHECK, check_result)()
    batch_tasks(SHAPES[DEPLOYMENT.shape], waits) >> checked
    # What a run comes to is what the checks come to: these two tell it, and decide nothing.
    checked >> prompt_task(ALERT, alert)()
    checked >> prompt_task(ALERT_FAILURE, alert_failure, trigger_rule="one_failed")()
