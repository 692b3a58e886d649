"""The arguments of a run, wherever it runs."""

import argparse
from datetime import date
from typing import Any

from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from runners.storage.destination import Publishing, Storage
from runners.storage.places import destination_of


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
    parser.add_argument(
        "--profile",
        default="default",
        help="a TOML file, or a shipped profile: default, lab",
    )
    parser.add_argument("--customers", help="customers: a file or folder, CSV or Parquet")
    parser.add_argument(
        "--samples", help="samples of the cells, one per granularity period (15 min), likewise"
    )
    parser.add_argument("--calls", help="call statistics of the customers, likewise")
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
    publishing = Publishing(
        options.prefix, options.staging_bucket, options.add_columns, options.keep_days
    )
    return destination_of(options.out, publishing)
