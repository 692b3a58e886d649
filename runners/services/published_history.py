"""The maintenance history of a run's day, from the published tables and the cells of the run."""

from collections.abc import Collection
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly import Profile, Run
from anomaly.history.maintenance import OF_CELLS, maintenance_history
from anomaly.run import is_made_up
from anomaly.schema.tables import CELL_TABLE, HISTORY_COLUMNS, HISTORY_TABLE
from runners.storage.destination import Destination


def stage_history(
    destination: Destination, profile: Profile, run: Run, cells: DataFrame
) -> tuple[DataFrame, int]:
    """Stage the history of the day, and of the later ones that are published, which rest on it.

    It goes on from the day before, and starts earlier where the history lacks published days.
    `cells` is the cell table of the run. Of made-up data no day takes part in a real history.
    """

    def of_like_data(table: DataFrame) -> DataFrame:
        return table if run.is_made_up else table.where(~is_made_up())

    published = destination.days(CELL_TABLE)
    known = {day for day in destination.days(HISTORY_TABLE) if day < run.run_date}
    first = min({run.run_date, *published} - known)
    before = max((day for day in known if day < first), default=None)
    others = [day for day in published if day >= first and day != run.run_date]
    rows = cells.select("CellName", *OF_CELLS, "run_date")
    if others:
        of_others = of_like_data(destination.published(CELL_TABLE, others))
        rows = rows.unionByName(of_others.select(rows.columns))
    last = of_like_data(destination.published(HISTORY_TABLE, [before])) if before else None
    history = maintenance_history(rows, sorted({run.run_date, *others}), last, profile.history)
    with_run = history.withColumns(
        {name: column for name, column in run.columns(profile).items() if name != "run_date"}
    )
    return destination.stage(
        HISTORY_TABLE, with_run.select(*(column.name for column in HISTORY_COLUMNS))
    )


def due_since(history: DataFrame, day: date, cells: Collection[str]) -> dict[str, str]:
    """The day since which maintenance of each of these cells is due, or watched, by its history.

    history: published rows of `day`, perhaps among others.
    """
    of_day = F.col("run_date").cast("date") == F.lit(str(day)).cast("date")
    since = F.coalesce("raised_on", "since").cast("string").alias("since")
    named = history.where(of_day & F.col("CellName").isin(*cells)).select("CellName", since)
    return {row.CellName: row.since for row in named.collect()}
