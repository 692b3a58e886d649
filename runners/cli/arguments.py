"""The arguments of commands.

Help is printed where PySpark is missing, so nothing here imports it.
"""

import argparse
import re
from datetime import UTC, date, datetime

from anomaly.evaluation.margins import USUAL
from anomaly.schema.inputs import INPUT_CONTRACTS
from runners.services.arguments import (
    A_PROFILE,
    add_common_arguments,
    add_engine_arguments,
    add_input_arguments,
    add_output_arguments,
    add_profile_argument,
)

DAY = re.compile(r"(?P<place>.+)@(?P<day>[0-9-]*)")
PLACE = "a folder that is the --out of a run, gs://BUCKET/FOLDER or bq://PROJECT.DATASET"


def backfill_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `backfill`."""
    add_common_arguments(parser)
    for name, destination in (("from", "first"), ("to", "last")):
        parser.add_argument(
            f"--{name}",
            dest=destination,
            required=True,
            type=date.fromisoformat,
            metavar="DAY",
            help=f"the {destination} day, YYYY-MM-DD",
        )
    add_engine_arguments(parser)
    add_output_arguments(parser)


def alarms_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `alarms`."""
    add_profile_argument(parser)
    parser.add_argument(
        "--samples", required=True, help="dated samples: a file or folder, CSV or Parquet"
    )
    parser.add_argument("--history", help="baseline samples: older samples, likewise")
    parser.add_argument(
        "--from",
        dest="start",
        type=instant,
        metavar="TIME",
        help="judge from this time on: 2026-01-26 or 2026-01-26 06:00:00, UTC unless it has an "
        "offset (default: from the first sample on)",
    )
    parser.add_argument("--out", required=True, help="where the tables go: a folder or gs://")
    parser.add_argument(
        "--run-date",
        type=date.fromisoformat,
        default=date.today(),
        help="the day that the run is for, YYYY-MM-DD (default: today)",
    )
    add_engine_arguments(parser)
    add_output_arguments(parser)


def evaluate_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `evaluate`."""
    parser.add_argument(
        "--truth",
        required=True,
        help="known events: CSV or Parquet with CellName, start, end (empty while it lasts) and, "
        "if you like, kind",
    )
    parser.add_argument(
        "--alarms",
        required=True,
        help="the --out of `alarms` or `run`: a folder, gs://BUCKET/FOLDER or bq://PROJECT.DATASET",
    )
    parser.add_argument(
        "--prefix", default="", help="prefix of BigQuery tables, as given to the run"
    )
    parser.add_argument(
        "--found-within",
        type=int,
        default=USUAL.found_within,
        metavar="MINUTES",
        help="an alarm finds an event until this long after its end (default: %(default)s)",
    )
    parser.add_argument(
        "--aftermath",
        type=int,
        default=USUAL.aftermath,
        metavar="MINUTES",
        help="an alarm is not false until this long after an event (default: %(default)s)",
    )
    parser.add_argument(
        "--every-day",
        action="store_true",
        help="take the alarms of all published days (default: the last day)",
    )
    parser.add_argument("--out", metavar="FILE.csv", help="also write the figures to this file")
    add_engine_arguments(parser)


def sample_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `sample`."""
    parser.add_argument(
        "--scale", type=int, default=1, help="size; 1 is 36,000 samples and 100,000 call rows"
    )
    parser.add_argument("--seed", type=int, default=42, help="the same seed gives the same data")
    parser.add_argument("--out", required=True, help="folder for the three inputs and truth.csv")
    parser.add_argument("--format", choices=("csv", "parquet"), default="csv")
    add_engine_arguments(parser)


def show_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `show`."""
    _add_published_arguments(parser)
    view = parser.add_mutually_exclusive_group()
    view.add_argument("--cell", metavar="NAME", help="one cell: its verdict and all of its KPIs")
    view.add_argument(
        "--alarms", action="store_true", help="the active and the newest alarms, not the cells"
    )
    parser.add_argument(
        "--csv",
        action="store_true",
        help="print CSV: a row for each cell to visit, KPI or alarm; times are UTC",
    )
    add_engine_arguments(parser)


def _add_published_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say which published tables, and which day of them."""
    parser.add_argument(
        "place",
        metavar="DIR|TABLE",
        help="the --out of a run, or its cell table: a folder, gs://BUCKET/FOLDER, "
        "bq://PROJECT.DATASET or bq://PROJECT.DATASET.TABLE",
    )
    parser.add_argument(
        "--prefix", default="", help="prefix of BigQuery tables, as given to the run"
    )
    parser.add_argument(
        "--run-date", type=date.fromisoformat, help="YYYY-MM-DD (default: the last published day)"
    )


def report_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `report`."""
    _add_published_arguments(parser)
    parser.add_argument("--out", required=True, metavar="FILE.html", help="the file to write")
    parser.add_argument(
        "--png", metavar="DIR", help="also write the plots as PNG files into this folder"
    )
    add_engine_arguments(parser)


def diff_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `diff`."""
    at_day = "; with @YYYY-MM-DD that day, else the last published day"
    parser.add_argument("first", metavar="RUN_A", type=asked_for, help=f"{PLACE}{at_day}")
    parser.add_argument("second", metavar="RUN_B", type=asked_for, help="likewise")
    parser.add_argument(
        "--prefix", default="", help="prefix of BigQuery tables, as given to the runs"
    )
    parser.add_argument("--out", metavar="FILE.csv", help="also write every cause to this file")
    add_engine_arguments(parser)


def check_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `check-config`."""
    parser.add_argument("profile", help=A_PROFILE)


def inspect_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `inspect`."""
    parser.add_argument(
        "place",
        nargs="?",
        metavar="FOLDER|FILE",
        help="CSV or Parquet files on this machine, whatever they are",
    )
    add_input_arguments(parser)
    add_profile_argument(parser, "the profile that the draft extends: ")
    parser.add_argument(
        "--as",
        dest="source",
        choices=tuple(INPUT_CONTRACTS),
        help="what the files of FOLDER|FILE are, if their columns do not show it",
    )


def completion_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `completion`."""
    parser.add_argument(
        "shell", choices=("bash", "zsh", "fish"), help="the shell that reads the script"
    )


def instant(text: str) -> datetime:
    """The instant that an argument names, in UTC unless it has an offset."""
    named = datetime.fromisoformat(text)
    return named if named.tzinfo else named.replace(tzinfo=UTC)


def asked_for(text: str) -> tuple[str, date | None]:
    """PLACE or PLACE@YYYY-MM-DD, None for the last day. Raises ArgumentTypeError for a bad day."""
    found = DAY.fullmatch(text)
    if not found:
        return text, None
    try:
        return found["place"], date.fromisoformat(found["day"])
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {found['day']!r} is not YYYY-MM-DD") from error
