"""The compared detectors: each learns from the clean weeks and scores the samples after them.

A rival is a function of the clean and the judged values (cells × times × KPIs). It returns a score
for cells × judged times, the higher the more unusual, and NaN where there is no sample.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd
from adtk.transformer import ClassicSeasonalDecomposition
from pyod.models.base import BaseDetector
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest

from benchmarks.detection.kpis import KPIS
from benchmarks.detection.reference import logarithms, robust_limits, single_sample_limits
from benchmarks.detection.times import HISTORY_TIMES, JUDGED_TIMES, SLOTS
from benchmarks.lab_tables import lab_tables

Rival = Callable[[np.ndarray, np.ndarray], np.ndarray]


def lab_rule(history: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Count the KPIs that lie beyond the mean of all cells, in the lab's direction."""
    usual = np.nanmean(history, axis=(0, 1))
    defects = ((judged - usual) * _lab_directions() > 0).sum(axis=2)
    return np.where(np.isnan(judged).all(axis=2), np.nan, defects)


def _lab_directions() -> np.ndarray:
    """Return 1 for each KPI that is bad above the mean, -1 for one that is bad below."""
    profile = lab_tables()
    names = [profile["kpis"]["samples"][kpi].get("name", kpi) for kpi in KPIS]
    return np.array([1 if profile["rules"][name]["bad_when"] == "above" else -1 for name in names])


def ecod(history: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """PyOD's empirical cumulative distributions, per cell."""
    return _scored_per_cell(ECOD, history, judged)


def isolation_forest(history: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """PyOD's isolation forest, per cell."""
    return _scored_per_cell(lambda: IForest(random_state=0), history, judged)


def _scored_per_cell(
    detector: Callable[[], BaseDetector], history: np.ndarray, judged: np.ndarray
) -> np.ndarray:
    """Fit a detector to the KPIs and the time of day of each cell."""
    scores = np.full(judged.shape[:2], np.nan)
    for cell in range(len(judged)):
        fitted = detector().fit(_with_time_of_day(history[cell]))
        there = ~np.isnan(judged[cell]).all(axis=1)
        scores[cell, there] = fitted.decision_function(_with_time_of_day(judged[cell])[there])
    return scores


def _with_time_of_day(values: np.ndarray) -> np.ndarray:
    """Add the place on the clock's circle to times × KPIs that begin at midnight."""
    angle = 2 * np.pi * np.arange(len(values)) / SLOTS
    return np.column_stack([values, np.sin(angle), np.cos(angle)])


def seasonal(history: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Score by adtk's seasonal detector, per cell and KPI; the KPI furthest out counts."""
    scores = np.full(judged.shape, np.nan)
    for cell, kpi in np.ndindex(judged.shape[0], judged.shape[2]):
        scores[cell, :, kpi] = _seasonal_score(history[cell, :, kpi], judged[cell, :, kpi])
    return np.fmax.reduce(scores, axis=2)


def seasonal_of_logarithms(history: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """The same where half as much is as far out as twice as much, which suits these KPIs."""
    return seasonal(*logarithms(history, judged))


def _seasonal_score(history: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Return for each sample the smallest factor `c` with which SeasonalAD would not flag it.

    It flags a residual that exceeds the third quartile of the clean ones by more than c times
    their interquartile range. Only its first step is asked: itself it answers yes or no.
    """
    decomposition = ClassicSeasonalDecomposition(freq=SLOTS)
    clean = decomposition.fit_transform(pd.Series(history, index=HISTORY_TIMES)).abs()
    residuals = decomposition.transform(pd.Series(judged, index=JUDGED_TIMES)).abs()
    first, third = clean.quantile([0.25, 0.75])
    # A KPI that hardly ever moves has no range; SeasonalAD would flag whatever c is.
    return ((residuals - third) / ((third - first) or np.nan)).to_numpy()


RIVALS: dict[str, Rival] = {
    "lab's rule": lab_rule,
    "PyOD ECOD": ecod,
    "PyOD isolation forest": isolation_forest,
    "adtk SeasonalAD": seasonal,
    "adtk SeasonalAD, logarithms": seasonal_of_logarithms,
    "single-sample limits": single_sample_limits,
    "reference": robust_limits,
}
