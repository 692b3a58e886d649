"""A run at scale 1 against the floor: whole processes, in alternating pairs.

python benchmarks/run_against_floor.py [--pairs N] [--scale N]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FLOOR = Path(__file__).parent / "floor.py"


def seconds(*command: str) -> float:
    """The wall time of a process that must succeed."""
    started = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - started


def tool(*arguments: str) -> tuple[str, ...]:
    """The console command, in this Python."""
    return (sys.executable, "-m", "runners.command", *arguments)


def main() -> None:
    """Make the inputs, time the pairs, print a table with the median of the ratios."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--scale", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        inputs = f"{folder}/inputs"
        seconds(*tool("sample", "--scale", str(options.scale), "--out", inputs))
        run = tool(
            "run", "--master", "local[2]", "--out", f"{folder}/out",
            "--customers", f"{inputs}/customers", "--samples", f"{inputs}/samples",
            "--calls", f"{inputs}/call_statistics",
        )  # fmt: skip
        floor = (sys.executable, str(FLOOR), inputs, f"{folder}/floor")
        print(f"{'pair':>4}{'run s':>10}{'floor s':>10}{'ratio':>8}", flush=True)
        ratios = []
        for pair in range(1, options.pairs + 1):
            of_run, of_floor = seconds(*run), seconds(*floor)
            ratios.append(of_run / of_floor)
            print(f"{pair:4}{of_run:10.1f}{of_floor:10.1f}{ratios[-1]:8.2f}", flush=True)
    print(
        f"scale {options.scale}: the run takes {statistics.median(ratios):.2f} times the floor "
        f"(median of {options.pairs} pairs; {min(ratios):.2f} to {max(ratios):.2f})"
    )


if __name__ == "__main__":
    main()
