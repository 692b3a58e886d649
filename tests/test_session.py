"""The session of the runner: who says what its master and settings are."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from runners.class_archive import java_home
from runners.session import (
    LARGE_INPUTS,
    driver_memory,
    jvm_options,
    local_session,
    use_bundled_java,
)
from runners.storage.local_files import bytes_below

ROOT = Path(__file__).parents[1]


def test_no_master_is_named_beside_the_address_of_a_connect_server(monkeypatch):
    monkeypatch.setenv("SPARK_REMOTE", "sc://elsewhere")
    monkeypatch.delenv("SPARK_MASTER", raising=False)
    monkeypatch.setattr(SparkSession, "getActiveSession", lambda: None)
    monkeypatch.setattr(SparkSession.Builder, "getOrCreate", lambda builder: builder._options)
    assert "spark.master" not in local_session()


@pytest.mark.classic
@pytest.mark.slow
def test_spark_submit_keeps_its_master_and_settings(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from runners.session import local_session\n"
        "conf = local_session().conf\n"
        "print('found', conf.get('spark.master'), conf.get('spark.sql.shuffle.partitions'))\n"
    )
    submit = Path(sys.executable).parent / "spark-submit"
    setting = "spark.sql.shuffle.partitions=7"
    ended = subprocess.run(
        [submit, "--master", "local[1]", "--conf", setting, script],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert "found local[1] 7" in ended.stdout, ended.stderr


@pytest.mark.parametrize(("gigabytes", "memory"), [(4, "2048m"), (64, "4096m")])
def test_a_session_takes_half_of_a_small_machine(gigabytes, memory, monkeypatch):
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": gigabytes * 2**18}
    monkeypatch.setattr("os.sysconf", sizes.get)
    assert driver_memory() == memory


def test_both_compilers_run_where_the_inputs_are_large(tmp_path):
    for name, size in (("a.csv", 3), ("b/c.csv", 4)):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"x" * size)
    assert bytes_below([str(tmp_path / "a.csv"), str(tmp_path / "b"), str(tmp_path / "none")]) == 7
    assert "TieredStopAtLevel" in jvm_options(LARGE_INPUTS - 1)
    assert "TieredStopAtLevel" not in jvm_options(LARGE_INPUTS)


@pytest.mark.parametrize("input_bytes", [0, LARGE_INPUTS])
def test_java_starts_with_the_options(input_bytes):
    use_bundled_java()
    command = [java_home() / "bin" / "java", *jvm_options(input_bytes).split(), "-version"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
