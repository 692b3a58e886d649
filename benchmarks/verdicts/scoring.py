"""How good verdicts are: faulty cells found, and other cells that are called faulty."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import fmean

import pandas as pd

from benchmarks.verdicts.case import FAULTY, Case


@dataclass(frozen=True)
class Spread:
    """A share in several seeds."""

    mean: float
    lowest: float
    highest: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        """Take the shares of all seeds that have one."""
        known = [value for value in values if not pd.isna(value)] or [float("nan")]
        return cls(fmean(known), min(known), max(known))


@dataclass(frozen=True)
class KindScore:
    """Of the faulty cells of one kind, the share that was found, and their median rank."""

    found: float
    median_rank: float


@dataclass(frozen=True)
class Score:
    """What a detector reached; `false` has the share Required of each group that is not faulty."""

    found: Spread
    kinds: dict[str, KindScore]
    false: dict[str, Spread]
    precision: Spread


def judged_cells(case: Case, verdicts: pd.DataFrame) -> pd.DataFrame:
    """Return a row per cell: seed, CellName, group, kind, required, rank and reason.

    A cell without a verdict is not called faulty. The worst cell has rank 1, and cells that are
    equally bad share the mean of their ranks: they are looked at in any order.
    """
    cells = verdicts.reindex(case.averages.index)
    severity = cells["severity"].fillna(float("-inf"))
    return pd.DataFrame(
        {
            "seed": case.seed,
            "CellName": cells.index,
            "group": [case.truth.group(cell) for cell in cells.index],
            "kind": [case.truth.faults.get(cell, "") for cell in cells.index],
            "required": cells["required"].eq(True).to_numpy(),
            "rank": severity.rank(ascending=False).to_numpy(),
            "reason": cells["reason"].fillna("").to_numpy(),
        }
    )


def score(cells: pd.DataFrame) -> Score:
    """Score the judged cells of several seeds."""
    faulty, others = cells[cells["group"] == FAULTY], cells[cells["group"] != FAULTY]
    kinds = {
        kind: KindScore(float(rows["required"].mean()), float(rows["rank"].median()))
        for kind, rows in faulty.groupby("kind")
    }
    return Score(
        found=_share_required(faulty),
        kinds=kinds,
        false={group: _share_required(rows) for group, rows in others.groupby("group")},
        precision=Spread.of(
            (cells["group"] == FAULTY)[cells["required"]].groupby(cells["seed"]).mean()
        ),
    )


def _share_required(cells: pd.DataFrame) -> Spread:
    """Return the share of the cells that are Required, seed by seed."""
    return Spread.of(cells.groupby("seed")["required"].mean())
