"""The DAG as it is deployed, in real Airflow: its tasks, its tries, its checks, its alerts."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from anomaly.errors import ConfigurationError
from runners.composer.deploy.settings import load_deployment
from tests.airflow.deployed import DAG_ID, DAY, LOGICAL_DATE, ROOT, TIMEOUT_SECONDS, Deployed
from tests.doubles.services import CloudServices
from tests.doubles.webhook import Webhook

# Any environment can collect (and deselect) these tests; selected there, they fail.
with suppress(ModuleNotFoundError):
    from tests.airflow.batches import cancel_when_running, client_of, created, states
    from tests.doubles.dataproc_fake import (
        DataprocFake,
        Fault,
        FaultKind,
        LocalSubmit,
        State,
        make_tls,
    )

pytestmark = pytest.mark.airflow

QUICK_BATCH = Path(__file__).with_name("quick_batch.py")
STEPS = ["customers-with-samples", "with-call-statistics", "customer-metrics", "cell-metrics"]
WAITS = ["wait-for-customers", "wait-for-samples", "wait-for-calls"]


@pytest.fixture
def run_batch(cloud: CloudServices, tmp_path: Path) -> LocalSubmit:
    """Batches without Spark, which write a few rows."""
    return LocalSubmit(
        [sys.executable, str(QUICK_BATCH)],
        cloud.storage_root,
        tmp_path / "batches",
        {"BIGQUERY_EMULATOR_HOST": cloud.bigquery_url, "STORAGE_EMULATOR_HOST": cloud.gcs_url},
    )


@pytest.fixture
def dataproc(run_batch: LocalSubmit, tmp_path: Path) -> Iterator[DataprocFake]:
    """Here a ttl of ten minutes is over after two seconds, one of four hours after 48."""
    tls = make_tls(tmp_path / "ca.pem", "europe-west1-dataproc.googleapis.com")
    with DataprocFake(run_batch, tls, ttl_factor=2 / 600) as fake:
        yield fake


@pytest.fixture
def deployed(deployed: Deployed) -> Deployed:
    """With inputs of the day, which nobody looks into."""
    for source in ("customers", "samples", "calls"):
        deployed.put(f"{source}/{DAY}/part.csv")
    return deployed


def fault(run_batch: LocalSubmit, what: str) -> None:
    """What goes wrong in each batch from here on."""
    run_batch.environment["QUICK_BATCH"] = what


SECRET = "projects/p1/secrets/customers/versions/3"


# --- what Airflow knows of it ----------------------------------------------------------------


def test_both_shapes_are_described(deployed: Deployed) -> None:
    dag_file = deployed.deploy()
    described = deployed.airflow.describe(dag_file)
    assert (described.import_errors, described.touched, described.warnings) == ([], [], [])
    assert described.is_stable
    assert described.digest == deployed.airflow.describe(dag_file).digest
    dag = described.dags[DAG_ID]
    assert (dag.timetable, dag.schedule) == ("CronDataIntervalTimetable", "0 3 * * *")
    assert (dag.catchup, dag.max_active_runs, dag.owner) == (False, 1, "network-operations")
    assert (dag.tags, dag.has_doc) == (["cell-tower-anomaly"], True)
    assert {"run_date", "samples", "out"} < set(dag.params)
    assert not any(dag.params.values())
    # Code that a batch runs, and what runs in a worker, is not for everyone who may start a run.
    assert not {"archive", "main_file", "alert_callable"} & set(dag.params)
    assert {name: task.downstream for name, task in dag.tasks.items()} == {
        "plan": sorted(WAITS),
        "wait-for-customers": ["customers-with-samples"],
        "wait-for-samples": ["customers-with-samples"],
        "wait-for-calls": ["with-call-statistics"],
        "customers-with-samples": ["with-call-statistics"],
        "with-call-statistics": ["cell-metrics", "customer-metrics"],
        "customer-metrics": ["publish"],
        "cell-metrics": ["publish"],
        "publish": ["check-result"],
        "check-result": ["alert", "alert-failure"],
        "alert": [],
        "alert-failure": [],
    }
    assert {name for name, task in dag.tasks.items() if task.is_deferrable} == {
        *WAITS,
        *STEPS,
        "publish",
    }
    assert {task.retries for task in dag.tasks.values()} == {2}

    single = deployed.airflow.describe(deployed.deploy(shape="single", deferrable=False))
    tasks = single.dags[DAG_ID].tasks
    assert {name: task.downstream for name, task in tasks.items()} == {
        "plan": sorted(WAITS),
        **{name: ["single"] for name in WAITS},
        "single": ["check-result"],
        "check-result": ["alert", "alert-failure"],
        "alert": [],
        "alert-failure": [],
    }
    assert not any(task.is_deferrable for task in tasks.values())


def test_deployments_side_by_side_share_no_code(deployed: Deployed) -> None:
    """One process loads all DAG files; of the modules of each DAG only `dag.py` is one."""
    first = deployed.deploy()
    deployed.rename("2g-towers-plan-py")
    second = deployed.deploy(shape="single")
    found = deployed.airflow.collect()
    assert found.import_errors == []
    assert found.files == sorted([str(first), str(second)])
    shared = [*WAITS, "plan", "check-result", "alert", "alert-failure"]
    assert found.tasks == {
        DAG_ID: sorted([*shared, *STEPS, "publish"]),
        "2g-towers-plan-py": sorted([*shared, "single"]),
    }


def test_the_modules_alone_can_be_seen_but_not_run(deployed: Deployed) -> None:
    dag_file = deployed.deploy()
    for name in ("deployment.json", "schema.json"):
        dag_file.with_name(name).unlink()
    assert deployed.airflow.describe(dag_file).import_errors == []
    run = deployed.run(dag_file)
    assert states(run)["plan"] == "failed"
    assert run.tasks["plan"].tries == 1
    assert "schema.json is missing; run `cell-tower-anomaly deploy-dag`" in run.log


# --- runs ------------------------------------------------------------------------------------


def test_a_staged_run_hands_results_on_and_tells_where_everything_is(deployed: Deployed) -> None:
    (deployed.airflow.dags / "operators_own.py").write_text(
        "def tell(told):\n    print('ALERT', sorted(told), told['required'], told['cells'])\n"
    )
    deployed.change('alert_callable = ""', 'alert_callable = "operators_own.tell"')
    run = deployed.run(deployed.deploy())
    assert run.state == "success", run.log
    assert {name for name, state in states(run).items() if state != "success"} == {"alert-failure"}

    key = run.tasks["plan"].left["return_value"]["key"]
    sent = deployed.arguments()
    ids = {stage: f"{DAG_ID}-{stage}-{key}-t1" for stage in (*STEPS, "publish")}
    assert set(sent) == set(ids.values())
    steps = f"gs://{deployed.name}/steps"
    assert sent[ids["with-call-statistics"]] == [
        *("--stage", "with-call-statistics", "--run-date", DAY, "--run-id", f"{key}t1"),
        *("--profile", run.tasks["plan"].left["return_value"]["profile"]),
        *("--calls", f"gs://{deployed.name}/calls/{DAY}"),
        *("--read", f"customers-with-samples={steps}/{ids['customers-with-samples']}"),
        *("--write-to", f"{steps}/{ids['with-call-statistics']}"),
    ]
    assert sent[ids["publish"]][8:] == [
        "--read",
        *(f"{stage}={steps}/{ids[stage]}" for stage in STEPS),
        *("--out", f"bq://{deployed.cloud.project}.{deployed.name}"),
    ]

    for stage, batch_id in ids.items():
        assert f"batch    {batch_id}" in run.log, stage
    assert f"dataproc/batches/europe-west1/{ids['publish']}/summary?project=p1" in run.log
    assert f"resource.labels.batch_id%3D%22{ids['publish']}%22" in run.log
    assert "history  none" in run.log
    assert "output   gs://" in run.log
    assert run.tasks["check-result"].left["return_value"] == {
        **{"run_id": f"{key}t1", "customers": 2, "cells": 3, "required": 1},
    }
    assert "ALERT ['cells', 'customers', 'dag_id', 'dag_run_id', 'out', 'passed'," in run.log
    assert "] 1 3" in run.log


def test_a_run_whose_first_try_fails_after_writing(
    deployed: Deployed, run_batch: LocalSubmit
) -> None:
    fault(run_batch, "first try fails")
    run = deployed.run(deployed.deploy(shape="single", deferrable=False))
    assert run.state == "success", run.log
    assert run.tasks["single"].tries == 2
    key = run.tasks["plan"].left["return_value"]["key"]
    assert list(deployed.arguments()) == [f"{DAG_ID}-single-{key}-t{n}" for n in (1, 2)]
    assert [row.run_id for row in deployed.rows("customer_service_metrics_data")] == [
        f"{key}t2"
    ] * 2


def test_a_step_that_is_repeated_leaves_the_others_alone(
    deployed: Deployed, run_batch: LocalSubmit
) -> None:
    fault(run_batch, "first try of customer-metrics fails")
    run = deployed.run(deployed.deploy())
    assert run.state == "success", run.log
    assert {name: task.tries for name, task in run.tasks.items() if task.tries > 1} == {
        "customer-metrics": 2
    }
    key = run.tasks["plan"].left["return_value"]["key"]
    sent = deployed.arguments()
    read = f"gs://{deployed.name}/steps/{DAG_ID}-customer-metrics-{key}-t2"
    assert f"customer-metrics={read}" in sent[f"{DAG_ID}-publish-{key}-t1"]


def test_a_day_that_is_run_twice_is_there_once(deployed: Deployed) -> None:
    run = deployed.run(deployed.deploy(shape="single"), times=2)
    assert run.state == "success", run.log
    assert len(deployed.arguments()) == 2
    for table, count in (("customer_service_metrics_data", 2), ("cell_tower_performance_data", 3)):
        rows = deployed.rows(table)
        assert len(rows) == count
        assert len({row.run_id for row in rows}) == 1


@pytest.mark.parametrize("is_deferrable", [True, False], ids=["deferrable", "waiting"])
def test_a_batch_that_runs_out_of_time_or_is_cancelled_is_never_a_success(
    deployed: Deployed, dataproc: DataprocFake, tmp_path: Path, is_deferrable: bool
) -> None:
    dataproc.faults += [Fault(FaultKind.BATCH_HANGS)] * 2
    deployed.change("ttl_minutes = 240", "ttl_minutes = 10")
    dag_file = deployed.deploy(shape="single", deferrable=is_deferrable, retries=1)
    with ThreadPoolExecutor(1) as other:
        ending = other.submit(deployed.run, dag_file)
        # The first one is cancelled, the second one's ttl ends.
        cancel_when_running(dataproc, tmp_path / "ca.pem")
        run = ending.result()
    assert run.state == "failed", run.log
    assert {name: state for name, state in states(run).items() if state != "success"} == {
        "single": "failed",
        "check-result": "upstream_failed",
        "alert": "upstream_failed",
    }
    assert '"passed": false' in run.log
    assert run.tasks["single"].tries == 2
    assert "CANCELLED The batch ran longer than its ttl" in run.log


def test_an_answer_that_is_lost_starts_no_second_batch(
    deployed: Deployed, dataproc: DataprocFake
) -> None:
    dataproc.faults.append(Fault(FaultKind.ANSWER_LOST))
    run = deployed.run(deployed.deploy(shape="single"))
    assert run.state == "success", run.log
    assert run.tasks["single"].tries == 1, run.log
    assert len(deployed.arguments()) == 1


def test_inputs_that_do_not_come_fail_the_run_before_any_batch(deployed: Deployed) -> None:
    deployed.change('marker = ""', 'marker = "_SUCCESS"')
    for source in ("customers", "samples"):
        deployed.put(f"{source}/{DAY}/_SUCCESS")
    run = deployed.run(deployed.deploy(shape="single", input_hours=2 / 3600, deferrable=False))
    assert run.state == "failed"
    assert {name: state for name, state in states(run).items() if state != "success"} == {
        "wait-for-calls": "failed",
        "single": "upstream_failed",
        "check-result": "upstream_failed",
        "alert": "upstream_failed",
    }
    assert run.tasks["wait-for-calls"].tries == 1
    assert deployed.arguments() == {}


@pytest.mark.parametrize(
    ("what", "told"),
    [
        (
            "a row is lost",
            "rows of 2026-11-01 in the customer table: 1, in the summary of the run: ",
        ),
        ("all are required", "100.0% of 3 cells are Required, not 10.0% to 50.0%"),
        ("none is required", "0.0% of 3 cells are Required, not 10.0% to 50.0%"),
    ],
)
def test_a_result_that_is_not_right_fails_the_run(
    deployed: Deployed, run_batch: LocalSubmit, what: str, told: str
) -> None:
    deployed.change("smallest_required_share = 0.0", "smallest_required_share = 0.1")
    fault(run_batch, what)
    run = deployed.run(deployed.deploy(shape="single"))
    assert run.state == "failed", run.log
    assert told in run.log
    assert (states(run)["check-result"], run.tasks["check-result"].tries) == ("failed", 1)
    assert '"passed": false' in run.log


def test_tables_on_storage_are_checked_as_well(deployed: Deployed, run_batch: LocalSubmit) -> None:
    out = f"gs://{deployed.name}/out"
    deployed.change(f"bq://{deployed.cloud.project}.{deployed.name}", out)
    dag_file = deployed.deploy(shape="single", retries=0)
    run = deployed.run(dag_file)
    assert run.state == "success", run.log
    result = run.tasks["check-result"].left["return_value"]
    assert (result["customers"], result["cells"], result["required"]) == (2, 3, 1)
    fault(run_batch, "a row is lost")
    assert "in the customer table: 1, in the summary" in deployed.run(dag_file).log


# --- settings --------------------------------------------------------------------------------


def test_the_variable_overrides_the_deployment_and_the_form_overrides_both(
    deployed: Deployed,
) -> None:
    deployed.airflow.variable(
        "cell_tower_anomaly",
        {
            **{"prefix": "of_variable", "samples": f"gs://{deployed.name}/samples"},
            **{"add_columns": True, "staging_bucket": "staged-rows"},
            **{"history": f"gs://{deployed.name}/samples", "hash_secret": SECRET},
        },
    )
    form = {"prefix": "of_form", "run_date": "2026-10-05"}
    for source in ("customers", "calls"):
        deployed.put(f"{source}/2026-10-05/part.csv")
    run = deployed.run(deployed.deploy(shape="single"), conf=form)
    assert run.state == "success", run.log
    (arguments,) = deployed.arguments().values()
    assert arguments[8:] == [
        *("--customers", f"gs://{deployed.name}/customers/2026-10-05"),
        *("--samples", f"gs://{deployed.name}/samples"),
        *("--calls", f"gs://{deployed.name}/calls/2026-10-05"),
        *("--history", f"gs://{deployed.name}/samples"),
        *("--hash-customers", "--hash-secret", SECRET),
        *("--out", f"bq://{deployed.cloud.project}.{deployed.name}", "--prefix", "of_form"),
        *("--staging-bucket", "staged-rows", "--add-columns"),
    ]
    assert [str(row.run_date) for row in deployed.rows("of_form_run_summary")] == ["2026-10-05"] * 2


def test_all_that_is_wrong_with_settings_is_told_at_once(deployed: Deployed) -> None:
    """In the log, and to whom the deployment names: a wrong Variable stops each day's run."""
    (deployed.airflow.dags / "operators_own.py").write_text(
        "def tell(told):\n    print('ALERT', told['passed'])\n"
    )
    deployed.change('alert_callable = ""', 'alert_callable = "operators_own.tell"')
    deployed.airflow.variable(
        "cell_tower_anomaly",
        {"prefix": "a-b", "largest_required_share": 2, "colour": "red", "add_columns": "yes"},
    )
    run = deployed.run(deployed.deploy(), conf={"samples": "/a/folder"})
    assert states(run)["plan"] == "failed"
    assert run.tasks["plan"].tries == 1
    for told in (
        "samples is '/a/folder'; it must be: samples of the cells",
        "prefix is 'a-b'; it must be: prefix of BigQuery tables",
        "largest_required_share is 2",
        "colour is not a setting",
        "add_columns is 'yes'; it must be of type bool",
        "ALERT False",
    ):
        assert told in run.log, told
    assert deployed.arguments() == {}


