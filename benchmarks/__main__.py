"""Measures whole processes and makes one table: python -m benchmarks, from the repository's root.

It needs the environments that `make bench` sets up. Ratios, not seconds, are what counts: cases
that are compared run in turn, and only after their results were found to be equal.
"""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks import against_floor, against_peers, engines, growth, skew
from benchmarks.bench import Bench
from benchmarks.equality import DifferentResultsError
from benchmarks.machine import description
from benchmarks.processes import FailedCommandError
from benchmarks.table import Line, markdown

PARTS: dict[str, Callable[[Bench], list[Line]]] = {
    "floor": against_floor.lines,
    "growth": growth.lines,
    "peers": against_peers.lines,
    "skew": skew.lines,
    "engines": engines.lines,
}


def names_of_parts(text: str) -> list[str]:
    """The parts that a text names, parted by commas."""
    names = text.split(",")
    if unknown := [name for name in names if name not in PARTS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(PARTS)}")
    return names


def numbers(text: str) -> list[int]:
    """The numbers of a text, parted by commas, in their order."""
    return sorted({int(number) for number in text.split(",")})


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument(
        "--only",
        type=names_of_parts,
        default=list(PARTS),
        metavar="PART,...",
        help=", ".join(PARTS),
    )
    parser.add_argument("--scales", type=numbers, default=[1, 10, 30, 100], metavar="N,...")
    parser.add_argument(
        "--pairs", type=int, default=5, help="runs of each case at scale 1; fewer of larger ones"
    )
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results.md"))
    return parser.parse_args()


def main() -> int:
    """Measure the parts in turn, and print and save the table, which is there after each part."""
    options = arguments()
    # As Ctrl-C does, so that nothing is left behind: neither processes nor data.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    header, lines = description(), []
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder), options.scales, options.pairs)
        for part in options.only:
            print(f"--- {part}", flush=True)
            try:
                lines += PARTS[part](bench)
            except (DifferentResultsError, FailedCommandError) as error:
                print(f"{part}: {error}", file=sys.stderr)
                return 1
            options.out.write_text(markdown(header, lines), encoding="utf-8")
    print(markdown(header, lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
