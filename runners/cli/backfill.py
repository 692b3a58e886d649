"""Runs days in turn: those that are not published, and those whose inputs or profile changed."""

import argparse
import shlex
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from anomaly import Profile, Run, load_profile
from anomaly.alarms.periods import history_begin
from anomaly.errors import ConfigurationError, InputError
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from anomaly.schema.tables import SUMMARY_TABLE
from runners.engines.choice import choose, start
from runners.engines.errors import failing_as
from runners.services.arguments import destination_in, inputs_of
from runners.services.days_ahead import DaysAhead
from runners.services.days_done import AS_PUBLISHED, DayDone, DaysDone
from runners.services.hash_key import hash_key
from runners.services.origins import ORIGIN, Origin, origins
from runners.services.pipeline_run import Opened, new_run, run_opened
from runners.services.plurals import counted
from runners.services.progress import ENGINE, INPUTS
from runners.services.run_summary import RunSummary
from runners.services.sessions import work_at
from runners.services.terminal import PLAIN, Following, Terminal
from runners.services.times_of_run import find_times
from runners.storage.destination import Storage
from runners.storage.files import Place, has_files
from runners.storage.inputs import read_input
from runners.storage.places import file_system, keep_apart, storages_of

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
    out: Storage
    first: date
    last: date
    hash_key: bytes | None = None

    @property
    def days(self) -> list[date]:
        """All days, in order."""
        return [self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1)]


def run(options: argparse.Namespace) -> None:
    """Run the days that need it, and say why each does."""
    profile = load_profile(options.profile)
    inputs = {source: place or "" for source, place in inputs_of(options).items()}
    _check(inputs, options)
    out = destination_in(options)
    backfill = Backfill(
        profile,
        inputs,
        out,
        options.first,
        options.last,
        hash_key() if options.hash_customers else None,
    )
    work = work_at(out, *storages_of(inputs))
    terminal = Terminal.of(options)
    with terminal.following(len(backfill.days)) as following:
        progress = following.progress("")
        progress.begin(ENGINE)
        chosen = choose(options.engine, work, options.master)
        spark = start(chosen, work, options.master)
        progress.done(ENGINE, detail=chosen)
        days = [*run_days(spark, backfill, following)]
    prefix = ["--prefix", options.prefix] if options.prefix else []
    show = shlex.join(["cell-tower-anomaly", "show", options.out, *prefix])
    terminal.show(DaysDone(days, str(out), show))


def run_days(
    spark: SparkSession, backfill: Backfill, following: Following = PLAIN
) -> Iterator[DayDone]:
    """Yield each day, once it is done.

    Raises AnomalyError if a day fails: the days before it are published, and the next backfill
    continues from there.
    """
    profile = backfill.profile
    known = _published_origins(spark, backfill)
    with_history = _is_dated(spark, backfill)

    def begin(run: Run) -> tuple[list[str], Opened | None]:
        inputs = _inputs_of(spark, backfill, run.run_date, with_history)
        made_from = origins(spark, inputs, profile)
        reasons = _reasons(known.get(run.run_date), made_from, profile)
        if not reasons:
            return reasons, None
        keep_apart(inputs, backfill.out)
        return reasons, days.open(inputs, made_from, run)

    runs = [new_run(day) for day in backfill.days]
    with DaysAhead(spark, profile) as days, ThreadPoolExecutor(1) as thread:
        begun = thread.submit(begin, runs[0])
        for run, next_run in zip(runs, [*runs[1:], None], strict=True):
            progress = following.progress(f"{run.run_date}  ")
            progress.begin(INPUTS)
            reasons, opened = begun.result()
            if next_run:
                begun = thread.submit(begin, next_run)
            following.say(f"{run.run_date}  {'; '.join(reasons) or AS_PUBLISHED}")
            finished = None
            if opened:
                progress.done(INPUTS)
                finished = run_opened(
                    spark, profile, opened, backfill.out, run, progress, backfill.hash_key
                )
            following.advance()
            yield DayDone(run.run_date, reasons, finished.summary if finished else None)


def _check(inputs: Mapping[str, str], options: argparse.Namespace) -> None:
    problems = [f"the {source} input is missing" for source, place in inputs.items() if not place]
    if inputs[SAMPLES] and PLACEHOLDER not in inputs[SAMPLES]:
        problems.append(f"--samples must contain {PLACEHOLDER}, which stands for the day")
    if options.first > options.last:
        problems.append("--from is after --to")
    if problems:
        raise ConfigurationError("backfill", problems)


def _published_origins(spark: SparkSession, backfill: Backfill) -> dict[date, RunSummary]:
    """The summaries of the published days, with the files that each was made from."""
    place = backfill.out
    if not place.days(spark, SUMMARY_TABLE):
        return {}
    with failing_as(InputError, f"{place}: its {SUMMARY_TABLE} cannot be read"):
        summary = place.table(spark, SUMMARY_TABLE)
        in_time = F.col("run_date").between(F.lit(backfill.first), F.lit(backfill.last))
        rows = summary.where(in_time & (F.col("section") == ORIGIN)).collect()
    days = {row.run_date for row in rows}
    return {day: RunSummary([row for row in rows if row.run_date == day]) for day in days}


def _is_dated(spark: SparkSession, backfill: Backfill) -> bool:
    """Whether alarms are raised, judging by the samples of the first day."""
    place = _of_day(backfill.inputs[SAMPLES], backfill.first)
    samples = read_input(spark, SAMPLES, place, backfill.profile)
    has_alarms = backfill.profile.alarms is not None
    return has_alarms and find_times(samples, backfill.profile).are_dated


def _inputs_of(
    spark: SparkSession, backfill: Backfill, day: date, with_history: bool
) -> dict[str, Place]:
    """The inputs of a day; the history is the samples of the days that its alarms depend on."""
    inputs: dict[str, Place] = {
        source: _of_day(place, day) for source, place in backfill.inputs.items()
    }
    if with_history and backfill.profile.alarms:
        begin = history_begin(day, backfill.profile.alarms)
        before = (begin + timedelta(days=n) for n in range((day - begin).days))
        paths = [_of_day(backfill.inputs[SAMPLES], one) for one in before]
        # Days without samples are no reason to fail this one.
        there = [path for path in paths if has_files(file_system(spark, path), path)]
        if there:
            inputs[HISTORY] = there
    return inputs


def _of_day(place: str, day: date) -> str:
    return place.replace(PLACEHOLDER, day.isoformat())


def _reasons(published: RunSummary | None, wanted: Sequence[Origin], profile: Profile) -> list[str]:
    """Why a day has to be run; empty if it is published from the same files and profile."""
    if published is None:
        return ["is not published yet"]
    reasons = []
    if any(row.profile != profile.fingerprint for row in published.rows):
        reasons.append(f"the profile changed to {profile.fingerprint}")
    known, found = published.origins, {one.source: one for one in wanted}
    for source in sorted({*known, *found}):
        before, now = (of.get(source, Origin(source, 0.0, "")) for of in (known, found))
        if before.digest != now.digest:
            files = f"{counted(before.files, 'file')} before, {now.files:.0f} now"
            reasons.append(f"{MEANINGS[source]} changed ({files})")
    return reasons
