"""Whole runs from Cloud Storage into BigQuery, against the same run on this machine."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from anomaly.schema.tables import (
    CELL_TABLE,
    CUSTOMER_TABLE,
    HISTORY_TABLE,
    REJECTED_TABLE,
    SUMMARY_TABLE,
)
from runners.cli.main import main
from runners.services.progress import words_of
from tests.builders.real_inputs import INPUTS
from tests.builders.small_inputs import SmallInputs, profile_text
from tests.cloud.published_rows import KEYS, in_bigquery, in_parquet, without_run_id
from tests.doubles.services import ACCESS_TOKEN, CloudServices

pytestmark = pytest.mark.cloud

TIMEOUT = 60.0
RUN_TIMEOUT = 300.0
ROOT = Path(__file__).parents[2]
BUCKET = "inputs"
TABLES = (REJECTED_TABLE, CUSTOMER_TABLE, CELL_TABLE, HISTORY_TABLE, SUMMARY_TABLE)


@pytest.fixture(scope="module", autouse=True)
def emulated(cloud: CloudServices, cloud_spark: Any) -> Iterator[None]:
    """The runner's client finds the emulator, its session is that of the tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BIGQUERY_EMULATOR_HOST", cloud.bigquery_url)
        cloud.create_bucket(BUCKET)
        yield


def upload(cloud: CloudServices, source: Path, folder: str) -> str:
    """Put a file, or the files of a folder, into the bucket; returns their address."""
    bucket = cloud.storage_client().bucket(BUCKET)
    files = [source] if source.is_file() else [f for f in source.rglob("*") if f.is_file()]
    for file in files:
        below = file.name if source.is_file() else file.relative_to(source).as_posix()
        bucket.blob(f"{folder}/{below}").upload_from_filename(str(file), timeout=TIMEOUT)
    return f"gs://{BUCKET}/{folder}"


def arguments(inputs: dict[str, str], out: str, *others: str) -> list[str]:
    """The arguments of `run`."""
    named = {"customers": "customers", "samples": "samples", "call_statistics": "calls"}
    paths = [part for source, path in inputs.items() for part in (f"--{named[source]}", path)]
    return ["run", *paths, "--out", out, "--run-date", "2026-11-01", *others]


