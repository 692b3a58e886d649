"""Prints the cells that need maintenance, and the alarms, from tables that a run published."""

import argparse
from datetime import date

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.run import is_made_up
from anomaly.schema.tables import CELL_TABLE, SUMMARY_TABLE
from anomaly.summary.account import tower_figures
from runners.engines.session import local_session
from runners.services.console import report
from runners.storage.published import chosen_day, published_table
from runners.storage.spark_errors import SPARK_ERRORS, root_cause
from runners.storage.spark_files import has_scheme


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `show`."""
    parser.add_argument(
        "table",
        help="the --out of a run, or its cell table: a folder, gs://BUCKET/FOLDER, "
        "bq://PROJECT.DATASET or bq://PROJECT.DATASET.TABLE",
    )
    parser.add_argument(
        "--prefix", default="", help="prefix of BigQuery tables, as given to the run"
    )
    parser.add_argument(
        "--run-date", type=date.fromisoformat, help="YYYY-MM-DD (default: the last published day)"
    )
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def show_command(options: argparse.Namespace) -> None:
    """Print the cells of one day, worst first, and its alarms.

    Raises InputError where there is no such table.
    """
    spark = local_session(options.master, has_scheme(options.table))
    try:
        cells = published_table(spark, options.table, CELL_TABLE, options.prefix)
        day = chosen_day(cells, options.table, options.run_date)
        of_day = cells.where(F.col("run_date") == F.lit(day))
        figures = tower_figures(of_day).collect()
        made_up = bool(of_day.where(is_made_up()).head(1))
        figures += _alarms(spark, options, day)
    except SPARK_ERRORS as error:
        told = root_cause(error)
        raise InputError(f"{options.table}: holds no table of a run ({told})") from error
    print(report(figures, f"{options.table}, {day}", made_up))


def _alarms(spark: SparkSession, options: argparse.Namespace, day: date) -> list[Row]:
    """What the summary of a day tells of its alarms; nothing where the cell table is named."""
    if options.table.rstrip("/").endswith(CELL_TABLE):
        return []
    summary = published_table(spark, options.table, SUMMARY_TABLE, options.prefix, [day])
    of_alarms = F.col("section").isin("alarms", "alarm")
    return summary.where((F.col("run_date") == F.lit(day)) & of_alarms).collect()
