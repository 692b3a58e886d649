"""The tables: what each detector reached in one world, and a list of what a detector got wrong."""

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd

from benchmarks.detection.table import LOWEST_TO_HIGHEST
from benchmarks.verdicts.case import FAULTY, HEALTHY
from benchmarks.verdicts.scoring import Score, Spread

NOTES = """\
Means over the seeds, with the lowest and the highest. Of each kind: the share found, and the
median rank of the faulty cell among all cells. PyOD's detectors only rank: their verdicts take as
many cells as there are faults, the best they could do if somebody knew that number. This library,
the lab's rule and the plain count of flags decide by themselves."""


def text(title: str, scores: Mapping[str, Score]) -> str:
    """Return a Markdown table with a column for each detector."""
    rows = [("", *scores), ("---",) * (len(scores) + 1)]
    rows += [
        (name, *(figure(score) for score in scores.values()))
        for name, figure in _figures(next(iter(scores.values()))).items()
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in rows
    )
    return "\n".join((f"### {title}", "", *lines, ""))


def _figures(one: Score) -> dict[str, Callable[[Score], str]]:
    """Return the rows of the table: each with its name, and what it says of a score."""
    rows: dict[str, Callable[[Score], str]] = {"found": lambda score: _spread(score.found)}
    for kind in one.kinds:
        rows[kind] = partial(_of_kind, kind=kind)
    for group in sorted(one.false, key=lambda group: (group != HEALTHY, group)):
        rows[f"Required: {group}"] = partial(_of_group, group=group)
    # Where cells are made to look faulty, their number decides how precise a verdict can be.
    if [*one.false] == [HEALTHY]:
        rows["precision"] = lambda score: _spread(score.precision)
    return rows


def _of_kind(score: Score, kind: str) -> str:
    return f"{score.kinds[kind].found:.2f}, rank {score.kinds[kind].median_rank:.1f}"


def _of_group(score: Score, group: str) -> str:
    return _spread(score.false[group])


def _spread(spread: Spread) -> str:
    return LOWEST_TO_HIGHEST.format(**vars(spread))


def mistakes(title: str, cells: pd.DataFrame, rightly: str) -> str:
    """List the faulty cells that were missed, and the others that are Required.

    `rightly` is the group of cells that are Required with good reason.
    """
    is_faulty = cells["group"] == FAULTY
    missed = cells[is_faulty & ~cells["required"]]
    false = cells[~is_faulty & cells["required"] & (cells["group"] != rightly)]
    lines = [
        f"- {said}: seed {cell.seed}, {cell.CellName}, {cell.kind or cell.group}, "
        f"rank {cell.rank:g}: {cell.reason or 'no reason is published'}"
        for said, wrong in (("missed", missed), ("false", false))
        for cell in wrong.sort_values(["kind", "group", "seed"]).itertuples(name="Cell")
    ]
    return "\n".join((f"Mistakes in {title}: {len(lines)}", *lines, ""))
