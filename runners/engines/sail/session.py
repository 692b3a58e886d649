"""A session of Sail: its server runs in this process, and Spark Connect leads to it."""

import os
from typing import Any

from pyspark.sql import SparkSession

from anomaly.errors import ConfigurationError
from runners.engines.engine import SETTING

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    SETTING: "sail",
}
# It would print each query to stderr.
QUIET = {"RUST_LOG": "off"}
_running: list[tuple[Any, SparkSession]] = []


def sail_session() -> SparkSession:
    """The session of this process. Raises ConfigurationError if Sail does not start."""
    if not _running:
        _running.append(_started())
    _, session = _running[0]
    return session


def end_sail() -> None:
    """End the server of this process, whatever it is doing."""
    while _running:
        server, _ = _running.pop()
        server.stop()


def _started() -> tuple[Any, SparkSession]:
    os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
    try:
        from pysail.spark import SparkConnectServer

        server = SparkConnectServer("127.0.0.1", 0)
        server.start(background=True)
        _, port = server.listening_address
        builder = SparkSession.builder.remote(f"sc://127.0.0.1:{port}")
        for name, value in SETTINGS.items():
            builder = builder.config(name, value)
        return server, builder.getOrCreate()
    except (ImportError, OSError, RuntimeError) as error:
        raise ConfigurationError("Sail does not start", [str(error)]) from error
