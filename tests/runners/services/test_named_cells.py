"""The cells that a summary names: to visit, near misses, their customers, and since when."""

from datetime import date

from pyspark.sql import functions as F

from anomaly.summary.account import tower_figures
from runners.services.published_history import due_since
from runners.services.run_summary import NamedCell, RunSummary
from tests.builders.literal_frames import in_memory

CELLS = (
    "CellName string, Maintainence_Required string, defected_count int, evaluated_kpis int, "
    "severity_rank bigint, verdict_reason string, families string, customerID_count bigint, "
    "status string, reason string"
)
ROWS = [
    ("1A", "Required", 2, 9, 1, "why 1A", "traffic", 90, "CRIT", "load is 73 %"),
    ("2B", "Not Required", 1, 9, 2, "no failure", None, 3, "CRIT", "load is 41 %"),
    ("3C", "Not Required", 0, 9, 3, "no failure", None, 5, "WARN", "load is 30 %"),
    ("4D", None, 1, 1, 4, "not judged", None, 7, "CRIT", "load is 99 %"),
]


def cells(spark):
    families = F.when(F.col("families").isNull(), F.array().cast("array<string>"))
    return in_memory(spark, CELLS, ROWS).withColumns(
        {
            "failed_families": families.otherwise(F.split("families", ",")),
            "evidence": F.array(F.struct("status", "reason")),
        }
    )


def test_a_near_miss_is_judged_sound_although_a_kpi_is_beyond_its_limit(spark):
    summary = RunSummary(tower_figures(cells(spark)).collect())
    assert summary.to_visit == [NamedCell(1, "1A", "traffic", "why 1A", 90, None)]
    assert summary.near_misses == [NamedCell(2, "2B", "1 of 9 KPIs", "load is 41 %", 3, None)]
    of_others = RunSummary(tower_figures(cells(spark).drop("customerID_count")).collect())
    assert [cell.customers for cell in of_others.to_visit] == [None]


def test_a_cell_is_due_since_its_maintenance_was_raised_else_since_its_state_began(spark):
    columns = "CellName string, run_date date, since date, raised_on date"
    history = in_memory(
        spark,
        columns,
        [
            ("1A", "2026-11-03", "2026-11-02", "2026-11-01"),
            ("2B", "2026-11-03", "2026-11-03", None),
            ("2B", "2026-11-04", "2026-11-04", "2026-11-04"),
            ("3C", "2026-11-03", "2026-11-01", None),
        ],
    )
    found = due_since(history, date(2026, 11, 3), ["1A", "2B"])
    assert found == {"1A": "2026-11-01", "2B": "2026-11-03"}
