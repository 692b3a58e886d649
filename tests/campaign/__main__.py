"""Runs the campaign, and tells its figures by kind and each finding.

python -m tests.campaign --seed 1 --runs 100 [--kind times] [--keep FOLDER]
"""

import argparse
import shlex
import sys
import tempfile
from pathlib import Path

from tests.campaign.commands import ended
from tests.campaign.environment import MACHINES, clean_case, ended_on
from tests.campaign.mutations import KINDS
from tests.campaign.runs import Campaign


def asked_for(options: argparse.Namespace) -> list[tuple[int, str | None]]:
    """Seeds, each with the one mutation that it is to have, if any."""
    if options.each:
        names = [mutate.__name__ for mutations in KINDS.values() for mutate in mutations]
        return [*enumerate(names, options.seed)]
    return [(seed, options.mutation) for seed in range(options.seed, options.seed + options.runs)]


def machines(folder: Path) -> int:
    """A command on each machine, in a process of its own; 1 where there is a finding."""
    case = clean_case(folder / "clean")
    case.write()
    assert ended(case.arguments(), case.folder).code == 0
    found = 0
    for machine in MACHINES:
        done, words = ended_on(machine, case.folder / case.out, folder / "on machines")
        found += bool(words)
        print(f"{machine.name:28}{machine.command:6}{done.code:4}  {'; '.join(words)}", flush=True)
        if words or done.code:
            print(f"    {done.err[-600:]}", flush=True)
    return 1 if found else 0


def main() -> int:
    """Run so many cases; 1 where there is a finding."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first case; others follow")
    parser.add_argument("--runs", type=int, default=100, help="how many cases")
    parser.add_argument("--kind", choices=[*KINDS], help="of this kind alone")
    parser.add_argument("--mutation", help="this mutation alone")
    parser.add_argument("--each", action="store_true", help="each mutation once, alone")
    parser.add_argument("--keep", metavar="FOLDER", help="leave the cases with findings here")
    parser.add_argument("--machines", action="store_true", help="other environments instead")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if options.machines:
            return machines(Path(options.keep or folder))
        campaign = Campaign(Path(options.keep or folder))
        for seed, mutation in asked_for(options):
            for finding in campaign.run(seed, options.kind, mutation):
                print(f"\n--- seed {seed}: {finding.words}")
                print(f"mutations: {', '.join(finding.case.mutations)}")
                print(shlex.join(finding.ended.arguments))
                print(finding.ended.err[-1500:], flush=True)
        print(campaign.figures())
    return 1 if campaign.findings else 0


if __name__ == "__main__":
    sys.exit(main())
