"""Prints the cells that need maintenance, one cell, or the alarms, from tables of a run."""

import argparse
import sys
from datetime import date

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.run import is_made_up
from anomaly.schema.tables import ALARMS_TABLE, CELL_TABLE, HISTORY_TABLE, SUMMARY_TABLE
from anomaly.summary.account import tower_figures
from runners.cli.cell_text import report_of_cell
from runners.cli.csv_file import write_rows
from runners.cli.shown_rows import OF_KPI, alarms_to_show, cells_to_visit, kpis_worst_first, values
from runners.engines.errors import failing_as
from runners.notebook import similar_names
from runners.services.console import MADE_UP_WORDS
from runners.services.outcome import Outcome
from runners.services.run_summary import RunSummary
from runners.services.sessions import session_at
from runners.services.terminal import Terminal, is_terminal
from runners.storage.destination import Storage
from runners.storage.places import storage_of
from runners.storage.published import PublishedDay, day_of, published_day


def run(options: argparse.Namespace) -> None:
    """Print the cells of one day, worst first, or one cell, or the alarms.

    Raises InputError if there is no such table, or no such cell.
    """
    place = storage_of(options.place, options.prefix)
    spark = session_at(options, place)
    with failing_as(InputError, f"{place}: holds no table of a run"):
        if options.alarms:
            _show_alarms(spark, place, options.run_date, options.csv)
            return
        published = published_day(spark, place, options.run_date)
        made_up = bool(published.cells.where(is_made_up()).head(1))
        if made_up and (options.csv or options.cell is not None):
            print(MADE_UP_WORDS, file=sys.stderr)
        if options.cell is not None:
            _show_cell(published, options.cell, options.csv)
        elif options.csv:
            _print_csv(cells_to_visit(published.cells, _history(published)))
        else:
            _show_cells(published, made_up)


def _show_cells(published: PublishedDay, made_up: bool) -> None:
    has_summary = _has_other_tables(published.place)
    figures = published.table(SUMMARY_TABLE) if has_summary else tower_figures(published.cells)
    tables = f"{published.place}, {published.day}"
    Terminal().show(Outcome(RunSummary(figures.collect()), tables, made_up))


def _show_cell(published: PublishedDay, name: str, as_csv: bool) -> None:
    is_cell = F.col("CellName") == F.lit(name)
    found = published.cells.where(is_cell).head()
    if found is None:
        near = similar_names(published.cells, name)
        raise InputError(f"{published}: there is no cell {name!r}; {near}")
    if as_csv:
        write_rows(sys.stdout, OF_KPI, values(kpis_worst_first(found), OF_KPI))
        return
    history = _history(published)
    on_day = history.where(is_cell).head() if history is not None else None
    if is_terminal(sys.stdout):
        from rich.console import Console

        from runners.cli.cell_screen import show_cell

        show_cell(Console(highlight=False), found, on_day)
    else:
        print(report_of_cell(found, on_day))


def _show_alarms(spark: SparkSession, place: Storage, day: date | None, as_csv: bool) -> None:
    """The alarms of a day. Its cells may not be judged: `alarms` publishes no cell table."""
    if not _has_other_tables(place):
        raise InputError(f"{place}: is a cell table; give the --out of the run to see its alarms")
    summary = place.table(spark, SUMMARY_TABLE)
    chosen = day_of(place, summary, day)
    of_day = F.col("run_date") == F.lit(chosen)
    found = RunSummary(summary.where(of_day & F.col("section").isin("alarms", "alarm")).collect())
    if found.alarms is None:
        raise InputError(f"{place}: no alarms were judged on {chosen}; they need dated samples")
    made_up = bool(summary.where(of_day & is_made_up()).head(1))
    if as_csv:
        if made_up:
            print(MADE_UP_WORDS, file=sys.stderr)
        _print_csv(alarms_to_show(place.table(spark, ALARMS_TABLE, [chosen]).where(of_day)))
    else:
        Terminal().show(Outcome(found, f"{place}, {chosen}", made_up, judges_cells=False))


def _history(published: PublishedDay) -> DataFrame | None:
    """The maintenance history of the day; None if there is none."""
    place = published.place
    if not _has_other_tables(place):
        return None
    has_history = published.day in place.days(published.spark, HISTORY_TABLE)
    return published.table(HISTORY_TABLE) if has_history else None


def _has_other_tables(place: Storage) -> bool:
    """Whether a place can have tables beside that of the cells: not if that itself is named."""
    return place.around(CELL_TABLE) == place


def _print_csv(rows: DataFrame) -> None:
    write_rows(sys.stdout, rows.columns, rows.toLocalIterator())
