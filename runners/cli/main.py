"""The console command `cell-tower-anomaly`.

Exit codes: 0 done, 1 unexpected, 2 bad usage or configuration, 3 input refused, 4 output failed,
5 batch failed, 6 batch cancelled, 7 batch timed out, 130 stopped by Ctrl-C.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version

from anomaly import load_profile
from runners.cli.alarms import add_arguments as alarm_arguments
from runners.cli.alarms import alarms_command
from runners.cli.backfill import add_arguments as backfill_arguments
from runners.cli.backfill import backfill_command
from runners.cli.diff import add_arguments as diff_arguments
from runners.cli.diff import diff_command
from runners.cli.evaluate import add_arguments as evaluate_arguments
from runners.cli.evaluate import evaluate_command
from runners.cli.show import add_arguments as show_arguments
from runners.cli.show import show_command
from runners.composer.deploy.command import add_command as add_deploy_command
from runners.dataproc.command import add_commands as add_dataproc_commands
from runners.engines.session import local_session
from runners.local import add_local_arguments, run_command
from runners.report.command import add_arguments as report_arguments
from runners.report.command import report_command
from runners.sample import write_sample
from runners.services.exit_codes import exit_code_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    return exit_code_of(lambda: options.command(options))


def _sample(options: argparse.Namespace) -> None:
    spark = local_session(options.master)
    write_sample(spark, options.scale, options.seed, options.out, options.format)
    print(f"Sample data: {options.out}")


def _check_config(options: argparse.Namespace) -> None:
    profile = load_profile(options.profile)
    print(
        f"{profile.fingerprint}: {len(profile.kpis)} KPIs, {len(profile.rules)} rules, no problems"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cell-tower-anomaly",
        description="Finds LTE cell towers that need maintenance and the customers they hurt.",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('cell-tower-anomaly')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="judge towers and customers",
        description="Judges towers and customers from three inputs, or on made-up ones (--sample).",
    )
    add_local_arguments(run)
    run.set_defaults(command=run_command)

    backfill = commands.add_parser(
        "backfill",
        help="run the days that are not published, or whose inputs changed",
        description="Runs days in turn: those that are not published, and those whose inputs, or "
        "the samples that they rest on, or whose profile changed.",
    )
    backfill_arguments(backfill)
    backfill.set_defaults(command=backfill_command)

    alarms = commands.add_parser(
        "alarms",
        help="raise alarms from dated samples",
        description="Judges each quarter hour of each cell, and raises and clears alarms.",
    )
    alarm_arguments(alarms)
    alarms.set_defaults(command=alarms_command)

    evaluation = commands.add_parser(
        "evaluate",
        help="say how good alarms are against known events",
        description="Compares published alarms with known events, such as trouble tickets.",
    )
    evaluate_arguments(evaluation)
    evaluation.set_defaults(command=evaluate_command)

    sample = commands.add_parser("sample", help="make input data to try the system with")
    sample.add_argument("--scale", type=int, default=1, help="1: 36,000 samples, 100,000 call rows")
    sample.add_argument("--seed", type=int, default=42, help="the same seed, the same data")
    sample.add_argument("--out", required=True, help="folder for the three inputs and truth.csv")
    sample.add_argument("--format", choices=("csv", "parquet"), default="csv")
    sample.add_argument("--master", help="Spark master (default: local[*], every core)")
    sample.set_defaults(command=_sample)

    show = commands.add_parser(
        "show",
        help="print the towers that need maintenance from published tables",
        description="Prints the towers that need maintenance from tables that a run published.",
    )
    show_arguments(show)
    show.set_defaults(command=show_command)

    report = commands.add_parser(
        "report",
        help="draw published tables as a page to look at",
        description="Writes one HTML file of a published day, which needs nothing else to open.",
    )
    report_arguments(report)
    report.set_defaults(command=report_command)

    diff = commands.add_parser(
        "diff",
        help="say which verdicts changed between two runs, and why",
        description="Compares the cell tables of two published runs, and names what caused it.",
    )
    diff_arguments(diff)
    diff.set_defaults(command=diff_command)

    add_dataproc_commands(commands)
    add_deploy_command(commands)

    check = commands.add_parser("check-config", help="say everything that is wrong with a profile")
    check.add_argument("profile", help="a TOML file, or the name of one that comes along")
    check.set_defaults(command=_check_config)
    return parser


if __name__ == "__main__":
    sys.exit(main())
