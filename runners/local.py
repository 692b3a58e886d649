"""Runs the pipeline on this machine: reads, detects, stages, checks, publishes, reports.

spark-submit runners/local.py --customers PATH --samples PATH --calls PATH --out DIR
"""

import argparse
import sys
import tempfile
import uuid
from datetime import date
from pathlib import Path

# spark-submit puts the folder of this file on the path, not the one above it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from pyspark.sql import DataFrame, Observation, Row
from pyspark.sql import functions as F

from anomaly import Profile, Run, detect, load_profile
from anomaly.contracts import (
    CALL_STATISTICS,
    CELL_TABLE,
    CUSTOMER_TABLE,
    CUSTOMERS,
    REJECTED_TABLE,
    SAMPLES,
    SUMMARY_TABLE,
)
from anomaly.errors import ConfigurationError
from runners.console import Progress, report
from runners.exit_codes import exit_code_of
from runners.limits import check_limits
from runners.sample import write_sample
from runners.session import local_session
from runners.storage.inputs import read_input
from runners.storage.parquet_folder import INTERMEDIATE, ParquetFolder

PUBLISHED = (REJECTED_TABLE, CUSTOMER_TABLE, CELL_TABLE)
# Reading these back from Parquet also ends the plan there; a persisted frame's plan stays whole,
# and Spark compares it again at each later step, which takes longer than writing it.
STAGED = ("joined", "judged")
SAMPLE_SCALE, SAMPLE_SEED = 1, 42


def run_locally(
    profile: Profile,
    inputs: dict[str, str],
    out: str,
    run_date: date,
    master: str | None = None,
) -> list[Row]:
    """One run; returns the rows of its summary. Raises AnomalyError, the previous output whole."""
    _keep_apart(inputs, Path(out).resolve())
    progress = Progress()
    spark = local_session(master)
    progress.done("session")
    run = Run(run_date, uuid.uuid4().hex[:12])
    persisted: list[DataFrame] = []

    with ParquetFolder(spark, out, run.run_id) as destination:

        def keep(name: str, frame: DataFrame) -> DataFrame:
            if name == SUMMARY_TABLE:
                return frame
            if name not in (*PUBLISHED, *STAGED):
                persisted.append(frame.persist())
                return persisted[-1]
            counted = Observation()
            frame = frame.observe(counted, F.count(F.lit(1)).alias("rows"))
            kept = destination.stage(name if name in PUBLISHED else f"{INTERMEDIATE}{name}", frame)
            progress.done(name, counted.get["rows"])
            return kept

        try:
            customers, samples, calls = (
                read_input(spark, source, inputs[source], profile)
                for source in (CUSTOMERS, SAMPLES, CALL_STATISTICS)
            )
            figures = detect(customers, samples, calls, profile, run, keep).run_summary
            summary = figures.collect()
        finally:
            for frame in persisted:
                frame.unpersist()
        check_limits(summary, profile.limits)
        progress.done(SUMMARY_TABLE, len(summary))
        figure = Row(*figures.columns)
        ends = (run_date, run.run_id, profile.fingerprint)
        summary += [
            figure("seconds", stage, "seconds", seconds, None, *ends)
            for stage, seconds in progress.seconds.items()
        ]
        destination.stage(SUMMARY_TABLE, spark.createDataFrame(summary, figures.schema))
        destination.publish()
        progress.done("published")
    return summary


def _keep_apart(inputs: dict[str, str], out: Path) -> None:
    """Refuse an output among the inputs, which a later run would read, and the other way round."""
    faults = []
    for source, path in inputs.items():
        read = Path(path).resolve()
        if out == read:
            faults.append(f"is the folder of the {source} input: {path}")
        elif out.is_relative_to(read) or read.is_relative_to(out):
            faults.append(f"lies inside the {source} input, or the other way round: {path}")
    if faults:
        raise ConfigurationError("--out", faults)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of a run; --customers, --samples and --calls belong together."""
    parser.add_argument(
        "--profile", default="default", help="a TOML file, or the name of one that comes along"
    )
    parser.add_argument("--customers", help="customers: CSV or Parquet, a file or a folder")
    parser.add_argument("--samples", help="quarter-hour samples of the cells, likewise")
    parser.add_argument("--calls", help="call statistics of the customers, likewise")
    parser.add_argument("--out", default="out", help="folder for the tables (default: out)")
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
    with tempfile.TemporaryDirectory() as folder:
        if missing:
            print(f"No input is named: made-up sample data, scale {SAMPLE_SCALE}", file=sys.stderr)
            spark = local_session(options.master)
            write_sample(spark, SAMPLE_SCALE, SAMPLE_SEED, folder, "parquet")
            inputs = {source: f"{folder}/{source}" for source in inputs}
        summary = run_locally(profile, inputs, options.out, options.run_date, options.master)
    print(report(summary, options.out))


def main() -> int:
    """What spark-submit starts."""
    parser = argparse.ArgumentParser(description=run_command.__doc__)
    add_arguments(parser)
    options = parser.parse_args()
    return exit_code_of(lambda: run_command(options))


if __name__ == "__main__":
    sys.exit(main())