def test_settings_that_contradict_each_other_are_refused(deployed: Deployed) -> None:
    at = f"gs://{deployed.name}"
    cases = {
        "out {at} and the samples input": ({"out": at, "steps": "gs://elsewhere/steps"}, {}),
        "steps {at}/calls and the calls input": ({"steps": f"{at}/calls"}, {}),
        "out {at}/steps/x and steps {at}/steps overlap": ({"out": f"{at}/steps/x"}, {}),
        "prefix: only for an out on bq://": ({"out": f"{at}/out", "prefix": "lab"}, {}),
        "smallest_required_share is above": ({"smallest_required_share": 0.6}, {}),
        "marker is 'a/b'": ({"marker": "a/b"}, {}),
        "marker: an input that is a single file has none": (
            {"marker": "done", "calls": f"{at}/calls.csv"},
            {},
        ),
        "samples is '{at}/samples-*.csv'": ({"samples": f"{at}/samples-*.csv"}, {}),
        "steps is empty: name a folder": ({"steps": ""}, {}),
        "main_file can only be set by deploy-dag": ({"main_file": f"{at}/other.py"}, {}),
        "archive cannot be set for a single run": ({}, {"archive": f"{at}/other.zip"}),
        "alert_callable cannot be set for a single run": ({}, {"alert_callable": "os.abort"}),
    }
    found = deployed.airflow.ask_dag_file(deployed.deploy(), "settings", ({}, {}), *cases.values())
    assert found[0] == ""
    for expected, told in zip(cases, found[1:], strict=True):
        assert expected.replace("{at}", at) in told

    # The command refuses them as well, but for those that it sets itself.
    text = deployed.settings.read_text()
    for variable, chosen in cases.values():
        if not chosen and "main_file" not in variable:
            deployed.settings.write_text(with_values(text, variable))
            with pytest.raises(ConfigurationError, match=" problem"):
                load_deployment(str(deployed.settings), deployed.name)


