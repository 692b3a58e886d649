"""What is sent to Dataproc Serverless: settings, ids and code, without any service."""

import gc
import io
import json
import os
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import py4j
import pyspark
import pytest

from anomaly import ConfigurationError, parse_profile
from anomaly.schema.tables import CELL_TABLE
from runners.dataproc import archive
from runners.dataproc.archive import code_archive, main_file
from runners.dataproc.names import LONGEST, batch_id
from runners.dataproc.settings import load_settings
from runners.engines.spark.session import use_bundled_java
from tests.builders.small_inputs import SmallInputs, profile_text

ROOT = Path(__file__).parents[3]
SHIPPED = (ROOT / "conf" / "dataproc.toml").read_text()
DAY = date(2026, 11, 1)


def settings_with(folder: Path, *changes: tuple[str, str], environment=None):
    text = SHIPPED
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "dataproc.toml").write_text(text)
    return load_settings(str(folder / "dataproc.toml"), environment or {})


def test_the_shipped_settings_have_no_fault_and_the_environment_overrides_them(tmp_path):
    found = settings_with(tmp_path, environment={"CELL_TOWER_PROJECT": "other", "PROJECT": "no"})
    assert (found.project, found.runtime_version, found.ttl_minutes) == ("other", "2.3", 240)
    assert found.location == "projects/other/locations/europe-west1"
    assert found.labels == {"application": "cell-tower-anomaly"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"my-project"', '"My Project"', "project 'My Project' is not a valid name"),
        ('"europe-west1"', '"europe"', "region 'europe' is not a valid name"),
        ('"my-code-bucket"', '"gs://b"', "code_bucket 'gs://b' is not a valid name"),
        ('"2.3"', '"2.2"', "runtime_version '2.2': choose 2.3 or 3.0"),
        ("ttl_minutes = 240", "ttl_minutes = 9", "ttl_minutes 9 is not between 10 and 20160"),
        ("ttl_minutes = 240", "ttl_minutes = 20161", "ttl_minutes 20161 is not between"),
        ("ttl_minutes = 240", "ttl_hours = 4", "unknown setting 'ttl_hours'"),
        ("minimum_executors = 2", "minimum_executors = 1", "from 2 to 2000"),
        ("maximum_executors = 10", "maximum_executors = 1", "the first not above the second"),
        ('application = "', 'team = "Ops"\napplication = "', "[labels] team = 'Ops'"),
        ('application = "', '"Team" = "ops"\napplication = "', "[labels] Team = 'ops'"),
        ('application = "', 'team = "data_team"\napplication = "', "[labels] team = 'data_team'"),
        (
            '"spark.sql.shuffle.partitions" = "32"',
            '"spark.jars" = "gs://b/spark-3.5-bigquery-0.42.1.jar"',
            "the image has its own BigQuery connector",
        ),
        ('history_server = ""', 'history_server = "phs"', "[provision] history_bucket"),
    ],
)
def test_a_fault_of_the_settings_is_told(tmp_path, old, new, said):
    with pytest.raises(ConfigurationError) as told:
        settings_with(tmp_path, (old, new))
    assert len(told.value.problems) == 1
    assert said in told.value.problems[0]


def test_all_faults_are_told_at_once(tmp_path):
    with pytest.raises(ConfigurationError) as told:
        settings_with(
            tmp_path,
            ('"my-project"', '"P"'),
            ("ttl_minutes = 240", "ttl_minutes = 1"),
            ('"2.3"', '"9"'),
        )
    assert len(told.value.problems) == 3


@pytest.mark.parametrize(
    ("prefix", "start"),
    [
        ("cell-tower-anomaly", "cell-tower-anomaly-20261101-"),
        ("Cell_Tower KPI München", "cell-tower-kpi-munchen-20261101-"),
        ("x" * 65, "x" * 43 + "-20261101-"),
        ("a" * 42 + "-b", "a" * 42 + "-20261101-"),
        ("--", "run-20261101-"),
    ],
)
def test_ids_of_batches_are_legal(prefix, start):
    found = batch_id(prefix, DAY, ["--out", "x"], "code", 0)
    assert found.startswith(start)
    assert len(found) <= LONGEST
    assert found == found.lower().strip("-")


def test_an_id_is_the_same_for_the_same_run_alone():
    usual = (["--out", "x"], "code", 0)
    others = [
        (["--out", "y"], "code", 0),
        (["--out", "x"], "other", 0),
        (["--out", "x"], "code", 1),
    ]
    ids = {batch_id("p", DAY, *run) for run in (usual, usual, *others)}
    assert len(ids) == 4
    assert batch_id("p", date(2026, 11, 2), *usual) not in ids


def test_the_archive_is_the_same_bytes_from_another_folder_at_another_time(tmp_path, monkeypatch):
    for package in ("anomaly", "runners"):
        for file in (ROOT / package).rglob("*.py"):
            copy = tmp_path / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
            os.utime(copy, (1, 1))
    here = code_archive()
    moved = tmp_path / "runners" / "dataproc" / "archive.py"
    monkeypatch.setattr(archive, "__file__", str(moved))
    assert code_archive() == here


