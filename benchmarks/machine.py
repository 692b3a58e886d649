"""What the measurements were made on and with."""

import os
import shlex
import subprocess
import sys
from datetime import date
from pathlib import Path

from benchmarks.commands import PEERS, SPARK_3, SPARK_4

JAVA = """
import os, subprocess
from runners.engines.spark.session import use_bundled_java
use_bundled_java()
java = os.path.join(os.environ["JAVA_HOME"], "bin", "java") if "JAVA_HOME" in os.environ else "java"
said = subprocess.run([java, "-version"], capture_output=True, text=True, check=True)
print(said.stderr.splitlines()[0])
"""


def description() -> dict[str, str]:
    """The machine, the versions, the day and the command, by what they are called."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    python = f"Python {sys.version.split()[0]}, Java {_said(SPARK_3, JAVA)}"
    spark = f"Spark {_version(SPARK_3, 'pyspark')} and {_version(SPARK_4, 'pyspark')}"
    sail = f"Sail {_version(SPARK_3, 'pysail')}"
    peers = f"DuckDB {_version(PEERS, 'duckdb')}, Polars {_version(PEERS, 'polars')}"
    return {
        "machine": f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB of memory",
        "versions": f"{python}, {spark}, {sail}, {peers}",
        "date": date.today().isoformat(),
        "command": shlex.join(["python", "-m", "benchmarks", *sys.argv[1:]]),
    }


def _processor() -> str:
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    return names[0] if names else os.uname().machine


def _version(python: str, package: str) -> str:
    program = f"from importlib.metadata import version; print(version({package!r}))"
    return _said(python, program) if Path(python).exists() else "none"


def _said(python: str, program: str) -> str:
    command = [python, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
