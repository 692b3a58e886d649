"""The time of a sample: a quarter hour of some day (HH:MM), or a date with a time.

A date with a time is an instant. Without an offset (+01:00 or Z) it counts as UTC, so that no hour
is there twice or missing; 24:00 is the 00:00 of the day after.
"""

TIME_OF_DAY = "(([01]?[0-9]|2[0-3]):[0-5][0-9]|24:00)(:[0-5][0-9]([.][0-9]{1,9})?)?"
OFFSET = "(Z|[+-][0-9]{2}:[0-9]{2})"
DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
DATE_WITH_TIME = f"{DATE}[ T]{TIME_OF_DAY} ?{OFFSET}?"


def instant(text: str) -> str:
    """The SQL of the instant that a text (its SQL) names; NULL where it names none."""
    seconds = f"regexp_replace({text}, '([ T][0-9]+:[0-9]+)( ?{OFFSET}?)$', '$1:00$2')"
    of_day = f"regexp_replace({seconds}, '([ T])24:', '$100:')"
    zone = f"CASE WHEN {text} RLIKE '{OFFSET}$' THEN '' ELSE 'Z' END"
    day_after = f"CASE WHEN {text} RLIKE '[ T]24:00' THEN 24 ELSE 0 END"
    return (
        f"CASE WHEN {text} RLIKE '^{DATE_WITH_TIME}$' THEN try_cast(concat({of_day}, {zone}) AS "
        f"timestamp) + make_interval(0, 0, 0, 0, {day_after}) END"
    )


def utc_text(time: str, form: str = "yyyy-MM-dd HH:mm:ss") -> str:
    """The SQL of the text of an instant (its SQL) in UTC, whatever the session's time zone."""
    return f"date_format(to_utc_timestamp({time}, current_timezone()), '{form}')"


def is_no_time(text: str) -> str:
    """The SQL of whether a text (its SQL) is neither a time of day nor a date with a time."""
    return f"NOT {text} RLIKE '^{TIME_OF_DAY}$' AND ({instant(text)}) IS NULL"
