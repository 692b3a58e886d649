"""The console command `cell-tower-anomaly`.

Exit codes: 0 done, 2 bad usage or configuration, 3 input refused, 4 output failed.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from importlib.metadata import version

from anomaly import AnomalyError, ConfigurationError, OutputError, load_profile
from anomaly.contracts import CALL_STATISTICS, CUSTOMERS, SAMPLES
from runners.local import report, run_locally
from runners.sample import write_sample
from runners.session import local_session


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.command(options))
    except AnomalyError as error:
        print(f"error: {error}", file=sys.stderr)
        if isinstance(error, ConfigurationError):
            return 2
        return 4 if isinstance(error, OutputError) else 3


def _run(options: argparse.Namespace) -> int:
    profile = load_profile(options.profile)
    inputs = {
        CUSTOMERS: options.customers,
        SAMPLES: options.samples,
        CALL_STATISTICS: options.calls,
    }
    summary = run_locally(profile, inputs, options.out, options.run_date, options.master)
    print(report(summary, options.out))
    return 0


def _sample(options: argparse.Namespace) -> int:
    spark = local_session(options.master)
    write_sample(spark, options.scale, options.seed, options.out, options.format)
    print(f"Sample data: {options.out}")
    return 0


def _check_config(options: argparse.Namespace) -> int:
    profile = load_profile(options.profile)
    print(f"{profile.fingerprint}: {len(profile.kpis)} KPIs, {len(profile.rules)} rules, no fault")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cell-tower-anomaly",
        description="Finds LTE cell towers that need maintenance and the customers they hurt.",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('cell-tower-anomaly')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="judge towers and customers from three inputs")
    run.add_argument("--profile", default="default", help="a TOML file, or default or lab")
    run.add_argument("--customers", required=True, help="customers: CSV or Parquet, file or folder")
    run.add_argument("--samples", required=True, help="quarter-hour samples of the cells")
    run.add_argument("--calls", required=True, help="call statistics of the customers")
    run.add_argument("--out", required=True, help="folder for the tables")
    run.add_argument("--run-date", type=date.fromisoformat, default=date.today(), help="YYYY-MM-DD")
    run.add_argument("--master", help="Spark master, such as local[2]")
    run.set_defaults(command=_run)

    sample = commands.add_parser("sample", help="make input data to try the system with")
    sample.add_argument("--scale", type=int, default=1, help="1: 37,000 samples, 100,000 call rows")
    sample.add_argument("--seed", type=int, default=42)
    sample.add_argument("--out", required=True)
    sample.add_argument("--format", choices=("csv", "parquet"), default="csv")
    sample.add_argument("--master")
    sample.set_defaults(command=_sample)

    check = commands.add_parser("check-config", help="say everything that is wrong with a profile")
    check.add_argument("profile")
    check.set_defaults(command=_check_config)
    return parser


if __name__ == "__main__":
    sys.exit(main())
