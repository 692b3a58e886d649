"""The time of a sample: a quarter hour of some day (HH:MM), or a date with a time.

A date with a time is an instant, as are the seconds or milliseconds since 1970. Without an offset
(+01:00 or Z) it is local time of a zone; 24:00 is the 00:00 of the day after.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

TIME_OF_DAY = "(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)(:[0-5][0-9]([.][0-9]{1,9})?)?"
OFFSET = "(Z|[+-][0-9]{2}:[0-9]{2})"
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
DATE_WITH_TIME = f"{DATE}[ T]{TIME_OF_DAY} ?{OFFSET}?"
UTC_ZONE = "UTC"
# Since 2001, in seconds and milliseconds since 1970.
EPOCH_SECONDS, EPOCH_MILLISECONDS = "[0-9]{10}", "[0-9]{13}"
# By so many minutes clocks are set back somewhere; the usual first.
SET_BACK_MINUTES = (60, 30)


def instant(text: Column, zone: str = UTC_ZONE) -> Column:
    """The instant that a text names, in a zone where it has no offset.

    NULL where it names none: as 02:30 in the hour that is left out when clocks are set forward. Of
    the hour that is there twice when they are set back it is the earlier one (`later_by`).
    """
    seconds = F.regexp_replace(text, f"([ T][0-9]+:[0-9]+)( ?{OFFSET}?)$", "$1:00$2")
    # The hour stands behind a date of ten characters. (Behind $1 Sail reads 00 as its number.)
    of_day = F.when(is_end_of_day(text), F.overlay(seconds, F.lit("00"), 12)).otherwise(seconds)
    in_utc = F.concat(of_day, F.when(has_offset(text), "").otherwise("Z"))
    day_after = F.make_interval(hours=F.when(is_end_of_day(text), 24).otherwise(0))
    found = F.when(text.rlike(f"^{DATE_WITH_TIME}$"), F.try_to_timestamp(in_utc) + day_after)
    since_1970 = text.cast("bigint")
    counted = F.when(text.rlike(f"^{EPOCH_SECONDS}$"), F.timestamp_seconds(since_1970)).when(
        text.rlike(f"^{EPOCH_MILLISECONDS}$"), F.timestamp_millis(since_1970)
    )
    if zone == UTC_ZONE:
        return counted.otherwise(found)
    of_zone = F.to_utc_timestamp(found, zone)
    is_there = F.from_utc_timestamp(of_zone, zone) == found
    return counted.when(has_offset(text), found).when(is_there, of_zone)


def later_by(time: Column, zone: str) -> Column:
    """The minutes until the local time of an instant, the earlier one, is there again.

    NULL where it is not.
    """
    local = F.from_utc_timestamp(time, zone)
    return F.coalesce(
        *(
            F.when(F.from_utc_timestamp(time + _minutes(later), zone) == local, later)
            for later in SET_BACK_MINUTES
        )
    )


def is_doubled(time: Column, zone: str) -> Column:
    """Whether the local time of an instant is there twice."""
    others = (
        F.from_utc_timestamp(other, zone)
        for minutes in SET_BACK_MINUTES
        for other in (time + _minutes(minutes), time - _minutes(minutes))
    )
    return F.from_utc_timestamp(time, zone).isin(*others)


def is_local(text: Column) -> Column:
    """Whether a text is a date with a time of some zone's clocks."""
    return text.rlike(f"^{DATE_WITH_TIME}$") & ~has_offset(text)


def has_offset(text: Column) -> Column:
    """Whether a text ends with an offset from UTC."""
    return text.rlike(f"{OFFSET}$")


def is_end_of_day(text: Column) -> Column:
    """Whether a date with a time is 24:00, which the day after calls 00:00."""
    return text.rlike("[ T]24:00")


def utc_text(time: Column, form: str = "yyyy-MM-dd HH:mm:ss") -> Column:
    """The text of an instant in UTC, whatever the session's time zone."""
    return F.date_format(F.to_utc_timestamp(time, F.current_timezone()), form)


def is_time_of_day(text: Column) -> Column:
    """Whether a text is a time without a date."""
    return text.rlike(f"^{TIME_OF_DAY}$")


def _minutes(number: int) -> Column:
    return F.make_dt_interval(mins=F.lit(number))