def with_values(text: str, values: dict[str, Any]) -> str:
    """Settings with other values."""
    for key, value in values.items():
        text = re.sub(f"^{key} = [^#\n]*", f"{key} = {json.dumps(value)}  ", text, flags=re.M)
    return text


def test_the_day_of_a_run(deployed: Deployed) -> None:
    asked = "2026-11-02T01:00:00+00:00"
    found = deployed.airflow.ask_dag_file(
        deployed.deploy(),
        "day",
        ("scheduled", "2026-11-01T03:00:00+00:00", "2026-11-01T03:00:00+00:00"),
        ("backfill", "2026-10-05T03:00:00+00:00", "2026-10-05T03:00:00+00:00"),
        # By hand, before the hour of the schedule: the interval that Airflow 2 gives is older.
        ("manual", asked, "2026-10-31T03:00:00+00:00"),
        ("manual", asked, None),
    )
    assert found == ["2026-11-01", "2026-10-05", "2026-11-01", "2026-11-01"]


def test_an_input_that_does_not_come_is_not_waited_for_again(
    deployed: Deployed, version: str
) -> None:
    """As the triggerer ends it, which no test of a DAG shows."""
    said = {"2.11": "Trigger/execution timeout", "3.1": "Trigger timeout"}[version]
    found = deployed.airflow.ask_dag_file(
        deployed.deploy(),
        "sensor",
        ("__fail__", {"error": said}),
        ("__fail__", {"error": "Unavailable"}),
        # The service did not answer in time: the task is tried again.
        ("execute_complete", {"event": {"status": "error", "message": "Connection timeout"}}),
    )
    assert found == ["AirflowFailException", "TaskDeferralError", "AirflowException"]


