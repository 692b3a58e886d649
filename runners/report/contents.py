"""The contents of a report, aggregated by Spark to what a person can read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

from anomaly.expressions.timestamps import utc_text
from anomaly.schema.tables import (
    ALARMS_TABLE,
    ANOMALIES_TABLE,
    CELL_TABLE,
    CUSTOMER_TABLE,
    HISTORY_TABLE,
    SAMPLES_KPI,
    SUMMARY_TABLE,
)
from anomaly.thresholds.verdict import FEW_SAMPLES, NO_SAMPLES, REPORTING, REQUIRED
from runners.report.distributions import Distribution, distributions_of
from runners.report.family_states import FamilyState, State, families_of, has_families
from runners.services.run_summary import RunSummary
from runners.storage.published import PublishedDay

# Nobody reads a heat map with more rows than this from top to bottom.
CELLS_SHOWN = 60
UNJUDGED_SHOWN = 30
ALARM_CELLS_SHOWN = 12
POINTS_SHOWN = 2000
# Alarms are shown for this many days, up to the day of the run.
ALARM_DAYS = 7

Record = dict[str, Any]

# What a sample_state means, in words.
SAMPLE_WORDS = {
    REPORTING: "sends samples",
    FEW_SAMPLES: "sends too few samples",
    NO_SAMPLES: "sends no samples",
}


@dataclass(frozen=True)
class Cell:
    """A cell: its row of the cell table, its maintenance history, and its customers."""

    row: Row
    history: Row | None
    customers: int
    customers_with_defects: int

    @property
    def name(self) -> str:
        """The name of the cell."""
        return str(self.row.CellName)

    @property
    def is_required(self) -> bool:
        """Whether it needs maintenance."""
        return bool(self.row.Maintainence_Required == REQUIRED)

    @property
    def samples(self) -> str:
        """Whether it sends samples, in words."""
        return SAMPLE_WORDS[self.row.sample_state]

    @property
    def label(self) -> str:
        """Its name, marked if it sends no samples."""
        silent = self.row.sample_state == NO_SAMPLES
        return f"{self.name} (no samples)" if silent else self.name

    @cached_property
    def families(self) -> list[FamilyState]:
        """The states of its KPI families."""
        return families_of(self.row)

    @property
    def bad_families(self) -> list[FamilyState]:
        """The families with a KPI beyond or near its limit; those that fail come first."""
        bad = [one for one in self.families if one.bad or one.state is State.FAILS]
        return sorted(bad, key=lambda one: one.state is not State.FAILS)


@dataclass(frozen=True)
class Alarms:
    """The alarms of the last days: those of the worst cells, and the totals."""

    days: Sequence[date] = ()
    raised: int = 0
    cells: int = 0
    shown: list[Row] = field(default_factory=list)
    points: list[Row] = field(default_factory=list)
    points_left_out: int = 0

    @property
    def cells_shown(self) -> int:
        """The number of cells whose alarms are shown."""
        return len({alarm.CellName for alarm in self.shown})

    @property
    def until(self) -> str:
        """The end of the judged time, up to which an active alarm is drawn."""
        return f"{self.days[-1] + timedelta(days=1)} 00:00:00"


@dataclass(frozen=True)
class Contents:
    """Everything that a report shows of a run."""

    run: PublishedDay
    cells: list[Cell]
    unjudged: list[Cell]
    cell_count: int
    required: int
    not_judged: int
    no_samples: int
    few_samples: int
    customers: int
    customers_of_required: int
    distributions: list[Distribution]
    alarms: Alarms
    summary: RunSummary

    @property
    def has_families(self) -> bool:
        """Whether the profile groups its KPIs into families."""
        return has_families([cell.row for cell in self.cells])


def contents_of(run: PublishedDay) -> Contents:
    """Read the contents of the report of a run. Raises Spark's own errors for broken tables."""
    table = run.table(CELL_TABLE)
    worst = table.orderBy(*_worst_first()).head(CELLS_SHOWN)
    is_unjudged = F.col("Maintainence_Required").isNull()
    most_customers = F.col("customerID_count").desc_nulls_last()
    unjudged = table.where(is_unjudged).orderBy(most_customers, "CellName").head(UNJUDGED_SHOWN)
    customers = _customers(run.table(CUSTOMER_TABLE))
    cells = _cells([*worst, *unjudged], customers, _history(run))
    (totals,) = _totals(table, customers).collect()
    return Contents(
        run,
        [cells[row.CellName] for row in worst],
        [cells[row.CellName] for row in unjudged],
        totals.cells,
        totals.required,
        totals.not_judged,
        totals.no_samples,
        totals.few_samples,
        totals.customers,
        totals.customers_of_required,
        distributions_of(table),
        _alarms(run),
        RunSummary(run.table(SUMMARY_TABLE).collect()),
    )


def _worst_first() -> list[Column]:
    """The order of cells: those that need maintenance, then those not judged, then the others."""
    verdict = F.col("Maintainence_Required")
    group = F.when(verdict == REQUIRED, 0).when(verdict.isNull(), 1).otherwise(2)
    return [group, F.col("severity_rank").asc_nulls_last(), F.col("CellName")]


