"""The inputs of the benchmarks: sample data in Parquet, made once for each scale."""

from pathlib import Path

import duckdb

from benchmarks.commands import SPARK_3
from benchmarks.processes import run

SEED = 42


class SampleInputs:
    """The sample data of any scale, below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def at(self, scale: int) -> Path:
        """The folder with the three inputs of a scale."""
        inputs = self._folder / f"scale-{scale}"
        if not inputs.exists():
            print(f"sample data of scale {scale}", flush=True)
            command = [SPARK_3, "-m", "runners.cli.main", "sample", "--format", "parquet"]
            run([*command, "--scale", str(scale), "--seed", str(SEED), "--out", str(inputs)])
        return inputs


def rows_of(folder: Path) -> int:
    """The rows of one input."""
    return len(duckdb.read_parquet(f"{folder}/*.parquet"))


def millions_of_calls(inputs: Path) -> float:
    """Millions of rows of call statistics, the largest of the three inputs."""
    return rows_of(inputs / "call_statistics") / 1e6
