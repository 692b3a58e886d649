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
from runners.report.library import bundling
from runners.sample import write_sample
from runners.services.arguments import (
    INPUT_OPTIONS,
    add_local_arguments,
    destination_in,
    inputs_of,
)
from runners.services.exit_codes import exit_code_of
from runners.services.hash_key import hash_key
from runners.services.outcome import Outcome
from runners.services.pipeline_run import Finished, new_run, run_pipeline
from runners.services.progress import ENGINE, REPORT, SAMPLE, Progress
from runners.services.sessions import session_at, work_at
from runners.services.terminal import Terminal
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
    progress: Progress | None = None,
) -> Finished:
    """One run on this machine; with a key customer numbers are published as hashes.

    Raises AnomalyError, with the previous output whole.
    """
    progress = progress or Progress()
    progress.begin(ENGINE)
    work = work_at(out, reads=storages_of(inputs))
    chosen = choose(engine, work, master)
    spark = start(chosen, work, master)
    progress.done(ENGINE, detail=chosen)
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
    terminal = Terminal.of(options)
    with terminal.following() as following:
        progress = following.progress("")
        sample = made_up_inputs(options, out, progress)
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
                progress,
            )
        page = _report(options, out, progress)
    next_command = "" if page else _command_for_report(options)
    terminal.show(
        Outcome(finished.summary, finished.place_of_tables, options.sample, page, next_command)
    )


def _check_inputs(inputs: Mapping[str, Place | None], is_sample: bool) -> None:
    """Made-up data only where it is asked for, and then nothing else. Raises ConfigurationError."""
    if is_sample:
        problems = [
            f"--sample makes its own data: leave out the {source} input"
            for source, path in inputs.items()
            if path is not None
        ]
    elif not any(inputs.values()):
        named = " ".join(f"{option} PATH" for option in INPUT_OPTIONS.values())
        problems = [
            f"give the three inputs: {named} (each a file or folder of CSV or Parquet), "
            "or try it on made-up data: --sample"
        ]
    else:
        problems = [
            f"the {source} input is missing: give {INPUT_OPTIONS[source]} PATH"
            for source, path in inputs.items()
            if path is None
        ]
    if problems:
        raise ConfigurationError("run", problems)


@contextmanager
def made_up_inputs(
    options: argparse.Namespace, out: Storage, progress: Progress
) -> Iterator[dict[str, Place]]:
    """Made-up inputs, until the end of the block.

    Raises ConfigurationError where real days are published in the place of the tables.
    """
    progress.begin(SAMPLE)
    spark = session_at(options, out)
    _check_no_real_day(spark, out)
    with tempfile.TemporaryDirectory() as folder:
        write_sample(spark, SAMPLE_SCALE, SAMPLE_SEED, folder, "parquet")
        progress.done(SAMPLE)
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


def _report(options: argparse.Namespace, out: Storage, progress: Progress) -> str:
    """The address of the report of the run; empty if none is wanted."""
    if not options.report:
        return ""
    progress.begin(REPORT)
    with bundling() as library:
        spark = session_at(options, out)
        page = write_report(spark, out, options.run_date, options.report, library)
    progress.done(REPORT)
    return page


def _command_for_report(options: argparse.Namespace) -> str:
    prefix = ["--prefix", options.prefix] if options.prefix else []
    named = [options.out, *prefix, "--run-date", str(options.run_date)]
    return shlex.join(["cell-tower-anomaly", "report", *named, "--out", "report.html"])


def main() -> int:
    """What spark-submit starts."""
    parser = argparse.ArgumentParser(description=run_command.__doc__)
    add_local_arguments(parser)
    options = parser.parse_args()
    return exit_code_of(lambda: run_command(options))


if __name__ == "__main__":
    sys.exit(main())
