"""Batches on Dataproc Serverless, one for each stage of a run."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import quote

from airflow.exceptions import AirflowException
from airflow.providers.google.cloud.operators.dataproc import DataprocCreateBatchOperator
from google.api_core.exceptions import InternalServerError, ServiceUnavailable
from google.api_core.retry import Retry, if_exception_type

from runners.composer.airflow_names import TIMEOUT, TRIGGER_FAILED
from runners.composer.deployed import DEPLOYMENT
from runners.composer.plan import PLAN, planned
from runners.composer.shapes import Stage, nearest

POLL_SECONDS = 30
# Dataproc stops a batch after its ttl, which starts when the batch has machines.
TTL_GRACE = timedelta(minutes=30)
# A request whose response is lost is repeated; the batch is found by its id.
CREATE_RETRY = Retry(
    predicate=if_exception_type(ServiceUnavailable, InternalServerError),
    initial=1,
    maximum=10,
    timeout=120,
)
UNDER_WAY = ("STATE_UNSPECIFIED", "PENDING", "RUNNING")
ATTEMPT = "t{{ ti.try_number }}"
CONSOLE = "https://console.cloud.google.com"


def batch_for(
    name: str, stage: Stage, plan: Mapping[str, Any], ti: Any, batch_id: str
) -> dict[str, Any]:
    """The batch of a stage, by the plan of the run."""
    folders = {
        one: f"{plan['steps']}/{ti.xcom_pull(task_ids=one, key='batch_id')}" for one in stage.after
    }
    arguments = [
        *("--stage", name, "--run-date", plan["run_date"]),
        *("--run-id", f"{plan['key']}t{ti.try_number}", "--profile", plan["profile"]),
    ]
    for source in stage.inputs:
        arguments += [f"--{source}", plan[source]]
    if "samples" in stage.inputs and plan["history"]:
        arguments += ["--history", plan["history"]]
    if plan["hash_secret"]:
        arguments += ["--hash-customers", "--hash-secret", plan["hash_secret"]]
    if folders:
        arguments += ["--read", *(f"{one}={folder}" for one, folder in folders.items())]
    if stage.publishes:
        arguments += publishing(plan)
    else:
        # Each try writes its own folder, because an abandoned one may still be running.
        arguments += ["--write-to", f"{plan['steps']}/{batch_id}"]
    pyspark_batch = {
        "main_python_file_uri": plan["main_file"],
        "python_file_uris": [plan["archive"]],
        "args": arguments,
    }
    return {**plan["batch"], "pyspark_batch": pyspark_batch}


def publishing(plan: Mapping[str, Any]) -> list[str]:
    """The arguments for publishing the tables."""
    arguments = ["--out", plan["out"]]
    if plan["prefix"]:
        arguments += ["--prefix", plan["prefix"]]
    if plan["staging_bucket"]:
        arguments += ["--staging-bucket", plan["staging_bucket"]]
    return arguments + ["--add-columns"] * plan["add_columns"]


class FollowedBatch(DataprocCreateBatchOperator):
    """Runs the batch of a stage, and logs the links to it.

    Each try is a new batch, which later stages find by its id. The task succeeds only if Dataproc
    confirms that the batch succeeded.
    """

    def __init__(self, *, stage: Stage, **options: Any) -> None:
        super().__init__(
            project_id=planned("project"),
            region=planned("region"),
            batch_id="-".join(
                (planned("batch_prefix"), options["task_id"], planned("key"), ATTEMPT)
            ),
            batch={},
            retry=CREATE_RETRY,
            **options,
        )
        self.stage = stage

    def execute(self, context: Any) -> None:
        """Start the batch and wait, or release the worker while the triggerer waits."""
        ti = context["ti"]
        plan = ti.xcom_pull(task_ids=PLAN)
        self.batch = batch_for(self.task_id, self.stage, plan, ti, self.batch_id)
        ti.xcom_push(key="batch_id", value=self.batch_id)
        self.log.info("%s\nargs     %s", self._links(), self.batch["pyspark_batch"]["args"])
        try:
            super().execute(context)
        except AirflowException:
            self._require_success()
            raise
        self._require_success()

    def execute_complete(self, context: Any, event: Any = None) -> None:
        """Continue when the batch has ended."""
        self._require_success()
        super().execute_complete(context, event)

    def resume_execution(self, next_method: str, next_kwargs: Any, context: Any) -> Any:
        """Keep waiting if the trigger failed: a lost response is not the end of the batch."""
        error = str((next_kwargs or {}).get("error", ""))
        if next_method != TRIGGER_FAILED or TIMEOUT in error.lower():
            return super().resume_execution(next_method, next_kwargs, context)
        self.log.warning("waiting failed: %s", error)
        if self._batch().state.name in UNDER_WAY:
            # The batch exists under this id, so this attaches to it.
            return self.execute(context)
        return self._require_success()

    def _links(self) -> str:
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

    def _batch(self) -> Any:
        """The current state of the batch."""
        return self.hook.get_batch(
            batch_id=self.batch_id,
            region=self.region,
            project_id=self.project_id,
            retry=CREATE_RETRY,
            timeout=60,
        )

    def _require_success(self) -> None:
        """Log how the batch ended; raises AirflowException unless it succeeded."""
        batch = self._batch()
        state, info = batch.state.name, batch.runtime_info
        lines = [self._links(), f"state    {state} {batch.state_message}"]
        lines += [f"output   {info.output_uri}"] * bool(info.output_uri)
        lines += [f"history  {url}" for url in info.endpoints.values()] or ["history  none"]
        self.log.info("%s", "\n".join(lines))
        if state != "SUCCEEDED":
            raise AirflowException(f"batch {self.batch_id}: {state} {batch.state_message}")


def batch_tasks(stages: Mapping[str, Stage], waits: Mapping[str, Any]) -> FollowedBatch:
    """The tasks of all stages, wired up; returns the one that publishes."""
    tasks: dict[str, FollowedBatch] = {}
    for name, stage in stages.items():
        tasks[name] = batch_task(name, stage)
        for source in stage.inputs:
            waits[source] >> tasks[name]
        for one in nearest(stage, stages):
            tasks[one] >> tasks[name]
    return tasks[name]


def batch_task(name: str, stage: Stage) -> FollowedBatch:
    """The task of a stage."""
    return FollowedBatch(
        task_id=name,
        stage=stage,
        doc_md=f"`runners/dataproc/batch.py --stage {name}` as a batch on Dataproc Serverless.",
        gcp_conn_id=DEPLOYMENT.connection,
        deferrable=DEPLOYMENT.deferrable,
        polling_interval_seconds=POLL_SECONDS,
        execution_timeout=time_to_live() + TTL_GRACE,
    )


def time_to_live() -> timedelta:
    """The time after which Dataproc stops a batch, whatever happens to its task."""
    config = DEPLOYMENT.batch.get("environment_config", {}).get("execution_config", {})
    return timedelta(seconds=float(str(config.get("ttl", "14400s")).removesuffix("s")))