def _cells(
    rows: Sequence[Row], customers: DataFrame, history: DataFrame | None
) -> Mapping[str, Cell]:
    """The cells by name, with their customers and their maintenance history."""
    counts = {row.CellName: row for row in _of_cells(customers, rows).collect()}
    states = {row.CellName: row for row in _of_cells(history, rows).collect()} if history else {}
    return {
        row.CellName: Cell(
            row,
            states.get(row.CellName),
            counts[row.CellName].customers if row.CellName in counts else 0,
            counts[row.CellName].with_defects if row.CellName in counts else 0,
        )
        for row in rows
    }


def _of_cells(table: DataFrame, cells: Sequence[Row]) -> DataFrame:
    return table.where(F.col("CellName").isin([row.CellName for row in cells]))


def _customers(customers: DataFrame) -> DataFrame:
    """A row per cell: the number of its customers, and of those with at least one defect."""
    has_defect = F.when(F.col("defected_count") > 0, 1)
    return customers.groupBy("CellName").agg(
        F.count(F.lit(1)).alias("customers"), F.count(has_defect).alias("with_defects")
    )


def _totals(cells: DataFrame, customers: DataFrame) -> DataFrame:
    """One row of counts: cells and customers, in total and by verdict."""
    is_required = F.col("Maintainence_Required") == REQUIRED
    state = F.col("sample_state")
    columns = cells.select(
        "CellName", "Maintainence_Required", "sample_state", F.lit(1).alias("cell")
    )
    # At most one row per cell on either side; some customers have a cell without a row.
    both = columns.join(customers, "CellName", "full")
    return both.agg(
        F.count("cell").alias("cells"),
        F.count(F.when(is_required, 1)).alias("required"),
        F.count(
            F.when(F.col("cell").isNotNull() & F.col("Maintainence_Required").isNull(), 1)
        ).alias("not_judged"),
        F.count(F.when(state == NO_SAMPLES, 1)).alias("no_samples"),
        F.count(F.when(state == FEW_SAMPLES, 1)).alias("few_samples"),
        F.coalesce(F.sum("customers"), F.lit(0)).alias("customers"),
        F.coalesce(F.sum(F.when(is_required, F.col("customers"))), F.lit(0)).alias(
            "customers_of_required"
        ),
    )


def _history(run: PublishedDay) -> DataFrame | None:
    """The maintenance history of the day; None for runs of older versions, which had none."""
    days = run.place.days(run.spark, HISTORY_TABLE)
    return run.table(HISTORY_TABLE) if run.day in days else None


def _alarm_days(run: PublishedDay) -> list[date]:
    """The days of the last week, up to this one, for which alarms were judged."""
    first = run.day - timedelta(days=ALARM_DAYS - 1)
    is_judged = F.col("run_date").between(F.lit(first), F.lit(run.day))
    summary = run.place.table(run.spark, SUMMARY_TABLE)
    judged = summary.where(is_judged & (F.col("section") == "alarms"))
    return sorted(row.run_date for row in judged.select("run_date").distinct().collect())


def _alarms(run: PublishedDay) -> Alarms:
    days = _alarm_days(run)
    if not days:
        return Alarms()
    alarms = _newest_rows(run.table(ALARMS_TABLE, days))
    by_cell = alarms.groupBy("CellName").agg(
        F.count(F.lit(1)).alias("alarms"),
        F.sum(F.when(F.col("severity") == "CRIT", 1).otherwise(0)).alias("critical"),
        F.sum("bad_periods").alias("periods"),
    )
    (totals,) = by_cell.agg(
        F.coalesce(F.sum("alarms"), F.lit(0)).alias("alarms"), F.count(F.lit(1)).alias("cells")
    ).collect()
    worst = by_cell.orderBy(F.desc("critical"), F.desc("periods"), "CellName")
    shown = worst.head(ALARM_CELLS_SHOWN)
    anomalies = _of_cells(run.table(ANOMALIES_TABLE, days), shown)
    points = anomalies.where(F.col("kpi") != SAMPLES_KPI)
    newest = points.orderBy(F.desc("time"), "CellName", "kpi").limit(POINTS_SHOWN)
    return Alarms(
        days,
        totals.alarms,
        totals.cells,
        _in_utc(_of_cells(alarms, shown), "raised_at", "cleared_at")
        .orderBy("CellName", "raised_at")
        .collect(),
        _in_utc(newest, "time").collect(),
        max(points.count() - POINTS_SHOWN, 0),
    )


def _in_utc(table: DataFrame, *times: str) -> DataFrame:
    """Times as text in UTC; as Python values they would be in the time zone of this machine."""
    return table.withColumns({name: utc_text(F.col(name)) for name in times})


def _newest_rows(alarms: DataFrame) -> DataFrame:
    """One row per alarm: one that is active for days has a row per day, the last being complete."""
    newest = Window.partitionBy("CellName", "raised_at").orderBy(F.desc("run_date"))
    return alarms.withColumn("newest", F.row_number().over(newest)).where("newest = 1")