@pytest.mark.real_data
def test_bigquery_holds_what_the_local_run_writes(
    cloud: CloudServices, local_run: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Every value of both tables, nested evidence included; the real inputs lie in a bucket."""
    client = cloud.bigquery_client()
    client.create_dataset("operators", timeout=TIMEOUT)
    remote = {
        source: upload(cloud, Path(path), f"real/{source}") for source, path in INPUTS.items()
    }
    assert main(arguments(remote, "bq://p1.operators", "--prefix", "lab")) == 0
    assert main(arguments(remote, f"gs://{BUCKET}/out")) == 0
    for table, keys in KEYS.items():
        expected = without_run_id(in_parquet(local_run, table, keys))
        found = without_run_id(in_bigquery(client, "operators", f"lab_{table}", keys))
        assert len(expected) == {CELL_TABLE: 52, CUSTOMER_TABLE: 780}[table]
        assert found == expected

    capfd.readouterr()
    shown = []
    for place in (
        [str(local_run)],
        [str(local_run / CELL_TABLE)],
        [f"gs://{BUCKET}/out"],
        ["bq://p1.operators", "--prefix", "lab"],
        [f"bq://p1.operators.lab_{CELL_TABLE}", "--run-date", "2026-11-01"],
    ):
        assert main(["show", *place]) == 0
        shown.append(capfd.readouterr().out.splitlines())
    assert shown[0][0] == ("1 of 52 cells needs maintenance, 19 could not be judged; worst first:")
    assert shown[0][1].split() == ["1", "2ALTE", "traffic,", "integrity"]
    folder, cells_alone, bucket, dataset, cells_of_dataset = (lines[:-1] for lines in shown)
    assert folder == bucket == dataset
    # Without the other tables, it is not known what became of the inputs.
    assert cells_alone == cells_of_dataset == folder[: len(cells_alone)]

    of_worst, of_hurt = queries_of("deploy/bigquery.md", "p1", "operators", "lab")
    worst = rows_of(client, of_worst)
    assert worst == expected_worst(local_run)
    assert [row[0] for row in worst] == ["2ALTE"] * 3
    assert rows_of(client, of_hurt) == expected_hurt(local_run)


def test_the_documentation_asks_where_it_got_worse_within_a_week(cloud: CloudServices) -> None:
    """Only what was due anew, and what has more defects than a week before."""
    client = cloud.bigquery_client()
    client.create_dataset("weeks", timeout=TIMEOUT)
    days = {
        "2026-11-23": (("more", "PERSISTING", 2), ("same", "PERSISTING", 3), ("new", "HEALTHY", 5)),
        "2026-11-30": (
            ("more", "PERSISTING", 4),
            ("same", "PERSISTING", 3),
            ("new", "NEW", 4),
            ("again", "FLAPPING", 6),
        ),
    }
    rows = " UNION ALL ".join(
        f"SELECT DATE '{day}' AS run_date, '{cell}' AS CellName, '{state}' AS state, "
        f"DATE '2026-11-22' AS since, {rank} AS severity_rank, {defects} AS defected_count"
        for day, cells in days.items()
        for rank, (cell, state, defects) in enumerate(cells, start=1)
    )
    table = f"`p1.weeks.all_{HISTORY_TABLE}`"
    client.query(f"CREATE TABLE {table} AS {rows}", timeout=TIMEOUT).result(timeout=TIMEOUT)
    (where_worse,) = queries_of("guide/daily-runs.md", "p1", "weeks", "all")
    since = date(2026, 11, 22)
    assert rows_of(client, where_worse) == [
        ("more", "PERSISTING", since, 1, 2, 4),
        ("new", "NEW", since, 3, 5, 4),
        ("again", "FLAPPING", since, 4, None, 6),
    ]


def queries_of(page: str, project: str, dataset: str, prefix: str) -> list[str]:
    """The SQL of a page of the documentation, with names filled in."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    names = {"PROJECT.": f"{project}.", "DATASET.": f"{dataset}.", "PREFIX_": f"{prefix}_"}
    for placeholder, name in names.items():
        text = text.replace(placeholder, name)
    return [block.split("```")[0] for block in text.split("```sql\n")[1:]]


def rows_of(client: Any, sql: str) -> list[tuple[Any, ...]]:
    job = client.query(sql, timeout=TIMEOUT, job_retry=None)
    return [tuple(row.values()) for row in job.result(timeout=TIMEOUT)]


def expected_worst(folder: Path) -> list[tuple[Any, ...]]:
    """Towers that need maintenance with their three farthest defects, by plain Python."""
    found = []
    for (cell,), row in in_parquet(folder, CELL_TABLE, ("CellName",)).items():
        if row["Maintainence_Required"] != "Required":
            continue

        def distance(kpi: dict[str, Any]) -> tuple[float, str]:
            unit = 100 if kpi["deviation_unit"] == "%" else 1
            return -abs(kpi["deviation"] / unit), kpi["reason"]

        defects = sorted((kpi for kpi in row["evidence"] if kpi["flag"] == 1), key=distance)
        found += [
            (cell, row["severity_rank"], row["verdict_reason"], kpi["reason"])
            for kpi in defects[:3]
        ]
    return sorted(found, key=lambda row: (row[1], row[0], row[3]))


def expected_hurt(folder: Path) -> list[tuple[Any, ...]]:
    """Per tower its verdict, its customers and those with a defect, by plain Python."""
    verdicts = {
        key[0]: row["Maintainence_Required"]
        for key, row in in_parquet(folder, CELL_TABLE, ("CellName",)).items()
    }
    customers = in_parquet(folder, CUSTOMER_TABLE, KEYS[CUSTOMER_TABLE])
    counts: dict[str, list[int]] = {}
    for (_, cell), row in customers.items():
        counts.setdefault(cell, []).append(int(row["defected_count"] > 0))
    found = [(cell, verdicts[cell], len(hurt), sum(hurt)) for cell, hurt in counts.items()]
    return sorted(found, key=lambda row: (-row[3], row[0]))


class SmallRuns:
    """Runs on two sets of small inputs, into one dataset."""

    def __init__(self, cloud: CloudServices, folder: Path, dataset: str) -> None:
        self.client, self.dataset = cloud.bigquery_client(), dataset
        self.client.create_dataset(dataset, timeout=TIMEOUT)
        self.profile = folder / "small.toml"
        self.profile.write_text(profile_text())
        self.inputs = {}
        for name, seed in (("A", 1), ("B", 2)):
            written = SmallInputs(seed).write(folder / name)
            self.inputs[name] = {
                source: upload(cloud, Path(path), f"{dataset}/{name}/{source}")
                for source, path in written.items()
            }

    def arguments(self, name: str) -> list[str]:
        """Of a run on the inputs of that name."""
        profile = ("--profile", str(self.profile))
        return arguments(self.inputs[name], f"bq://p1.{self.dataset}", *profile)

    def found(self) -> dict[str, Any]:
        """The rows of both tables, without the run that made them."""
        return {
            table: without_run_id(in_bigquery(self.client, self.dataset, table, keys))
            for table, keys in KEYS.items()
        }

    def run_ids(self) -> set[str]:
        """The runs whose rows are in any table."""
        return {
            row.run_id
            for table in TABLES
            for row in self.client.query(
                f"SELECT DISTINCT run_id FROM `p1.{self.dataset}.{table}`", timeout=TIMEOUT
            ).result(timeout=TIMEOUT)
        }


def test_killed_between_staging_and_publishing_then_run_again(
    cloud: CloudServices, cloud_jars: list[Path], tmp_path: Path
) -> None:
    """The tables are as they were; what was staged has an end; no line holds the token."""
    runs = SmallRuns(cloud, tmp_path, "killed")
    assert main(runs.arguments("A")) == 0
    before, first = runs.found(), runs.run_ids()
    environment = {**os.environ, "SPARK_CONF_DIR": str(cloud.write_spark_defaults(cloud_jars))}
    process = subprocess.Popen(
        [sys.executable, "-m", "runners.cli.main", *runs.arguments("B")],
        env=environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if line.strip().startswith(words_of(SUMMARY_TABLE)):
            break
    os.killpg(process.pid, signal.SIGKILL)
    assert process.wait(RUN_TIMEOUT) == -signal.SIGKILL, "".join(told)
    process.stdout.close()
    assert ACCESS_TOKEN not in "".join(told)

    assert runs.found() == before
    assert runs.run_ids() == first
    tables = list(runs.client.list_tables(runs.dataset, timeout=TIMEOUT))
    staged = [table for table in tables if "_staging_" in table.table_id]
    assert len(staged) == len(TABLES)
    assert all(runs.client.get_table(table, timeout=TIMEOUT).expires for table in staged)

    assert main(runs.arguments("B")) == 0
    assert runs.found() != before
    assert len(runs.run_ids()) == 1
    assert runs.run_ids() != first


@pytest.fixture(scope="module")
def small_inputs(cloud: CloudServices, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    written = SmallInputs().write(tmp_path_factory.mktemp("small"))
    return {
        source: upload(cloud, Path(path), f"refused/{source}") for source, path in written.items()
    }


@pytest.mark.parametrize(
    ("out", "others", "code", "said"),
    [
        ("bq://p1", (), 2, "is not bq://PROJECT.DATASET"),
        ("bq://p1.nowhere", (), 4, "cannot be used"),
        ("gs://no-such-bucket/out", (), 4, "gs://no-such-bucket/out/runs/.*: cannot be written"),
        (f"gs://{BUCKET}/refused/samples", (), 2, "is the folder of the samples input"),
        ("out", ("--prefix", "x"), 2, "--prefix is only for bq://"),
        ("s3://bucket/out", (), 2, "give a folder, gs:// or bq://"),
    ],
)
def test_a_place_that_cannot_be_is_told_before_any_stage(
    small_inputs: dict[str, str],
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    out: str,
    others: tuple[str, ...],
    code: int,
    said: str,
) -> None:
    profile = tmp_path / "small.toml"
    profile.write_text(profile_text())
    assert main(arguments(small_inputs, out, "--profile", str(profile), *others)) == code
    told = capfd.readouterr().err
    assert re.search(said, told)
    assert REJECTED_TABLE not in told


def test_inputs_that_are_not_in_the_bucket_are_told(
    cloud: CloudServices, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    inputs = {
        source: f"gs://{BUCKET}/empty/{source}"
        for source in ("customers", "samples", "call_statistics")
    }
    assert main(arguments(inputs, str(tmp_path))) == 3
    assert "gs://inputs/empty/customers does not exist" in capfd.readouterr().err
