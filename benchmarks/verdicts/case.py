"""One thing to judge: inputs in which it is known what every cell is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

HEALTHY, FAULTY = "healthy", "faulty"


@dataclass(frozen=True)
class Truth:
    """What the cells are: `faults` has the kind of each faulty cell.

    `others` has the group of each other cell that is not simply healthy.
    """

    faults: Mapping[str, str]
    others: Mapping[str, str] = field(default_factory=dict)

    def group(self, cell: str) -> str:
        """The group that a cell is counted in."""
        return FAULTY if cell in self.faults else self.others.get(cell, HEALTHY)


@dataclass(frozen=True)
class Case:
    """Inputs in a folder, their averages per cell, and the truth."""

    seed: int
    folder: Path
    averages: pd.DataFrame
    truth: Truth
