"""The differences between two runs as text for the terminal."""

from collections.abc import Sequence

from pyspark.sql import Row

from anomaly.history.run_diff import INPUT_SECTIONS
from anomaly.thresholds.compare import CRIT

CELLS_SHOWN = 20
CAUSES_SHOWN = 3
KPIS_SHOWN = 5
INPUTS_SHOWN = 10


def report_of_differences(
    figures: Sequence[Row], inputs: Sequence[Row], cells: Sequence[Row], runs: Sequence[str]
) -> str:
    """The differences in figures, then the first cells with their causes.

    figures, inputs and cells are rows of `anomaly.history.run_diff`; runs: the names of the runs.
    """
    changes = _largest(figures, "verdict")
    changed = sum(row.value for row in changes)
    total = sum(row.value for row in figures if row.section == "cell")
    lines = [
        f"{changed:.0f} of {total:.0f} verdicts changed from {runs[0]} to {runs[1]}",
        *(f"{row.value:4.0f}  {row.item}" for row in changes),
        _profiles(figures),
        *_inputs(inputs),
        *_causes(figures),
        *(line for row in cells[:CELLS_SHOWN] for line in _cell(row)),
    ]
    if changed > CELLS_SHOWN:
        lines.append(f"      and {changed - CELLS_SHOWN:.0f} more; --out writes all")
    return "\n".join(lines)


def _largest(figures: Sequence[Row], section: str) -> list[Row]:
    found = (row for row in figures if row.section == section)
    return sorted(found, key=lambda row: (-row.value, row.subject, row.item))


def _profiles(figures: Sequence[Row]) -> str:
    """The profiles of both runs; each day has one."""
    found = (row for row in figures if row.section == "profile")
    first, second = (row.detail for row in sorted(found, key=lambda row: row.item))
    return f"Profile: {first}" if first == second else f"Profiles differ: {first}, then {second}"


def _inputs(inputs: Sequence[Row]) -> list[str]:
    if not inputs:
        return ["Inputs: the same numbers of rows in, clean and rejected, for the same reasons"]
    ordered = sorted(
        inputs, key=lambda row: (INPUT_SECTIONS.index(row.section), row.subject, row.item)
    )
    shown = [f"      {row.subject}, {row.item}: {row.detail}" for row in ordered[:INPUTS_SHOWN]]
    return ["Inputs differ:", *shown, *_more(len(ordered) - INPUTS_SHOWN, "      ")]


def _causes(figures: Sequence[Row]) -> list[str]:
    """The number of cells with each cause, and the KPIs with the most changed flags."""
    causes = [f"{row.item} {row.value:.0f}" for row in _largest(figures, "cause")]
    flags = [
        f"{row.subject} {row.value:.0f} ({row.item})"
        for row in _largest(figures, "flag")[:KPIS_SHOWN]
    ]
    lines = [f"Cells by cause: {', '.join(causes)}"] if causes else []
    return lines + ([f"Flags that changed most often there: {', '.join(flags)}"] if flags else [])


def _cell(row: Row) -> list[str]:
    """A cell and its first causes: those of the verdict, of defects, of other flags."""
    sides = [
        f"{defects} of {evaluated} KPIs"
        for defects, evaluated in (
            (row.defects_before, row.evaluated_before),
            (row.defects_after, row.evaluated_after),
        )
        if defects is not None
    ]
    ordered = sorted(
        row.causes,
        key=lambda one: one.kpi is not None and CRIT not in (one.status_before, one.status_after),
    )
    shown = [f"        {one.cause}: {one.reason}" for one in ordered[:CAUSES_SHOWN]]
    return [
        f"{row.CellName}  {row.change}, defects: {', then '.join(sides)}",
        *shown,
        *_more(len(ordered) - CAUSES_SHOWN, "        "),
    ]


def _more(hidden: int, indent: str) -> list[str]:
    return [f"{indent}and {hidden} more"] if hidden > 0 else []
