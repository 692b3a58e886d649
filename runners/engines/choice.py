"""Which engine a command takes, and why; the engine of a session.

Arguments and their help need no PySpark, so it is not imported here.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from anomaly.errors import ConfigurationError
from runners.engines.engine import REASON, SETTING, Engine
from runners.engines.memory import memory_limit

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

AUTO, SAIL, SPARK = "auto", "sail", "spark"
ENGINES = (AUTO, SAIL, SPARK)
# Names the engine where no argument does.
VARIABLE = "CELL_TOWER_ENGINE"
# Sail holds at most so many times the bytes of its inputs in memory: 2.2 times 1.7 GB of CSV files,
# and 4.1 times 1.2 GB of Parquet files.
MEMORY_PER_INPUT_BYTE = 5


@dataclass(frozen=True)
class Work:
    """What a session is for: whether all its places are local, and the bytes that it will read."""

    is_local: bool = True
    input_bytes: int = 0


@dataclass(frozen=True)
class Choice:
    """An engine, and why it was taken."""

    engine: str
    reason: str

    def __str__(self) -> str:
        return f"{self.engine} ({self.reason})"


def choose(wanted: str | None, work: Work, master: str | None = None) -> Choice:
    """The engine for some work. Raises ConfigurationError if the wanted one cannot do it."""
    named = wanted or os.environ.get(VARIABLE) or AUTO
    if named not in ENGINES:
        raise ConfigurationError(VARIABLE, [f"is {named!r}: choose {', '.join(ENGINES)}"])
    obstacle = _obstacle_to_sail(work, master)
    if named == SPARK:
        return Choice(SPARK, "as asked for")
    if named == SAIL:
        if obstacle:
            raise ConfigurationError("--engine sail", [f"{obstacle}: take --engine spark"])
        return Choice(SAIL, "as asked for")
    if obstacle:
        return Choice(SPARK, obstacle)
    if work.input_bytes * MEMORY_PER_INPUT_BYTE > memory_limit():
        size = f"{work.input_bytes / 2**30:.1f} GB of inputs may not fit in memory"
        return Choice(SPARK, size)
    return Choice(SAIL, "all places are on this machine")


def open_session(
    work: Work = Work(), master: str | None = None, engine: str | None = None
) -> SparkSession:
    """A session of the engine that is chosen for some work.

    Raises ConfigurationError if the wanted engine cannot do it, or does not start.
    """
    return start(choose(engine, work, master), work, master)


def start(chosen: Choice, work: Work, master: str | None = None) -> SparkSession:
    """A session of an engine. Raises ConfigurationError if it does not start."""
    if chosen.engine == SAIL:
        from runners.engines.sail.session import sail_session

        session = sail_session()
    else:
        from runners.engines.spark.session import local_session

        session = local_session(master, not work.is_local, work.input_bytes)
    session.conf.set(REASON, chosen.reason)
    return session


def end_engine() -> None:
    """End what this process started, whatever it is doing."""
    # Only an engine that was imported can have been started.
    if session := sys.modules.get("runners.engines.sail.session"):
        session.end_sail()
    if java := sys.modules.get("runners.engines.spark.java_process"):
        java.end_java()


def engine_of(spark: SparkSession) -> Engine:
    """The engine of a session."""
    # What only one of them needs is not imported for the other.
    if choice_of(spark).engine == SAIL:
        from runners.engines.sail.engine import SailEngine

        return SailEngine()
    from runners.engines.spark.engine import SparkEngine

    return SparkEngine()


def choice_of(spark: SparkSession) -> Choice:
    """The engine of a session, and why it was taken."""
    engine = spark.conf.get(SETTING, SPARK)
    return Choice(str(engine), str(spark.conf.get(REASON, "the session was there")))


def _obstacle_to_sail(work: Work, master: str | None) -> str:
    """Why Sail cannot do some work; empty if it can."""
    if master or "SPARK_MASTER" in os.environ:
        return "a Spark master is named"
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        return "spark-submit starts Spark"
    if "SPARK_REMOTE" in os.environ:
        return "SPARK_REMOTE names a server of Spark"
    if not work.is_local:
        return "some places are not on this machine"
    if find_spec("pysail") is None:
        return "Sail is not installed"
    if _has_session_of_spark():
        return "this process has a session of Spark"
    return ""


def _has_session_of_spark() -> bool:
    """Whether this process has one already, beside which PySpark starts none of Sail."""
    from pyspark.sql import SparkSession

    session = SparkSession.getActiveSession()
    return session is not None and choice_of(session).engine != SAIL
