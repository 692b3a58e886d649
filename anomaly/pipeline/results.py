"""What `detect` and `raise_alarms` return: the tables of a run, lazy."""

import warnings
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.run import Frame
from anomaly.thresholds.compare import WORST_FIRST, in_spreads

# The published names of the tables, by the attributes that hold them.
TABLES = {
    "cells": Frame.CELLS,
    "customers": Frame.CUSTOMERS,
    "rejected": Frame.REJECTED,
    "summary": Frame.SUMMARY,
    "alarms": Frame.ALARMS,
    "anomalies": Frame.ANOMALIES,
}


class Tables:
    """Tables of a run, each in an attribute of its own; None for those that it has not."""

    def tables(self) -> dict[str, DataFrame]:
        """The tables by their published names."""
        found = {frame.value: getattr(self, name, None) for name, frame in TABLES.items()}
        return {name: table for name, table in found.items() if table is not None}


@dataclass(frozen=True)
class AlarmResults(Tables):
    """The tables of a run that only raises alarms; nothing is computed before you ask for rows.

    alarms: a row per alarm of a cell. anomalies: a row per cell, granularity period and KPI that
    deviates. rejected: a row per row or value of the samples that was left out, with its reason.
    summary: what became of every row, and what was found, a row per figure.
    """

    alarms: DataFrame
    anomalies: DataFrame
    rejected: DataFrame
    summary: DataFrame


@dataclass(frozen=True)
class Results(Tables):
    """The tables of a run; nothing is computed before you ask for rows.

    cells: a row per cell, with its verdict. customers: a row per customer and cell. rejected: a row
    per row or value of the inputs that was left out, with its reason. summary: what became of every
    row, and what was found, a row per figure. alarms and anomalies as in AlarmResults; None if
    alarms were not requested.
    """

    cells: DataFrame
    customers: DataFrame
    rejected: DataFrame
    summary: DataFrame
    alarms: DataFrame | None = None
    anomalies: DataFrame | None = None

    def explain(self, cell: str) -> DataFrame:
        """Every KPI of one cell and how it was judged: a row per KPI, the worst first.

        kpi, family, status, value and bound (in `unit`), baseline and its origin, deviation (in
        `deviation_unit`), and the reason in words. No rows for an unknown cell.
        """
        kpis = self.cells.where(F.col("CellName") == F.lit(cell)).select(
            F.explode("evidence").alias("kpi")
        )
        rank = F.find_in_set("status", F.lit(",".join(WORST_FIRST)))
        farthest_first = in_spreads(F.col("deviation"), F.col("deviation_unit")).desc()
        return kpis.select("kpi.*").orderBy(rank, farthest_first, "kpi")

    @property
    def cell_tower_performance_data(self) -> DataFrame:
        """Deprecated: `cells`."""
        return self._renamed("cells")

    @property
    def customer_service_metrics_data(self) -> DataFrame:
        """Deprecated: `customers`."""
        return self._renamed("customers")

    def _renamed(self, name: str) -> DataFrame:
        warnings.warn(
            f"Results.{TABLES[name].value} is Results.{name} now", DeprecationWarning, stacklevel=3
        )
        table: DataFrame = getattr(self, name)
        return table
