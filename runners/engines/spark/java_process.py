"""The Java process of a command: how it is started and ended."""

import locale
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway

from anomaly.errors import ConfigurationError
from runners.engines.command_log import command_log
from runners.engines.errors import root_cause

SECONDS_TO_END = 10
# With these, Java does not look up the name of this machine, which may not resolve, or may contain
# an underscore, which is invalid in addresses.
OF_THIS_MACHINE = {"SPARK_LOCAL_IP": "127.0.0.1", "SPARK_LOCAL_HOSTNAME": "localhost"}


def java_home() -> Path:
    """The folder of the Java that PySpark will start. Raises OSError if there is none."""
    if os.environ.get("JAVA_HOME"):
        return Path(os.environ["JAVA_HOME"])
    java = shutil.which("java")
    if java is None:
        raise FileNotFoundError("java")
    return Path(java).resolve().parents[1]


def start_context(settings: dict[str, str]) -> None:
    """Start Java, and a Spark context in it; their output goes to the log of the command.

    Raises PySparkRuntimeError if Java does not start, ConfigurationError if Spark does not.
    """
    conf = SparkConf().setAll([*settings.items()])
    if settings["spark.master"].startswith("local") and not set(OF_THIS_MACHINE) & set(os.environ):
        os.environ.update(OF_THIS_MACHINE)
    with command_log().open("ab") as log, _locale_of_python():
        printing: dict[str, Any] = {"stdout": log, "stderr": subprocess.STDOUT}
        gateway = launch_gateway(conf, printing)  # type: ignore[no-untyped-call]
    try:
        # In the main thread PySpark would handle Ctrl-C, and call Java in the middle of another
        # call.
        with ThreadPoolExecutor(max_workers=1) as thread:
            thread.submit(SparkContext, gateway=gateway, conf=conf).result()
    except Exception as error:
        # Only a running Java can say what its error is.
        cause = root_cause(error)
        end_java()
        # Otherwise the next context would be started in the Java that is gone.
        SparkContext._gateway = None
        raise ConfigurationError("Spark does not start", [cause]) from error


def end_java() -> None:
    """End the Java of this process, if it started one, whatever it is doing."""
    gateway = SparkContext._gateway
    process = getattr(gateway, "proc", None)
    if process is None:
        return
    process.terminate()
    try:
        process.wait(SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _locale_of_python() -> Iterator[None]:
    """Let Java encode file names like Python, which uses UTF-8 even if the locale is C or POSIX."""
    names = ("LC_ALL", "LC_CTYPE")
    if sys.getfilesystemencoding() != "utf-8" or "UTF" in locale.getencoding().upper():
        yield
        return
    before = {name: os.environ.get(name) for name in names}
    os.environ |= dict.fromkeys(names, "C.UTF-8")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
