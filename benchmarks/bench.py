"""Runs cases in turn, each into a folder of its own, and says what they took."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.commands import Command
from benchmarks.inputs import SampleInputs
from benchmarks.processes import run


@dataclass(frozen=True)
class Case:
    """A command with its environment, and how often it is measured."""

    name: str
    command: Command
    rounds: int
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """One run of a case: until its command ended, at its peak, and in all files that it left."""

    seconds: float
    peak_megabytes: float
    written_megabytes: float


@dataclass(frozen=True)
class Bench:
    """Where the benchmarks work, at which scales, and how often they measure what is quick."""

    folder: Path
    scales: Sequence[int]
    pairs: int

    @property
    def inputs(self) -> SampleInputs:
        """The sample data of all benchmarks."""
        return SampleInputs(self.folder)

    def scales_up_to(self, largest: int) -> list[int]:
        """The scales up to one, or the smallest where all are larger."""
        return [scale for scale in self.scales if scale <= largest] or [min(self.scales)]

    def rounds(self, scale: int) -> int:
        """How often a case of a scale is measured: less often where it takes longer."""
        return self.pairs if scale == 1 else min(self.pairs, 3)

    def results(self, cases: Iterable[Case]) -> dict[str, Path]:
        """The folders that the cases write to, by their names; each runs once, not measured."""
        folders = {}
        for case in cases:
            print(f"{case.name}: a first run", flush=True)
            folders[case.name] = Path(tempfile.mkdtemp(dir=self.folder)) / "out"
            run(case.command(folders[case.name]), case.environment)
        return folders

    def alternately(self, cases: Sequence[Case]) -> dict[str, list[Measured]]:
        """What each round of each case took, by names; a round has each of the cases once."""
        measured: dict[str, list[Measured]] = {case.name: [] for case in cases}
        for turn in range(max(case.rounds for case in cases)):
            for case in (one for one in cases if turn < one.rounds):
                found = self._measured(case)
                measured[case.name].append(found)
                of_rounds = f"{turn + 1} of {case.rounds}"
                took = f"{found.seconds:.2f} s, {found.peak_megabytes:.0f} MB"
                print(f"{case.name}: {of_rounds}: {took}", flush=True)
        return measured

    def _measured(self, case: Case) -> Measured:
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            out = Path(folder) / "out"
            usage = run(case.command(out), case.environment)
            return Measured(usage.seconds, usage.peak_megabytes, _megabytes_of(out))


def _megabytes_of(folder: Path) -> float:
    files = (file for file in folder.rglob("*") if file.is_file() and not file.is_symlink())
    return sum(file.stat().st_size for file in files) / 1e6
