"""Inputs small enough for each test, made by plain Python, and a profile for them."""

import csv
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb
from pyspark.sql import DataFrame, SparkSession

CELLS = [f"{number}{letter}LTE" for number in range(1, 5) for letter in "ABC"]
BAD_TEXTS = ("N/A", "#VALUE!", "abc", "", "1e400")


def kpi_names(kpis: int) -> tuple[list[str], list[str]]:
    """Names of so many KPIs, one half from the samples and one from the call statistics."""
    return [f"s{n}" for n in range(kpis - kpis // 2)], [f"c{n}" for n in range(kpis // 2)]


def profile_text(kpis: int = 6) -> str:
    """A profile that judges so many KPIs and a derived one, by median, mean and quantile."""
    of_samples, of_calls = kpi_names(kpis)
    lines = ['name = "small"', "[join]", "keep_cells_without_customers = true"]
    lines += ["keep_customers_without_samples = true", "[verdict]", "minimum_defect_share = 0.3"]
    for level in ("customer_level", "cell_level"):
        lines += [f"[{level}]", 'derived = ["stability"]', "minimum_baseline_count = 3"]
    lines += [
        "[kpis.samples]",
        *(f"{name} = {{ unit = 'users', minimum = 0 }}" for name in of_samples),
    ]
    lines += ["[kpis.call_statistics]", *(f"{name} = {{ unit = 'calls' }}" for name in of_calls)]
    lines += ["[derived.stability]", 'formula = "ratio"', 'first = "c0"', 'second = "c1"']
    lines += ['unit = "ratio"', 'meaning = "c0 for each c1"']
    for name in of_samples:
        lines += [f"[rules.{name}]", 'bad_when = "above"', 'method = "median_iqr"', "k = 1.5"]
    for name in of_calls:
        lines += [f"[rules.{name}]", 'bad_when = "below"', 'method = "mean"']
    lines += ["[rules.stability]", 'bad_when = "below"', 'method = "quantile"', "q = 0.2"]
    return "\n".join(lines)


def families_text(kpis: int = 6) -> str:
    """The same KPIs judged as the default profile does: by families, like cells and their sizes."""
    judged = profile_text(kpis).replace("minimum_defect_share = 0.3", "minimum_failed_families = 1")
    judged = judged.replace("[cell_level]", "[cell_level]\nstandard_errors = true")
    judged = judged.replace("k = 1.5", 'k = 1.5\nwarn_k = 1\nscale = "log"\noffset = 0.5')
    judged = judged.replace('method = "mean"', 'method = "median_iqr"\nk = 1')
    lines = []
    for line in judged.splitlines():
        lines.append(line)
        if line.startswith("[rules."):
            lines.append(f'family = "{"traffic" if line.startswith("[rules.s") else "calls"}"')
    lines += ["[families.traffic]", "minimum_warnings = 2", "[families.calls]", "decides = false"]
    lines += ["[peers]", 'column = "Band"', "minimum_cells = 3"]
    lines += ["[diagnoses.busy]", 'words = "busy"', 'failed = ["s0"]']
    return "\n".join(lines)


class SmallInputs:
    """12 cells (two without samples, one without customers), 60 customers, 150 call rows.

    The letter of a cell is its band.
    """

    def __init__(self, seed: int = 1, kpis: int = 6) -> None:
        random_source = random.Random(seed)
        of_samples, of_calls = kpi_names(kpis)

        def value(scale: float) -> str:
            if random_source.random() < 0.04:
                return random_source.choice(BAD_TEXTS)
            return repr(round(random_source.lognormvariate(0, 0.6) * scale, 4))

        self.samples = [["CellName", *of_samples, "Band"]] + [
            [cell, *(value(10.0) for _ in of_samples), cell[1]]
            for cell in CELLS[:10]
            for _ in range(6)
        ]
        self.calls = [["Customer_ID", *of_calls]] + [
            [f"100{random_source.randint(1, 70):04d}", *(value(3.0) for _ in of_calls)]
            for _ in range(150)
        ]
        self.customers = [
            [
                number,
                random_source.randint(0, 70),
                "Yes",
                "No",
                "DSL",
                random_source.choice(CELLS[1:]),
            ]
            for number in range(1, 61)
        ]

    def write(
        self, folder: Path, files: int = 1, order: random.Random | None = None
    ) -> dict[str, str]:
        """The three inputs below a folder, CSV in so many files; returns their places."""
        for name, (header, *rows) in (("samples", self.samples), ("call_statistics", self.calls)):
            rows = order.sample(rows, len(rows)) if order else rows
            for file in range(files):
                write_csv(folder / name / f"{file}.csv", header, rows[file::files])
        (folder / "customers").mkdir(parents=True, exist_ok=True)
        table = ", ".join(str(tuple(row)) for row in self.customers)
        names = "Index, tenure, PhoneService, MultipleLines, InternetService, CellTower"
        target = folder / "customers" / "customers.parquet"
        duckdb.sql(
            f"copy (select * from (values {table}) t({names})) to '{target}' (format parquet)"
        )
        return {name: str(folder / name) for name in ("customers", "samples", "call_statistics")}


def customers_on(spark: SparkSession, towers: Mapping[str, str | None]) -> DataFrame:
    """A customer for each number, on the tower that it is mapped to, alike in all else."""
    return spark.createDataFrame(
        [(number, tower, 5, "Yes", "No", "DSL") for number, tower in towers.items()],
        "Index string, CellTower string, tenure long, PhoneService string, "
        "MultipleLines string, InternetService string",
    )


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One CSV file with a header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *rows])
