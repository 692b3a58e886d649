"""Helpers for notebooks: a session, results that are computed once, and tables to look at.

from runners.notebook import computed_once, explain, session, show_cells
spark = session()
cells = detect(..., keep=computed_once).cells
show_cells(cells)
explain(cells, "4CLTE")
"""

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError, InputError
from anomaly.profile.methods import Method
from anomaly.run import Frame
from anomaly.schema.tables import CELL_TABLE, DEFECT_COUNT, VERDICT, VERDICT_COLUMNS
from anomaly.summary.account import tower_figures
from anomaly.summary.figures import explode_and_sum, figure
from anomaly.thresholds.compare import WORST_FIRST
from runners.engines.choice import engine_of, open_session
from runners.notebook_table import NotebookTable
from runners.report.quantities import quantity
from runners.services.console import headline
from runners.services.materializer import counted
from runners.services.run_summary import RunSummary
from runners.services.sessions import work_at
from runners.storage.places import storage_of

# What several tables are made from, and the table that is read again and again.
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
NAMES_SHOWN = 3


def session(*places: str, engine: str | None = None) -> SparkSession:
    """A session for inputs at these places; without any, for files on this machine.

    Its engine is chosen as that of a run is. Raises ConfigurationError if the wanted one cannot
    read from there, or does not start.
    """
    return open_session(work_at(reads=[*map(storage_of, places)]), engine=engine)


def computed_once(name: str, frame: DataFrame) -> DataFrame:
    """The `keep` of `detect` for notebooks: computes right away what is read more than once.

    Raises InputError if the engine cannot read the inputs.
    """
    if name not in COMPUTED_ONCE:
        return frame
    keeper = engine_of(frame.sparkSession).keeper(packs_inputs=False)
    kept, _ = keeper.keep(name, frame, has_input_rows=False)
    kept, _ = counted(name, kept)
    return kept


def show_cells(cells: DataFrame, limit: int = 20) -> NotebookTable:
    """The cells that need maintenance, worst first, at most `limit`.

    `cells` is the table cell_tower_performance_data of one day. Raises InputError for any other
    table, and ConfigurationError for a limit below 1.
    """
    if limit < 1:
        raise ConfigurationError("show_cells", [f"limit is {limit}; it must be at least 1"])
    _check_columns(cells)
    of_day = figure("day", "cells", F.col("run_date").cast("string"), 1)
    days = explode_and_sum(cells, F.array(of_day))
    summary = RunSummary(tower_figures(cells, limit).unionByName(days).collect())
    day = _one_day([row.item for row in summary.of("day")])
    worst = summary.worst
    shown = f", showing the worst {len(worst)}" if summary.required > len(worst) else ""
    return NotebookTable(
        f"{day}: {headline(summary)}{shown}",
        ("Cell", "Rank", "Fails", "Reason"),
        [(row.subject, f"{row.value:.0f}", row.item, row.detail) for row in worst],
    )


def explain(cells: DataFrame, cell: str) -> NotebookTable:
    """Every KPI of one cell and how it was judged, defects first.

    `cells` is the table cell_tower_performance_data of one day. Raises InputError for any other
    table, and for an unknown cell, with similar names.
    """
    _check_columns(cells)
    found = cells.where(F.col("CellName") == F.lit(cell)).select(*NEEDED).collect()
    if not found:
        raise InputError(f"there is no cell {cell!r}; {similar_names(cells, cell)}")
    day = _one_day([str(row.run_date) for row in found])
    row = found[0]
    return NotebookTable(
        f"{cell} on {day}: maintenance {row[VERDICT.name] or 'not judged'}, "
        f"rank {row.severity_rank}. {row.verdict_reason}",
        ("KPI", "Family", "Status", "Value", "Limit", "Baseline", "Deviation", "Reason"),
        [
            texts_of_kpi(kpi)
            for kpi in sorted(row.evidence, key=lambda kpi: WORST_FIRST.index(kpi.status))
        ],
    )


def _check_columns(cells: DataFrame) -> None:
    missing = [name for name in NEEDED if name not in cells.columns]
    if missing:
        raise InputError(f"this is not {CELL_TABLE}: it has no column {', '.join(missing)}")


def _one_day(days: list[str]) -> str:
    """The day of the rows. Raises InputError unless there is exactly one."""
    if not days:
        raise InputError(f"{CELL_TABLE} has no rows; check the day that you chose")
    if len(days) > 1:
        last = max(days)
        raise InputError(
            f"{CELL_TABLE} has {len(days)} days; choose one: "
            f"cells.where(\"run_date = DATE '{last}'\") is the last"
        )
    return days[0]


def similar_names(cells: DataFrame, cell: str) -> str:
    """The names of cells with the smallest edit distance to this one, in words."""
    letters = F.levenshtein(F.lower("CellName"), F.lower(F.lit(cell)))
    near = (
        cells.select("CellName", letters.alias("letters"))
        .distinct()
        .orderBy("letters", "CellName")
        .head(NAMES_SHOWN)
    )
    if not near:
        return "the table has no rows"
    return f"similar names: {', '.join(row.CellName for row in near)}"


def texts_of_kpi(kpi: Row) -> tuple[str, ...]:
    """The texts of a KPI, rounded as in its reason; a missing number is "none"."""
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
