"""SQL text that is still composed by hand; the modules beside it say the same with columns."""

from anomaly.expressions.arithmetic import PARTS_PER_UNIT, QUANTILE_DIGITS, TIE_TOLERANCE
from anomaly.expressions.timestamps import (
    DATE_WITH_TIME,
    EPOCH_MILLISECONDS,
    EPOCH_SECONDS,
    OFFSET,
    SET_BACK_MINUTES,
    TIME_OF_DAY,
    UTC_ZONE,
)


def exact_mean(value: str, where: str = "TRUE") -> str:
    """The SQL of an aggregate: the mean of the non-NULL values of an SQL, NULL where there is none.

    A plain `avg` adds doubles in whatever order the partitions arrive, and its last bits vary
    from run to run. Here whole units and fractions are summed as integers, which is exact in any
    order. Requires |value| <= LARGEST_NUMBER. `where` names a boolean column of the rows to use.
    """
    rows = f"FILTER (WHERE {where})" if where != "TRUE" else ""
    parts = f"floor(({value} - floor({value})) * {PARTS_PER_UNIT}D + 0.5D)"
    total = f"(try_sum(floor({value})) {rows} + try_sum({parts}) {rows} / {PARTS_PER_UNIT}D)"
    return f"{total} / nullif(count({value}) {rows}, 0)"


def limit_above(bound: str) -> str:
    """The SQL of the limit beyond which a value exceeds a bound (its SQL), as `exceeds` has it.

    It follows from the bound alone, so that a comparison with many values costs no more than `>`.
    """
    return _farther(bound, f"{bound} >= 0")


def limit_below(bound: str) -> str:
    """The SQL of the limit below which a value is exceeded by a bound (its SQL)."""
    return _farther(bound, f"{bound} <= 0")


def _farther(bound: str, is_away_from_zero: str) -> str:
    # Beyond the bound, away from zero the value is the larger of the two, otherwise the bound is.
    nearly_one = f"(1D - {TIE_TOLERANCE!r}D)"
    return (
        f"CASE WHEN {is_away_from_zero} THEN {bound} / {nearly_one} ELSE {bound} * {nearly_one} END"
    )


def measure_text(value: str, unit: str) -> str:
    """The SQL of a value with its unit (their SQLs) as people write them: 45.5 %, 3.96 users.

    Three significant digits, whole numbers as they are; a share is told in per cent.
    """
    number = f"round(CASE WHEN {unit} = 'share' THEN 100D * {value} ELSE {value} END, 9)"
    # The smallest size that has so many digits behind the point, once it is rounded.
    forms = {
        99.95: "%.0f",
        9.995: "%.1f",
        0.9995: "%.2f",
        0.09995: "%.3f",
        0.000995: "%.4f",
        9.5e-6: "%.6f",
    }
    cases = " ".join(
        f"WHEN abs(number) >= {size!r}D THEN format_string('{form}', number)"
        for size, form in forms.items()
    )
    text = (
        "CASE WHEN abs(number) >= 999.5D OR number = floor(number) THEN format_number(number, 0) "
        f"{cases} ELSE format_string('%.1e', number) END"
    )
    # Named, because it is used so often.
    named = f"get(transform(array({number}), number -> {text}), 0)"
    return f"rtrim(concat({named}, ' ', CASE WHEN {unit} = 'share' THEN '%' ELSE {unit} END))"


def rounded_for_quantiles(value: str) -> str:
    """The SQL of the value of an SQL to QUANTILE_DIGITS significant digits."""
    scale = f"power(10D, {QUANTILE_DIGITS} - ceil(log10(abs(nullif({value}, 0)))))"
    return f"coalesce(round({value} * {scale}) / {scale}, {value})"


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
