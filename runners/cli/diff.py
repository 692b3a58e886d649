"""Says which verdicts changed between two published runs, and what caused it."""

import argparse
import csv
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError, InputError, OutputError
from anomaly.history.flag_causes import CAUSE_FIELDS
from anomaly.history.run_diff import (
    changed_cells,
    compared_cells,
    difference_figures,
    input_differences,
)
from anomaly.run import is_made_up
from anomaly.schema.tables import CELL_TABLE, SUMMARY_TABLE
from anomaly.thresholds.verdict import REQUIRED
from runners.cli.diff_text import CELLS_SHOWN, report_of_differences
from runners.engines.session import local_session
from runners.services.pipeline_run import keep_apart
from runners.storage.bigquery_names import SCHEME as BIGQUERY
from runners.storage.bigquery_names import TABLE as BIGQUERY_TABLE
from runners.storage.published import chosen_day, published_table
from runners.storage.spark_errors import SPARK_ERRORS, root_cause
from runners.storage.spark_files import has_scheme

DAY = re.compile(r"(?P<place>.+)@(?P<day>[0-9-]*)")
PLACE = "a folder that is the --out of a run, gs://BUCKET/FOLDER or bq://PROJECT.DATASET"
OF_CELL = (
    "CellName",
    "change",
    *(f"{name}_{side}" for name in ("defects", "evaluated") for side in ("before", "after")),
)


@dataclass(frozen=True)
class PublishedRun:
    """Where a run has published its tables, and for which day; None is the last one there."""

    place: str
    day: date | None

    def __str__(self) -> str:
        return f"{self.place}@{self.day}" if self.day else self.place


@dataclass(frozen=True)
class Tables:
    """What is compared of a run: its rows in two tables, and the run with its day."""

    run: PublishedRun
    cells: DataFrame
    summary: DataFrame


def run_of(text: str) -> PublishedRun:
    """PLACE or PLACE@YYYY-MM-DD. Raises ArgumentTypeError for a day that is none."""
    found = DAY.fullmatch(text)
    if not found:
        return PublishedRun(text, None)
    try:
        return PublishedRun(found["place"], date.fromisoformat(found["day"]))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {found['day']!r} is not YYYY-MM-DD") from error


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `diff`."""
    at_day = "; with @YYYY-MM-DD that day, without it the last one there"
    parser.add_argument("first", metavar="RUN_A", type=run_of, help=f"{PLACE}{at_day}")
    parser.add_argument("second", metavar="RUN_B", type=run_of, help="likewise")
    parser.add_argument(
        "--prefix", default="", help="prefix of BigQuery tables, as given to the runs"
    )
    parser.add_argument("--out", metavar="FILE.csv", help="also write every cause to this file")
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def diff_command(options: argparse.Namespace) -> None:
    """Compare, print what changed, and write it where it is asked for."""
    asked = (options.first, options.second)
    _check_options(asked, options)
    spark = local_session(options.master, any(has_scheme(run.place) for run in asked))
    tables = [_tables(spark, run, options.prefix) for run in asked]
    try:
        compared = compared_cells(*(table.cells for table in tables))
        changed = changed_cells(compared).orderBy(
            (F.coalesce("verdict_after", F.lit("")) == REQUIRED).desc(),
            F.desc_nulls_last("defects_after"),
            "CellName",
        )
        figures = difference_figures(compared).collect()
        inputs = input_differences(*(table.summary for table in tables)).collect()
        cells = changed.head(CELLS_SHOWN)
        named = [_named(table) for table in tables]
        if options.out:
            _write(changed.toLocalIterator(), Path(options.out))
    except SPARK_ERRORS as error:
        places = ", ".join(map(str, asked))
        raise InputError(f"{places}: cannot be read: {root_cause(error)}") from error
    print(report_of_differences(figures, inputs, cells, named))


def _check_options(runs: Iterable[PublishedRun], options: argparse.Namespace) -> None:
    places = {name: run.place for name, run in zip(("RUN_A", "RUN_B"), runs, strict=True)}
    faults = [
        f"{name}: give the --out of a run; {place} is one of its tables"
        for name, place in places.items()
        if BIGQUERY_TABLE.fullmatch(place) or Path(place).name in (CELL_TABLE, SUMMARY_TABLE)
    ]
    if options.prefix and not any(place.startswith(BIGQUERY) for place in places.values()):
        faults.append("--prefix is for bq:// alone")
    if options.out and has_scheme(options.out):
        faults.append("--out: give a file of this machine")
    if faults:
        raise ConfigurationError("diff", faults)
    if options.out:
        keep_apart(places, options.out)
        if not Path(options.out).parent.is_dir():
            raise OutputError(f"{options.out}: its folder does not exist; create it first")


def _tables(spark: SparkSession, run: PublishedRun, prefix: str) -> Tables:
    """The tables of the day that is asked for, or of the last one there.

    Raises InputError where there are none, with the days that are there.
    """
    prefix = prefix if run.place.startswith(BIGQUERY) else ""
    try:
        cells = published_table(spark, run.place, CELL_TABLE, prefix)
        day = chosen_day(cells, run.place, run.day)
        summary = published_table(spark, run.place, SUMMARY_TABLE, prefix)
        is_of_day = F.col("run_date") == F.lit(day)
        tables = Tables(
            PublishedRun(run.place, day), cells.where(is_of_day), summary.where(is_of_day)
        )
        # Spark Connect opens a table only when it is asked what is in it.
        _ = tables.cells.schema, tables.summary.schema
    except SPARK_ERRORS as error:
        told = root_cause(error)
        raise InputError(f"{run.place}: holds no tables of a run ({told})") from error
    return tables


def _named(table: Tables) -> str:
    """What a run is called, with a word where nothing in it was measured."""
    is_of_made_up = not table.summary.where(is_made_up()).isEmpty()
    return f"{table.run}{' (made-up sample data)' if is_of_made_up else ''}"


def _write(cells: Iterable[Row], target: Path) -> None:
    """A CSV file with a row per cell and cause, whole or not at all; what is NULL is empty."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow((*OF_CELL, *CAUSE_FIELDS))
            writer.writerows(_lines(cells))
        unfinished.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _lines(cells: Iterable[Row]) -> Iterator[tuple[object, ...]]:
    for cell in cells:
        of_cell = tuple(cell[name] for name in OF_CELL)
        yield from ((*of_cell, *cause) for cause in cell.causes)
