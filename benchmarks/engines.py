"""The same run on Spark 3.5, one core and two, on Sail, Spark 4, and Spark 4 with Comet."""

import os
from pathlib import Path

from benchmarks.bench import Bench, Case
from benchmarks.commands import SAIL, SPARK_4, library
from benchmarks.equality import check_equal
from benchmarks.figures import times
from benchmarks.table import Line

TWO_CORES, ONE_CORE = "Spark 3.5, two cores", "Spark 3.5, one core"
ON_SAIL = "Sail"
SPARK_4_ALONE, COMET = "Spark 4, two cores", "Spark 4 with Comet, two cores"
LARGEST_SCALE = 10

# org.apache.datafusion:comet-spark-spark4.1_2.13. It works with memory outside the heap only.
COMET_SETTINGS = {
    "spark.plugins": "org.apache.spark.CometPlugin",
    "spark.shuffle.manager": "org.apache.spark.sql.comet.execution.shuffle.CometShuffleManager",
    "spark.memory.offHeap.enabled": "true",
    "spark.memory.offHeap.size": "4g",
}


def lines(bench: Bench) -> list[Line]:
    """A line for each engine, also for those that are not here."""
    scale = max(bench.scales_up_to(LARGEST_SCALE))
    inputs, rounds = bench.inputs.at(scale), bench.rounds(scale)
    cases = [
        Case(TWO_CORES, library(inputs), rounds),
        Case(ONE_CORE, library(inputs, cores=1), rounds),
        Case(ON_SAIL, library(inputs, engine=SAIL), rounds),
    ]
    missing = left_out()
    if SPARK_4_ALONE not in missing:
        cases.append(Case(SPARK_4_ALONE, library(inputs, python=SPARK_4), rounds))
    if COMET not in missing:
        with_comet = comet_environment(os.environ["COMET_JAR"])
        on_spark_4 = library(inputs, python=SPARK_4)
        cases.append(Case(COMET, on_spark_4, rounds, with_comet))
    results = bench.results(cases)
    for result in results.values():
        check_equal(results[TWO_CORES], result)
    measured = bench.alternately(cases)
    return [
        Line("engines", name, str(scale), runs, f"{times(runs, measured[TWO_CORES])} {TWO_CORES}")
        for name, runs in measured.items()
    ] + [Line("engines", name, str(scale), [], reason) for name, reason in missing.items()]


def left_out() -> dict[str, str]:
    """Why an engine is left out, by its name."""
    missing = {}
    if not Path(SPARK_4).exists():
        missing[SPARK_4_ALONE] = missing[COMET] = "left out: .venv-spark4 is not there"
    elif not os.environ.get("COMET_JAR"):
        missing[COMET] = "left out: COMET_JAR does not name the jar of Comet for Spark 4.1"
    return missing


def comet_environment(jar: str) -> dict[str, str]:
    """What has a Python that starts Spark start it with Comet."""
    settings = " ".join(f"--conf {name}={value}" for name, value in COMET_SETTINGS.items())
    options = f"--jars {jar} --driver-class-path {jar} {settings}"
    return {"PYSPARK_SUBMIT_ARGS": f"{options} pyspark-shell"}
