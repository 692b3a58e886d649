"""The verdicts of this library and of other detectors on cells with known faults.

python -m benchmarks.verdicts [--tuning] [--only NAME ...] [--seeds N ...] [--profile P] [--list],
in the environment of benchmarks/detection. Nothing may be tuned on the seeds that are reported.
"""

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

import pandas as pd

from benchmarks.commands import DEFAULT_PROFILE
from benchmarks.verdicts.case import Case
from benchmarks.verdicts.detectors import RIVALS, Detector
from benchmarks.verdicts.product import Product
from benchmarks.verdicts.sample_world import sample_cases
from benchmarks.verdicts.scoring import judged_cells, score
from benchmarks.verdicts.table import NOTES, mistakes, text
from benchmarks.verdicts.world import AS_IT_IS, real_cases

LIBRARY = "this library"
# What --only calls the detectors and the worlds.
DETECTORS = dict(
    zip(("library", "lab", "count", "ecod", "forest"), (LIBRARY, *RIVALS), strict=True)
)
WORLDS = ("sample-1", "sample-5", "real", "bands")


@dataclass(frozen=True)
class Setting:
    """Cases that are reported together: of one world, with faults of one strength."""

    world: str
    title: str
    tuning_seeds: Sequence[int]
    reported_seeds: Sequence[int]
    cases: Callable[[Iterable[int]], Iterator[Case]]


def settings() -> Iterator[Setting]:
    """Return all settings, in the order in which they are printed."""
    for scale, reported in ((1, range(301, 306)), (5, range(301, 303))):
        cases = partial(sample_cases, scale=scale)
        title = f"sample data, scale {scale}"
        yield Setting(f"sample-{scale}", title, range(1, 4), reported, cases)
    for world, title in (("real", "real inputs"), ("bands", "real inputs in two bands")):
        for strength in ("full", "half"):
            made = partial(real_cases, strength=strength, in_bands=world == "bands")
            named = f"{title}, faults of {strength} strength"
            yield Setting(world, named, range(1, 11), range(301, 321), made)


def judged(cases: Iterable[Case], detectors: Mapping[str, Detector]) -> dict[str, pd.DataFrame]:
    """Let each detector judge each case; a case is made once for all of them."""
    rows: dict[str, list[pd.DataFrame]] = {name: [] for name in detectors}
    for case in cases:
        for name, detector in detectors.items():
            rows[name].append(judged_cells(case, detector(case)))
    return {name: pd.concat(frames, ignore_index=True) for name, frames in rows.items()}


def report(
    setting: Setting, seeds: Sequence[int], detectors: Mapping[str, Detector], with_list: bool
) -> None:
    """Print the table of a setting, and where it is wanted what this library got wrong."""
    cells = judged(setting.cases(seeds), detectors)
    title = f"{setting.title}, {len(seeds)} seed{'s' if len(seeds) > 1 else ''}"
    print(
        text(title, {name: score(of_detector) for name, of_detector in cells.items()}), flush=True
    )
    if with_list and LIBRARY in cells:
        print(mistakes(title, cells[LIBRARY], rightly=AS_IT_IS), flush=True)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts", description=main.__doc__)
    parser.add_argument("--tuning", action="store_true", help="the seeds to tune on")
    parser.add_argument("--seeds", nargs="+", type=int, metavar="N", help="other seeds")
    parser.add_argument(
        "--only",
        nargs="+",
        default=[],
        choices=[*WORLDS, *DETECTORS],
        metavar="NAME",
        help=f"some of the worlds ({', '.join(WORLDS)}) and detectors ({', '.join(DETECTORS)})",
    )
    parser.add_argument("--profile", default=DEFAULT_PROFILE, help="a profile of this library")
    parser.add_argument("--list", action="store_true", help="each mistake of this library, and why")
    return parser.parse_args()


def main() -> None:
    """Let each detector judge cells of which some are faulty, and print a table for each world."""
    chosen = options()
    worlds = [name for name in WORLDS if name in chosen.only] or WORLDS
    names = [DETECTORS[name] for name in DETECTORS if name in chosen.only] or [*DETECTORS.values()]
    print(NOTES, end="\n\n")
    with ExitStack() as stack:
        detectors = dict(RIVALS)
        if LIBRARY in names:
            detectors[LIBRARY] = stack.enter_context(Product(chosen.profile)).verdicts
        detectors = {name: detectors[name] for name in names}
        for setting in settings():
            if setting.world in worlds:
                usual = setting.tuning_seeds if chosen.tuning else setting.reported_seeds
                report(setting, chosen.seeds or usual, detectors, chosen.list)


if __name__ == "__main__":
    main()
