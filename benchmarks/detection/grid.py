"""Samples as an array of cells × times × KPIs, NaN where a sample is missing."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from benchmarks.detection.kpis import KPIS
from benchmarks.detection.times import HISTORY_DAYS, SLOTS, TIMES


@dataclass(frozen=True)
class Grid:
    """The names of the cells, and their values in the clean weeks and in the judged week."""

    cells: list[str]
    history: np.ndarray
    judged: np.ndarray


def grid(samples: pd.DataFrame) -> Grid:
    """Lay out samples (CellName, Time and the KPIs)."""
    cells = sorted(samples["CellName"].unique())
    index = pd.MultiIndex.from_product([cells, TIMES])
    complete = samples.set_index(["CellName", "Time"])[KPIS].reindex(index)
    values = complete.to_numpy(float).reshape(len(cells), len(TIMES), len(KPIS))
    judged = HISTORY_DAYS * SLOTS
    return Grid(cells, values[:, :judged], values[:, judged:])
