"""The console command `cell-tower-anomaly`.

Exit codes: 0 done, 1 unexpected, 2 bad usage or configuration, 3 input refused, 4 output failed,
5 batch failed, 6 batch cancelled, 7 batch timed out, 130 stopped by Ctrl-C.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import NamedTuple

from runners import local
from runners.cli import alarms, backfill, check_config, diff, evaluate, sample, show
from runners.composer.deploy import command as composer
from runners.dataproc import command as dataproc
from runners.report import command as report
from runners.services.exit_codes import exit_code_of


class Command(NamedTuple):
    """What a command is for, its arguments, and what it does."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]
    description: str | None = None


COMMANDS: Mapping[str, Command] = {
    "run": Command(
        "judge towers and customers",
        local.add_local_arguments,
        local.run_command,
        "Judges towers and customers from three inputs, or on made-up ones (--sample).",
    ),
    "backfill": Command(
        "run the days that are not published, or whose inputs changed",
        backfill.add_arguments,
        backfill.run,
        "Runs days in turn: those that are not published, and those whose inputs, or the samples "
        "that they rest on, or whose profile changed.",
    ),
    "alarms": Command(
        "raise alarms from dated samples",
        alarms.add_arguments,
        alarms.run,
        "Judges each quarter hour of each cell, and raises and clears alarms.",
    ),
    "evaluate": Command(
        "say how good alarms are against known events",
        evaluate.add_arguments,
        evaluate.run,
        "Compares published alarms with known events, such as trouble tickets.",
    ),
    "sample": Command("make input data to try the system with", sample.add_arguments, sample.run),
    "show": Command(
        "print the towers that need maintenance from published tables",
        show.add_arguments,
        show.run,
        "Prints the towers that need maintenance from tables that a run published.",
    ),
    "report": Command(
        "draw published tables as a page to look at",
        report.add_arguments,
        report.run,
        "Writes one HTML file of a published day, which needs nothing else to open.",
    ),
    "diff": Command(
        "say which verdicts changed between two runs, and why",
        diff.add_arguments,
        diff.run,
        "Compares the cell tables of two published runs, and names what caused it.",
    ),
    "submit": Command(
        "run on Dataproc Serverless",
        dataproc.submit_arguments,
        dataproc.submit,
        "Sends a run to Dataproc Serverless and follows it to its end.",
    ),
    "provision": Command(
        "make buckets, dataset and history server",
        dataproc.provision_arguments,
        dataproc.run_provision,
        "Makes what batches need; what is there already is left as it is.",
    ),
    "status": Command("print the state of a batch", dataproc.batch_arguments, dataproc.status),
    "logs": Command(
        "print where the logs of a batch are, and its output",
        dataproc.batch_arguments,
        dataproc.logs,
    ),
    "cancel": Command("ask a batch to stop", dataproc.batch_arguments, dataproc.cancel),
    "deploy-dag": Command(
        "deploy the DAG of Airflow to Cloud Composer",
        composer.add_arguments,
        composer.run,
        "Uploads the DAG that starts batches, and their code, to the bucket of a Cloud Composer "
        "environment.",
    ),
    "check-config": Command(
        "say everything that is wrong with a profile", check_config.add_arguments, check_config.run
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    return exit_code_of(lambda: options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cell-tower-anomaly",
        description="Finds LTE cell towers that need maintenance and the customers they hurt.",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('cell-tower-anomaly')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        of_command = commands.add_parser(name, help=command.help, description=command.description)
        command.add_arguments(of_command)
        of_command.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())
