"""Which times the samples of a run have, and which of them belong to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from itertools import pairwise
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.cleaning.values import text_of
from anomaly.expressions.timestamps import (
    UTC_ZONE,
    instant,
    is_end_of_day,
    is_local,
    is_time_of_day,
    later_by,
)
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
    def is_bad(self) -> Column:
        """Whether a time (with_times) is none, or of the other kind."""
        others = {None: (BAD,), True: (BAD, OF_DAY), False: (BAD, DATED)}[self.are_dated]
        return F.col(TIME_KIND).isin(*others)

    @property
    def is_outside(self) -> Column:
        """Whether a time (with_times) lies before the run or after it."""
        seconds, is_outside = F.unix_seconds(F.col(TIME_OF_RUN)), F.lit(False)
        if self.begin is not None:
            is_outside |= seconds < round(self.begin.timestamp()) - JITTER_SECONDS
        if self.end is not None:
            is_outside |= seconds >= round(self.end.timestamp())
        return F.coalesce(is_outside, F.lit(False))


ANY_TIME = TimesOfRun()


def with_times(raw: DataFrame, profile: Profile) -> DataFrame:
    """Adds to raw samples TIME, the instant (NULL without a date), TIME_KIND and more.

    TIME_OF_RUN: what tells the day that a sample belongs to: 24:00 is the end of its own.
    LATER_BY: the minutes until the same local time is there again (timestamps.later_by).
    """
    time, later = F.col(TIME), F.lit(None).cast("int")
    of_run = time
    # Through Spark Connect each question for a schema is a call.
    kinds = {field.name: field.dataType for field in raw.schema}
    if "Time" not in kinds:
        found, kind = F.lit(None).cast("timestamp"), F.lit(NONE)
    elif isinstance(kinds["Time"], T.TimestampType):
        found = F.col("Time").cast("timestamp")
        kind = F.when(F.col("Time").isNull(), NONE).otherwise(DATED)
    else:
        text = F.col(TIME_TEXT)
        raw = raw.withColumn(TIME_TEXT, _time_text("Date" in kinds, profile))
        found = instant(text, profile.time_zone)
        kind = (
            F.when(text.isNull(), NONE)
            .when(time.isNotNull(), DATED)
            .when(is_time_of_day(text), OF_DAY)
            .otherwise(BAD)
        )
        if profile.time_zone != UTC_ZONE:
            later = F.when(is_local(text), later_by(time, profile.time_zone))
        minute = F.make_dt_interval(mins=F.lit(1))
        of_run = F.when(is_end_of_day(text), time - minute).otherwise(time)
    return raw.withColumn(TIME, found).withColumns(
        {TIME_KIND: kind, TIME_OF_RUN: of_run, LATER_BY: later}
    )


def _time_text(has_date: bool, profile: Profile) -> Column:
    """The text of a time, with its date where that stands in a column of its own."""
    rules = profile.inputs[SAMPLES]
    time = text_of("Time", rules)
    if not has_date:
        return time
    with_date = F.concat(text_of("Date", rules).substr(1, 10), F.lit(" "), time)
    return F.when(is_time_of_day(time), F.coalesce(with_date, time)).otherwise(time)


def time_counts(samples: DataFrame, profile: Profile) -> DataFrame:
    """How many of the raw samples have which times: kind, period, is_early, samples.

    A period (NULL without a date) is told by its number since 1970; is_early says that the time is
    before it, by no more than a clock may be.
    """

    def period(seconds: Column) -> Column:
        return F.floor(seconds / profile.period_seconds)

    seconds = F.unix_seconds(F.col(TIME_OF_RUN))
    jittered = period(seconds + JITTER_SECONDS)
    return (
        samples.transform(with_times, profile)
        .select(
            F.col(TIME_KIND).alias("kind"),
            jittered.alias("period"),
            (jittered > period(seconds)).alias("is_early"),
        )
        .groupBy("kind", "period", "is_early")
        .agg(F.count("*").alias("samples"))
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
