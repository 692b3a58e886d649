"""What is no fault and must not alarm: spikes and gaps of one sample, and a busy weekend."""

import numpy as np
import pandas as pd
from numpy.random import Generator

from benchmarks.detection.kpis import KPIS, LOAD, PRB, THROUGHPUT_DL, THROUGHPUT_UL, USERS
from benchmarks.detection.times import DAYS, HISTORY_DAYS, JUDGED_FROM, JUDGED_PERIODS, SLOTS
from benchmarks.detection.timetable import Timetable

PER_CELL = (3, 6)  # spikes of a cell in the judged week, both included; and as many gaps
MARGIN = 4  # at least an hour apart, for two spikes in a row may well be a fault
SPIKE_FACTORS = (3.0, 6.0)
SPIKE_GROUPS = (PRB, THROUGHPUT_DL, THROUGHPUT_UL, USERS)
BUSY_CELLS = 8
BUSY_FACTORS = (1.2, 1.3)


def with_busy_weekend(samples: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Let some cells be busier than usual on the last Saturday and Sunday."""
    busy = samples.copy()
    weekend = (samples["Time"] >= JUDGED_FROM) & (samples["Time"].dt.dayofweek >= 5)
    for cell in generator.choice(samples["CellName"].unique(), BUSY_CELLS, replace=False):
        rows = weekend & (samples["CellName"] == cell)
        busy.loc[rows, LOAD] *= generator.uniform(*BUSY_FACTORS)
    return busy


def with_spikes_and_gaps(
    samples: pd.DataFrame, timetable: Timetable, generator: Generator
) -> pd.DataFrame:
    """Put spikes and missing rows (as NaN) where no fault is near."""
    disturbed = samples.copy()
    for cell in range(samples["CellName"].nunique()):
        for row in _rows(cell, timetable, generator):
            group = SPIKE_GROUPS[generator.integers(len(SPIKE_GROUPS))]
            factor = generator.uniform(*SPIKE_FACTORS) ** generator.choice([-1, 1])
            disturbed.loc[row, group] *= factor
        for row in _rows(cell, timetable, generator):
            disturbed.loc[row, KPIS] = np.nan
    return disturbed


def _rows(cell: int, timetable: Timetable, generator: Generator) -> list[int]:
    """Draw single free rows of a cell, in samples that are complete and ordered."""
    wanted = generator.integers(*PER_CELL, endpoint=True)
    periods: list[int] = []
    while len(periods) < wanted:
        period = int(generator.integers(JUDGED_PERIODS))
        if timetable.take(cell, period, period + 1, MARGIN):
            periods.append(period)
    return [(cell * DAYS + HISTORY_DAYS) * SLOTS + period for period in periods]
