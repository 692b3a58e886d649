"""Finds the LTE cells that need maintenance, every day, with batches on Dataproc Serverless.

A run waits for the inputs of its day, runs its batches, checks the published tables, and sends an
alert. The first task, `plan`, fixes the day, the paths, the code and the machines of the run; what
is deployed or set later applies from the next run on.

**Settings** come from `deployment.json` beside the DAG file; the Airflow Variable with the name of
the DAG (`cell_tower_anomaly`, a JSON object) overrides them for every run, and the form of *Trigger
DAG* for one. **To repeat** a day, clear the first task to repeat, or `plan` for the whole run with
the newest code. The tables of the day are replaced, never added to.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from airflow import DAG
from airflow.timetables.interval import CronDataIntervalTimetable

from runners.composer.airflow_names import Param, task
from runners.composer.alerts import alert, alert_failure
from runners.composer.batches import batch_tasks
from runners.composer.deployed import DEPLOYMENT, SCHEMA, VARIABLE
from runners.composer.plan import PLAN, make_plan
from runners.composer.result_check import CHECK, check_result
from runners.composer.run_settings import INPUTS
from runners.composer.sensors import wait_for
from runners.composer.shapes import SHAPES

# For tasks that do not wait for a batch: a service that never responds must not block later runs.
SHORT_TASK_TIMEOUT = timedelta(minutes=15)


def parameters() -> dict[str, Param]:
    """The parameters in the form of a run: the day, and the settings."""
    offered = {
        name: Param(None, type=["null", setting.kind], description=setting.meaning)
        for name, setting in SCHEMA.items()
        if setting.set_in == "form"
    }
    day = Param(None, type=["null", "string"], format="date", description="empty: the last day")
    return {"run_date": day, **offered}


def short_task(name: str, function: Callable[..., Any], **options: Any) -> Any:
    """A task that calls a function."""
    return task(task_id=name, execution_timeout=SHORT_TASK_TIMEOUT, **options)(function)


with DAG(
    dag_id=DEPLOYMENT.dag_id,
    description="LTE cells that need maintenance, and the customers affected",
    doc_md=__doc__,
    # An explicit timetable, because a string means different intervals in Airflow 2 and 3.
    schedule=CronDataIntervalTimetable(DEPLOYMENT.schedule, timezone="UTC")
    if DEPLOYMENT.schedule
    else None,
    start_date=datetime.fromisoformat(DEPLOYMENT.start_date).replace(tzinfo=UTC),
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
    plan = short_task(PLAN, make_plan)(variable=f"{{{{ var.value.get('{VARIABLE}', '{{}}') }}}}")
    waits = {source: wait_for(source) for source in INPUTS}
    plan >> [*waits.values()]
    checked = short_task(CHECK, check_result)()
    batch_tasks(SHAPES[DEPLOYMENT.shape], waits) >> checked
    # The checks alone decide the run's state; these two report it.
    checked >> short_task("alert", alert)()
    checked >> short_task("alert-failure", alert_failure, trigger_rule="one_failed")()
