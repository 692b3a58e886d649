"""What runs inside a serverless batch: one run, told as lines of JSON.

Takes the arguments of the local runner, with inputs on gs:// and tables on gs:// or in BigQuery.
Needs pyspark and the standard library, and google-cloud-bigquery where it publishes to BigQuery.
"""

import argparse
import json
import logging
import sys
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession

from anomaly import AnomalyError, ConfigurationError, InputError, Profile, parse_profile
from anomaly.contracts import CALL_STATISTICS, CUSTOMERS, SAMPLES
from runners.arguments import add_arguments, publishing_of
from runners.console import Progress
from runners.exit_codes import UNEXPECTED, code_of
from runners.run import run_pipeline
from runners.storage.destination import check_destination
from runners.storage.spark_errors import SPARK_ERRORS, told_in_one_line
from runners.storage.spark_files import has_scheme

# What a batch needs beside the image's own settings.
SETTINGS = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


class JsonProgress(Progress):
    """Tells each stage as a line of JSON, which Cloud Logging takes apart."""

    def tell(self, stage: str, rows: int | None, seconds: float) -> None:
        log("stage ended", stage=stage, rows=rows, seconds=round(seconds, 1))


class JsonHandler(logging.Handler):
    """Tells what the runners warn of, such as what is left behind, in the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        log(record.getMessage(), record.levelname)


def log(message: str, severity: str = "INFO", **fields: object) -> None:
    """One line on the driver's log; https://cloud.google.com/logging/docs/structured-logging."""
    now = datetime.now(UTC).isoformat()
    line = {"severity": severity, "message": message, "time": now, **fields}
    print(json.dumps(line), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """One run; returns its exit code, and anything but 0 fails the batch."""
    logging.getLogger("runners").addHandler(JsonHandler())
    parser = argparse.ArgumentParser(description=main.__doc__)
    add_arguments(parser)
    options = parser.parse_args(arguments)
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


def _run(options: argparse.Namespace) -> None:
    inputs = {
        CUSTOMERS: options.customers,
        SAMPLES: options.samples,
        CALL_STATISTICS: options.calls,
    }
    missing = [f"the {source} input is not named" for source, path in inputs.items() if not path]
    if missing:
        raise ConfigurationError("inputs", missing)
    publishing = publishing_of(options)
    check_destination(options.out, publishing)
    if not has_scheme(options.out):
        here = "is a folder of a machine that goes with the batch; give gs:// or bq://"
        raise ConfigurationError(f"--out {options.out}", [here])
    progress = JsonProgress()
    spark = SparkSession.builder.appName("cell-tower-anomaly").getOrCreate()
    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    profile = _profile(spark, options.profile)
    finished = run_pipeline(
        spark, profile, inputs, options.out, options.run_date, publishing, progress
    )
    log("run ended", tables=finished.place_of_tables, figures=_figures(finished.summary))


def _profile(spark: SparkSession, path: str) -> Profile:
    """A profile that lies where Spark reads. Raises InputError where it cannot be read."""
    try:
        found = spark.read.text(path, wholetext=True).collect()
    except SPARK_ERRORS as error:
        raise InputError(f"{path}: cannot be read: {told_in_one_line(error)}") from error
    if len(found) != 1:
        raise InputError(f"{path}: is not one file")
    return parse_profile(found[0].value, path)


def _figures(summary: Sequence[Row]) -> dict[str, float]:
    """Rows in, clean and rejected, and verdicts: counts alone, of no customer and no cell."""
    totals: Counter[str] = Counter()
    for row in summary:
        if row.section in ("input", "verdict"):
            totals[f"{row.subject} {row.item}"] += row.value
    return dict(totals)


if __name__ == "__main__":
    sys.exit(main())
