"""The detector to beat: robust limits per cell and slot, on logarithms, for means of an hour."""

import numpy as np

from benchmarks.detection.kpis import KPIS, PRB, THROUGHPUT_DL, THROUGHPUT_UL
from benchmarks.detection.times import SLOTS

PERIODS = 4
# A spread below 0.3 (a third up, a quarter down) is no reason to alarm; without this floor the
# narrowest KPIs, the users, would use up all false alarms.
SMALLEST_SPREAD = 0.3
# Part of the usual value that is added before the logarithm is taken, for the sake of zeros.
OFFSET = 0.1
MAD_OF_NORMAL = 1.4826  # standard deviations in a median absolute deviation


def robust_limits(history: np.ndarray, judged: np.ndarray, periods: int = PERIODS) -> np.ndarray:
    """Score how far the mean of the last periods lies on its bad side, in spreads."""
    clean, recent = logarithms(history, judged)
    usual, spread = _limits(clean)
    days = recent.shape[1] // SLOTS
    deviations = (recent - np.tile(usual, (days, 1))) / np.tile(spread, (days, 1))
    return _bad_side(_mean_of_last(deviations, periods)).max(axis=2)


def single_sample_limits(history: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Score the same without a mean."""
    return robust_limits(history, judged, periods=1)


def logarithms(history: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithms of both, zeros included."""
    offset = OFFSET * np.nanmedian(history, axis=(0, 1))
    return np.log(history + offset), np.log(judged + offset)


def _limits(history: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return median and spread for cells × slots × KPIs, a slot with its two neighbours."""
    cells, times, kpis = history.shape
    days = history.reshape(cells, times // SLOTS, SLOTS, kpis)
    around = np.concatenate([np.roll(days, shift, axis=2) for shift in (-1, 0, 1)], axis=1)
    usual = np.nanmedian(around, axis=1)
    spread = MAD_OF_NORMAL * np.nanmedian(np.abs(around - usual[:, None]), axis=1)
    return usual, np.maximum(spread, SMALLEST_SPREAD)


def _mean_of_last(deviations: np.ndarray, periods: int) -> np.ndarray:
    """Return the mean of those of the last samples that are there; NaN where this one is not."""
    before = np.pad(deviations, ((0, 0), (periods - 1, 0), (0, 0)), constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(before, periods, axis=1)
    count = np.maximum((~np.isnan(windows)).sum(axis=3), 1)
    return np.where(np.isnan(deviations), np.nan, np.nansum(windows, axis=3) / count)


def _bad_side(deviations: np.ndarray) -> np.ndarray:
    """Turn deviations so that more is worse: throughput low, PRB usage high, users either."""
    low = np.isin(KPIS, [*THROUGHPUT_DL, *THROUGHPUT_UL])
    high = np.isin(KPIS, PRB)
    return np.where(low, -deviations, np.where(high, deviations, np.abs(deviations)))
