"""How seconds and memory grow with the inputs."""

from itertools import pairwise

from benchmarks.bench import Bench, Case, Measured
from benchmarks.commands import SAIL, SPARK, library
from benchmarks.equality import check_equal
from benchmarks.figures import median_seconds
from benchmarks.inputs import millions_of_calls
from benchmarks.table import Line

# From this scale on a run takes long, and differs little from the next one.
SCALE_MEASURED_ONCE = 30
USUAL = "Spark, usual memory"
# The engine of each case, and its environment.
CASES: dict[str, tuple[str, dict[str, str]]] = {
    USUAL: (SPARK, {}),
    "Spark, 2 GB": (SPARK, {"SPARK_DRIVER_MEMORY": "2g"}),
    "Sail": (SAIL, {}),
}


def lines(bench: Bench) -> list[Line]:
    """A line for each case and scale."""
    smallest = cases(bench, min(bench.scales))
    results = bench.results(smallest)
    for result in results.values():
        check_equal(results[USUAL], result)
    measured = {scale: bench.alternately(cases(bench, scale)) for scale in bench.scales}
    millions = {scale: millions_of_calls(bench.inputs.at(scale)) for scale in bench.scales}
    return [line for name in CASES for line in lines_of(name, measured, millions)]


def cases(bench: Bench, scale: int) -> list[Case]:
    """The run of a scale on each engine, on Spark with each memory."""
    inputs = bench.inputs.at(scale)
    rounds = 1 if scale >= SCALE_MEASURED_ONCE else min(bench.pairs, 3)
    return [
        Case(name, library(inputs, engine=engine), rounds, environment)
        for name, (engine, environment) in CASES.items()
    ]


def lines_of(
    name: str, measured: dict[int, dict[str, list[Measured]]], millions: dict[int, float]
) -> list[Line]:
    """A line for each scale, with the slope from the scale before it."""
    seconds = {scale: median_seconds(runs[name]) for scale, runs in measured.items()}
    slopes = {
        larger: f"; each million beyond scale {smaller} took "
        f"{(seconds[larger] - seconds[smaller]) / (millions[larger] - millions[smaller]):.2f} s"
        for smaller, larger in pairwise(sorted(measured))
    }
    return [
        Line(
            "growth",
            name,
            str(scale),
            runs[name],
            f"per million call rows {seconds[scale] / millions[scale]:.1f} s and "
            f"{runs[name][0].written_megabytes / millions[scale]:.1f} MB written"
            f"{slopes.get(scale, '')}",
        )
        for scale, runs in measured.items()
    ]
