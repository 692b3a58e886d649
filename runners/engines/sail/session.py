"""A session of Sail: its server runs in this process, and Spark Connect leads to it."""

import os
import signal
import threading
import warnings
from contextlib import suppress
from importlib import import_module
from typing import Any

from pyspark.sql import SparkSession

from anomaly.errors import ConfigurationError
from runners.engines.engine import SETTING

SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    SETTING: "sail",
}
# What the process of Sail finds in its environment, unless a user set it.
ENVIRONMENT = {
    # It would print each query to stderr.
    "RUST_LOG": "off",
    # As Spark writes; Sail's own zstd took a tenth of a small run.
    "SAIL_PARQUET__COMPRESSION": "snappy",
    # Its allocator would have huge pages cleared of which it uses little.
    "MIMALLOC_ALLOW_THP": "0",
}
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
        server, session = _running.pop()
        # Threads that ask the server fail at once; they would ask again for ten minutes, and
        # client.close() would wait for them. What they then warn of is known.
        warnings.simplefilter("ignore")
        session.client._channel.close()
        server.stop()


def _started() -> tuple[Any, SparkSession]:
    os.environ.update(ENVIRONMENT | os.environ)
    try:
        from pysail.spark import SparkConnectServer

        _use_distutils_of_python()
        server = SparkConnectServer("127.0.0.1", 0)
        server.start(background=True)
        _, port = server.listening_address
        builder = SparkSession.builder.remote(f"sc://127.0.0.1:{port}")
        for name, value in SETTINGS.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
        # PySpark 3.5 makes a text of each plan for a log that is off: 0.5 of 9 s of processor time.
        vars(session.client)["_proto_to_string"] = lambda _: ""
        _take_back_ctrl_c()
        return server, session
    except (ImportError, OSError, RuntimeError) as error:
        raise ConfigurationError("Sail does not start", [str(error)]) from error


def _take_back_ctrl_c() -> None:
    """Have Python alone hear Ctrl-C, as before.

    Sail ends its server at Ctrl-C. Its handler also restarts what the main thread waits for, so
    that Python's handler, though called, has no turn until another thread ends.
    """
    handler = signal.getsignal(signal.SIGINT)
    if handler is not None and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, handler)


def _use_distutils_of_python() -> None:
    """Have PySpark 3.5 compare versions by distutils alone, which Python has until 3.12.

    Otherwise setuptools stands in for it, and takes 0.15 s to load.
    """
    with suppress(ImportError), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        import_module("_distutils_hack").remove_shim()
        import_module("distutils.version")
