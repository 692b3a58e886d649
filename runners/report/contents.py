"""What a report shows of a run: aggregated by Spark, as much as a person can read."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

from anomaly.contracts import (
    ALARMS_TABLE,
    ANOMALIES_TABLE,
    CELL_TABLE,
    CUSTOMER_TABLE,
    SAMPLES_KPI,
    SUMMARY_TABLE,
)
from anomaly.times import utc_text
from anomaly.verdict import REQUIRED
from runners.report.place import PublishedRun

# A heat map of more rows than this is not read from top to bottom.
TOWERS_SHOWN = 60
ALARM_TOWERS_SHOWN = 12
POINTS_SHOWN = 2000
BARS = 30

Record = dict[str, Any]


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
    def reasons(self) -> list[str]:
        """Why, the farthest defects first."""
        defects = [kpi for kpi in self.row.evidence if kpi.flag == 1]
        return [
            kpi.reason
            for kpi in sorted(defects, key=lambda kpi: -distance(kpi, abs(kpi.deviation or 0)))
        ]


def distance(kpi: Row, deviation: float) -> float:
    """A deviation of a KPI, comparable between KPIs: 100 % of a bound count as one spread."""
    return deviation / 100 if kpi.deviation_unit == "%" else deviation


@dataclass(frozen=True)
class Bar:
    """A part of a KPI's range: how many towers are in it, and of how many it is a defect."""

    begin: float
    end: float
    towers: int
    defects: int


@dataclass(frozen=True)
class Distribution:
    """How the values of a KPI spread over all towers, and its bounds."""

    kpi: str
    unit: str
    judged: int
    flagged: int
    bounds: dict[str, float]
    bars: list[Bar]


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
    towers_in_all: int
    required: int
    not_judged: int
    customers: int
    customers_of_required: int
    distributions: list[Distribution]
    alarms: Alarms
    summary: list[Row]


def contents_of(run: PublishedRun) -> Contents:
    """Read what a report of a run shows. Raises what Spark raises where tables are no tables."""
    cells = run.table(CELL_TABLE)
    shown = cells.orderBy(F.col("severity_rank").asc_nulls_last(), "CellName").head(TOWERS_SHOWN)
    customers = _customers(run.table(CUSTOMER_TABLE))
    of_tower = {row.CellName: row for row in _of(customers, shown).collect()}
    history = run.history()
    states = {row.CellName: row for row in _of(history, shown).collect()} if history else {}
    (totals,) = _totals(cells, customers).collect()
    return Contents(
        run,
        [
            Tower(
                row,
                states.get(row.CellName),
                of_tower[row.CellName].customers if row.CellName in of_tower else 0,
                of_tower[row.CellName].with_defects if row.CellName in of_tower else 0,
            )
            for row in shown
        ],
        totals.towers,
        totals.required,
        totals.not_judged,
        totals.customers,
        totals.customers_of_required,
        distributions_of(cells),
        _alarms(run),
        run.table(SUMMARY_TABLE).collect(),
    )


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
    # A cell has at most one row on either side; customers may be of cells without samples.
    both = cells.select("CellName", "Maintainence_Required", F.lit(1).alias("tower")).join(
        customers, "CellName", "full"
    )
    return both.agg(
        F.count("tower").alias("towers"),
        F.count(F.when(is_required, 1)).alias("required"),
        F.count(
            F.when(F.col("tower").isNotNull() & F.col("Maintainence_Required").isNull(), 1)
        ).alias("not_judged"),
        F.coalesce(F.sum("customers"), F.lit(0)).alias("customers"),
        F.coalesce(F.sum(F.when(is_required, F.col("customers"))), F.lit(0)).alias(
            "customers_of_required"
        ),
    )


def distributions_of(cells: DataFrame) -> list[Distribution]:
    """Of each KPI, those with the most defects first."""
    kpis = cells.select(F.explode("evidence").alias("kpi")).select("kpi.*")
    ranges = kpis.groupBy("kpi").agg(
        F.first("unit").alias("unit"),
        F.count("flag").alias("judged"),
        F.coalesce(F.sum("flag"), F.lit(0)).alias("flagged"),
        F.percentile("value", F.lit(0.01)).alias("low"),
        F.percentile("value", F.lit(0.99)).alias("high"),
        *(_bound(direction) for direction in ("above", "below")),
    )
    found = {row.kpi: row for row in ranges.collect()}
    bars = defaultdict(list)
    for row in _bars(kpis, ranges).orderBy("kpi", "begin").collect():
        bars[row.kpi].append(Bar(row.begin, row.end, row.towers, row.defects))
    return [
        Distribution(
            kpi,
            row.unit,
            row.judged,
            row.flagged,
            {side: row[side] for side in ("above", "below") if row[side] is not None},
            bars[kpi],
        )
        for kpi, row in sorted(found.items(), key=lambda item: (-item[1].flagged, item[0]))
    ]


def _bound(direction: str) -> Column:
    return F.max(F.when(F.col("direction") == direction, F.col("bound"))).alias(direction)


def _bars(kpis: DataFrame, ranges: DataFrame) -> DataFrame:
    """A row per KPI and part of its range: how many towers, and of how many it is a defect.

    The range is that of all but the outermost hundredths, and the bounds; the outermost parts
    hold what lies beyond.
    """
    low = F.least("low", "above", "below").alias("low")
    high = F.greatest("high", "above", "below").alias("high")
    # Each value has one range.
    in_range = kpis.where("value IS NOT NULL").join(
        F.broadcast(ranges.select("kpi", low, high)), "kpi", "inner"
    )
    width = F.when(F.col("high") > F.col("low"), (F.col("high") - F.col("low")) / BARS)
    part = F.greatest(
        F.least(F.floor((F.col("value") - F.col("low")) / width), F.lit(BARS - 1)), F.lit(0)
    )
    return (
        in_range.select(
            "kpi",
            F.col("low"),
            F.coalesce(width, F.lit(0.0)).alias("width"),
            F.coalesce(part, F.lit(0)).alias("part"),
            "flag",
        )
        .groupBy("kpi", "low", "width", "part")
        .agg(
            F.count(F.lit(1)).alias("towers"),
            F.coalesce(F.sum("flag"), F.lit(0)).alias("defects"),
        )
        .select(
            "kpi",
            (F.col("low") + F.col("part") * F.col("width")).alias("begin"),
            (F.col("low") + (F.col("part") + 1) * F.col("width")).alias("end"),
            "towers",
            "defects",
        )
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
    return table.withColumns({name: F.expr(utc_text(name)) for name in times})


def _newest_rows(alarms: DataFrame) -> DataFrame:
    """An alarm that stands for days is a row of each; the last one knows the most."""
    newest = Window.partitionBy("CellName", "raised_at").orderBy(F.desc("run_date"))
    return alarms.withColumn("newest", F.row_number().over(newest)).where("newest = 1")
