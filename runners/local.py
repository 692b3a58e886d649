"""Runs the pipeline on this machine, from its inputs to the published tables and a report.

spark-submit runners/local.py --customers PATH --samples PATH --calls PATH --out DIR
"""

import argparse
import sys
import tempfile
from datetime import date
from pathlib import Path

# spark-submit puts the folder of this file on the path, not the one above it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from anomaly import Profile, load_profile
from anomaly.contracts import CALL_STATISTICS, CUSTOMERS, SAMPLES
from anomaly.errors import ConfigurationError
from runners.console import Progress, report
from runners.exit_codes import exit_code_of
from runners.run import Finished, run_pipeline
from runners.sample import write_sample
from runners.session import local_session
from runners.storage.destination import PLAINLY, Publishing, check_destination
from runners.storage.spark_files import has_scheme

SAMPLE_SCALE, SAMPLE_SEED = 1, 42


def run_locally(
    profile: Profile,
    inputs: dict[str, str],
    out: str,
    run_date: date,
    master: str | None = None,
    publishing: Publishing = PLAINLY,
) -> Finished:
    """One run on this machine. Raises AnomalyError, with the previous output whole."""
    check_destination(out, publishing)
    progress = Progress()
    spark = local_session(master, any(map(has_scheme, (*inputs.values(), out))))
    progress.done("session")
    return run_pipeline(spark, profile, inputs, out, run_date, publishing, progress)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of a run; --customers, --samples and --calls belong together."""
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
        "--run-date",
        type=date.fromisoformat,
        default=date.today(),
        help="the day that the run is for, YYYY-MM-DD (default: today)",
    )
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def run_command(options: argparse.Namespace) -> None:
    """One run as its arguments say, on made-up data where they name no input."""
    profile = load_profile(options.profile)
    inputs = {
        CUSTOMERS: options.customers,
        SAMPLES: options.samples,
        CALL_STATISTICS: options.calls,
    }
    missing = [source for source, path in inputs.items() if path is None]
    if missing and len(missing) < len(inputs):
        raise ConfigurationError(
            "inputs", [f"the {source} input is not named" for source in missing]
        )
    publishing = Publishing(options.prefix, options.staging_bucket, options.add_columns)
    check_destination(options.out, publishing)
    with tempfile.TemporaryDirectory() as folder:
        if missing:
            print(f"No input is named: made-up sample data, scale {SAMPLE_SCALE}", file=sys.stderr)
            spark = local_session(options.master, has_scheme(options.out))
            write_sample(spark, SAMPLE_SCALE, SAMPLE_SEED, folder, "parquet")
            inputs = {source: f"{folder}/{source}" for source in inputs}
        finished = run_locally(
            profile, inputs, options.out, options.run_date, options.master, publishing
        )
    print(report(finished.summary, finished.place_of_tables))


def main() -> int:
    """What spark-submit starts."""
    parser = argparse.ArgumentParser(description=run_command.__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    return exit_code_of(lambda: run_command(options))


if __name__ == "__main__":
    sys.exit(main())
