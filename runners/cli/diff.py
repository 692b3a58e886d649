"""Says which verdicts changed between two published runs, and what caused it."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from functools import partial

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError, InputError
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
from runners.cli.csv_file import check_file, problems_of_file, write_file
from runners.cli.diff_text import CELLS_SHOWN, report_of_differences
from runners.engines.errors import failing_as
from runners.services.sessions import session_at
from runners.storage.addresses import BIGQUERY, address_of
from runners.storage.destination import Storage
from runners.storage.places import storage_of
from runners.storage.published import PublishedDay, published_day

OF_CELL = (
    "CellName",
    "change",
    *(f"{name}_{side}" for name in ("defects", "evaluated") for side in ("before", "after")),
)


def run(options: argparse.Namespace) -> None:
    """Compare two runs, print what changed, and write it to --out."""
    (first, first_day), (second, second_day) = options.first, options.second
    places = _places((first, second), options)
    spark = session_at(options, *places)
    runs = [*map(partial(_run, spark), places, (first_day, second_day))]
    summaries = [run.table(SUMMARY_TABLE) for run in runs]
    with failing_as(InputError, f"{runs[0]}, {runs[1]}: cannot be read"):
        compared = compared_cells(*(run.cells for run in runs))
        changed = changed_cells(compared).orderBy(
            (F.coalesce("verdict_after", F.lit("")) == REQUIRED).desc(),
            F.desc_nulls_last("defects_after"),
            "CellName",
        )
        figures = difference_figures(compared).collect()
        inputs = input_differences(*summaries).collect()
        cells = changed.head(CELLS_SHOWN)
        named = [*map(_named, runs, summaries)]
        if options.out:
            write_file(options.out, (*OF_CELL, *CAUSE_FIELDS), _lines(changed.toLocalIterator()))
    print(report_of_differences(figures, inputs, cells, named))


def _places(texts: Sequence[str], options: argparse.Namespace) -> list[Storage]:
    """The places of both runs; --prefix applies to those in BigQuery."""
    prefixes = [options.prefix * (address_of(text).scheme == BIGQUERY) for text in texts]
    places = [*map(storage_of, texts, prefixes)]
    named = dict(zip(("RUN_A", "RUN_B"), places, strict=True))
    problems = [
        f"{name}: give the --out of a run; {place} is one of its tables"
        for name, place in named.items()
        if place.problems(is_destination=True)
        or any(place.around(table) != place for table in (CELL_TABLE, SUMMARY_TABLE))
    ]
    if options.prefix and not any(prefixes):
        problems.append("--prefix is only for bq://")
    if problems := problems + problems_of_file(options.out):
        raise ConfigurationError("diff", problems)
    check_file(options.out, {name: str(place) for name, place in named.items()})
    return places


def _run(spark: SparkSession, place: Storage, day: date | None) -> PublishedDay:
    """The requested day, by default the last one.

    Raises InputError if it was not published, and lists the days that were.
    """
    with failing_as(InputError, f"{place}: holds no tables of a run"):
        run = published_day(spark, place, day)
        # Spark Connect opens a table only when it is asked what is in it.
        _ = run.cells.schema, run.table(SUMMARY_TABLE).schema
    return run


def _named(run: PublishedDay, summary: DataFrame) -> str:
    """The name of a run, marked if its data is made up."""
    is_of_made_up = not summary.where(is_made_up()).isEmpty()
    return f"{run}{' (made-up sample data)' if is_of_made_up else ''}"


def _lines(cells: Iterable[Row]) -> Iterator[tuple[object, ...]]:
    for cell in cells:
        of_cell = tuple(cell[name] for name in OF_CELL)
        yield from ((*of_cell, *cause) for cause in cell.causes)
