"""Raises alarms from dated samples, on this machine, and publishes their tables."""

import argparse
from dataclasses import dataclass
from datetime import UTC, date, datetime

from pyspark.sql import DataFrame, Row

from anomaly import Profile, load_profile
from anomaly.alarms import raise_alarms
from anomaly.contracts import (
    ALARMS_TABLE,
    ANOMALIES_TABLE,
    HISTORY,
    REJECTED_TABLE,
    SAMPLES,
    SUMMARY_TABLE,
)
from anomaly.errors import ConfigurationError, InputError
from runners.console import Progress, report_of_alarms
from runners.limits import check_rejected
from runners.run import keep_apart, new_run
from runners.session import local_session
from runners.storage.bigquery_names import SCHEME as BIGQUERY
from runners.storage.destination import PLAINLY, Destination, check_destination, open_destination
from runners.storage.inputs import read_input
from runners.storage.spark_files import has_scheme

STAGED = (REJECTED_TABLE, ALARMS_TABLE, ANOMALIES_TABLE)
HELD = ("alarm_periods", "alarm_states")


@dataclass(frozen=True)
class AlarmInputs:
    """Where samples and older ones lie, and from when on they are judged."""

    samples: str
    history: str | None = None
    start: datetime | None = None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `alarms`."""
    parser.add_argument(
        "--profile", default="default", help="a TOML file, or the name of one that comes along"
    )
    parser.add_argument("--samples", required=True, help="dated samples: CSV or Parquet")
    parser.add_argument("--history", help="older samples, which the baselines rest on, likewise")
    parser.add_argument(
        "--from",
        dest="start",
        type=instant,
        metavar="TIME",
        help="judge from here on: 2026-01-26 or 2026-01-26 06:00:00, UTC unless it has an offset "
        "(default: all that --samples has)",
    )
    parser.add_argument("--out", required=True, help="where the tables go: a folder or gs://")
    parser.add_argument(
        "--run-date",
        type=date.fromisoformat,
        default=date.today(),
        help="the day that the run is for, YYYY-MM-DD (default: today)",
    )
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def alarms_command(options: argparse.Namespace) -> None:
    """Raise the alarms, publish them, and print the newest."""
    profile = load_profile(options.profile)
    inputs = AlarmInputs(options.samples, options.history, options.start)
    summary = run_alarms(profile, inputs, options.out, options.run_date, options.master)
    print(report_of_alarms(summary, options.out))


def run_alarms(
    profile: Profile, inputs: AlarmInputs, out: str, run_date: date, master: str | None = None
) -> list[Row]:
    """One run for alarms; returns its summary. Raises AnomalyError, the previous output whole."""
    places = {SAMPLES: inputs.samples} | ({HISTORY: inputs.history} if inputs.history else {})
    if out.startswith(BIGQUERY):
        raise ConfigurationError(f"--out {out}", ["alarms go to a folder or to gs://"])
    check_destination(out, PLAINLY)
    keep_apart(places, out)
    progress, run = Progress(), new_run(run_date)
    spark = local_session(master, any(map(has_scheme, (*places.values(), out))))
    progress.done("session")
    with open_destination(spark, out, run, profile, PLAINLY) as destination:
        # Both have the columns of samples.
        narrow = profile.for_alarms()
        raw = {name: read_input(spark, SAMPLES, path, narrow) for name, path in places.items()}
        kept = _Kept(destination, progress)
        results = raise_alarms(
            raw[SAMPLES], profile, run, raw.get(HISTORY), inputs.start, kept.keep
        )
        summary = results.run_summary.collect()
        _check(summary, profile, inputs)
        destination.stage(SUMMARY_TABLE, results.run_summary)
        destination.publish()
        kept.release()
        progress.done("published")
    return summary


def instant(text: str) -> datetime:
    """The instant that an argument names, in UTC where it has no offset."""
    named = datetime.fromisoformat(text)
    return named if named.tzinfo else named.replace(tzinfo=UTC)


class _Kept:
    """Stages tables, holds what several of them are made from, persists what is read twice."""

    def __init__(self, destination: Destination, progress: Progress) -> None:
        self._destination, self._progress = destination, progress
        self._persisted: list[DataFrame] = []

    def keep(self, name: str, frame: DataFrame) -> DataFrame:
        """The frame to go on with."""
        if name == SUMMARY_TABLE:
            return frame
        if name not in (*STAGED, *HELD):
            self._persisted.append(frame.persist())
            return self._persisted[-1]
        take = self._destination.stage if name in STAGED else self._destination.hold
        kept, rows = take(name, frame)
        self._progress.done(name, rows)
        return kept

    def release(self) -> None:
        """Let go of what is persisted."""
        for frame in self._persisted:
            frame.unpersist()


def _check(summary: list[Row], profile: Profile, inputs: AlarmInputs) -> None:
    check_rejected(summary, SAMPLES, profile.limits.largest_rejected_share)
    if inputs.history:
        check_rejected(summary, HISTORY, profile.limits.largest_rejected_share)
    figures = {(row.section, row.subject, row.item): row.value for row in summary}
    if not figures.get(("alarms", "judged", "cell days")):
        raise InputError(
            f"samples ({inputs.samples}): nothing to judge; Time needs a date (2026-03-01 06:15), "
            "and --from must not lie behind the last sample"
        )
