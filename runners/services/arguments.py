"""The arguments of a run, wherever it runs."""

import argparse
from datetime import date
from typing import Any

from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from runners.storage.destination import Publishing, Storage
from runners.storage.places import destination_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of one run; --customers, --samples and --calls belong together."""
    add_common_arguments(parser)
    parser.add_argument(
        "--history",
        nargs="+",
        metavar="PATH",
        help="older samples that the alarms of dated samples rest on",
    )
    parser.add_argument(
        "--run-date",
        type=date.fromisoformat,
        default=date.today(),
        help="the day that the run is for, YYYY-MM-DD (default: today)",
    )


def add_common_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of one run and of many."""
    parser.add_argument(
        "--profile", default="default", help="a TOML file, or the name of one that comes along"
    )
    parser.add_argument("--customers", help="customers: CSV or Parquet, a file or a folder")
    parser.add_argument("--samples", help="quarter-hour samples of the cells, likewise")
    parser.add_argument("--calls", help="call statistics of the customers, likewise")
    parser.add_argument(
        "--out",
        default="out",
        help="where the tables go: a folder (default: out), gs://BUCKET/FOLDER or "
        "bq://PROJECT.DATASET",
    )
    parser.add_argument("--prefix", default="", help="of BigQuery tables: PREFIX_NAME")
    parser.add_argument(
        "--staging-bucket",
        metavar="BUCKET",
        help="load BigQuery tables from this bucket (default: write them directly)",
    )
    parser.add_argument(
        "--add-columns",
        action="store_true",
        help="add columns that published tables lack, NULL on older days",
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
        help="publish customer numbers as hashes, with the key that the environment variable "
        "CELL_TOWER_HASH_KEY has or names",
    )


def inputs_of(options: argparse.Namespace) -> dict[str, Any]:
    """Where each input lies, None for one that is not named; HISTORY only where it is."""
    inputs = {
        CUSTOMERS: options.customers,
        SAMPLES: options.samples,
        CALL_STATISTICS: options.calls,
    }
    history = getattr(options, "history", None)
    return inputs | ({HISTORY: history} if history else {})


def destination_in(options: argparse.Namespace) -> Storage:
    """Where and how the arguments want tables to be published.

    Raises ConfigurationError with all that is wrong with it.
    """
    publishing = Publishing(
        options.prefix, options.staging_bucket, options.add_columns, options.keep_days
    )
    return destination_of(options.out, publishing)
