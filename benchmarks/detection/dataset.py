"""The samples of a seed, and the truth about them.

`python -m benchmarks.detection.dataset SEED OUT` writes OUT/samples.csv and OUT/truth.csv.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.detection.disturbances import with_busy_weekend, with_spikes_and_gaps
from benchmarks.detection.faults import with_faults
from benchmarks.detection.kpis import KPIS, MOST_USERS, physical
from benchmarks.detection.timetable import Timetable
from benchmarks.detection.world import clean_samples, normal_rows

ROWS = Path("../shared/data/service_threshold_data.csv")
TIME_FORMAT = "%Y-%m-%d %H:%M:%S"


def dataset(rows: pd.DataFrame, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return samples and truth, made from normal rows; the same for the same seed."""
    # A generator for each part: a change of one leaves the draws of the others as they are.
    of_world, of_weekend, of_faults, of_disturbances = np.random.default_rng(seed).spawn(4)
    clean = clean_samples(rows, of_world)
    timetable = Timetable(clean["CellName"].nunique())
    busy = with_busy_weekend(clean, of_weekend)
    faulty, truth = with_faults(busy, timetable, of_faults)
    disturbed = with_spikes_and_gaps(faulty, timetable, of_disturbances)
    samples = physical(disturbed).dropna(subset=KPIS).reset_index(drop=True)
    samples[MOST_USERS] = samples[MOST_USERS].astype(int)
    return samples, truth


def write(samples: pd.DataFrame, truth: pd.DataFrame, folder: Path) -> None:
    """Write samples.csv and truth.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    columns = ["Time", "CellName", *KPIS]
    samples[columns].to_csv(folder / "samples.csv", index=False, date_format=TIME_FORMAT)
    truth.to_csv(folder / "truth.csv", index=False, date_format=TIME_FORMAT)


def main() -> None:
    """Write the data of a seed."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=Path, default=ROWS, help="the real samples")
    options = parser.parse_args()
    write(*dataset(normal_rows(options.rows), options.seed), options.out)


if __name__ == "__main__":
    main()
