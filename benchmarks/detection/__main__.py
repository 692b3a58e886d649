"""This library and known detectors against known faults, at the same rates of false alarms.

python -m benchmarks.detection [--tuning] [--rivals-only], from the root of the repository, in the
environment that requirements.txt describes. Nothing may be tuned on the seeds that are reported.
"""

import argparse
from pathlib import Path

import pandas as pd

from benchmarks.detection.alarms import DECISIONS
from benchmarks.detection.dataset import ROWS, dataset
from benchmarks.detection.grid import grid
from benchmarks.detection.product import product_score
from benchmarks.detection.rivals import RIVALS
from benchmarks.detection.scoring import Score
from benchmarks.detection.sweep import at_rate, curve
from benchmarks.detection.table import Line, text
from benchmarks.detection.world import normal_rows

TUNING_SEEDS = (1, 2, 3)
REPORTED_SEEDS = (101, 102, 103, 104, 105)
RATES = (0.1, 0.25, 1.0)

Data = tuple[pd.DataFrame, pd.DataFrame]
Curves = dict[tuple[str, str], list[list[Score]]]


def rival_curves(data: dict[int, Data]) -> Curves:
    """Return for each rival and decision a curve for each seed."""
    curves: Curves = {(rival, decision): [] for rival in RIVALS for decision in DECISIONS}
    for samples, truth in data.values():
        values = grid(samples)
        for rival, detector in RIVALS.items():
            scores = detector(values.history, values.judged)
            for decision, rule in DECISIONS.items():
                curves[rival, decision].append(curve(values, scores, rule, truth))
    return curves


def rival_lines(curves: Curves, rates: list[float], title: str) -> list[Line]:
    """Return a line for each rival, with the decision that suits it best.

    `rates` has a rate of false alarms for each seed.
    """
    lines = [
        Line(rival, decision, title, [at_rate(*one) for one in zip(points, rates, strict=True)])
        for (rival, decision), points in curves.items()
    ]
    return [
        max((line for line in lines if line.detector == rival), key=lambda line: line.recall)
        for rival in RIVALS
    ]


def main() -> None:
    """Make the data of each seed, let each detector find the faults, print one table."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--tuning", action="store_true", help="the seeds to tune on")
    parser.add_argument("--rivals-only", action="store_true", help="without this library")
    parser.add_argument("--rows", type=Path, default=ROWS, help="the real samples")
    options = parser.parse_args()
    seeds = TUNING_SEEDS if options.tuning else REPORTED_SEEDS
    rows = normal_rows(options.rows)
    data = {seed: dataset(rows, seed) for seed in seeds}
    curves = rival_curves(data)
    lines: list[Line] = []
    if not options.rivals_only:
        ours = [product_score(samples, truth) for samples, truth in data.values()]
        lines.append(Line("this library", "its own", "as it comes", ours))
        lines += rival_lines(curves, [score.false_alarms for score in ours], "the same")
    for rate in RATES:
        lines += rival_lines(curves, [rate] * len(data), f"{rate}")
    print(text(lines))


if __name__ == "__main__":
    main()
