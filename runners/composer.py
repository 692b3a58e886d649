"""Finds the cell towers that need maintenance, every day, with batches on Dataproc Serverless.

A run waits for the inputs of its day, runs its batches, checks the published tables, and tells
whoever is to be told. The first task, `plan`, settles the day, the places and the code that all
later tasks of the run use, so that a deployment or a changed setting counts from the next run on.

**Settings** come from `deployment.json` beside the DAG file; the Airflow Variable
`cell_tower_anomaly` (a JSON object) overrides them for every run, and the form of *Trigger DAG*
for one. **To repeat** a day, clear the task from which it shall go on, or `plan` for all of it with
the newest code: the tables of the day are replaced, never added to.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow import DAG
from airflow.exceptions import AirflowException, AirflowFailException
from airflow.providers.google.cloud.operators.dataproc import DataprocCreateBatchOperator
from airflow.providers.google.cloud.sensors.gcs import GCSObjectsWithPrefixExistenceSensor
from airflow.timetables.interval import CronDataIntervalTimetable
from google.api_core.exceptions import InternalServerError, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type

try:
    from airflow.sdk import Param, task
except ImportError:  # Airflow 2
    from airflow.decorators import task
    from airflow.models.param import Param

VARIABLE = "cell_tower_anomaly"
INPUTS = ("customers", "samples", "calls")
PLAN, CHECK, ALERT = "plan", "check-result", "alert"
# Dashes alone in all ids: they become labels of the batches, and underscores were refused there.
STAGED = ("customers-with-samples", "with-call-statistics", "customer-metrics", "cell-metrics")
PUBLISH, SINGLE = "publish", "single"
CUSTOMER_TABLE = "customer_service_metrics_data"
CELL_TABLE = "cell_tower_performance_data"
SUMMARY_TABLE = "run_summary"
LONGEST_PREFIX = 24
# Dataproc stops a batch after its ttl, which begins when there are machines for it.
PATIENCE = timedelta(minutes=30)
# A request whose answer is lost is sent again; its batch is known by its id.
SENT_AGAIN = Retry(
    predicate=if_exception_type(ServiceUnavailable, InternalServerError),
    initial=1,
    maximum=10,
    timeout=120,
)
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
    return Deployment(**json.loads(described.read_text(encoding="utf-8")))


DEPLOYMENT = deployment()


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


FOLDER = r"gs://[a-z0-9][a-z0-9._-]+(/[^{}\s]*)?"
BIGQUERY = r"bq://(?P<project>[a-z0-9:.-]+)\.(?P<dataset>\w+)"
OF_DAY = r"gs://[a-z0-9][a-z0-9._-]+(/([^{}\s]|\{run_date\})*)?"
SETTINGS = {
    "customers": Setting("customers, a gs:// folder; {run_date} stands for the day", str, OF_DAY),
    "samples": Setting("quarter-hour samples of the cells, likewise", str, OF_DAY),
    "calls": Setting("call statistics of the customers, likewise", str, OF_DAY),
    "marker": Setting("an object that an input's folder must hold, such as _SUCCESS"),
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


# --- plan: the day, the places and the code of a run ---------------------------------------------


def make_plan(
    variable: str,
    params: Mapping[str, Any],
    dag_run: Any,
    data_interval_start: datetime | None = None,
    data_interval_end: datetime | None = None,
) -> dict[str, Any]:
    """The settings of this run and its key, which marks its batches and its rows.

    Fails, without another try, with everything that is wrong.
    """
    chosen = {name: value for name, value in params.items() if value is not None}
    run_date = chosen.pop("run_date", None)
    day = (
        date.fromisoformat(run_date)
        if run_date
        else ended_day(dag_run, data_interval_start, data_interval_end)
    )
    settings = {**DEPLOYMENT.settings, **of_variable(variable), **chosen}
    faults = [
        f"{name} {fault}"
        for name, setting in SETTINGS.items()
        if (fault := setting.fault(settings.get(name)))
    ]
    faults += [f"{name} is no setting" for name in settings if name not in SETTINGS]
    if DEPLOYMENT.shape == "staged" and not settings.get("steps"):
        faults.append("steps names no folder for the results of the steps")
    if faults:
        raise AirflowFailException(
            f"set by `cell-tower-anomaly deploy-dag`, the Variable {VARIABLE} or the form:\n"
            + "\n".join(faults)
        )
    plan = {**settings, "run_date": day.isoformat(), "key": uuid.uuid4().hex[:8]}
    plan |= {name: settings[name].rstrip("/") for name in ("steps", "out")}
    for name in INPUTS:
        plan[name] = settings[name].replace("{run_date}", day.isoformat())
        bucket, prefix = looked_for(plan[name], settings["marker"])
        plan |= {f"bucket_of_{name}": bucket, f"prefix_of_{name}": prefix}
    return plan


def of_variable(text: str) -> dict[str, Any]:
    """The settings that the Airflow Variable overrides."""
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise AirflowFailException(f"the Variable {VARIABLE} is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise AirflowFailException(f"the Variable {VARIABLE} is no JSON object")
    return found


def ended_day(dag_run: Any, start: datetime | None, end: datetime | None) -> date:
    """The day that a run is for: that of its interval, or the one before it was asked for."""
    if start is not None and end is not None and start < end:
        return start.date()
    # Airflow 3 knows when a run may begin, Airflow 2 gives each run a date.
    asked: datetime = getattr(dag_run, "run_after", None) or dag_run.logical_date
    return (asked - timedelta(days=1)).date()


def planned(name: str) -> str:
    """The template of a setting of the run."""
    return f"{{{{ ti.xcom_pull(task_ids='{PLAN}')['{name}'] }}}}"


# --- batches -------------------------------------------------------------------------------------


class FollowedBatch(DataprocCreateBatchOperator):
    """A batch that tells in the task's log where everything about it is.

    The task succeeds only if the batch is found to have succeeded.
    """

    def execute(self, context: Any) -> None:
        """Start the batch and wait, or give the worker free while the triggerer waits."""
        batch = self.batch["pyspark_batch"]
        # Of options that are not chosen nothing is left but an empty text.
        batch["args"] = [argument for argument in batch["args"] if argument]
        context["ti"].xcom_push(key="batch_id", value=self.batch_id)
        self.log.info("%s", self._places())
        try:
            super().execute(context)
        except AirflowException:
            self._ended()
            raise
        self._ended()

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Go on when the batch has ended."""
        self._ended()
        super().execute_complete(context, event)

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

    def _ended(self) -> None:
        """Tell how the batch ended; raises AirflowException unless it succeeded."""
        batch = self.hook.get_batch(
            batch_id=self.batch_id,
            region=self.region,
            project_id=self.project_id,
            retry=SENT_AGAIN,
            timeout=60,
        )
        state, info = batch.state.name, batch.runtime_info
        lines = [self._places(), f"state    {state} {batch.state_message}"]
        lines += [f"output   {info.output_uri}"] * bool(info.output_uri)
        lines += [f"history  {url}" for url in info.endpoints.values()] or ["history  none"]
        self.log.info("%s", "\n".join(lines))
        if state != "SUCCEEDED":
            raise AirflowException(f"batch {self.batch_id}: {state} {batch.state_message}")


