"""The main program of a serverless batch: one run, or one stage of it, with a log in JSON.

It takes the arguments of the local runner, with inputs on gs:// and tables on gs:// or in BigQuery.
With --stage it runs one stage on the results of earlier ones (--read STAGE=FOLDER), and writes its
tables to --write-to FOLDER, or publishes. Needs pyspark and the standard library,
google-cloud-bigquery where it publishes to BigQuery, and google-auth where it hashes customers.
"""

import argparse
import json
import logging
import re
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from anomaly import AnomalyError, ConfigurationError, InputError, Profile, Run, parse_profile
from anomaly.pipeline.stages import PUBLISH, STAGES
from runners.engines.errors import failing_as
from runners.engines.spark.java_names import find_names_once
from runners.engines.spark.literal_paths import reader
from runners.services.arguments import add_arguments, destination_in, inputs_of
from runners.services.exit_codes import UNEXPECTED, code_of
from runners.services.hash_key import hash_key
from runners.services.pipeline_run import Finished, new_run, run_pipeline
from runners.services.progress import Progress
from runners.services.run_summary import RunSummary
from runners.services.staged_run import StageRun
from runners.storage.destination import Storage
from runners.storage.places import keep_apart, on_this_machine, storage_of

SINGLE = "single"
RUN_ID = re.compile(r"[a-z0-9]{1,40}")
# Settings that a batch needs in addition to those of the image.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


class JsonProgress(Progress):
    """Reports each stage as a line of JSON, which Cloud Logging parses."""

    # Many people can read this log.
    tells_persons = False

    def tell(self, stage: str, rows: int | None, seconds: float, detail: object = "") -> None:
        """Log that a stage has ended."""
        log("stage ended", stage=stage, rows=rows, seconds=round(seconds, 1))


class JsonHandler(logging.Handler):
    """Logs the warnings of the runners in the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the message of a record with its level."""
        log(record.getMessage(), record.levelname)


def log(message: str, severity: str = "INFO", **fields: object) -> None:
    """One line on the driver's log; https://cloud.google.com/logging/docs/structured-logging."""
    now = datetime.now(UTC).isoformat()
    line = {"severity": severity, "message": message, "time": now, **fields}
    # A single write: spark-submit does not buffer Python's output, and the JVM writes there too.
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one batch; an exit code other than 0 fails it."""
    logging.getLogger("runners").addHandler(JsonHandler())
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except AnomalyError as error:
        log(str(error), "ERROR", exit_code=code_of(error))
        return code_of(error)
    except Exception as error:
        # Neither traceback nor message, which may contain values of customers.
        known = error.getErrorClass() if isinstance(error, PySparkException) else None
        kind = known or type(error).__name__
        log(f"unexpected {kind}; see Spark's log lines", "ERROR", exit_code=UNEXPECTED)
        return UNEXPECTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=main.__doc__)
    add_arguments(parser)
    parser.add_argument("--run-id", help="id of the run, in each of its rows (default: a new one)")
    parser.add_argument(
        "--stage",
        choices=(SINGLE, *STAGES),
        default=SINGLE,
        help="run only this stage (default: single, all of them in one)",
    )
    parser.add_argument(
        "--read", nargs="*", default=(), metavar="STAGE=FOLDER", help="results of earlier stages"
    )
    parser.add_argument("--write-to", metavar="FOLDER", help="folder for the tables of the stage")
    parser.add_argument(
        "--hash-secret", metavar="NAME", help="secret that holds the key, as in CELL_TOWER_HASH_KEY"
    )
    return parser


def _run(options: argparse.Namespace) -> None:
    inputs = inputs_of(options)
    folders = dict(given.partition("=")[::2] for given in options.read)
    out = _check(options, inputs, folders)
    key = hash_key(options.hash_secret) if options.hash_customers else None
    spark = SparkSession.builder.appName("cell-tower-anomaly").getOrCreate()
    find_names_once()
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    profile = _profile(spark, options.profile)
    run = Run(options.run_date, options.run_id) if options.run_id else new_run(options.run_date)
    progress = JsonProgress()
    stages = StageRun(spark, profile, run, folders, progress, key)
    if options.stage == SINGLE:
        _log_end(run_pipeline(spark, profile, inputs, out, run, progress, key))
    elif options.stage == PUBLISH:
        _log_end(stages.publish(out))
    else:
        stages.write(options.stage, inputs, options.write_to)
        log("stage kept", stage=options.stage, tables=options.write_to)


def _check(
    options: argparse.Namespace, inputs: dict[str, str | None], folders: dict[str, str]
) -> Storage:
    """Where the tables go. Raises ConfigurationError, which lists all problems of the arguments."""
    is_single = options.stage == SINGLE
    stage = STAGES.get(options.stage)
    read = inputs if stage is None else [one for one in stage.inputs if one in inputs]
    problems = [f"the {source} input is missing" for source in read if not inputs[source]]
    problems += [
        f"--read {name}=FOLDER is missing"
        for name in (stage.after if stage else ())
        if on_this_machine(storage_of(folders.get(name, "")))
    ]
    if options.run_id and not RUN_ID.fullmatch(options.run_id):
        problems.append(
            f"--run-id {options.run_id!r}: use at most 40 lower-case letters and digits"
        )
    if options.hash_secret and not options.hash_customers:
        problems.append("--hash-secret needs --hash-customers")
    publishes = is_single or options.stage == PUBLISH
    name, place = ("--out", options.out) if publishes else ("--write-to", options.write_to or "")
    if on_this_machine(storage_of(place)):
        problems.append(f"{name} {place!r} would be lost with the batch; give gs:// or bq://")
    if problems:
        raise ConfigurationError(f"stage {options.stage}", problems)
    written = destination_in(options) if publishes else storage_of(place)
    keep_apart({source: inputs[source] or "" for source in read}, written, name)
    return written


def _log_end(finished: Finished) -> None:
    log("run ended", tables=finished.place_of_tables, figures=_figures(finished.summary))


def _profile(spark: SparkSession, path: str) -> Profile:
    """The profile in a file that Spark reads. Raises InputError if it cannot be read."""
    with failing_as(InputError, f"{path}: cannot be read"):
        found = reader(spark).text(path, wholetext=True).collect()
    if len(found) != 1:
        raise InputError(f"{path}: is not one file")
    return parse_profile(found[0].value, path)


def _figures(summary: RunSummary) -> dict[str, float]:
    """Counts of rows in, clean and rejected, and of verdicts, without customers and cells."""
    totals: Counter[str] = Counter()
    for row in (*summary.of("input"), *summary.of("verdict")):
        totals[f"{row.subject} {row.item}"] += row.value
    return dict(totals)


if __name__ == "__main__":
    sys.exit(main())
