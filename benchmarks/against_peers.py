"""The work of the lab by this library, by DuckDB, by Polars, and by Spark in the lab's style."""

from benchmarks.bench import Bench, Case, Measured
from benchmarks.commands import CORES, LAB_PROFILE, PEERS, SAIL, SPARK_3, library, program
from benchmarks.equality import check_equal
from benchmarks.figures import median_seconds, straight_line, times
from benchmarks.inputs import millions_of_calls
from benchmarks.peers.lab import read_lab
from benchmarks.table import Line

OURS, ON_SPARK = "this library on Sail", "this library on Spark"
DUCKDB, POLARS, LAB_STYLE = "DuckDB", "Polars", "Spark in the lab's style"
LARGEST_SCALE = 30
# The lab's style takes minutes, so it is measured less often, and not on much data.
LARGEST_LAB_STYLE_SCALE = 10


def lines(bench: Bench) -> list[Line]:
    """A line for each peer and scale, and one for each peer with its straight line."""
    measured: dict[int, dict[str, list[Measured]]] = {}
    for scale in bench.scales_up_to(LARGEST_SCALE):
        peers = cases(bench, scale)
        results = bench.results(peers)
        for result in results.values():
            check_equal(results[OURS], result, read_lab().columns)
        measured[scale] = bench.alternately(peers)
    of_scales = [
        Line("peers", name, str(scale), runs, against_ours(name, runs, by_name[OURS]))
        for scale, by_name in measured.items()
        for name, runs in by_name.items()
    ]
    return of_scales + straight_lines(bench, measured)


def cases(bench: Bench, scale: int) -> list[Case]:
    """Ours, and each peer that can do this scale."""
    inputs, rounds = bench.inputs.at(scale), bench.rounds(scale)
    found = [
        Case(OURS, library(inputs, LAB_PROFILE, engine=SAIL), rounds),
        Case(ON_SPARK, library(inputs, LAB_PROFILE), rounds),
        Case(DUCKDB, program(PEERS, "benchmarks.peers.duckdb_sql", inputs), rounds),
        Case(
            POLARS,
            program(PEERS, "benchmarks.peers.polars_frames", inputs),
            rounds,
            {"POLARS_MAX_THREADS": str(CORES)},
        ),
    ]
    if scale <= LARGEST_LAB_STYLE_SCALE:
        rounds = min(rounds, 3) if scale == 1 else 1
        lab_style = program(SPARK_3, "benchmarks.peers.lab_style", inputs)
        found.append(Case(LAB_STYLE, lab_style, rounds))
    return found


def against_ours(name: str, runs: list[Measured], ours: list[Measured]) -> str:
    """How many times a peer's seconds ours are, in words."""
    return "" if name == OURS else f"{OURS} takes {times(ours, runs)} as long"


def straight_lines(bench: Bench, measured: dict[int, dict[str, list[Measured]]]) -> list[Line]:
    """For each peer the line through its medians; a line needs two scales."""
    millions = {scale: millions_of_calls(bench.inputs.at(scale)) for scale in measured}
    medians = {
        name: {
            millions[scale]: median_seconds(by_name[name])
            for scale, by_name in measured.items()
            if name in by_name
        }
        for name in (OURS, ON_SPARK, DUCKDB, POLARS, LAB_STYLE)
    }
    fits = {name: straight_line(by) for name, by in medians.items() if len(by) > 1}
    return [
        Line(
            "peers",
            name,
            "all",
            [],
            f"{fixed:.2f} s fixed, and {slope:.2f} s for each million call rows: "
            f"{slope / fits[DUCKDB][1]:.1f} times DuckDB's slope",
        )
        for name, (fixed, slope) in fits.items()
    ]
