"""Times: their forms, days and zones."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.campaign.case import Case, Input, fill
from tests.campaign.mutations.kinds import FEW, count_more, insert_lines, map_column, of_kind

TimeForm = Callable[[datetime], str]


def each_time(case: Case, form: TimeForm, rows: range | None = None) -> None:
    """Write times, which are UTC here, in another form."""
    case.samples.change("Time", lambda text: form(datetime.fromisoformat(text)), rows)


def without_dates(case: Case) -> None:
    """Say that no alarms are raised."""
    case.is_dated = False
    if case.command != "run":
        case.refuse()


@of_kind("times")
def time_in_another_form(case: Case) -> None:
    offset = ZoneInfo("Asia/Kolkata")

    def with_offset(time: datetime) -> str:
        return time.replace(tzinfo=UTC).astimezone(offset).isoformat()

    forms: tuple[TimeForm, ...] = (
        lambda time: f"{time:%Y-%m-%dT%H:%M}",
        lambda time: f"{time:%Y-%m-%d %H:%M:%S}",
        lambda time: f"{time:%Y-%m-%dT%H:%M:%S}Z",
        lambda time: f"{time:%Y-%m-%d %H:%M:%S}.000000",
        lambda time: f"{time:%Y-%m-%d %H:%M}+00:00",
        lambda time: f"  {time:%Y-%m-%d %H:%M}\u00a0",
        lambda time: f"{time.replace(tzinfo=UTC).timestamp():.0f}",
        lambda time: f"{time.replace(tzinfo=UTC).timestamp():.0f}000",
        lambda time: f"{time + timedelta(seconds=time.hour):%Y-%m-%d %H:%M:%S}",
        with_offset,
    )
    each_time(case, case.source.choice(forms))


@of_kind("times")
def time_that_nobody_can_tell(case: Case) -> None:
    """Which is the day and which is the month, and the like."""
    form = case.source.choice(
        ("%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%Y-%m-%d %I:%M %p", "%d-%b-%Y %H:%M", "%Y%m%d%H%M",
         "%Y/%m/%d %H:%M", "%H.%M", "%Y-%m-%d", "%Y-%m-%d %H", "%Y-%m-%d %H:%M CET", "46083.25")
    )  # fmt: skip
    each_time(case, lambda time: time.strftime(form))
    case.refuse(must=True)


@of_kind("times")
def time_without_a_date(case: Case) -> None:
    each_time(case, lambda time: f"{time:%H:%M}")
    without_dates(case)


@of_kind("times")
def no_time_at_all(case: Case) -> None:
    one = case.samples
    place = one.place("Time")
    del one.columns[place], one.header[place]
    for row in one.rows:
        del row[place]
    without_dates(case)


@of_kind("times")
def date_in_a_column_of_its_own(case: Case) -> None:
    one = case.samples
    place = one.place("Time")
    one.columns.insert(0, "Date")
    one.header.insert(0, "Date")
    for row in one.rows:
        row.insert(0, row[place][:10])
    each_time(case, lambda time: f"{time:%H:%M}")


@of_kind("times")
def time_of_another_name(case: Case) -> None:
    one = case.samples
    name = case.source.choice(("Timestamp", "DateTime", "Start Time", "Zeit", "time "))
    one.header[one.place("Time")] = name
    if name == "time ":
        return
    if case.source.random() < 0.7:
        map_column(case, "samples", "Time", name)
    else:
        without_dates(case)


@of_kind("times")
def units_row_first(case: Case) -> None:
    source, one = case.any_input()
    text = case.source.choice(("[unit]", "#VALUE!", "10:00", "-", "hh:mm"))
    insert_lines(one, [one.delimiter.join([text] * len(one.header))])
    count_more(case, source, 1)


@of_kind("times")
def few_rows_of_another_time(case: Case) -> None:
    """Of 1970, of other days and of the future, of a cell that is well."""
    times = (
        "1970-01-01 00:00", "1980-01-06 00:00", "2026-02-27 05:00", "2031-05-05 05:00",
        "9999-12-31 23:59", "0001-01-01 00:00", "2026-03-03 05:00", "0", "2026-02-30 05:00",
        "2106-02-07 06:28", "10:00",
    )  # fmt: skip
    text = case.source.choice(times)
    for _ in range(case.source.randint(1, FEW)):
        case.samples.rows.append([text, "1A", "late", "10.5", "1300.5"])
        add_missing_columns(case.samples)
    case.spoilt_rows["samples"] += FEW
    # One of the day after follows on this day, which `alarms` judges, too.
    case.is_dated = case.is_dated and not (case.command == "alarms" and text[:10] == "2026-03-03")


def add_missing_columns(one: Input) -> None:
    """Bring the last row, of the columns of the contract, to the columns that are there."""
    named = dict(zip(("Time", "CellName", "Note", "load", "volume"), one.rows[-1], strict=True))
    named["Date"] = named["Time"][:10]
    one.rows[-1] = [named.get(column, "") for column in one.columns]


@of_kind("times")
def many_rows_of_another_day(case: Case) -> None:
    later = timedelta(days=case.source.choice((-1, 1, 30, -20000)))
    each_time(case, lambda time: f"{time + later:%Y-%m-%d %H:%M}", range(60))
    # They are told and left out, as the day of the run has it; a file may well be of two days.
    case.alarms_known = case.is_limited = False
    case.refuse()
    case.spoilt_rows["samples"] += 60


@of_kind("times")
def another_day_altogether(case: Case) -> None:
    if case.command == "run":
        days = ("2026-03-01", "2031-05-05", "0001-01-01")
        case.options += ["--run-date", case.source.choice(days)]
        case.refuse(must=True)


@of_kind("times")
def argument_that_is_none(case: Case) -> None:
    options = (
        ["--run-date", "02.03.2026"], ["--from", "yesterday"], ["--keep-days", "-1"],
        ["--keep-days", "0"], ["--master", "local[x"], ["--prefix", "a"], ["--nonsense"],
        ["--profile", "nowhere"], ["--profile", "/"], ["--out", ""], ["--add-columns=1"],
    )  # fmt: skip
    case.options += case.source.choice(options)
    # There is a session already, with a master of its own.
    case.refuse(must="--master" not in case.options)


@of_kind("times")
def rarer_samples(case: Case) -> None:
    """Each second or third hour only."""
    every = case.source.choice((2, 3))
    place = case.samples.place("Time")
    case.samples.rows = [
        row for row in case.samples.rows if datetime.fromisoformat(row[place]).hour % every == 0
    ]
    case.refuse(must=True)


@of_kind("times")
def feed_that_ends_early(case: Case) -> None:
    place = case.samples.place("Time")
    case.samples.rows = [
        row for row in case.samples.rows if datetime.fromisoformat(row[place]).hour < 12
    ]
    case.alarms_known = False


@of_kind("times")
def rows_twice(case: Case) -> None:
    source, one = case.any_input()
    one.rows += [list(row) for row in one.rows[:FEW]]
    if source != "calls":
        case.spoilt_rows[source] += FEW


@of_kind("times")
def rows_that_contradict(case: Case) -> None:
    one = case.samples
    more = [list(row) for row in one.rows[:FEW]]
    for row in more:
        row[one.place("load")] = "17.5"
    one.rows += more
    case.spoilt_rows["samples"] += 2 * FEW


@of_kind("times")
def few_without_a_time(case: Case) -> None:
    text = case.source.choice(
        ("", "N/A", "?", "24:61", "2026-03-02 25:00", "2026-03-02 05:60", "x")
    )
    case.samples.change("Time", lambda _: text, range(FEW))
    case.spoilt_rows["samples"] += FEW


@of_kind("times")
def end_of_the_hour(case: Case) -> None:
    """Stamps of the end: 01:00 to 24:00."""

    def form(time: datetime) -> str:
        return f"{time:%Y-%m-%d} {time.hour + 1:02}:00"

    each_time(case, form)


@of_kind("times")
def clocks_that_are_set(case: Case) -> None:
    """Local times of the days with 23 and 25 hours; of the doubled hour each cell sends two."""
    if len(case.mutations) > 1:
        return
    case.day = case.source.choice((date(2026, 3, 29), date(2026, 10, 25)))
    case.zone = "Europe/Madrid"
    fill(case)