def test_one_answer_that_is_lost_is_no_end_of_a_batch(
    deployed: Deployed, dataproc: DataprocFake, tmp_path: Path
) -> None:
    """Where the triggerer fails, the batch is looked at, and waited for again while it runs."""
    dataproc.faults += [Fault(kind) for kind in (FaultKind.BATCH_HANGS, FaultKind.BATCH_DIES)]
    names = ("runs", "died", "ended")
    with client_of(dataproc, tmp_path / "ca.pem") as client:
        for name in names:
            client.create_batch(
                parent="projects/p1/locations/europe-west1",
                batch_id=f"batch-{name}",
                batch={
                    "pyspark_batch": {
                        "main_python_file_uri": "gs://b/main.py",
                        "args": ["--run-id", "r", "--run-date", DAY],
                    },
                    "runtime_config": {"version": "2.3"},
                },
            )
    for name, state in zip(names, (State.RUNNING, State.FAILED, State.SUCCEEDED), strict=True):
        dataproc.wait_for(f"batch-{name}", state, timeout=TIMEOUT_SECONDS)
    dag_file = deployed.deploy(shape="single")
    cases = [(f"batch-{name}", "Unavailable") for name in names]
    found = deployed.airflow.ask_dag_file(dag_file, "batch", *cases)
    assert found == ["TaskDeferred", "AirflowException", "success"]
    # What is asked for anew is there already.
    assert len(created(dataproc)) == 4


