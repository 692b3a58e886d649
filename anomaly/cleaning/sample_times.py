"""Which times the samples of a run have, and which of them belong to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from itertools import pairwise
from zoneinfo import ZoneInfo

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from anomaly.cleaning.values import text_of
from anomaly.expressions.sql import quoted
from anomaly.expressions.sql_text import instant, is_end_of_day, is_local, is_time_of_day, later_by
from anomaly.expressions.timestamps import UTC_ZONE
from anomaly.profile.model import Profile
from anomaly.schema.inputs import SAMPLES

# Columns that are added to a raw frame; the blank keeps them apart from an operator's columns.
TIME_TEXT, TIME, TIME_KIND, TIME_OF_RUN = "time text", "sample time", "time kind", "time of run"
LATER_BY = "later by"
# What a time is: there is none, a text that is none, without a date, with one.
NONE, BAD, OF_DAY, DATED = "none", "bad", "of day", "dated"

# A clock may be so much early: 23:59:59 is the sample of 00:00.
JITTER_SECONDS = 30
# So many periods in which nothing was sent part one stretch of samples from the next.
PERIODS_APART = 8
# What is sent in a period of a stretch, as a share of what is in one of the longest: below this
# it has strayed there.
SMALLEST_DENSITY = 0.1


@dataclass(frozen=True)
class TimesOfRun:
    """Which times samples of a run may have; rows with others are rejected.

    are_dated: whether they have dates; None for both kinds. begin, end: the first instant that
    belongs to the run, and the first one after it; None for no such end.
    """

    are_dated: bool | None = None
    begin: datetime | None = None
    end: datetime | None = None

    @property
    def is_bad(self) -> str:
        """The SQL of whether a time (with_times) is none, or of the other kind."""
        others = {None: (BAD,), True: (BAD, OF_DAY), False: (BAD, DATED)}[self.are_dated]
        return f"{quoted(TIME_KIND)} IN ({', '.join(map(repr, others))})"

    @property
    def is_outside(self) -> str:
        """The SQL of whether a time (with_times) lies before the run or after it."""
        seconds = f"unix_seconds({quoted(TIME_OF_RUN)})"
        conditions = []
        if self.begin is not None:
            conditions.append(f"{seconds} < {self.begin.timestamp() - JITTER_SECONDS:.0f}")
        if self.end is not None:
            conditions.append(f"{seconds} >= {self.end.timestamp():.0f}")
        return f"coalesce({' OR '.join(conditions) or 'FALSE'}, FALSE)"


ANY_TIME = TimesOfRun()


def with_times(raw: DataFrame, profile: Profile) -> DataFrame:
    """Adds to raw samples TIME, the instant (NULL without a date), TIME_KIND and more.

    TIME_OF_RUN: what tells the day that a sample belongs to: 24:00 is the end of its own.
    LATER_BY: the minutes until the same local time is there again (timestamps.later_by).
    """
    later = "CAST(NULL AS int)"
    if "Time" not in raw.columns:
        found, kind, of_run = "CAST(NULL AS timestamp)", f"'{NONE}'", quoted(TIME)
    elif isinstance(raw.schema["Time"].dataType, T.TimestampType):
        found, of_run = "CAST(Time AS timestamp)", quoted(TIME)
        kind = f"CASE WHEN Time IS NULL THEN '{NONE}' ELSE '{DATED}' END"
    else:
        text = quoted(TIME_TEXT)
        raw = raw.selectExpr("*", f"{_time_text(raw, profile)} AS {text}")
        found = instant(text, profile.time_zone)
        kind = (
            f"CASE WHEN {text} IS NULL THEN '{NONE}' WHEN {quoted(TIME)} IS NOT NULL "
            f"THEN '{DATED}' WHEN {is_time_of_day(text)} THEN '{OF_DAY}' ELSE '{BAD}' END"
        )
        if profile.time_zone != UTC_ZONE:
            again = later_by(quoted(TIME), profile.time_zone)
            later = f"CASE WHEN {is_local(text)} THEN {again} END"
        before = f"{quoted(TIME)} - INTERVAL '1' MINUTE"
        of_run = f"CASE WHEN {is_end_of_day(text)} THEN {before} ELSE {quoted(TIME)} END"
    return raw.selectExpr("*", f"{found} AS {quoted(TIME)}").selectExpr(
        "*",
        f"{kind} AS {quoted(TIME_KIND)}",
        f"{of_run} AS {quoted(TIME_OF_RUN)}",
        f"{later} AS {quoted(LATER_BY)}",
    )


def _time_text(raw: DataFrame, profile: Profile) -> str:
    """The SQL of the text of a time, with its date where that stands in a column of its own."""
    rules = profile.inputs[SAMPLES]
    time = text_of("Time", rules)
    if "Date" not in raw.columns:
        return time
    day = f"substring({text_of('Date', rules)}, 1, 10)"
    with_date = f"coalesce(concat({day}, ' ', {time}), {time})"
    return f"CASE WHEN {is_time_of_day(f'({time})')} THEN {with_date} ELSE {time} END"


def time_counts(samples: DataFrame, profile: Profile) -> DataFrame:
    """How many of the raw samples have which times: kind, period, is_early, samples.

    A period (NULL without a date) is told by its number since 1970; is_early says that the time is
    before it, by no more than a clock may be.
    """

    def period(seconds: str) -> str:
        return f"floor(({seconds}) / {profile.period_seconds})"

    seconds = f"unix_seconds({quoted(TIME_OF_RUN)})"
    jittered = period(f"{seconds} + {JITTER_SECONDS}")
    return (
        samples.transform(with_times, profile)
        .selectExpr(
            f"{quoted(TIME_KIND)} AS kind",
            f"{jittered} AS period",
            f"{jittered} > {period(seconds)} AS is_early",
        )
        .groupBy("kind", "period", "is_early")
        .count()
        .withColumnRenamed("count", "samples")
    )


def times_of_day(day: date, zone: str) -> TimesOfRun:
    """The times of a day in a zone, which has 23 or 25 hours where clocks are set."""
    begin, end = (
        datetime.combine(one, time_of_day(), ZoneInfo(zone)) for one in (day, day + timedelta(1))
    )
    return TimesOfRun(True, begin, end)


def main_span(samples: Mapping[int, int]) -> tuple[int, int]:
    """The first and the last period (its samples) between which most samples lie.

    Samples are parted into stretches by periods without any. The one with the most samples counts,
    and all others of which as many lie in a period: what strayed from there, because a clock lost
    its battery or a sample came late, is little in each period, or one sample alone.
    """
    stretches: list[list[int]] = []
    periods = sorted(samples)
    for before, period in pairwise([periods[0] - PERIODS_APART - 1, *periods]):
        if period - before > PERIODS_APART:
            stretches.append([])
        stretches[-1].append(period)

    def sent(stretch: list[int]) -> int:
        return sum(samples[period] for period in stretch)

    longest = max(stretches, key=sent)
    smallest = SMALLEST_DENSITY * sent(longest) / len(longest)
    kept = [
        stretch
        for stretch in stretches
        if stretch is longest or sent(stretch) > max(1, smallest * len(stretch))
    ]
    return kept[0][0], kept[-1][-1]
