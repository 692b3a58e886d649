"""Prints the cells that need maintenance, and the alarms, from tables that a run published."""

import argparse

from pyspark.sql import functions as F

from anomaly.errors import InputError
from anomaly.run import is_made_up
from anomaly.schema.tables import CELL_TABLE, SUMMARY_TABLE
from anomaly.summary.account import tower_figures
from runners.engines.errors import failing_as
from runners.services.console import report
from runners.services.run_summary import RunSummary
from runners.services.sessions import session_at
from runners.storage.places import storage_of
from runners.storage.published import published_day


def run(options: argparse.Namespace) -> None:
    """Print the cells of one day, worst first, and its alarms.

    Raises InputError if there is no such table.
    """
    place = storage_of(options.table, options.prefix)
    spark = session_at(options, place)
    with failing_as(InputError, f"{place}: holds no table of a run"):
        published = published_day(spark, place, options.run_date)
        figures = tower_figures(published.cells).collect()
        made_up = bool(published.cells.where(is_made_up()).head(1))
        # If the cell table itself is named, there may be no other tables.
        if place.around(CELL_TABLE) == place:
            of_alarms = F.col("section").isin("alarms", "alarm")
            figures += published.table(SUMMARY_TABLE).where(of_alarms).collect()
    print(report(RunSummary(figures), f"{place}, {published.day}", made_up))