def batch_task(
    stage: str, reads: tuple[str, ...] = (), inputs: tuple[str, ...] = (), publishes: bool = False
) -> FollowedBatch:
    """The batch of a stage, which reads the results of earlier stages and raw inputs."""
    # Each try is a batch of its own: one that was given up may still run, and disturbs no other.
    key, attempt = planned("key"), "t{{ ti.try_number }}"
    name = f"{DEPLOYMENT.batch_prefix[:LONGEST_PREFIX].rstrip('-')}-{stage}-{key}-{attempt}"
    arguments = ["--stage", stage, "--run-date", planned("run_date"), "--run-id", f"{key}{attempt}"]
    arguments += ["--profile", planned("profile")]
    for source in inputs:
        arguments += [f"--{source}", planned(source)]
    if reads:
        arguments += ["--read", *(f"{one}={planned('steps')}/{batch_of(one)}" for one in reads)]
    arguments += publishing() if publishes else ["--write-to", f"{planned('steps')}/{name}"]
    return FollowedBatch(
        task_id=stage,
        doc_md=f"`runners/batch.py --stage {stage}` as a batch on Dataproc Serverless.",
        project_id=DEPLOYMENT.project,
        region=DEPLOYMENT.region,
        batch_id=name,
        batch=with_code(arguments),
        gcp_conn_id=DEPLOYMENT.connection,
        deferrable=DEPLOYMENT.deferrable,
        retry=SENT_AGAIN,
        execution_timeout=time_to_live() + PATIENCE,
    )