def test_threads_that_build_the_archive_at_once_do_not_disturb_each_other():
    here = code_archive()
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()

    def another_threads_turn(*_: object) -> None:
        for _ in range(3):
            pass

    # Python code that runs while a file is parsed, as a finalizer may, hands over to another one.
    gc.callbacks.append(another_threads_turn)
    gc.set_threshold(5)
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(max_workers=2) as threads:
            built = [threads.submit(code_archive) for _ in range(2)]
            assert [one.result() for one in built] == [here, here]
    finally:
        sys.setswitchinterval(interval)
        gc.set_threshold(*thresholds)
        gc.callbacks.remove(another_threads_turn)


def test_the_archive_has_what_a_batch_imports_and_the_shipped_profiles():
    names = zipfile.ZipFile(io.BytesIO(code_archive())).namelist()
    needed = {"anomaly/pipeline/detection.py", "runners/services/pipeline_run.py"}
    assert needed | {"runners/storage/bigquery.py"} < set(names)
    folders = ("runners/sample/", "runners/dataproc/", "runners/report/", "runners/composer/")
    files = {f"runners/{name}.py" for name in ("local", "command", "session", "show")}
    # The main file lies in a package, of which the batch needs no more than that it is one.
    assert [name for name in names if name.startswith(folders)] == ["runners/dataproc/__init__.py"]
    assert files.isdisjoint(names)
    profiles = {f"anomaly/conf/{name}.toml" for name in ("catalogue", "default", "lab")}
    assert {name for name in names if not name.endswith(".py")} == profiles


def isolated(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    """A program in a Python that sees the archive, pyspark and the standard library alone."""
    (folder / "code.zip").write_bytes(code_archive())
    (folder / "packages").mkdir()
    for package in (pyspark, py4j):
        found = Path(package.__file__).parent
        (folder / "packages" / found.name).symlink_to(found)
    path = [str(folder / "code.zip"), str(folder / "packages")]
    use_bundled_java()
    return subprocess.run(
        [sys.executable, "-S", "-I", "-c", f"import sys; sys.path[:0] = {path!r}; {program}"],
        env={**os.environ, "SPARK_CONF_DIR": str(folder), "SPARK_LOCAL_DIRS": str(folder)},
        cwd=folder,
        capture_output=True,
        text=True,
    )


def test_a_batch_refuses_a_folder_that_would_go_with_it(tmp_path):
    arguments = ["--customers", "gs://b/c", "--samples", "gs://b/s", "--calls", "gs://b/k"]
    program = (
        f"import runpy; sys.argv[1:] = {arguments!r}; "
        f"runpy.run_path({str(main_file())!r}, run_name='__main__')"
    )
    ended = isolated(tmp_path, program)
    assert ended.returncode == 2
    (line,) = ended.stdout.splitlines()
    assert json.loads(line)["exit_code"] == 2
    assert "--out 'out' would be lost" in json.loads(line)["message"]


def test_a_profile_that_extends_a_shipped_one_loads_from_the_archive(tmp_path):
    text = 'extends = "default"\nname = "ours"\n[rules.PRBUsageUL]\nk = 3\n'
    program = f"import anomaly; print(anomaly.parse_profile({text!r}).fingerprint)"
    ended = isolated(tmp_path, program)
    assert ended.stdout.strip() == parse_profile(text).fingerprint, ended.stderr


@pytest.mark.slow
@pytest.mark.classic
def test_a_batch_needs_pyspark_and_the_standard_library_alone(tmp_path):
    """A whole run of what the main file calls."""
    inputs = SmallInputs().write(tmp_path / "in")
    remote = {source: f"file://{path}" for source, path in inputs.items()}
    (tmp_path / "small.toml").write_text(profile_text())
    program = (
        f"import runpy, datetime; main = runpy.run_path({str(main_file())!r}); "
        f"quick = main['SparkSession'].builder.config('spark.sql.shuffle.partitions', 2); "
        f"spark = quick.getOrCreate(); "
        f"profile = main['_profile'](spark, 'file://{tmp_path}/small.toml'); "
        f"from runners.storage.places import destination_of; "
        f"out = destination_of({str(tmp_path / 'out')!r}); "
        f"main['run_pipeline'](spark, profile, {remote!r}, out, "
        "main['Run'](datetime.date(2026, 11, 1), 'r1'), main['JsonProgress']())"
    )
    ended = isolated(tmp_path, program)
    assert ended.returncode == 0, ended.stderr
    assert (tmp_path / "out" / CELL_TABLE / "run_date=2026-11-01" / "_SUCCESS").is_file()
    lines = [json.loads(line) for line in ended.stdout.splitlines() if line.startswith("{")]
    assert {"rejected_rows", "input_figures", CELL_TABLE, "published"} < {
        line["stage"] for line in lines
    }
