"""The arguments of a run, wherever it runs."""

from __future__ import annotations

import argparse
from datetime import date
from typing import TYPE_CHECKING, Any

from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from runners.engines.choice import AUTO, ENGINES, VARIABLE

if TYPE_CHECKING:
    from runners.storage.destination import Storage


# The arguments that name the inputs.
INPUT_OPTIONS = {CUSTOMERS: "--customers", SAMPLES: "--samples", CALL_STATISTICS: "--calls"}
A_PROFILE = "a TOML file, or a shipped profile: default, lab"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of one run; --customers, --samples and --calls belong together."""
    add_common_arguments(parser)
    parser.add_argument(
        "--history",
        nargs="+",
        metavar="PATH",
        help="baseline samples: older samples for the baselines of alarms",
    )
    parser.add_argument(
        "--run-date",
        type=date.fromisoformat,
        default=date.today(),
        help="the day that the run is for, YYYY-MM-DD (default: today)",
    )


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that one run and many have in common."""
    add_profile_argument(parser)
    add_input_arguments(parser)
    parser.add_argument(
        "--out",
        default="out",
        help="where the tables go: a folder (default: out), gs://BUCKET/FOLDER or "
        "bq://PROJECT.DATASET",
    )
    parser.add_argument("--prefix", default="", help="prefix of BigQuery tables: PREFIX_NAME")
    parser.add_argument(
        "--staging-bucket",
        metavar="BUCKET",
        help="load BigQuery tables from this bucket (default: write directly)",
    )
    parser.add_argument(
        "--add-columns",
        action="store_true",
        help="add columns that the published tables lack; they are NULL on older days",
    )
    parser.add_argument(
        "--keep-days",
        type=int,
        metavar="N",
        help="remove days older than the last N up to --run-date (default: keep all)",
    )
    parser.add_argument(
        "--hash-customers",
        action="store_true",
        help="publish keyed hashes instead of customer numbers; the environment variable "
        "CELL_TOWER_HASH_KEY holds the key, or names a secret",
    )


def add_input_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name the inputs."""
    parser.add_argument("--customers", help="customers: a file or folder, CSV or Parquet")
    parser.add_argument(
        "--samples", help="samples of the cells, one per granularity period (15 min), likewise"
    )
    parser.add_argument("--calls", help="call statistics of the customers, likewise")


def add_profile_argument(parser: argparse.ArgumentParser, meaning: str = "") -> None:
    """Add the argument that names a profile, which by default is the one called default."""
    parser.add_argument("--profile", default="default", help=f"{meaning}{A_PROFILE}")


def add_engine_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what executes a command."""
    parser.add_argument(
        "--engine",
        choices=ENGINES,
        help=f"what executes it (default: {VARIABLE}, or else {AUTO}: Sail if it is installed, "
        "all places are on this machine and the inputs fit in memory; else Spark)",
    )
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def add_output_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what a command prints."""
    parser.add_argument(
        "--quiet", action="store_true", help="print errors only (with --json: and the summary)"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print the summary as one JSON document, for scripts; times are UTC",
    )


def add_local_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of a run, and the master of the session that it runs in."""
    add_arguments(parser)
    parser.add_argument(
        "--sample",
        action="store_true",
        help="run on made-up data instead of inputs; refused where real days are published",
    )
    add_engine_arguments(parser)
    parser.add_argument("--report", metavar="FILE.html", help="also write a report of the result")
    add_output_arguments(parser)


def inputs_of(options: argparse.Namespace) -> dict[str, Any]:
    """Where each input is, None if it is not given; HISTORY only if it is given."""
    inputs = {
        CUSTOMERS: options.customers,
        SAMPLES: options.samples,
        CALL_STATISTICS: options.calls,
    }
    history = getattr(options, "history", None)
    return inputs | ({HISTORY: history} if history else {})


def destination_in(options: argparse.Namespace) -> Storage:
    """Where and how to publish the tables, by the arguments.

    Raises ConfigurationError, which lists all problems.
    """
    # Help is printed where PySpark, and with it all storage, may be missing.
    from runners.storage.destination import Publishing
    from runners.storage.places import destination_of

    publishing = Publishing(
        options.prefix, options.staging_bucket, options.add_columns, options.keep_days
    )
    return destination_of(options.out, publishing)
