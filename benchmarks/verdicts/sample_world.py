"""The made-up data of `cell-tower-anomaly sample`, with the faults that it says it has."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from benchmarks.commands import SPARK_3
from benchmarks.processes import run
from benchmarks.verdicts.averages import cell_averages
from benchmarks.verdicts.case import Case, Truth
from benchmarks.verdicts.inputs import sample_inputs

COMMAND = [SPARK_3, "-m", "runners.cli.main", "sample", "--format", "parquet"]


def sample_cases(seeds: Iterable[int], scale: int) -> Iterator[Case]:
    """Make the case of each seed; its folder lasts until the next one is asked for."""
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            run([*COMMAND, "--scale", str(scale), "--seed", str(seed), "--out", folder])
            faults = pd.read_csv(f"{folder}/truth.csv").set_index("CellName")["fault"]
            averages = cell_averages(sample_inputs(Path(folder)))
            yield Case(seed, Path(folder), averages, Truth(faults.to_dict()))
