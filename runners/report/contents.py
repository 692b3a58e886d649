"""What a report shows of a run: aggregated by Spark, as much as a person can read."""

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
    SAMPLES_KPI,
    SUMMARY_TABLE,
)
from anomaly.thresholds.verdict import FEW_SAMPLES, NO_SAMPLES, REPORTING, REQUIRED
from runners.report.distributions import Distribution, distributions_of
from runners.report.family_states import FamilyState, State, families_of, has_families
from runners.report.place import PublishedRun

# A heat map of more rows than this is not read from top to bottom.
TOWERS_SHOWN = 60
UNJUDGED_SHOWN = 30
ALARM_TOWERS_SHOWN = 12
POINTS_SHOWN = 2000

Record = dict[str, Any]

# What is said of a cell by its samples.
SAMPLE_WORDS = {
    REPORTING: "sends samples",
    FEW_SAMPLES: "sends too few samples",
    NO_SAMPLES: "sends no samples",
}


@dataclass(frozen=True)
class Tower:
    """A tower: its row of the cell table, what is said of it over days, and its customers."""

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
        """What is said of it by its samples."""
        return SAMPLE_WORDS[self.row.sample_state]

    @property
    def label(self) -> str:
        """Its name, and that it sends no samples if that is so: its state beside its name."""
        silent = self.row.sample_state == NO_SAMPLES
        return f"{self.name} (no samples)" if silent else self.name

    @cached_property
    def families(self) -> list[FamilyState]:
        """What each KPI family of it looks like."""
        return families_of(self.row)

    @property
    def bad_families(self) -> list[FamilyState]:
        """Those with something to be said against them, those that fail first."""
        bad = [one for one in self.families if one.bad or one.state is State.FAILS]
        return sorted(bad, key=lambda one: one.state is not State.FAILS)


@dataclass(frozen=True)
class Alarms:
    """Alarms of the last days: of the towers with the most of them, and how many there are."""

    days: Sequence[date] = ()
    raised: int = 0
    towers: int = 0
    shown: list[Row] = field(default_factory=list)
    points: list[Row] = field(default_factory=list)
    points_left_out: int = 0

    @property
    def drawn(self) -> int:
        """How many towers' alarms are among those shown."""
        return len({alarm.CellName for alarm in self.shown})

    @property
    def until(self) -> str:
        """The end of what was judged, up to which an alarm that stands is drawn."""
        return f"{self.days[-1] + timedelta(days=1)} 00:00:00"


@dataclass(frozen=True)
class Contents:
    """All that a report shows of a run."""

    run: PublishedRun
    towers: list[Tower]
    unjudged: list[Tower]
    towers_in_all: int
    required: int
    not_judged: int
    no_samples: int
    few_samples: int
    customers: int
    customers_of_required: int
    distributions: list[Distribution]
    alarms: Alarms
    summary: list[Row]

    @property
    def has_families(self) -> bool:
        """Whether KPIs are grouped: those of a profile without families are one block."""
        return has_families([tower.row for tower in self.towers])


def contents_of(run: PublishedRun) -> Contents:
    """Read what a report of a run shows. Raises what Spark raises where tables are no tables."""
    cells = run.table(CELL_TABLE)
    worst = cells.orderBy(*_worst_first()).head(TOWERS_SHOWN)
    is_unjudged = F.col("Maintainence_Required").isNull()
    most_customers = F.col("customerID_count").desc_nulls_last()
    unjudged = cells.where(is_unjudged).orderBy(most_customers, "CellName").head(UNJUDGED_SHOWN)
    customers = _customers(run.table(CUSTOMER_TABLE))
    towers = _towers([*worst, *unjudged], customers, run.history())
    (totals,) = _totals(cells, customers).collect()
    return Contents(
        run,
        [towers[row.CellName] for row in worst],
        [towers[row.CellName] for row in unjudged],
        totals.towers,
        totals.required,
        totals.not_judged,
        totals.no_samples,
        totals.few_samples,
        totals.customers,
        totals.customers_of_required,
        distributions_of(cells),
        _alarms(run),
        run.table(SUMMARY_TABLE).collect(),
    )


def _worst_first() -> list[Column]:
    """The order of cells: those that need maintenance, those that were not judged, the others."""
    verdict = F.col("Maintainence_Required")
    group = F.when(verdict == REQUIRED, 0).when(verdict.isNull(), 1).otherwise(2)
    return [group, F.col("severity_rank").asc_nulls_last(), F.col("CellName")]


