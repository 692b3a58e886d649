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
        description="Finds LTE cells that need maintenance, and the customers affected.",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('cell-tower-anomaly')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser(
        "run",
        help="judge cells and customers",
        description="Judges cells and customers from three inputs, or made-up data (--sample).",
    )
    add_local_arguments(run)
    run.set_defaults(command=run_command)

    backfill = commands.add_parser(
        "backfill",
        help="run all days that are missing, or whose inputs changed",
        description="Runs days in order: those that are not published yet, and those whose inputs, "
        "baseline samples or profile changed.",
    )
    backfill_arguments(backfill)
    backfill.set_defaults(command=backfill_command)

    alarms = commands.add_parser(
        "alarms",
        help="raise alarms from dated samples",
        description="Judges samples against the baseline of their cell; raises and clears alarms.",
    )
    alarm_arguments(alarms)
    alarms.set_defaults(command=alarms_command)

    evaluation = commands.add_parser(
        "evaluate",
        help="score alarms against known events",
        description="Compares published alarms with known events, such as trouble tickets.",
    )
    evaluate_arguments(evaluation)
    evaluation.set_defaults(command=evaluate_command)

    sample = commands.add_parser("sample", help="make sample data: three inputs with known faults")
    sample.add_argument(
        "--scale", type=int, default=1, help="size; 1 is 36,000 samples and 100,000 call rows"
    )
    sample.add_argument("--seed", type=int, default=42, help="the same seed gives the same data")
    sample.add_argument("--out", required=True, help="folder for the three inputs and truth.csv")
    sample.add_argument("--format", choices=("csv", "parquet"), default="csv")
    sample.add_argument("--master", help="Spark master (default: local[*], every core)")
    sample.set_defaults(command=_sample)

    show = commands.add_parser(
        "show",
        help="print the cells that need maintenance from published tables",
        description="Prints the cells that need maintenance, from the tables of a run.",
    )
    show_arguments(show)
    show.set_defaults(command=show_command)

    report = commands.add_parser(
        "report",
        help="write a report of a published day",
        description="Writes a report of a published day as a single HTML file.",
    )
    report_arguments(report)
    report.set_defaults(command=report_command)

    diff = commands.add_parser(
        "diff",
        help="say which verdicts changed between two runs, and why",
        description="Compares the cell tables of two published runs, and names the causes.",
    )
    diff_arguments(diff)
    diff.set_defaults(command=diff_command)

    add_dataproc_commands(commands)
    add_deploy_command(commands)

    check = commands.add_parser("check-config", help="list the problems of a profile")
    check.add_argument("profile", help="a TOML file, or a shipped profile: default, lab")
    check.set_defaults(command=_check_config)
    return parser


if __name__ == "__main__":
    sys.exit(main())
