"""What a notebook needs beside `detect`: results that are computed once, and tables to look at.

from runners.notebook import computed_once, explain, show_towers
cells = detect(..., keep=computed_once).cells
show_towers(cells)
explain(cells, "4CLTE")
"""

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError, InputError
from anomaly.profile.methods import Method
from anomaly.run import Frame
from anomaly.schema.tables import CELL_TABLE, DEFECT_COUNT, VERDICT, VERDICT_COLUMNS
from anomaly.summary.account import tower_figures
from anomaly.summary.figures import explode_and_sum, figure
from anomaly.thresholds.compare import CRIT, NO_BASELINE, NO_DATA, OK, OUT_OF_REACH, WARN
from runners.notebook_table import NotebookTable
from runners.report.quantities import quantity
from runners.services.console import headline, required_towers, worst_towers
from runners.storage.held import held

# What several tables rest on, and the table that is looked at again and again.
COMPUTED_ONCE = (Frame.JOINED, Frame.LIMITS, Frame.CELLS)

NEEDED = (
    "CellName",
    VERDICT.name,
    *(column.name for column in VERDICT_COLUMNS),
    DEFECT_COUNT.name,
    "evaluated_kpis",
    "evidence",
    "severity_rank",
    "run_date",
)
WORST_FIRST = (CRIT, WARN, OK, OUT_OF_REACH, NO_BASELINE, NO_DATA)
NAMES_SHOWN = 3


def computed_once(name: str, frame: DataFrame) -> DataFrame:
    """For `detect` as its `keep`: computes at once what later cells of a notebook begin with.

    Raises InputError where Spark fails at reading what it is made from.
    """
    return held(name, frame)[0] if name in COMPUTED_ONCE else frame


def show_towers(cells: DataFrame, limit: int = 20) -> NotebookTable:
    """The towers to visit first, worst first: at most `limit` of those that need maintenance.

    `cells` is the table cell_tower_performance_data of one day. Raises InputError for another one,
    and ConfigurationError for a limit below 1.
    """
    if limit < 1:
        raise ConfigurationError("show_towers", [f"limit is {limit}: give 1 or more"])
    _check_columns(cells)
    of_day = figure("day", "cells", F.col("run_date").cast("string"), 1)
    days = explode_and_sum(cells, F.array(of_day))
    figures = tower_figures(cells, limit).unionByName(days).collect()
    day = _one_day([row.item for row in figures if row.section == "day"])
    worst, required = worst_towers(figures), required_towers(figures)
    shown = f", the worst {len(worst)} are shown" if required > len(worst) else ""
    return NotebookTable(
        f"{day}: {headline(figures)}{shown}",
        ("Tower", "Rank", "Fails", "Reason"),
        [(row.subject, f"{row.value:.0f}", row.item, row.detail) for row in worst],
    )


def explain(cells: DataFrame, cell: str) -> NotebookTable:
    """Every KPI of one tower and how it was judged, defects first.

    `cells` is the table cell_tower_performance_data of one day. Raises InputError for another one,
    and for a tower that is not there, with names that are like it.
    """
    _check_columns(cells)
    found = cells.where(F.col("CellName") == F.lit(cell)).select(*NEEDED).collect()
    if not found:
        raise InputError(f"tower {cell!r} is not there; {_near(cells, cell)}")
    day = _one_day([str(row.run_date) for row in found])
    tower = found[0]
    return NotebookTable(
        f"{cell} on {day}: maintenance {tower[VERDICT.name] or 'not judged'}, "
        f"rank {tower.severity_rank}. {tower.verdict_reason}",
        ("KPI", "Family", "Status", "Value", "Bound", "Baseline", "Deviation", "Reason"),
        [
            _explained(kpi)
            for kpi in sorted(tower.evidence, key=lambda kpi: WORST_FIRST.index(kpi.status))
        ],
    )


def _check_columns(cells: DataFrame) -> None:
    missing = [name for name in NEEDED if name not in cells.columns]
    if missing:
        raise InputError(f"give the table {CELL_TABLE}; this one lacks {', '.join(missing)}")


def _one_day(days: list[str]) -> str:
    """The day of the rows. Raises InputError where there is none, and where there are several."""
    if not days:
        raise InputError(f"{CELL_TABLE} has no rows; is the day that you chose there?")
    if len(days) > 1:
        last = max(days)
        raise InputError(
            f"{CELL_TABLE} has {len(days)} days; choose one: "
            f"cells.where(\"run_date = DATE '{last}'\") is the last"
        )
    return days[0]


def _near(cells: DataFrame, cell: str) -> str:
    """The names that take the fewest letters to change into this one, in words."""
    letters = F.levenshtein(F.lower("CellName"), F.lower(F.lit(cell)))
    near = (
        cells.select("CellName", letters.alias("letters"))
        .distinct()
        .orderBy("letters", "CellName")
        .head(NAMES_SHOWN)
    )
    if not near:
        return "the table has no rows"
    return f"names like it: {', '.join(row.CellName for row in near)}"


def _explained(kpi: Row) -> tuple[str, ...]:
    """The texts of a KPI, rounded as in its reason; what there is none of is told as such."""
    is_static = kpi.method == Method.STATIC
    peers = f" {kpi.peers}" if kpi.peers else ""
    method = kpi.method if " " in kpi.method else Method(kpi.method).words
    origin = "fixed" if is_static else f"{method} of {kpi.baseline_count}{peers}"
    return (
        kpi.kpi,
        kpi.family or "",
        kpi.status,
        _number(kpi.value, kpi.unit),
        _number(kpi.bound, kpi.unit, f"{kpi.direction} "),
        f"{_number(kpi.baseline, kpi.unit)} ({origin})",
        _number(kpi.deviation, kpi.deviation_unit),
        kpi.reason,
    )


def _number(value: float | None, unit: str, before: str = "") -> str:
    return "none" if value is None else f"{before}{quantity(value, unit)}"
