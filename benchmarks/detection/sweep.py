"""What a rival reaches at a given rate of false alarms, whatever its threshold is for that.

The threshold is found on the very data that it is scored on: better than an operator could do.
"""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from benchmarks.detection.alarms import alarms_of, two_missing
from benchmarks.detection.grid import Grid
from benchmarks.detection.scoring import Score, score
from benchmarks.detection.times import JUDGED_DAYS

# Shares of samples that thresholds flag; where more are flagged, alarms run together.
FLAGGED = np.geomspace(2e-4, 0.5, 60)


def curve(
    grid: Grid,
    scores: np.ndarray,
    decision: Callable[[np.ndarray], np.ndarray],
    truth: pd.DataFrame,
) -> list[Score]:
    """Score the alarms of each threshold; the first threshold flags nothing.

    Two samples missing in a row alarm as well, or no rival would see an outage: they judge samples.
    """
    silent = two_missing(grid.judged)
    thresholds = [np.inf, *np.unique(np.nanquantile(scores, 1 - FLAGGED, method="lower"))]
    cell_days = len(grid.cells) * JUDGED_DAYS
    return [
        score(alarms_of(grid.cells, decision(scores > threshold) | silent), truth, cell_days)
        for threshold in thresholds
    ]


def at_rate(points: list[Score], rate: float) -> Score:
    """Interpolate the best points of a curve at a rate of false alarms per cell and day."""
    best = list(_best(points))
    rates = [point.false_alarms for point in best]

    def figure(values: list[float]) -> float:
        return float(np.interp(rate, rates, values))

    return Score(
        recall=figure([point.recall for point in best]),
        recall_by_kind={
            kind: figure([point.recall_by_kind[kind] for point in best])
            for kind in best[0].recall_by_kind
        },
        false_alarms=figure(rates),
        median_delay=figure([point.median_delay for point in best]),
        late_delay=figure([point.late_delay for point in best]),
    )


def _best(points: list[Score]) -> Iterator[Score]:
    """Leave out points that find no more than another with fewer false alarms."""
    recall = -1.0
    for point in sorted(points, key=lambda point: (point.false_alarms, -point.recall)):
        if point.recall > recall:
            recall = point.recall
            yield point
