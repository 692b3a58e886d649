"""The console command `cell-tower-anomaly`.

Exit codes: 0 done, 1 unexpected, 2 bad usage or configuration, 3 input refused, 4 output failed,
5 batch failed, 6 batch cancelled, 7 batch timed out, 130 stopped by Ctrl-C.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pkgutil import resolve_name
from typing import NamedTuple

from anomaly import __version__
from anomaly.errors import ConfigurationError
from runners.cli import arguments as cli
from runners.cli.parser import PROGRAM, CommandParser
from runners.composer.deploy import command as composer
from runners.dataproc import command as dataproc
from runners.services.arguments import add_local_arguments
from runners.services.exit_codes import exit_code_of
from runners.services.extras import installing

# What no extra installs: if it cannot be imported, that is an error of ours.
OURS = ("anomaly", "runners")


class Command(NamedTuple):
    """The help text of a command, its arguments, and the function that runs it.

    run: MODULE:FUNCTION, imported when the command runs: what it needs takes time, and may not be
    installed. extras: those of the package that install it.
    """

    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: str
    description: str | None = None
    extras: str = "local"


COMMANDS: Mapping[str, Command] = {
    "run": Command(
        "judge cells and customers",
        add_local_arguments,
        "runners.local:run_command",
        "Judges cells and customers from three inputs, or made-up data (--sample).",
    ),
    "backfill": Command(
        "run all days that are missing, or whose inputs changed",
        cli.backfill_arguments,
        "runners.cli.backfill:run",
        "Runs days in order: those that are not published yet, and those whose inputs, baseline "
        "samples or profile changed.",
    ),
    "alarms": Command(
        "raise alarms from dated samples",
        cli.alarms_arguments,
        "runners.cli.alarms:run",
        "Judges samples against the baseline of their cell; raises and clears alarms.",
    ),
    "evaluate": Command(
        "score alarms against known events",
        cli.evaluate_arguments,
        "runners.cli.evaluate:run",
        "Compares published alarms with known events, such as trouble tickets.",
    ),
    "inspect": Command(
        "draft a profile for files of an unfamiliar format",
        cli.inspect_arguments,
        "runners.cli.inspect_files:run",
        "Looks at files, and drafts how a profile reads them, with what it saw.",
    ),
    "sample": Command(
        "make sample data: three inputs with known faults",
        cli.sample_arguments,
        "runners.cli.sample:run",
    ),
    "show": Command(
        "print the cells that need maintenance from published tables",
        cli.show_arguments,
        "runners.cli.show:run",
        "Prints the cells that need maintenance, from the tables of a run.",
    ),
    "report": Command(
        "write a report of a published day",
        cli.report_arguments,
        "runners.report.command:run",
        "Writes a report of a published day as a single HTML file.",
        "local,report",
    ),
    "diff": Command(
        "say which verdicts changed between two runs, and why",
        cli.diff_arguments,
        "runners.cli.diff:run",
        "Compares the cell tables of two published runs, and names the causes.",
    ),
    "submit": Command(
        "run on Dataproc Serverless",
        dataproc.submit_arguments,
        "runners.dataproc.command:submit",
        "Submits a run to Dataproc Serverless and follows it to its end.",
        "gcp,local",
    ),
    "provision": Command(
        "create buckets, dataset and history server",
        dataproc.provision_arguments,
        "runners.dataproc.command:run_provision",
        "Creates what batches need; what exists already stays as it is.",
        "gcp",
    ),
    "status": Command(
        "print the state of a batch",
        dataproc.batch_arguments,
        "runners.dataproc.command:status",
        extras="gcp",
    ),
    "logs": Command(
        "print the output of a batch, and links to its logs",
        dataproc.batch_arguments,
        "runners.dataproc.command:logs",
        extras="gcp",
    ),
    "cancel": Command(
        "ask a batch to stop",
        dataproc.batch_arguments,
        "runners.dataproc.command:cancel",
        extras="gcp",
    ),
    "deploy-dag": Command(
        "deploy the Airflow DAG to Cloud Composer",
        composer.add_arguments,
        "runners.composer.deploy.command:run",
        "Uploads the DAG, and the code of its batches, to the bucket of a Cloud Composer "
        "environment.",
        "gcp",
    ),
    "check-config": Command(
        "list the problems of a profile", cli.check_config_arguments, "runners.cli.check_config:run"
    ),
    "completion": Command(
        "print a script that completes commands in a shell",
        cli.completion_arguments,
        "runners.cli.completion:run",
    ),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = command_parser().parse_args(arguments)
    return exit_code_of(lambda: _run(options))


def _run(options: argparse.Namespace) -> None:
    """Run a command. Raises ConfigurationError if a package that it needs is not installed."""
    command = COMMANDS[options.command]
    try:
        resolve_name(command.run)(options)
    except ImportError as error:
        if (error.name or "").partition(".")[0] in OURS:
            raise
        problem = f"needs packages that are not installed: {installing(command.extras)} ({error})"
        raise ConfigurationError(options.command, [problem]) from error


def command_parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    parser = CommandParser(
        prog=PROGRAM,
        description="Finds LTE cells that need maintenance, and the customers affected.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, dest="command", metavar="COMMAND")
    for name, command in COMMANDS.items():
        of_command = commands.add_parser(name, help=command.help, description=command.description)
        command.add_arguments(of_command)
    return parser


if __name__ == "__main__":
    sys.exit(main())
