"""The time of a sample: a quarter hour of some day (HH:MM), or a date with a time.

A date with a time is an instant, as are the seconds or milliseconds since 1970. Without an offset
(+01:00 or Z) it is local time of a zone; 24:00 is the 00:00 of the day after.
"""

TIME_OF_DAY = "(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)(:[0-5][0-9]([.][0-9]{1,9})?)?"
OFFSET = "(Z|[+-][0-9]{2}:[0-9]{2})"
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
DATE_WITH_TIME = f"{DATE}[ T]{TIME_OF_DAY} ?{OFFSET}?"
UTC_ZONE = "UTC"
# Since 2001, in seconds and milliseconds since 1970.
EPOCH_SECONDS, EPOCH_MILLISECONDS = "[0-9]{10}", "[0-9]{13}"
# By so many minutes clocks are set back somewhere; the usual first.
SET_BACK_MINUTES = (60, 30)


def instant(text: str, zone: str = UTC_ZONE) -> str:
    """The SQL of the instant that a text (its SQL) names, in a zone where it has no offset.

    NULL where it names none: as 02:30 in the hour that is left out when clocks are set forward. Of
    the hour that is there twice when they are set back it is the earlier one (`later_by`).
    """
    seconds = f"regexp_replace({text}, '([ T][0-9]+:[0-9]+)( ?{OFFSET}?)$', '$1:00$2')"
    of_day = f"regexp_replace({seconds}, '([ T])24:', '$100:')"
    suffix = f"CASE WHEN {has_offset(text)} THEN '' ELSE 'Z' END"
    day_after = f"CASE WHEN {is_end_of_day(text)} THEN 24 ELSE 0 END"
    since_1970 = (
        f"WHEN {text} RLIKE '^{EPOCH_SECONDS}$' THEN timestamp_seconds(CAST({text} AS bigint)) "
        f"WHEN {text} RLIKE '^{EPOCH_MILLISECONDS}$' THEN timestamp_millis(CAST({text} AS bigint))"
    )
    found = (
        f"CASE WHEN {text} RLIKE '^{DATE_WITH_TIME}$' THEN try_cast(concat({of_day}, {suffix}) AS "
        f"timestamp) + make_interval(0, 0, 0, 0, {day_after}) END"
    )
    if zone == UTC_ZONE:
        return f"CASE {since_1970} ELSE {found} END"
    of_zone = f"to_utc_timestamp({found}, '{zone}')"
    is_there = f"from_utc_timestamp({of_zone}, '{zone}') = {found}"
    return (
        f"CASE {since_1970} WHEN {has_offset(text)} THEN {found} WHEN {is_there} THEN {of_zone} END"
    )


def later_by(time: str, zone: str) -> str:
    """The SQL of the minutes until a local time is there again; NULL where it is not.

    `time`: the SQL of its instant, the earlier one.
    """
    cases = " ".join(
        f"WHEN from_utc_timestamp({time} + INTERVAL '{minutes}' MINUTE, '{zone}') = "
        f"from_utc_timestamp({time}, '{zone}') THEN {minutes}"
        for minutes in SET_BACK_MINUTES
    )
    return f"CASE {cases} END"


def is_doubled(time: str, zone: str) -> str:
    """The SQL of whether the local time of an instant (its SQL) is there twice."""
    others = ", ".join(
        f"from_utc_timestamp({time} {sign} INTERVAL '{minutes}' MINUTE, '{zone}')"
        for minutes in SET_BACK_MINUTES
        for sign in "+-"
    )
    return f"from_utc_timestamp({time}, '{zone}') IN ({others})"


def is_local(text: str) -> str:
    """The SQL of whether a text (its SQL) is a date with a time of some zone's clocks."""
    return f"{text} RLIKE '^{DATE_WITH_TIME}$' AND NOT {has_offset(text)}"


def has_offset(text: str) -> str:
    """The SQL of whether a text (its SQL) ends with an offset from UTC."""
    return f"{text} RLIKE '{OFFSET}$'"


def is_end_of_day(text: str) -> str:
    """The SQL of whether a date with a time (its SQL) is 24:00, which the day after calls 00:00."""
    return f"{text} RLIKE '[ T]24:00'"


def utc_text(time: str, form: str = "yyyy-MM-dd HH:mm:ss") -> str:
    """The SQL of the text of an instant (its SQL) in UTC, whatever the session's time zone."""
    return f"date_format(to_utc_timestamp({time}, current_timezone()), '{form}')"


def is_time_of_day(text: str) -> str:
    """The SQL of whether a text (its SQL) is a time without a date."""
    return f"{text} RLIKE '^{TIME_OF_DAY}$'"
