"""Finds out before a run whether the samples have dates, and which days they cover."""

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame

from anomaly import Profile
from anomaly.cleaning.sample_times import (
    DATED,
    OF_DAY,
    TimesOfRun,
    main_span,
    time_counts,
    times_of_day,
)
from anomaly.errors import InputError
from anomaly.schema.inputs import SAMPLES
from runners.engines.errors import reading_and_writing
from runners.services.plurals import counted

DAYS_NAMED = 10
LOG = logging.getLogger(__name__)
# A broken clock may send dates that Python cannot represent.
FIRST_SECOND = datetime(2, 1, 1, tzinfo=UTC).timestamp()
LAST_SECOND = datetime(9998, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True)
class FoundTimes:
    """How many samples have a time of day only, and how many have a date, per period.

    dated: by period since 1970, and by whether the time is slightly before the period begins, by
    no more than a clock may be off.
    """

    of_day: int
    dated: Mapping[tuple[int, bool], int]

    @property
    def are_dated(self) -> bool:
        """Whether most of the times have a date."""
        return sum(self.dated.values()) > self.of_day


def find_times(samples: DataFrame, profile: Profile) -> FoundTimes:
    """The times of raw samples. Raises InputError if Spark cannot read them."""
    if "Time" not in samples.columns:
        return FoundTimes(0, {})
    with reading_and_writing(SAMPLES):
        rows = time_counts(samples, profile).collect()
    of_day = sum(row.samples for row in rows if row.kind == OF_DAY)
    dated = {(row.period, row.is_early): row.samples for row in rows if row.kind == DATED}
    return FoundTimes(of_day, dated)


def times_of_run(found: FoundTimes, profile: Profile, day: date) -> TimesOfRun:
    """The times that belong to the run of a day: if samples are dated, those of that day.

    Raises InputError if there are none.
    """
    if not found.are_dated:
        return TimesOfRun(are_dated=False)
    days: Counter[date] = Counter()
    for (period, is_early), samples in found.dated.items():
        # A time just before midnight may belong to either day.
        of = {_day_of(period, profile), _day_of(period - is_early, profile)}
        days[day if day in of else max(of)] += samples
    if not days[day]:
        raise InputError(
            f"{SAMPLES}: no sample is from {day}, the day of the run, but from "
            f"{_named(days)}. Give the day of the samples with --run-date"
        )
    others = days.total() - days.pop(day)
    if others:
        LOG.warning(
            "%s: %s from other days than %s left out (outside_run): %s",
            SAMPLES, counted(others, "row"), day, _named(days),
        )  # fmt: skip
    return times_of_day(day, profile.time_zone)


def times_of_alarms(found: FoundTimes, profile: Profile) -> TimesOfRun:
    """The times that belong to a run of `alarms`: the span in which most samples lie.

    Raises InputError if most times have no date.
    """
    if not found.are_dated:
        raise InputError(
            f"{SAMPLES}: nothing to judge; Time needs a date (2026-03-01 06:15), and most samples "
            "have none"
        )
    periods: Counter[int] = Counter()
    for (period, _), samples in found.dated.items():
        periods[period] += samples
    first, last = main_span(periods)
    begin, end = (
        datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=period * profile.period_seconds)
        for period in (first, last + 1)
    )
    strayed = sum(n for period, n in periods.items() if not first <= period <= last)
    if strayed:
        LOG.warning(
            "%s: %s before %s or after %s (UTC), far from all others, left out (outside_run)",
            SAMPLES, counted(strayed, "row"), begin.replace(tzinfo=None), end.replace(tzinfo=None),
        )  # fmt: skip
    return TimesOfRun(True, begin, end)


def _day_of(period: int, profile: Profile) -> date:
    seconds = min(max(period * profile.period_seconds, FIRST_SECOND), LAST_SECOND)
    begin = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    return begin.astimezone(ZoneInfo(profile.time_zone)).date()


def _named(days: Mapping[date, int]) -> str:
    """Days with the number of their samples; only the largest if there are many."""
    most = sorted(days, key=lambda day: (-days[day], day))[:DAYS_NAMED]
    named = ", ".join(f"{day} ({counted(days[day], 'row')})" for day in sorted(most) if days[day])
    more = len(days) - len(most)
    return f"{named} and {counted(more, 'other day')}" if more > 0 else named