def test_a_deployment_counts_from_the_next_run_on(deployed: Deployed) -> None:
    """The code that a run has planned is in its own XCom, and stays where it is."""
    before = deployed.run(deployed.deploy(shape="single")).tasks["plan"].left["return_value"]
    profile = ROOT / "conf" / "lab.toml"
    deployed.upload("--profile", str(profile))
    bucket = deployed.cloud.storage_root / deployed.name
    for name in ("archive", "main_file", "profile"):
        assert (bucket / before[name].removeprefix(f"gs://{deployed.name}/")).is_file()
    new = json.loads((bucket / "dags" / deployed.package / "deployment.json").read_text())
    assert new["settings"]["profile"] != before["profile"]


def test_a_run_by_hand_is_for_the_day_before(deployed: Deployed, version: str) -> None:
    """Airflow 3 starts such a run without any date."""
    form = {
        "customers": f"gs://{deployed.name}/customers",
        "samples": f"gs://{deployed.name}/samples",
    }
    form["calls"] = f"gs://{deployed.name}/calls/{DAY}/part.csv"
    when = None if version == "3.1" else LOGICAL_DATE
    run = deployed.run(deployed.deploy(shape="single"), logical_date=when, conf=form)
    assert run.state == "success", run.log
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    planned = run.tasks["plan"].left["return_value"]["run_date"]
    assert planned == (yesterday if version == "3.1" else DAY)


def test_a_webhook_is_told(deployed: Deployed) -> None:
    with Webhook() as webhook:
        deployed.airflow.environment["AIRFLOW_CONN_PAGER"] = json.dumps(
            {"conn_type": "http", "host": f"{webhook.url}/secret-of-the-pager"}
        )
        deployed.airflow.variable("cell_tower_anomaly", {"alert_connection": "pager"})
        dag_file = deployed.deploy(shape="single", retries=0)
        run = deployed.run(dag_file)
    assert run.state == "success", run.log
    (told,) = webhook.received
    assert (told["passed"], told["cells"], told["required"]) == (True, 3, 1)
    assert told["run_date"] == DAY

    # Nobody listens any more; the address, which is a secret, is not in the log.
    run = deployed.run(dag_file)
    assert states(run)["alert"] == "failed"
    assert "alert_connection pager: " in run.log
    assert "secret-of-the-pager" not in run.log
