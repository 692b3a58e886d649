"""A run at scale 1 against the floor: the least that a Spark program can do with the inputs."""

from benchmarks.bench import Bench, Case
from benchmarks.commands import SPARK_3, library, program
from benchmarks.figures import times
from benchmarks.table import Line

FLOOR, RUN = "floor", "run"


def lines(bench: Bench) -> list[Line]:
    """The floor, and a run."""
    inputs = bench.inputs.at(1)
    floor = Case(FLOOR, program(SPARK_3, "benchmarks.floor", inputs), bench.pairs)
    cases = (floor, Case(RUN, library(inputs), bench.pairs))
    # What a first run finds on the disk, the others find in memory.
    bench.results(cases)
    measured = bench.alternately(cases)
    return [
        Line("floor", name, "1", runs, f"{times(runs, measured[FLOOR])} the floor")
        for name, runs in measured.items()
    ]