def batch_of(stage: str) -> str:
    """The template of the id of the batch that made a stage's results."""
    return f"{{{{ ti.xcom_pull(task_ids='{stage}', key='batch_id') }}}}"


def publishing() -> list[str]:
    """The arguments that say where the tables go; templates of options may give nothing."""

    def option(name: str, text: str) -> str:
        return f"{{{{ {text} if ti.xcom_pull(task_ids='{PLAN}')['{name}'] else '' }}}}"

    bucket = f"'--staging-bucket=' ~ ti.xcom_pull(task_ids='{PLAN}')['staging_bucket']"
    return [
        f"--out={planned('out')}",
        f"--prefix={planned('prefix')}",
        option("staging_bucket", bucket),
        option("add_columns", "'--add-columns'"),
    ]


def with_code(arguments: list[str]) -> dict[str, Any]:
    """The batch of the deployment, with the code that the run has planned and its arguments."""
    started = {
        "main_python_file_uri": planned("main_file"),
        "python_file_uris": [planned("archive")],
        "args": arguments,
    }
    return {
        **DEPLOYMENT.batch,
        "labels": dict(DEPLOYMENT.batch.get("labels", {})),
        "pyspark_batch": started,
    }


def time_to_live() -> timedelta:
    """After which Dataproc stops a batch, whatever becomes of its task."""
    config = DEPLOYMENT.batch.get("environment_config", {}).get("execution_config", {})
    return timedelta(seconds=float(str(config.get("ttl", "14400s")).removesuffix("s")))


# --- the inputs of the day -----------------------------------------------------------------------


def looked_for(address: str, marker: str) -> tuple[str, str]:
    """The bucket of an input, and how the names of its objects begin; or the marker's name."""
    bucket, _, name = address.removeprefix("gs://").partition("/")
    if name and not name.endswith(("/", ".csv", ".parquet")):
        # Otherwise `samples` would find `samples-of-last-year`.
        name += "/"
    return bucket, name + marker


