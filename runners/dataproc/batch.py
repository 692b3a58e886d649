"""What runs inside a serverless batch: one run, or one stage of it, told as lines of JSON.

Takes the arguments of the local runner, with inputs on gs:// and tables on gs:// or in BigQuery.
With --stage it runs one stage on what earlier ones left (--read STAGE=FOLDER), and leaves its own
tables in --write-to FOLDER, or publishes. Needs pyspark and the standard library,
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
from runners.services.arguments import add_arguments, destination_in, inputs_of
from runners.services.console import Progress
from runners.services.exit_codes import UNEXPECTED, code_of
from runners.services.hash_key import hash_key
from runners.services.pipeline_run import Finished, new_run, run_pipeline
from runners.services.run_summary import RunSummary
from runners.services.staged_run import StageRun
from runners.storage.destination import Storage
from runners.storage.literal_paths import reader
from runners.storage.places import keep_apart, on_this_machine, storage_of
from runners.storage.spark_errors import failing_as

SINGLE = "single"
RUN_ID = re.compile(r"[a-z0-9]{1,40}")
# What a batch needs beside the image's own settings.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


class JsonProgress(Progress):
    """Tells each stage as a line of JSON, which Cloud Logging takes apart."""

    # Many read this log.
    tells_persons = False

    def tell(self, stage: str, rows: int | None, seconds: float) -> None:
        """Log that a stage has ended."""
        log("stage ended", stage=stage, rows=rows, seconds=round(seconds, 1))


class JsonHandler(logging.Handler):
    """Tells what the runners warn of, such as what is left behind, in the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log the message of a record with its level."""
        log(record.getMessage(), record.levelname)


def log(message: str, severity: str = "INFO", **fields: object) -> None:
    """One line on the driver's log; https://cloud.google.com/logging/docs/structured-logging."""
    now = datetime.now(UTC).isoformat()
    line = {"severity": severity, "message": message, "time": now, **fields}
    # One write: spark-submit has Python write at once, and the JVM writes into the same log.
    sys.stdout.write(f"{json.dumps(line)}\n")
    sys.stdout.flush()


def main(arguments: Sequence[str] | None = None) -> int:
    """One run; returns its exit code, and anything but 0 fails the batch."""
    logging.getLogger("runners").addHandler(JsonHandler())
    options = _parser().parse_args(arguments)
    try:
        _run(options)
    except AnomalyError as error:
        log(str(error), "ERROR", exit_code=code_of(error))
        return code_of(error)
    except Exception as error:
        # Neither traceback nor message, which may hold values of customers: many read this log.
        known = error.getErrorClass() if isinstance(error, PySparkException) else None
        kind = known or type(error).__name__
        log(f"unexpected {kind}; see Spark's log lines", "ERROR", exit_code=UNEXPECTED)
        return UNEXPECTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=main.__doc__)
    add_arguments(parser)
    parser.add_argument("--run-id", help="marks the rows of the run (default: a new one)")
    parser.add_argument(
        "--stage",
        choices=(SINGLE, *STAGES),
        default=SINGLE,
        help="run this stage alone (default: single, all of them at once)",
    )
    parser.add_argument(
        "--read", nargs="*", default=(), metavar="STAGE=FOLDER", help="what earlier stages left"
    )
    parser.add_argument("--write-to", metavar="FOLDER", help="takes the tables of the stage")
    parser.add_argument(
        "--hash-secret", metavar="NAME", help="names the key's secret, as CELL_TOWER_HASH_KEY may"
    )
    return parser


def _run(options: argparse.Namespace) -> None:
    inputs = inputs_of(options)
    folders = dict(given.partition("=")[::2] for given in options.read)
    out = _check(options, inputs, folders)
    key = hash_key(options.hash_secret) if options.hash_customers else None
    spark = SparkSession.builder.appName("cell-tower-anomaly").getOrCreate()
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    profile = _profile(spark, options.profile)
    run = Run(options.run_date, options.run_id) if options.run_id else new_run(options.run_date)
    progress = JsonProgress()
    stages = StageRun(spark, profile, run, folders, progress, key)
    if options.stage == SINGLE:
        _tell(run_pipeline(spark, profile, inputs, out, run, progress, key))
    elif options.stage == PUBLISH:
        _tell(stages.publish(out))
    else:
        stages.write(options.stage, inputs, options.write_to)
        log("stage kept", stage=options.stage, tables=options.write_to)


def _check(
    options: argparse.Namespace, inputs: dict[str, str | None], folders: dict[str, str]
) -> Storage:
    """Where tables go. Raises ConfigurationError with all that the arguments lack or have wrong."""
    is_single = options.stage == SINGLE
    stage = STAGES.get(options.stage)
    read = inputs if stage is None else [one for one in stage.inputs if one in inputs]
    faults = [f"the {source} input is not named" for source in read if not inputs[source]]
    faults += [
        f"--read {name}=FOLDER is missing"
        for name in (stage.after if stage else ())
        if on_this_machine(storage_of(folders.get(name, "")))
    ]
    if options.run_id and not RUN_ID.fullmatch(options.run_id):
        faults.append(f"--run-id {options.run_id!r}: use small letters and digits, at most 40")
    if options.hash_secret and not options.hash_customers:
        faults.append("--hash-secret: add --hash-customers, or nothing is hashed")
    publishes = is_single or options.stage == PUBLISH
    name, place = ("--out", options.out) if publishes else ("--write-to", options.write_to or "")
    if on_this_machine(storage_of(place)):
        faults.append(f"{name} {place!r} does not outlive the batch; give gs:// or bq://")
    if faults:
        raise ConfigurationError(f"stage {options.stage}", faults)
    written = destination_in(options) if publishes else storage_of(place)
    keep_apart({source: inputs[source] or "" for source in read}, written, name)
    return written


def _tell(finished: Finished) -> None:
    log("run ended", tables=finished.place_of_tables, figures=_figures(finished.summary))


def _profile(spark: SparkSession, path: str) -> Profile:
    """A profile that lies where Spark reads. Raises InputError where it cannot be read."""
    with failing_as(InputError, f"{path}: cannot be read"):
        found = reader(spark).text(path, wholetext=True).collect()
    if len(found) != 1:
        raise InputError(f"{path}: is not one file")
    return parse_profile(found[0].value, path)


def _figures(summary: RunSummary) -> dict[str, float]:
    """Rows in, clean and rejected, and verdicts: counts alone, of no customer and no cell."""
    totals: Counter[str] = Counter()
    for row in (*summary.of("input"), *summary.of("verdict")):
        totals[f"{row.subject} {row.item}"] += row.value
    return dict(totals)


if __name__ == "__main__":
    sys.exit(main())
