"""When something has already been made to happen in a cell, during the judged week."""

import numpy as np

from benchmarks.detection.times import JUDGED_PERIODS


class Timetable:
    """Periods of cells, both counted from 0, that are taken."""

    def __init__(self, cells: int) -> None:
        """Begin with nothing taken."""
        self._taken = np.zeros((cells, JUDGED_PERIODS), dtype=bool)

    def take(self, cell: int, first: int, end: int, margin: int) -> bool:
        """Take the periods from `first` to before `end`, if they and a margin around are free."""
        if self._taken[cell, max(first - margin, 0) : end + margin].any():
            return False
        self._taken[cell, first:end] = True
        return True
