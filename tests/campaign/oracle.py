"""What must come of a case, told without any of the library's code."""

import re
from collections import defaultdict
from pathlib import Path

import pyarrow.parquet

from tests.campaign.case import CALLS, DROPPED, FAULTY, FAULTY_LOAD, LOAD, VOLUME, Case
from tests.campaign.case import SECTIONS as NAMES
from tests.campaign.commands import Ended

TRACES = re.compile(
    r"^Traceback|^\s*at [\w.$]+\(|Py4J|^(?!error: ).*\b(java\.\w+\.|org\.apache|WARN\b)"
    r"|^\[\w+_\w+\]|^ *File \"/.*\", line \d+",
    re.MULTILINE,
)
TOLD = re.compile(r"^(error: |.*: error: )", re.MULTILINE)
NAMED = re.compile(r"/|--|\[|column|profile|rows|usage:|first argument")
LARGEST_REJECTED, LARGEST_LEFT_OUT, FEW_ROWS = 0.05, 0.1, 0.01
MOST_LINES, LONGEST_LINE = 15, 2000
# Single values lie up to a tenth above these.
MEANS = {"avg_volume": VOLUME, "avg_calls": CALLS, "avg_dropped": DROPPED}
Figures = dict[tuple[str, str, str], float]


def faults_of_words(ended: Ended) -> list[str]:
    """What is wrong with the exit code and with what is on the screen, whatever the command."""
    faults = []
    if ended.code not in (0, 2, 3, 4):
        faults.append(f"exit {ended.code}")
    if found := TRACES.search(ended.out + ended.err):
        faults.append(f"a trace on the screen: {found[0]!r}")
    if ended.code:
        lines = ended.err.strip().splitlines()
        if not TOLD.search(ended.err) or not NAMED.search(ended.err):
            faults.append("the message names nothing")
        # Of a profile each fault has a line.
        most = MOST_LINES + ended.err.count(" s\n") + ended.err.count("\n  - ")
        if len(lines) > most or max(map(len, lines), default=0) > (LONGEST_LINE):
            faults.append(f"a flood of {len(lines)} lines, {len(ended.err)} characters")
    return faults


def faults_of(case: Case, ended: Ended, before: set[Path]) -> list[str]:
    """What is wrong with how a case ended; `before` are the published files before it."""
    faults = faults_of_words(ended)
    if ended.code:
        if not case.may_refuse:
            faults.append("refused, although all can be read")
        if published(case) != before:
            faults.append("refused, and something was published")
        return faults
    if case.must_refuse:
        return [*faults, "published, although it has to be refused"]
    figures = figures_of(case)
    faults += faults_of_rows(case, figures)
    if case.command != "alarms" and case.is_judged:
        faults += faults_of_cells(case)
    if case.has_alarms and case.is_dated and case.alarms_known:
        faults += faults_of_alarms(case)
    return faults


def faults_of_rows(case: Case, figures: Figures) -> list[str]:
    """Rows and values that are not accounted for, or more of them lost than is allowed."""
    faults = []
    for source in ("samples",) if case.command == "alarms" else tuple(case.inputs):
        one, name = case.inputs[source], NAMES[source]
        came = len(one.rows) + case.more_rows[source]
        rows, clean, rejected = (
            int(figures.get(("input", name, item), 0))
            for item in ("rows in", "rows clean", "rows rejected")
        )
        if rows != clean + rejected:
            faults.append(f"{source}: {rows} rows are not {clean} + {rejected}")
        if case.is_counted and rows != came:
            faults.append(f"{source}: {rows} rows of {came}")
        if clean < len(one.rows) - case.spoilt_rows[source]:
            faults.append(f"{source}: {clean} clean rows of {len(one.rows)}")
        if case.is_limited and len(one.rows) - clean > max(1, LARGEST_REJECTED * came + 2):
            faults.append(f"{source}: {clean} clean of {came} rows, beyond the profile's limit")
        if source != "customers":
            faults += faults_of_values(case, source, figures, clean)
    return faults


def faults_of_values(case: Case, source: str, figures: Figures, clean: int) -> list[str]:
    """Columns that have lost more values than mutations spoilt."""
    columns = ("load", "volume") if source == "samples" else ("calls", "dropped")
    if case.command == "alarms":
        columns = ("load",)
    found = {column: figures.get(("column", NAMES[source], column), -1.0) for column in columns}
    return [
        f"{source}: {column} has {usable:.0f} values in {clean} rows"
        for column, usable in found.items()
        if usable < clean - case.spoilt_values[source] or usable > clean
    ]


def faults_of_cells(case: Case) -> list[str]:
    """Cells with another verdict than theirs, or with averages that their samples do not have."""
    cells = rows_of(case, "cell_tower_performance_data")
    required = {row["CellName"] for row in cells if row["Maintainence_Required"] == "Required"}
    faults = [] if required == {FAULTY} else [f"{sorted(map(str, required))} need maintenance"]
    for row in cells:
        load = FAULTY_LOAD if row["CellName"] == FAULTY else LOAD
        for column, least in {"avg_load": load, **MEANS}.items():
            average = row[column]
            if average is not None and not least <= average <= 1.1001 * least:
                faults.append(f"{row['CellName']}: {column} is {average}")
    return faults


def faults_of_alarms(case: Case) -> list[str]:
    """Alarms of healthy cells, or none of the faulty one."""
    alarms = rows_of(case, "cell_alarms")
    raised = {row["CellName"] for row in alarms}
    return [] if raised == {FAULTY} else [f"alarms of {sorted(map(str, raised))[:4]}"]


def published(case: Case) -> set[Path]:
    """The files of the published tables."""
    out = case.folder / case.out if "\0" not in case.out else case.folder / "out"
    return {path for path in out.glob("*/run_date=*/*.parquet")} if out.is_dir() else set()


def figures_of(case: Case) -> Figures:
    """The summary of the case's day."""
    figures: Figures = defaultdict(float)
    for row in rows_of(case, "run_summary"):
        figures[row["section"], row["subject"], row["item"]] += row["value"] or 0
    return figures


def rows_of(case: Case, table: str) -> list[dict[str, object]]:
    """The rows of a published table of the case's day."""
    folder = case.folder / case.out / table / f"run_date={case.day}"
    files = sorted(folder.glob("*.parquet"))
    return [
        row for file in files for row in pyarrow.parquet.ParquetFile(str(file)).read().to_pylist()
    ]
