"""Figures of several measurements: medians with their spread, ratios, straight lines."""

import statistics
from collections.abc import Iterable, Mapping, Sequence

from benchmarks.bench import Measured


def median_seconds(measured: Iterable[Measured]) -> float:
    """The median of the seconds."""
    return statistics.median(one.seconds for one in measured)


def spread(values: Sequence[float], digits: int) -> str:
    """The median in words, and the lowest and the highest where there are several."""
    median = f"{statistics.median(values):.{digits}f}"
    if len(values) == 1:
        return median
    return f"{median} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def times(ours: Iterable[Measured], theirs: Iterable[Measured]) -> str:
    """How many times their seconds ours are, round by round, in words."""
    # The cases may differ in how often they were measured.
    rounds = zip(ours, theirs, strict=False)
    return f"{spread([one.seconds / other.seconds for one, other in rounds], 2)} times"


def straight_line(seconds: Mapping[float, float]) -> tuple[float, float]:
    """Fixed seconds, and seconds per million rows: the line through seconds by millions of rows."""
    slope, fixed = statistics.linear_regression(list(seconds), list(seconds.values()))
    return fixed, slope
