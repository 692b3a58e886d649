"""One session for the whole run; what a test needs beside the repository, where it is there.

TEST_ENGINE says what executes frames: sail, spark, or connect (Spark Connect, Spark 4 only).
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pyspark
import pytest
from pyspark.sql import SparkSession

from runners.engines.sail.session import sail_session
from runners.engines.spark.session import (
    LARGE_INPUTS,
    SETTINGS,
    jvm_options,
    local_session,
    use_bundled_java,
)
from tests.builders.real_inputs import REAL_DATA

with suppress(ModuleNotFoundError):  # not where notebooks are executed
    from hypothesis import settings

    # How busy a machine is, is no fault of a test. In CI examples are the same each time.
    settings.register_profile("on any machine", settings(), deadline=None)
    settings.load_profile("on any machine")


ENGINE = os.environ.get("TEST_ENGINE") or ("sail" if find_spec("pysail") else "spark")
# What tests run as a command would otherwise choose an engine of its own.
os.environ["CELL_TOWER_ENGINE"] = "sail" if ENGINE == "sail" else "spark"


# What workers of pytest-xdist report of tests that were left out, and what was told of it.
LEFT_OUT, TOLD = "left out", pytest.StashKey[set[str]]()


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Tests that import what their own environment alone has are left out where it is another."""
    name = collection_path.name
    is_asked_for = name in config.option.markexpr.replace(f"not {name}", "")
    of_environments = ("cloud", "airflow", "browser", "notebooks")
    return True if name in of_environments and not is_asked_for else None


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests that use Spark; leave out those whose needs are not there, visibly.

    Those of the real inputs are never left out in CI.
    """
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker("spark")
    if not REAL_DATA.is_dir() and os.environ.get("CI") != "true":
        _leave_out("real_data", "no ../shared here", config, items)
    if ENGINE != "spark":
        _leave_out("classic", "they look into Spark in this process", config, items)
    if pyspark.__version__ >= "4":
        _leave_out("bundled_java", "Spark 4 asks for a module that it lacks", config, items)
    if "OTHER_PYTHON" not in os.environ:
        _leave_out("other_python", "OTHER_PYTHON names no second Spark", config, items)
    if not os.environ.get("SPARK4_PYTHON"):
        _leave_out("connect_server", "SPARK4_PYTHON names no Python with Spark 4", config, items)


def _leave_out(marker: str, why: str, config: pytest.Config, items: list[pytest.Item]) -> None:
    without = [item for item in items if item.get_closest_marker(marker)]
    if without:
        items[:] = [item for item in items if item not in without]
        config.hook.pytest_deselected(items=without)
        line = f"{marker}: {len(without)} tests left out, {why}"
        # A worker of pytest-xdist has no screen.
        if hasattr(config, "workeroutput"):
            config.workeroutput.setdefault(LEFT_OUT, []).append(line)
        else:
            print(line)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Tell once what workers left out, each of which finds the same."""
    told = node.config.stash.setdefault(TOLD, set())
    for line in getattr(node, "workeroutput", {}).get(LEFT_OUT, []):
        if line not in told:
            told.add(line)
            print(line)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    session = SESSIONS[ENGINE]()
    session.conf.set("spark.sql.shuffle.partitions", "2")
    yield session
    session.stop()


def connect_session(remote: str = "local[2]") -> SparkSession:
    """A session of a Spark Connect server that this process starts, with the runner's settings."""
    use_bundled_java()
    builder = SparkSession.builder.remote(remote)
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    builder = builder.config("spark.driver.extraJavaOptions", jvm_options(LARGE_INPUTS))
    with warnings.catch_warnings():
        # The server starts with every setting; the session then says which ones it cannot change.
        warnings.filterwarnings("ignore", message="Failed to set", category=UserWarning)
        return builder.getOrCreate()


# A Java that lives through hundreds of tests gains from its second compiler, as with large inputs.
SESSIONS = {
    "spark": lambda: local_session("local[2]", input_bytes=LARGE_INPUTS),
    "connect": connect_session,
    "sail": sail_session,
}
