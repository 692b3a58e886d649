"""A run at scale 1 against the floor: the least that a Spark program can do with the inputs."""

from benchmarks.bench import Bench, Case
from benchmarks.commands import SPARK_3, library, program
from benchmarks.equality import check_equal
from benchmarks.figures import times
from benchmarks.table import Line

FLOOR, WITH, WITHOUT = "floor", "run, with class archive", "run, without class archive"


def lines(bench: Bench) -> list[Line]:
    """The floor, the second run on a machine, and the first one."""
    inputs = bench.inputs.at(1)
    floor = Case(FLOOR, program(SPARK_3, "benchmarks.floor", inputs), bench.pairs)
    with_archive = Case(WITH, library(inputs), bench.pairs)
    without_archive = Case(WITHOUT, library(inputs), bench.pairs, classes=None)
    results = bench.results((with_archive, without_archive, floor))
    check_equal(results[WITH], results[WITHOUT])
    measured = bench.alternately((floor, with_archive, without_archive))
    return [
        Line("floor", name, "1", runs, f"{times(runs, measured[FLOOR])} the floor")
        for name, runs in measured.items()
    ]
