"""Runs the pipeline on this machine, from its inputs to the published tables and a report.

spark-submit runners/local.py --customers PATH --samples PATH --calls PATH --out DIR
"""

import argparse
import shlex
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path

# spark-submit puts the folder of this file on the path, not the one above it.
sys.path.insert(0, str(Path(__file__).parents[1]))

from pyspark.sql import SparkSession

from anomaly import Profile, load_profile
from anomaly.errors import ConfigurationError
from anomaly.run import is_made_up
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, SAMPLES
from anomaly.schema.tables import CELL_TABLE
from runners.engines.choice import choose, start
from runners.report.command import check_report, write_report
from runners.sample import write_sample
from runners.services.arguments import add_local_arguments, destination_in, inputs_of
from runners.services.console import Progress, report
from runners.services.exit_codes import exit_code_of
from runners.services.hash_key import hash_key
from runners.services.pipeline_run import Finished, new_run, run_pipeline
from runners.services.sessions import session_at, work_at
from runners.storage.destination import Storage
from runners.storage.files import Place
from runners.storage.places import storages_of

SAMPLE_SCALE, SAMPLE_SEED = 1, 42


def run_locally(
    profile: Profile,
    inputs: Mapping[str, Place],
    out: Storage,
    run_date: date,
    master: str | None = None,
    key: bytes | None = None,
    on_made_up_data: bool = False,
    engine: str | None = None,
) -> Finished:
    """One run on this machine; with a key customer numbers are published as hashes.

    Raises AnomalyError, with the previous output whole.
    """
    progress = Progress()
    work = work_at(out, reads=storages_of(inputs))
    chosen = choose(engine, work, master)
    spark = start(chosen, work, master)
    progress.done("engine", detail=chosen)
    run = new_run(run_date, on_made_up_data)
    return run_pipeline(spark, profile, inputs, out, run, progress, key)


def run_command(options: argparse.Namespace) -> None:
    """Judge cells and customers from three inputs, or from made-up data (--sample)."""
    profile = load_profile(options.profile)
    inputs = inputs_of(options)
    _check_inputs(inputs, options.sample)
    out = destination_in(options)
    if options.report:
        check_report(options.report)
    key = hash_key() if options.hash_customers else None
    sample = made_up_inputs(options, out)
    with sample if options.sample else nullcontext(inputs) as inputs:
        finished = run_locally(
            profile,
            inputs,
            out,
            options.run_date,
            options.master,
            key,
            options.sample,
            options.engine,
        )
    print(report(finished.summary, finished.place_of_tables, options.sample))
    _show_report(options, out)


def _check_inputs(inputs: Mapping[str, Place | None], is_sample: bool) -> None:
    """Made-up data only where it is asked for, and then nothing else. Raises ConfigurationError."""
    if is_sample:
        problems = [
            f"--sample makes its own data: leave out the {source} input"
            for source, path in inputs.items()
            if path is not None
        ]
    else:
        problems = [
            f"the {source} input is missing" for source, path in inputs.items() if path is None
        ]
        if problems:
            problems.append("to run on made-up data, give --sample instead of inputs")
    if problems:
        raise ConfigurationError("inputs", problems)


@contextmanager
def made_up_inputs(options: argparse.Namespace, out: Storage) -> Iterator[dict[str, Place]]:
    """Made-up inputs, until the end of the block.

    Raises ConfigurationError where real days are published in the place of the tables.
    """
    spark = session_at(options, out)
    _check_no_real_day(spark, out)
    print(f"Made-up sample data, scale {SAMPLE_SCALE}", file=sys.stderr)
    with tempfile.TemporaryDirectory() as folder:
        write_sample(spark, SAMPLE_SCALE, SAMPLE_SEED, folder, "parquet")
        yield {source: f"{folder}/{source}" for source in (CUSTOMERS, SAMPLES, CALL_STATISTICS)}


def _check_no_real_day(spark: SparkSession, out: Storage) -> None:
    """Not only of the run's own day: the history of cells would go through both."""
    days = out.days(spark, CELL_TABLE)
    if not days:
        return
    real = out.table(spark, CELL_TABLE, days).where(~is_made_up())
    found = sorted(row.run_date for row in real.select("run_date").distinct().collect())
    if found:
        count = f"{len(found)} days" if len(found) > 1 else "a day"
        holds = f"{out} holds {count} of real data, the last {found[-1]}; give another --out"
        raise ConfigurationError("--sample", [holds])


def _show_report(options: argparse.Namespace, out: Storage) -> None:
    """The page of the run, or how to make it."""
    if options.report:
        write_report(session_at(options, out), out, options.run_date, options.report)
    else:
        prefix = ["--prefix", options.prefix] if options.prefix else []
        named = [options.out, *prefix, "--run-date", str(options.run_date)]
        command = ["cell-tower-anomaly", "report", *named, "--out", "report.html"]
        print(f"To see the cells: {shlex.join(command)}")


def main() -> int:
    """What spark-submit starts."""
    parser = argparse.ArgumentParser(description=run_command.__doc__)
    add_local_arguments(parser)
    options = parser.parse_args()
    return exit_code_of(lambda: run_command(options))


if __name__ == "__main__":
    sys.exit(main())
