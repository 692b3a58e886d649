"""Says how good published alarms are against known events, such as trouble tickets."""

import argparse
import csv
import os
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError, InputError, OutputError
from anomaly.evaluation.known_events import (
    EVENT_COLUMNS,
    RULES,
    TRUTH,
    check_events,
    clean_events,
    conform_events,
    faulty_events,
)
from anomaly.evaluation.scores import JUDGED, OF_KIND, WITHOUT_KIND, Margins, evaluate, judged_time
from anomaly.schema.inputs import SOURCE_FILE
from anomaly.schema.tables import ALARMS_TABLE, ANOMALIES_TABLE, SUMMARY_TABLE
from runners.cli.evaluation_text import report_of_evaluation
from runners.engines.session import local_session
from runners.services.pipeline_run import keep_apart
from runners.storage.inputs import read_files
from runners.storage.published import published_table
from runners.storage.spark_errors import SPARK_ERRORS, root_cause
from runners.storage.spark_files import has_scheme

FAULTY_ROWS_SHOWN = 10
USUAL = Margins()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `evaluate`."""
    parser.add_argument(
        "--truth",
        required=True,
        help="known events: CSV or Parquet with CellName, start, end (empty while it lasts) and, "
        "if you like, kind",
    )
    parser.add_argument(
        "--alarms",
        required=True,
        help="the --out of `alarms` or `run`: a folder, gs://BUCKET/FOLDER or bq://PROJECT.DATASET",
    )
    parser.add_argument(
        "--prefix", default="", help="prefix of BigQuery tables, as given to the run"
    )
    parser.add_argument(
        "--found-within",
        type=int,
        default=USUAL.found_within,
        metavar="MINUTES",
        help="an alarm finds an event until this long after its end (default: %(default)s)",
    )
    parser.add_argument(
        "--aftermath",
        type=int,
        default=USUAL.aftermath,
        metavar="MINUTES",
        help="an alarm is not false until this long after an event (default: %(default)s)",
    )
    parser.add_argument(
        "--every-day",
        action="store_true",
        help="take the alarms of all published days (default: the last day)",
    )
    parser.add_argument("--out", metavar="FILE.csv", help="also write the figures to this file")
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def evaluate_command(options: argparse.Namespace) -> None:
    """Compare, print the figures, and write them where they are asked for."""
    _check_options(options)
    margins = Margins(options.found_within, options.aftermath)
    spark = local_session(options.master, has_scheme(options.truth) or has_scheme(options.alarms))
    figures = evaluate_alarms(
        spark, options.truth, options.alarms, margins, options.every_day, options.prefix
    )
    if options.out:
        _write(figures, Path(options.out))
    print(report_of_evaluation(figures, options.alarms))


def evaluate_alarms(
    spark: SparkSession,
    truth: str,
    alarms: str,
    margins: Margins,
    every_day: bool = False,
    prefix: str = "",
) -> list[Row]:
    """The figures of `evaluation.evaluate`, of published alarms and a file of events.

    Of the last day that is published, or of `every_day`: then the time between the first and the
    last instant that was judged counts as judged. `prefix` is that of BigQuery tables.

    Raises InputError for an event with a fault, and where no alarms were published.
    """
    try:
        tables = _tables(spark, alarms, every_day, prefix)
        judged = judged_time(tables[SUMMARY_TABLE])
        # An alarm that stands for days is a row of each.
        raised = tables[ALARMS_TABLE].select("CellName", "raised_at").distinct()
        known = tables[ANOMALIES_TABLE].select("CellName").unionByName(raised.select("CellName"))
        # Spark Connect opens the tables only when it is asked what is in them.
        _ = known.schema, judged.schema
    except SPARK_ERRORS as error:
        told = root_cause(error)
        raise InputError(f"{alarms}: holds no tables of `alarms` ({told})") from error
    try:
        events = _events(spark, truth)
        figures = evaluate(raised, events, judged, known, margins).collect()
    except SPARK_ERRORS as error:
        raise InputError(f"{truth}, {alarms}: cannot be read: {root_cause(error)}") from error
    if any(row.detail is None for row in figures if row.subject == JUDGED and row.value is None):
        raise InputError(f"{alarms}: its {SUMMARY_TABLE} does not say what `alarms` has judged")
    return sorted(figures, key=_order)


def _order(figure: Row) -> tuple[bool, str]:
    """What is about all comes first, as it is; then the kinds by name."""
    is_of_kind = figure.subject.startswith(OF_KIND) or figure.subject == WITHOUT_KIND
    return is_of_kind, figure.subject if is_of_kind else ""


def _check_options(options: argparse.Namespace) -> None:
    faults = []
    if options.found_within < 0:
        faults.append("--found-within is less than 0 minutes")
    if options.aftermath < options.found_within:
        faults.append(
            "--aftermath is shorter than --found-within: an alarm that finds is not false"
        )
    if options.out and has_scheme(options.out):
        faults.append("--out: give a file of this machine")
    if faults:
        raise ConfigurationError("evaluate", faults)
    if options.out:
        keep_apart({TRUTH: options.truth, "alarms": options.alarms}, options.out)
        if not Path(options.out).parent.is_dir():
            raise OutputError(f"{options.out}: its folder does not exist; create it first")


def _tables(spark: SparkSession, alarms: str, every_day: bool, prefix: str) -> dict[str, DataFrame]:
    """The tables of the last day that is published, or of every day."""
    names = (ALARMS_TABLE, ANOMALIES_TABLE, SUMMARY_TABLE)
    tables = {name: published_table(spark, alarms, name, prefix) for name in names}
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


def _write(figures: Sequence[Row], target: Path) -> None:
    """A CSV file with a row per figure, whole or not at all; a figure without data is empty."""
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(("subject", "item", "value", "detail"))
            writer.writerows((row.subject, row.item, row.value, row.detail) for row in figures)
        unfinished.replace(target)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise OutputError(f"{target}: cannot be written: {error}") from error
