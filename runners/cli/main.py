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
from runners.cli import (
    alarms,
    backfill,
    check_config,
    completion,
    diff,
    evaluate,
    inspect_files,
    sample,
    show,
)
from runners.cli.parser import PROGRAM, CommandParser
from runners.composer.deploy import command as composer
from runners.dataproc import command as dataproc
from runners.report import command as report
from runners.services.exit_codes import exit_code_of


class Command(NamedTuple):
    """The help text of a command, its arguments, and the function that runs it."""

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], None]
    description: str | None = None


COMMANDS: Mapping[str, Command] = {
    "run": Command(
        "judge cells and customers",
        local.add_local_arguments,
        local.run_command,
        "Judges cells and customers from three inputs, or made-up data (--sample).",
    ),
    "backfill": Command(
        "run all days that are missing, or whose inputs changed",
        backfill.add_arguments,
        backfill.run,
        "Runs days in order: those that are not published yet, and those whose inputs, baseline "
        "samples or profile changed.",
    ),
    "alarms": Command(
        "raise alarms from dated samples",
        alarms.add_arguments,
        alarms.run,
        "Judges samples against the baseline of their cell; raises and clears alarms.",
    ),
    "evaluate": Command(
        "score alarms against known events",
        evaluate.add_arguments,
        evaluate.run,
        "Compares published alarms with known events, such as trouble tickets.",
    ),
    "inspect": Command(
        "draft a profile from files that it does not know",
        inspect_files.add_arguments,
        inspect_files.run,
        "Looks at files, and drafts how a profile reads them, with what it saw.",
    ),
    "sample": Command(
        "make sample data: three inputs with known faults", sample.add_arguments, sample.run
    ),
    "show": Command(
        "print the cells that need maintenance from published tables",
        show.add_arguments,
        show.run,
        "Prints the cells that need maintenance, from the tables of a run.",
    ),
    "report": Command(
        "write a report of a published day",
        report.add_arguments,
        report.run,
        "Writes a report of a published day as a single HTML file.",
    ),
    "diff": Command(
        "say which verdicts changed between two runs, and why",
        diff.add_arguments,
        diff.run,
        "Compares the cell tables of two published runs, and names the causes.",
    ),
    "submit": Command(
        "run on Dataproc Serverless",
        dataproc.submit_arguments,
        dataproc.submit,
        "Submits a run to Dataproc Serverless and follows it to its end.",
    ),
    "provision": Command(
        "create buckets, dataset and history server",
        dataproc.provision_arguments,
        dataproc.run_provision,
        "Creates what batches need; what exists already stays as it is.",
    ),
    "status": Command("print the state of a batch", dataproc.batch_arguments, dataproc.status),
    "logs": Command(
        "print the output of a batch, and links to its logs",
        dataproc.batch_arguments,
        dataproc.logs,
    ),
    "cancel": Command("ask a batch to stop", dataproc.batch_arguments, dataproc.cancel),
    "deploy-dag": Command(
        "deploy the Airflow DAG to Cloud Composer",
        composer.add_arguments,
        composer.run,
        "Uploads the DAG, and the code of its batches, to the bucket of a Cloud Composer "
        "environment.",
    ),
    "check-config": Command(
        "list the problems of a profile", check_config.add_arguments, check_config.run
    ),
    "completion": Command(
        "print a script that completes commands in a shell",
        completion.add_arguments,
        completion.run,
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = command_parser().parse_args(arguments)
    return exit_code_of(lambda: options.run(options))


def command_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = CommandParser(
        prog=PROGRAM,
        description="Finds LTE cells that need maintenance, and the customers affected.",
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
