"""The commands that are measured; each is a function of the folder that it writes to."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.processes import ROOT

# The environments of the Makefile.
SPARK_3 = str(ROOT / ".venv/bin/python")
SPARK_4 = str(ROOT / ".venv-spark4/bin/python")
PEERS = str(ROOT / ".venv-bench/bin/python")

DEFAULT_PROFILE = "conf/default.toml"
LAB_PROFILE = "conf/lab.toml"
# Of all cases but for the one that has one core; `floor` has as many.
CORES = 2

SAIL, SPARK = "sail", "spark"

Command = Callable[[Path], list[str]]


def library(
    inputs: Path,
    profile: str = DEFAULT_PROFILE,
    python: str = SPARK_3,
    cores: int = CORES,
    engine: str = SPARK,
) -> Command:
    """A run of this library; `cores` are those of Spark, Sail is not limited."""
    fixed = [python, "-m", "runners.cli.main", "run", "--profile", profile, "--engine", engine]
    fixed += ["--master", f"local[{cores}]"] if engine == SPARK else []
    fixed += ["--customers", str(inputs / "customers")]
    fixed += ["--samples", str(inputs / "samples"), "--calls", str(inputs / "call_statistics")]
    return lambda out: [*fixed, "--out", str(out)]


def program(python: str, module: str, inputs: Path) -> Command:
    """One of the benchmarks' own programs: MODULE INPUTS OUT."""
    return lambda out: [python, "-m", module, str(inputs), str(out)]
