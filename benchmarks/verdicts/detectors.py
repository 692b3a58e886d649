"""The rivals: each judges all cells of a case by their averages.

A detector returns a row for each cell: whether it says Required, how severe it finds the cell (the
more, the worse), and why, where it gives a reason.
"""

from collections.abc import Callable

import pandas as pd
from pyod.models.base import BaseDetector
from pyod.models.ecod import ECOD
from pyod.models.iforest import IForest

from benchmarks.verdicts.case import Case
from benchmarks.verdicts.catalogue import LAB_DIRECTIONS, LAB_MINIMUM_DEFECTS, LAB_RATIOS

Detector = Callable[[Case], pd.DataFrame]

# As the rules of conf/default.toml had it before KPIs were taken together: beyond two spreads of
# the median, and a fifth of what could be judged.
SPREADS = 2
QUARTILES_OF_NORMAL = 1.349  # standard deviations between the quartiles
MINIMUM_SHARE = 0.2


def lab_rule(case: Case) -> pd.DataFrame:
    """Count the KPIs beyond the mean of all cells, in the lab's direction; 15 of 25 are enough."""
    ratios = {
        kpi: case.averages[first] / case.averages[second].where(case.averages[second] != 0)
        for kpi, (first, second) in LAB_RATIOS.items()
    }
    values = case.averages.assign(**ratios)[[*LAB_DIRECTIONS]]
    defects = ((values - values.mean()) * pd.Series(LAB_DIRECTIONS) > 0).sum(axis=1)
    return _verdicts(defects >= LAB_MINIMUM_DEFECTS, defects)


def count_of_flags(case: Case) -> pd.DataFrame:
    """Count the averages far from their median, on either side; a fifth of them is enough."""
    values = case.averages
    lower, upper = values.quantile(0.25), values.quantile(0.75)
    spread = (upper - lower) / QUARTILES_OF_NORMAL
    flags = ((values - values.median()).abs() > SPREADS * spread).sum(axis=1)
    required = (flags > 0) & (flags >= MINIMUM_SHARE * values.notna().sum(axis=1))
    return _verdicts(required, flags)


def ecod(case: Case) -> pd.DataFrame:
    """PyOD's empirical cumulative distributions."""
    return _ranked_by(ECOD(), case)


def isolation_forest(case: Case) -> pd.DataFrame:
    """PyOD's isolation forest."""
    return _ranked_by(IForest(random_state=0), case)


def _ranked_by(detector: BaseDetector, case: Case) -> pd.DataFrame:
    """Take the most unusual cells, as many as there are faults: the best that a ranking can do."""
    values = case.averages.fillna(case.averages.median()).to_numpy()
    scores = pd.Series(detector.fit(values).decision_scores_, index=case.averages.index)
    first = scores.rank(method="first", ascending=False) <= len(case.truth.faults)
    return _verdicts(first, scores)


def _verdicts(required: pd.Series, severity: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"required": required, "severity": severity, "reason": ""})


RIVALS: dict[str, Detector] = {
    "lab's rule": lab_rule,
    "plain count of flags": count_of_flags,
    "PyOD ECOD": ecod,
    "PyOD isolation forest": isolation_forest,
}
