"""Cases that are made, run and judged, and what came of them."""

import random
import shutil
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tests.campaign.case import CELLS, FAULTY, Case, fill
from tests.campaign.commands import Ended, ended
from tests.campaign.mutations import KINDS, Mutation
from tests.campaign.oracle import faults_of, faults_of_words, published

COMMANDS = ("run", "run", "run", "run", "alarms", "backfill")
CODES = (0, 2, 3, 4)
# The share of published runs that are looked at.
FOLLOWED = 0.4


@dataclass(frozen=True)
class Finding:
    """A command that did what it must not."""

    case: Case
    ended: Ended
    words: str


def case_of(seed: int, folder: Path, kind: str | None = None, mutation: str | None = None) -> Case:
    """The case of a seed, with one to three mutations, each of another kind."""
    source = random.Random(seed)
    case = fill(Case(seed, source, folder / str(seed), source.choice(COMMANDS)))
    chosen_ones = mutations_of(source, kind, mutation)
    if case.command == "run" and "times" not in dict(chosen_ones) and source.random() < 0.7:
        # A run without alarms takes half the time.
        case.has_alarms = case.is_dated = False
    for chosen, mutate in chosen_ones:
        case.kinds.append(chosen)
        case.mutations.append(mutate.__name__)
        mutate(case)
    return case


def mutations_of(
    source: random.Random, kind: str | None, mutation: str | None
) -> list[tuple[str, Mutation]]:
    """The mutations of a case: of a kind, or one by its name, or any."""
    if mutation:
        return [
            (one, mutate)
            for one, mutations in KINDS.items()
            for mutate in mutations
            if mutate.__name__ == mutation
        ]
    kinds = [kind] if kind else source.sample([*KINDS], source.choice((1, 1, 2, 3)))
    return [(one, source.choice(KINDS[one])) for one in kinds]


class Campaign:
    """Runs cases below a folder, and counts by kind how their commands ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.findings: list[Finding] = []
        self.ended: Counter[tuple[str, int]] = Counter()
        self.cases: Counter[str] = Counter()
        self._clean: Case | None = None
        self._began = time.monotonic()

    def run(self, seed: int, kind: str | None = None, mutation: str | None = None) -> list[Finding]:
        """Run the case of a seed, and what follows on it; returns what was found."""
        case = case_of(seed, self.folder, kind, mutation)
        case.write()
        before = published(case)
        first = ended(case.arguments(), case.folder)
        found = [Finding(case, first, words) for words in faults_of(case, first, before)]
        self._count(case, first)
        found += self._checked(case, first)
        is_followed = case.command == "run" and case.source.random() < FOLLOWED
        if first.code == 0 and not found and is_followed:
            found += self._followed(case)
        if not found:
            shutil.rmtree(case.folder)
        self.findings += found
        self.cases.update(case.kinds)
        return found

    def _checked(self, case: Case, first: Ended) -> list[Finding]:
        """What check-config says of the profile: no fault, where the run told none of it."""
        checked = ended(["check-config", f"{case.folder}/profile.toml"], case.folder)
        self._count(case, checked)
        words = faults_of_words(checked)
        if checked.code == 0 and first.code == 2 and "profile.toml" in first.err.split("\n")[0]:
            words.append("no fault for check-config, and one for the command")
        if checked.code and first.code == 0:
            words.append("a fault for check-config, and none for the command")
        return [Finding(case, checked, one) for one in words]

    def _followed(self, case: Case) -> list[Finding]:
        """One of the commands that look at what is published."""
        out, page = f"{case.folder}/{case.out}", case.folder / "page.html"
        commands = {
            "show": ["show", out],
            "report": ["report", out, "--out", str(page)],
            "diff": ["diff", f"{self.clean}/out", out],
        }
        name = case.source.choice([*commands])
        then = ended(commands[name], case.folder)
        self._count(case, then)
        words = faults_of_words(then)
        if then.code:
            words.append("cannot be looked at")
        elif case.is_judged:
            told = page.read_text("utf-8") if name == "report" else then.out
            wanted = f"0 of {len(CELLS)} verdicts changed" if name == "diff" else FAULTY
            is_diff_known = name != "diff" or "names_that_are_odd" not in case.mutations
            if wanted not in told and is_diff_known:
                words.append(f"{wanted!r} is not told")
        return [Finding(case, then, one) for one in words]

    @property
    def clean(self) -> Path:
        """The folder of a case without any mutation, which is run first."""
        if self._clean is None:
            self._clean = fill(Case(0, random.Random(0), self.folder / "clean"))
            self._clean.write()
            told = ended(self._clean.arguments(), self._clean.folder)
            wrong = faults_of(self._clean, told, set())
            assert not wrong, f"{wrong}\n{told.err}"
        return self._clean.folder

    def _count(self, case: Case, one: Ended) -> None:
        for kind in case.kinds:
            self.ended[kind, one.code] += 1
        self.ended["all", one.code] += 1

    def figures(self) -> str:
        """A table: for each kind cases, commands, and how they ended; a case may be of three."""
        lines = [f"{'kind':14}{'cases':>7}{'commands':>10}" + "".join(f"{c:>7}" for c in CODES)]
        lines[0] += f"{'other':>7}{'findings':>10}"
        for kind in (*sorted(self.cases), "all"):
            counts = {code: self.ended[kind, code] for one, code in self.ended if one == kind}
            others = sum(n for code, n in counts.items() if code not in CODES)
            found = sum(kind in (*one.case.kinds, "all") for one in self.findings)
            lines.append(
                f"{kind:14}{self.cases[kind] or '':>7}{sum(counts.values()):>10}"
                + "".join(f"{counts.get(code, 0):>7}" for code in CODES)
                + f"{others:>7}{found:>10}"
            )
        lines.append(f"{time.monotonic() - self._began:.0f} s")
        return "\n".join(lines)
