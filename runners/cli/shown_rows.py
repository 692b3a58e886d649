"""What `show --csv` prints, as rows: the cells to visit, the KPIs of a cell, or the alarms."""

from collections.abc import Iterator, Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from anomaly.expressions.timestamps import utc_text
from anomaly.schema.tables import DEFECT_COUNT, VERDICT
from anomaly.thresholds.compare import WORST_FIRST
from anomaly.thresholds.verdict import REQUIRED

OF_KPI = (
    *("kpi", "family", "status", "value", "unit", "direction", "bound", "baseline"),
    *("baseline_count", "peers", "deviation", "deviation_unit", "reason"),
)
OF_ALARM = ("CellName", "severity", "raised_at", "cleared_at", "kpis", "reason")


def cells_to_visit(cells: DataFrame, history: DataFrame | None) -> DataFrame:
    """The cells of a day that need maintenance, worst first, with the state of each, if known."""
    chosen = cells.where(F.col(VERDICT.name) == REQUIRED)
    if history is not None:
        # One cell to at most one row of the day.
        chosen = chosen.join(history.select("CellName", "state", "since"), "CellName", "left")
    of_history = () if history is None else ("state", "since")
    return chosen.select(
        "severity_rank",
        "CellName",
        _joined("failed_families"),
        *of_history,
        F.col("customerID_count").alias("customers"),
        DEFECT_COUNT.name,
        "evaluated_kpis",
        "verdict_reason",
        "run_date",
    ).orderBy("severity_rank", "CellName")


def kpis_worst_first(cell: Row) -> list[Row]:
    """The evidence of a row of the cell table, defects first."""
    return sorted(cell.evidence, key=lambda kpi: WORST_FIRST.index(kpi.status))


def alarms_to_show(alarms: DataFrame) -> DataFrame:
    """The alarms of a day, active ones first, then the newest, with times in UTC."""
    columns = {
        "kpis": _joined("kpis"),
        "raised_at": utc_text(F.col("raised_at")).alias("raised_at"),
        "cleared_at": utc_text(F.col("cleared_at")).alias("cleared_at"),
    }
    return alarms.orderBy(F.col("cleared_at").isNotNull(), F.desc("raised_at"), "CellName").select(
        *(columns.get(name, F.col(name)) for name in OF_ALARM)
    )


def values(rows: Sequence[Row], names: Sequence[str]) -> Iterator[list[object]]:
    """The values of rows in the order of `names`."""
    return ([row[name] for name in names] for row in rows)


def _joined(name: str) -> Column:
    return F.array_join(name, "; ").alias(name)
