"""Four weeks without faults: real normal rows drawn again, with better and worse days.

Rows are drawn whole, so that the KPIs of a sample belong together as they really do.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.random import Generator

from benchmarks.detection.kpis import KPIS, LOAD, physical
from benchmarks.detection.times import DAYS, SLOTS, START, TIMES

# Days of the same kind differ by a few per cent, and weekends are quieter.
DAY_SPREAD = 0.04
WEEKEND_FACTORS = (0.8, 0.9)


def normal_rows(path: Path) -> pd.DataFrame:
    """Read the rows that are not labelled unusual; the label is used for nothing else."""
    rows = pd.read_csv(path)
    rows = rows[rows["Unusual"] == 0]
    hours, minutes = rows["Time"].str[:2].astype(int), rows["Time"].str[3:].astype(int)
    rows = rows.assign(slot=hours * 4 + minutes // 15)
    return rows.sort_values(["CellName", "slot"], kind="stable")[["CellName", "slot", *KPIS]]


def clean_samples(rows: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Return CellName, Time and the KPIs for each cell and quarter hour, in this order."""
    cells = rows["CellName"].unique()
    drawn = _drawn_again(rows, generator)
    index = pd.MultiIndex.from_product([cells, TIMES], names=["CellName", "Time"])
    samples = pd.DataFrame(drawn, index=index, columns=KPIS).reset_index()
    samples[KPIS] = samples[KPIS].mul(_day_factors(len(cells), generator), axis=0)
    samples[LOAD] = samples[LOAD].mul(_weekend_factors(len(cells), generator), axis=0)
    return physical(samples)


def _drawn_again(rows: pd.DataFrame, generator: Generator) -> np.ndarray:
    """For each cell, day and slot one of the rows of that cell and slot, with replacement."""
    counts = rows.groupby(["CellName", "slot"]).size().to_numpy().reshape(-1, 1, SLOTS)
    first = counts.cumsum().reshape(counts.shape) - counts
    draws = generator.random((len(counts), DAYS, SLOTS))
    return rows[KPIS].to_numpy(float)[(first + np.floor(draws * counts).astype(int)).ravel()]


def _day_factors(cells: int, generator: Generator) -> np.ndarray:
    """One factor for all KPIs of a cell and day."""
    return np.repeat(generator.lognormal(0.0, DAY_SPREAD, cells * DAYS), SLOTS)


def _weekend_factors(cells: int, generator: Generator) -> np.ndarray:
    """One factor for all weekends of a cell, and 1 on its other days."""
    factors = np.ones((cells, DAYS))
    weekend = (START.dayofweek + np.arange(DAYS)) % 7 >= 5
    factors[:, weekend] = generator.uniform(*WEEKEND_FACTORS, (cells, 1))
    return np.repeat(factors, SLOTS)
