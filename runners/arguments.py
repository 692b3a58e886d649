"""The arguments of a run, wherever it runs."""

import argparse
from datetime import date

from runners.storage.destination import Publishing


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """--customers, --samples and --calls belong together."""
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
        help="add columns that an existing BigQuery table lacks",
    )
    parser.add_argument(
        "--hash-customers",
        action="store_true",
        help="publish customer numbers as hashes, with the key that the environment variable "
        "CELL_TOWER_HASH_KEY has or names",
    )
    parser.add_argument(
        "--run-date",
        type=date.fromisoformat,
        default=date.today(),
        help="the day that the run is for, YYYY-MM-DD (default: today)",
    )


def publishing_of(options: argparse.Namespace) -> Publishing:
    """How the arguments want BigQuery tables to be published."""
    return Publishing(options.prefix, options.staging_bucket, options.add_columns)