def _towers(
    rows: Sequence[Row], customers: DataFrame, history: DataFrame | None
) -> Mapping[str, Tower]:
    """The cells by name, with their customers and their history."""
    of_tower = {row.CellName: row for row in _of(customers, rows).collect()}
    states = {row.CellName: row for row in _of(history, rows).collect()} if history else {}
    return {
        row.CellName: Tower(
            row,
            states.get(row.CellName),
            of_tower[row.CellName].customers if row.CellName in of_tower else 0,
            of_tower[row.CellName].with_defects if row.CellName in of_tower else 0,
        )
        for row in rows
    }


def _of(table: DataFrame, cells: Sequence[Row]) -> DataFrame:
    return table.where(F.col("CellName").isin([row.CellName for row in cells]))


def _customers(customers: DataFrame) -> DataFrame:
    """A row per cell: its customers, and those of them with at least one defect."""
    has_defect = F.when(F.col("defected_count") > 0, 1)
    return customers.groupBy("CellName").agg(
        F.count(F.lit(1)).alias("customers"), F.count(has_defect).alias("with_defects")
    )


def _totals(cells: DataFrame, customers: DataFrame) -> DataFrame:
    """One row: towers and customers, and how many of them it concerns."""
    is_required = F.col("Maintainence_Required") == REQUIRED
    state = F.col("sample_state")
    of_cell = cells.select(
        "CellName", "Maintainence_Required", "sample_state", F.lit(1).alias("tower")
    )
    # A cell has at most one row on either side; customers may be of cells without samples.
    both = of_cell.join(customers, "CellName", "full")
    return both.agg(
        F.count("tower").alias("towers"),
        F.count(F.when(is_required, 1)).alias("required"),
        F.count(
            F.when(F.col("tower").isNotNull() & F.col("Maintainence_Required").isNull(), 1)
        ).alias("not_judged"),
        F.count(F.when(state == NO_SAMPLES, 1)).alias("no_samples"),
        F.count(F.when(state == FEW_SAMPLES, 1)).alias("few_samples"),
        F.coalesce(F.sum("customers"), F.lit(0)).alias("customers"),
        F.coalesce(F.sum(F.when(is_required, F.col("customers"))), F.lit(0)).alias(
            "customers_of_required"
        ),
    )


def _alarms(run: PublishedRun) -> Alarms:
    days = run.alarm_days()
    if not days:
        return Alarms()
    alarms = _newest_rows(run.tables_of_alarms(ALARMS_TABLE, days))
    by_tower = alarms.groupBy("CellName").agg(
        F.count(F.lit(1)).alias("alarms"),
        F.sum(F.when(F.col("severity") == "CRIT", 1).otherwise(0)).alias("critical"),
        F.sum("bad_periods").alias("periods"),
    )
    (totals,) = by_tower.agg(
        F.coalesce(F.sum("alarms"), F.lit(0)).alias("alarms"), F.count(F.lit(1)).alias("towers")
    ).collect()
    worst = by_tower.orderBy(F.desc("critical"), F.desc("periods"), "CellName")
    shown = worst.head(ALARM_TOWERS_SHOWN)
    anomalies = _of(run.tables_of_alarms(ANOMALIES_TABLE, days), shown)
    points = anomalies.where(F.col("kpi") != SAMPLES_KPI)
    newest = points.orderBy(F.desc("time"), "CellName", "kpi").limit(POINTS_SHOWN)
    return Alarms(
        days,
        totals.alarms,
        totals.towers,
        _in_utc(_of(alarms, shown), "raised_at", "cleared_at")
        .orderBy("CellName", "raised_at")
        .collect(),
        _in_utc(newest, "time").collect(),
        max(points.count() - POINTS_SHOWN, 0),
    )


def _in_utc(table: DataFrame, *times: str) -> DataFrame:
    """Times as texts in UTC: as Python's own they would be in the zone of this machine."""
    return table.withColumns({name: utc_text(F.col(name)) for name in times})


def _newest_rows(alarms: DataFrame) -> DataFrame:
    """An alarm that stands for days is a row of each; the last one knows the most."""
    newest = Window.partitionBy("CellName", "raised_at").orderBy(F.desc("run_date"))
    return alarms.withColumn("newest", F.row_number().over(newest)).where("newest = 1")
