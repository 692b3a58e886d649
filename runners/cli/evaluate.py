"""Scores published alarms against known events, such as trouble tickets."""

import argparse

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError, InputError
from anomaly.evaluation.known_events import (
    EVENT_COLUMNS,
    RULES,
    TRUTH,
    check_events,
    clean_events,
    conform_events,
    faulty_events,
)
from anomaly.evaluation.margins import Margins
from anomaly.evaluation.scores import JUDGED, OF_KIND, WITHOUT_KIND, evaluate, judged_time
from anomaly.schema.inputs import SOURCE_FILE
from anomaly.schema.tables import ALARMS_TABLE, ANOMALIES_TABLE, SUMMARY_TABLE
from runners.cli.csv_file import check_file, problems_of_file, write_file
from runners.cli.evaluation_text import report_of_evaluation
from runners.engines.errors import failing_as
from runners.services.sessions import session_at
from runners.storage.destination import Storage
from runners.storage.inputs import read_files
from runners.storage.places import storage_of

FAULTY_ROWS_SHOWN = 10
COLUMNS = ("subject", "item", "value", "detail")


def run(options: argparse.Namespace) -> None:
    """Compare, print the figures, and write them to --out."""
    _check_options(options)
    margins = Margins(options.found_within, options.aftermath)
    alarms = storage_of(options.alarms, options.prefix)
    spark = session_at(options, alarms, storage_of(options.truth))
    figures = evaluate_alarms(spark, options.truth, alarms, margins, options.every_day)
    if options.out:
        write_file(options.out, COLUMNS, ([row[name] for name in COLUMNS] for row in figures))
    print(report_of_evaluation(figures, options.alarms))


def evaluate_alarms(
    spark: SparkSession,
    truth: str,
    alarms: Storage,
    margins: Margins,
    every_day: bool = False,
) -> list[Row]:
    """The figures of `evaluation.evaluate`, of published alarms and a file of events.

    They cover the last published day, or `every_day`: then all the time between the first and the
    last judged instant counts as judged.

    Raises InputError for an invalid event, and if no alarms were published.
    """
    with failing_as(InputError, f"{alarms}: holds no tables of `alarms`"):
        tables = _tables(spark, alarms, every_day)
        judged = judged_time(tables[SUMMARY_TABLE])
        # An alarm that stands for days is a row of each.
        raised = tables[ALARMS_TABLE].select("CellName", "raised_at").distinct()
        known = tables[ANOMALIES_TABLE].select("CellName").unionByName(raised.select("CellName"))
        # Spark Connect opens the tables only when it is asked what is in them.
        _ = known.schema, judged.schema
    with failing_as(InputError, f"{truth}, {alarms}: cannot be read"):
        events = _events(spark, truth)
        figures = evaluate(raised, events, judged, known, margins).collect()
    if any(row.detail is None for row in figures if row.subject == JUDGED and row.value is None):
        raise InputError(f"{alarms}: its {SUMMARY_TABLE} does not say what `alarms` has judged")
    return sorted(figures, key=_order)


def _order(figure: Row) -> tuple[bool, str]:
    """Overall figures come first, in their order; then the kinds by name."""
    is_of_kind = figure.subject.startswith(OF_KIND) or figure.subject == WITHOUT_KIND
    return is_of_kind, figure.subject if is_of_kind else ""


def _check_options(options: argparse.Namespace) -> None:
    problems = []
    if options.found_within < 0:
        problems.append("--found-within is less than 0 minutes")
    if options.aftermath < options.found_within:
        problems.append(
            "--aftermath is shorter than --found-within: an alarm that finds is not false"
        )
    if problems := problems + problems_of_file(options.out):
        raise ConfigurationError("evaluate", problems)
    check_file(options.out, {TRUTH: options.truth, "alarms": options.alarms})


def _tables(spark: SparkSession, alarms: Storage, every_day: bool) -> dict[str, DataFrame]:
    """The tables of the last day that is published, or of every day."""
    names = (ALARMS_TABLE, ANOMALIES_TABLE, SUMMARY_TABLE)
    tables = {name: alarms.table(spark, name) for name in names}
    if every_day:
        return tables
    (last,) = tables[SUMMARY_TABLE].agg(F.max("run_date").alias("day")).collect()
    return {
        name: table.where(F.col("run_date") == F.lit(last.day)) for name, table in tables.items()
    }


def _events(spark: SparkSession, truth: str) -> DataFrame:
    checked = check_events(read_files(spark, TRUTH, truth, RULES, EVENT_COLUMNS, conform_events))
    faulty = faulty_events(checked).orderBy(SOURCE_FILE, "source_row").head(FAULTY_ROWS_SHOWN + 1)
    if faulty:
        told = [
            f"  - {row[SOURCE_FILE]}, row {row.source_row}: {'; '.join(row.problems)}"
            for row in faulty[:FAULTY_ROWS_SHOWN]
        ]
        more = ["  - and more"] * (len(faulty) > FAULTY_ROWS_SHOWN)
        listed = "\n".join((*told, *more))
        raise InputError(f"{TRUTH}: correct or remove these rows\n{listed}")
    return clean_events(checked)