def wait_for(source: str) -> GCSObjectsWithPrefixExistenceSensor:
    """A task that ends when an input is there, and fails when it does not come."""
    return GCSObjectsWithPrefixExistenceSensor(
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
    published = {name.split("/")[-2] for name, _ in objects(f"{plan['out']}/published/")}
    ours = [run_id for run_id in published if run_id.startswith(plan["key"])]
    if not ours:
        return Published({}, {}, 0, frozenset())
    # Of several tries, the last one.
    tables = f"{plan['out']}/runs/{max(ours, key=lambda run_id: (len(run_id), run_id))}"

    def rows(table: str, *columns: str) -> list[dict[str, Any]]:
        from pyarrow.parquet import read_table

        chosen = ["run_id", "run_date", *columns]
        found = [
            row
            for name, content in objects(f"{tables}/{table}/")
            if name.endswith(".parquet")
            for row in read_table(BytesIO(content()), columns=chosen).to_pylist()
        ]
        return [row for row in found if row["run_date"].isoformat() == plan["run_date"]]

    customers = rows(CUSTOMER_TABLE)
    cells = rows(CELL_TABLE, "Maintainence_Required")
    summary = rows(SUMMARY_TABLE, "section", "subject", "item", "value")
    return Published(
        rows={"customer": len(customers), "cell": len(cells)},
        said={
            row["subject"]: int(row["value"])
            for row in summary
            if (row["section"], row["item"]) == ("kpi", "rows")
        },
        required=sum(row["Maintainence_Required"] == "Required" for row in cells),
        run_ids=frozenset(row["run_id"] for row in (*customers, *cells, *summary)),
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
    """Tells how the run went to whom the settings name, and fails if it went wrong.

    It is the last task, and what it says of the run is what Airflow says.
    """
    plan = ti.xcom_pull(task_ids=PLAN) or {}
    result = ti.xcom_pull(task_ids=CHECK)
    told = {
        "dag_id": DEPLOYMENT.dag_id,
        "dag_run_id": run_id,
        "run_date": plan.get("run_date"),
        "out": plan.get("out"),
        "passed": result is not None,
        **(result or {}),
    }
    print(json.dumps(told))
    if name := plan.get("alert_callable"):
        function_of(name)(told)
    if connection := plan.get("alert_connection"):
        from airflow.providers.http.hooks.http import HttpHook

        HttpHook(method="POST", http_conn_id=connection).run(json=told)
    if result is None:
        raise AirflowFailException("the run did not get through its checks; see the tasks before")


def function_of(name: str) -> Callable[[Mapping[str, Any]], None]:
    """The function that a dotted path names."""
    from importlib import import_module

    module, _, function = name.rpartition(".")
    found: Callable[[Mapping[str, Any]], None] = getattr(import_module(module), function)
    return found


# --- the DAG -------------------------------------------------------------------------------------


def parameters() -> dict[str, Param]:
    """What the form of a run offers: every setting, and the day."""
    types = {str: "string", bool: "boolean", float: "number"}
    offered = {
        name: Param(None, type=["null", types[setting.kind]], description=setting.meaning)
        for name, setting in SETTINGS.items()
    }
    day = Param(
        None, type=["null", "string"], format="date", description="the day; empty: the last"
    )
    return {"run_date": day, **offered}


def staged(waits: Mapping[str, Any]) -> FollowedBatch:
    """The four steps, the last two side by side, and publishing; gives the last task."""
    samples, calls, customers, cells = STAGED
    with_samples = batch_task(samples, inputs=("customers", "samples"))
    with_calls = batch_task(calls, reads=(samples,), inputs=("calls",))
    publish = batch_task(PUBLISH, reads=STAGED, publishes=True)
    [waits["customers"], waits["samples"]] >> with_samples
    [with_samples, waits["calls"]] >> with_calls
    (
        with_calls
        >> [batch_task(customers, reads=(calls,)), batch_task(cells, reads=(calls,))]
        >> publish
    )
    return publish


def single(waits: Mapping[str, Any]) -> FollowedBatch:
    """One batch for all."""
    whole = batch_task(SINGLE, inputs=INPUTS, publishes=True)
    [*waits.values()] >> whole
    return whole


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
    plan = task(task_id=PLAN)(make_plan)(variable=f"{{{{ var.value.get('{VARIABLE}', '{{}}') }}}}")
    waits = {source: wait_for(source) for source in INPUTS}
    plan >> [*waits.values()]
    published = {"staged": staged, "single": single}[DEPLOYMENT.shape](waits)
    checked = task(task_id=CHECK)(check_result)()
    alerted = task(task_id=ALERT, trigger_rule="all_done")(alert)()
    published >> checked >> alerted
