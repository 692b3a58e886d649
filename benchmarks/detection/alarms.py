"""How flagged samples become alarms: the same few simple rules for every compared detector."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.detection.times import JUDGED_TIMES


def each_sample(flags: np.ndarray) -> np.ndarray:
    """Say that a flagged sample is enough."""
    return flags


def two_of_three(flags: np.ndarray) -> np.ndarray:
    """Say where two of the last three samples are flagged, in cells × times."""
    before = np.pad(flags.astype(int), ((0, 0), (2, 0)))
    return before[:, 2:] + before[:, 1:-1] + before[:, :-2] >= 2


DECISIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "each sample": each_sample,
    "2 of 3": two_of_three,
}


def two_missing(values: np.ndarray) -> np.ndarray:
    """Say where a sample and the one before it are missing, in cells × times × KPIs."""
    missing = np.isnan(values).all(axis=2)
    return missing & np.pad(missing, ((0, 0), (1, 0)))[:, :-1]


def alarms_of(cells: list[str], alarmed: np.ndarray) -> pd.DataFrame:
    """Make one alarm of consecutive alarmed periods of a cell (cells × judged times).

    CellName, raised_at, and cleared_at: the first time that is well again, NaT where none is.
    """
    edges = np.diff(alarmed.astype(int), axis=1, prepend=0, append=0)
    cell, raised = np.nonzero(edges == 1)
    _, cleared = np.nonzero(edges == -1)
    ends = JUDGED_TIMES.append(pd.DatetimeIndex([pd.NaT]))
    return pd.DataFrame(
        {
            "CellName": np.array(cells, dtype=object)[cell],
            "raised_at": JUDGED_TIMES[raised],
            "cleared_at": ends[cleared],
        }
    )
