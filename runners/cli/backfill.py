"""Runs days in turn: those that are not published, and those whose inputs or profile changed."""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from anomaly import Profile, load_profile
from anomaly.alarms.periods import history_begin
from anomaly.errors import ConfigurationError, InputError
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from anomaly.schema.tables import SUMMARY_TABLE
from runners.engines.session import local_session
from runners.services.arguments import add_common_arguments, inputs_of, publishing_of
from runners.services.console import Progress
from runners.services.hash_key import hash_key
from runners.services.origins import ORIGIN, Origin, origins
from runners.services.pipeline_run import new_run, run_pipeline
from runners.services.plurals import counted
from runners.services.times_of_run import find_times
from runners.storage.destination import Publishing, check_destination
from runners.storage.files import Place, has_files
from runners.storage.inputs import file_system, read_input
from runners.storage.published import published_days, published_table
from runners.storage.spark_errors import SPARK_ERRORS, root_cause
from runners.storage.spark_files import has_scheme

PLACEHOLDER = "{run_date}"
MEANINGS = {
    CUSTOMERS: "the customers",
    SAMPLES: "the samples",
    CALL_STATISTICS: "the call statistics",
    HISTORY: "the samples of earlier days, which its alarms depend on,",
}


@dataclass(frozen=True)
class Backfill:
    """The days to run, and where inputs and tables lie; {run_date} in a path stands for the day."""

    profile: Profile
    inputs: Mapping[str, str]
    out: str
    first: date
    last: date
    publishing: Publishing
    hash_key: bytes | None = None

    @property
    def days(self) -> list[date]:
        """All days, in order."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `backfill`."""
    add_common_arguments(parser)
    for name, destination in (("from", "first"), ("to", "last")):
        parser.add_argument(
            f"--{name}",
            dest=destination,
            required=True,
            type=date.fromisoformat,
            metavar="DAY",
            help=f"the {destination} day, YYYY-MM-DD",
        )
    parser.add_argument("--master", help="Spark master (default: local[*], every core)")


def backfill_command(options: argparse.Namespace) -> None:
    """Run the days that need it, and say why each does."""
    profile = load_profile(options.profile)
    inputs = {source: place or "" for source, place in inputs_of(options).items()}
    publishing = publishing_of(options)
    _check(inputs, options)
    check_destination(options.out, publishing)
    backfill = Backfill(
        profile,
        inputs,
        options.out,
        options.first,
        options.last,
        publishing,
        hash_key() if options.hash_customers else None,
    )
    spark = local_session(options.master, any(map(has_scheme, (*inputs.values(), options.out))))
    redone = [day for day, reasons in run_days(spark, backfill) if reasons]
    print(f"{len(redone)} of {counted(len(backfill.days), 'day')} run, the others are as published")


def run_days(spark: SparkSession, backfill: Backfill) -> Iterator[tuple[date, list[str]]]:
    """Gives each day with the reasons for which it was run; without any it was left as it was.

    Raises AnomalyError where a day fails: the days before it are published, and the next time it
    goes on from there.
    """
    known = _published_origins(spark, backfill)
    with_history = _is_dated(spark, backfill)
    for day in backfill.days:
        inputs = _inputs_of(spark, backfill, day, with_history)
        reasons = _reasons(
            known.get(day, []), origins(spark, inputs, backfill.profile), backfill.profile
        )
        print(f"{day}  {'; '.join(reasons) or 'as published'}", flush=True)
        if reasons:
            run_pipeline(
                spark,
                backfill.profile,
                inputs,
                backfill.out,
                new_run(day),
                backfill.publishing,
                Progress(),
                backfill.hash_key,
            )
        yield day, reasons


def _check(inputs: Mapping[str, str], options: argparse.Namespace) -> None:
    faults = [f"the {source} input is missing" for source, place in inputs.items() if not place]
    if inputs[SAMPLES] and PLACEHOLDER not in inputs[SAMPLES]:
        faults.append(f"--samples must contain {PLACEHOLDER}, which stands for the day")
    if options.first > options.last:
        faults.append("--from is after --to")
    if faults:
        raise ConfigurationError("backfill", faults)


def _published_origins(spark: SparkSession, backfill: Backfill) -> dict[date, list[Row]]:
    """What the published days were made from: rows of their summaries."""
    place, prefix = backfill.out, backfill.publishing.prefix
    if not published_days(spark, place, SUMMARY_TABLE, prefix):
        return {}
    try:
        summary = published_table(spark, place, SUMMARY_TABLE, prefix)
        in_time = F.col("run_date").between(F.lit(backfill.first), F.lit(backfill.last))
        rows = summary.where(in_time & (F.col("section") == ORIGIN)).collect()
    except SPARK_ERRORS as error:
        told = root_cause(error)
        raise InputError(f"{place}: its {SUMMARY_TABLE} cannot be read ({told})") from error
    found: dict[date, list[Row]] = {}
    for row in rows:
        found.setdefault(row.run_date, []).append(row)
    return found


def _is_dated(spark: SparkSession, backfill: Backfill) -> bool:
    """Whether alarms are raised: the samples of the first day tell for all."""
    place = _of_day(backfill.inputs[SAMPLES], backfill.first)
    samples = read_input(spark, SAMPLES, place, backfill.profile)
    has_alarms = backfill.profile.alarms is not None
    return has_alarms and find_times(samples, backfill.profile).are_dated


def _inputs_of(
    spark: SparkSession, backfill: Backfill, day: date, with_history: bool
) -> dict[str, Place]:
    """The inputs of a day; its history are the samples of the days that its alarms rest on."""
    inputs: dict[str, Place] = {
        source: _of_day(place, day) for source, place in backfill.inputs.items()
    }
    if with_history and backfill.profile.alarms:
        begin = history_begin(day, backfill.profile.alarms)
        before = (begin + timedelta(days=n) for n in range((day - begin).days))
        paths = [_of_day(backfill.inputs[SAMPLES], one) for one in before]
        # Days without samples are no fault of this one.
        there = [path for path in paths if has_files(file_system(spark, path), path)]
        if there:
            inputs[HISTORY] = there
    return inputs


def _of_day(place: str, day: date) -> str:
    return place.replace(PLACEHOLDER, day.isoformat())


def _reasons(published: Sequence[Row], wanted: Sequence[Origin], profile: Profile) -> list[str]:
    """Why a day has to be run; nothing where it is published from the same files and profile."""
    if not published:
        return ["is not published yet"]
    reasons = []
    if any(row.profile != profile.fingerprint for row in published):
        reasons.append(f"the profile changed to {profile.fingerprint}")
    known = {row.subject: row for row in published}
    for source in sorted({*known, *(one.source for one in wanted)}):
        found = next((one for one in wanted if one.source == source), Origin(source, 0.0, ""))
        before = known.get(source)
        if before is None or before.detail != found.digest:
            files = (
                f"{counted(before.value if before else 0, 'file')} before, {found.files:.0f} now"
            )
            reasons.append(f"{MEANINGS[source]} changed ({files})")
    return reasons
