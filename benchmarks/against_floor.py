"""A run at scale 1, on each engine, against the least that a Spark program can do with that."""

from benchmarks.bench import Bench, Case
from benchmarks.commands import SAIL, SPARK, SPARK_3, library, program
from benchmarks.equality import check_equal
from benchmarks.figures import times
from benchmarks.table import Line

FLOOR = "floor"
RUNS = {"run on Spark": SPARK, "run on Sail": SAIL}


def lines(bench: Bench) -> list[Line]:
    """The floor, and a run on each engine, which must give the same tables."""
    inputs = bench.inputs.at(1)
    floor = Case(FLOOR, program(SPARK_3, "benchmarks.floor", inputs), bench.pairs)
    runs = [
        Case(name, library(inputs, engine=engine), bench.pairs) for name, engine in RUNS.items()
    ]
    # What a first run finds on the disk, the others find in memory.
    _, on_spark, on_sail = bench.results((floor, *runs)).values()
    check_equal(on_spark, on_sail)
    measured = bench.alternately((floor, *runs))
    return [
        Line("floor", name, "1", runs, f"{times(runs, measured[FLOOR])} the floor")
        for name, runs in measured.items()
    ]
