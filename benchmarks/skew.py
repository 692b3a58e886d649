"""Towers of very different and of very small size, against even ones with as many rows."""

from pathlib import Path

import duckdb

from benchmarks.bench import Bench, Case
from benchmarks.commands import library
from benchmarks.figures import times
from benchmarks.inputs import rows_of
from benchmarks.table import Line

# At this scale three customers a tower make 50,000 towers, with 22 samples each.
LARGEST_SCALE = 30
CUSTOMERS_OF_SMALL_TOWER = 3
EVEN = "even towers"


def lines(bench: Bench) -> list[Line]:
    """The even case and the others, at the largest scale up to LARGEST_SCALE."""
    scale = max(bench.scales_up_to(LARGEST_SCALE))
    made = variants(bench.inputs.at(scale), bench.folder / "skew")
    rounds = bench.rounds(scale)
    cases = [Case(name, library(inputs), rounds) for name, inputs in made.items()]
    bench.results(cases)
    measured = bench.alternately(cases)
    return [
        Line("skew", name, str(scale), runs, f"{times(runs, measured[EVEN])} the even case")
        for name, runs in measured.items()
    ]


def variants(sample: Path, folder: Path) -> dict[str, Path]:
    """The inputs of each case by its name; all were written by DuckDB, in the same files.

    Towers get their customers anew, so that each customer has samples and each case as many rows.
    """
    customers, samples = f"'{sample}/customers/*.parquet'", f"'{sample}/samples/*.parquet'"
    towers = rows_of(sample / "customers") // CUSTOMERS_OF_SMALL_TOWER
    cells = f"(SELECT list(DISTINCT CellName ORDER BY CellName) FROM {samples})"
    customer = "row_number() OVER (ORDER BY Index)"
    even = f"{cells}[1 + {customer} % len({cells})]"
    large = f"if({customer} % 2 = 0, {cells}[1], {even})"
    small = f"'T' || {customer} % {towers}"
    # Neighbouring samples are of the same cell, so that a small tower's are alike, as a cell's are.
    number = "row_number() OVER (ORDER BY CellName, Time) - 1"
    small_samples = f"'T' || ({number}) * {towers} // count(*) OVER ()"
    columns = {
        EVEN: (even, "CellName"),
        "one tower with half of the customers": (large, "CellName"),
        f"{towers} towers with {CUSTOMERS_OF_SMALL_TOWER} customers each": (small, small_samples),
    }
    return {
        name: write(
            folder / str(position),
            f"SELECT * REPLACE ({tower} AS CellTower) FROM {customers}",
            f"SELECT * REPLACE ({cell} AS CellName) FROM {samples}",
            sample / "call_statistics",
        )
        for position, (name, (tower, cell)) in enumerate(columns.items())
    }


def write(folder: Path, customers: str, samples: str, calls: Path) -> Path:
    """Write two inputs from their queries; the third one is as it was."""
    for name, query in (("customers", customers), ("samples", samples)):
        (folder / name).mkdir(parents=True)
        duckdb.execute(f"COPY ({query}) TO '{folder / name / 'all.parquet'}'")
    (folder / "call_statistics").symlink_to(calls)
    return folder
