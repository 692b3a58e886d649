"""Local times without an offset: the days on which clocks are set, and the slots of both."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from anomaly import parse_profile
from anomaly.alarms.periods import history_begin, with_groups
from anomaly.cleaning.checks import check_samples, clean_rows
from anomaly.cleaning.sample_times import times_of_day
from anomaly.pipeline.detection import raise_alarms
from anomaly.run import Run
from tests.builders.dated_inputs import PROFILE_TEXT
from tests.builders.kept import kept

MADRID = "Europe/Madrid"
QUARTERS = PROFILE_TEXT.replace("= 360", "= 15")
PROFILE = parse_profile(QUARTERS.replace("[alarms]", f'[alarms]\ntime_zone = "{MADRID}"'))
SPRING, AUTUMN = date(2026, 3, 29), date(2026, 10, 25)


def local_times(day):
    """The quarter hours of a day in Madrid as its clocks show them, in turn."""
    times = times_of_day(day, MADRID)
    begin, end = times.begin.astimezone(UTC), times.end.astimezone(UTC)
    quarters = range(int((end - begin) / timedelta(minutes=15)))
    return [
        f"{(begin + timedelta(minutes=15 * n)).astimezone(ZoneInfo(MADRID)):%Y-%m-%d %H:%M}"
        for n in quarters
    ]


def checked(spark, times, day=None, profile=PROFILE):
    """What cleaning makes of samples with these times, in this order."""
    rows = [(time, "1A", str(place)) for place, time in enumerate(times)]
    raw = spark.createDataFrame(rows, "Time string, CellName string, load string").coalesce(1)
    return check_samples(raw, profile, *([times_of_day(day, MADRID)] if day else []))


@pytest.mark.parametrize(("day", "quarters"), [(SPRING, 92), (AUTUMN, 100)])
def test_a_day_on_which_clocks_are_set_has_all_its_quarter_hours(spark, day, quarters):
    frame = clean_rows(checked(spark, local_times(day), day))
    found = frame.selectExpr("unix_seconds(time) AS at", "values.load AS place").orderBy("at")
    rows = [(row.at, row.place) for row in found.collect()]
    begin = int(times_of_day(day, MADRID).begin.timestamp())
    # In the order of delivery, a quarter of an hour apart.
    assert rows == [(begin + 900 * n, n) for n in range(quarters)]
    # A slot is what the clock shows: not shifted once more.
    slots = with_groups(frame.selectExpr("unix_seconds(time) / 900 AS period"), PROFILE.alarms)
    shown = [4 * int(time[11:13]) + int(time[14:]) // 15 for time in local_times(day)]
    assert [row.slot for row in slots.orderBy("period").collect()] == shown


def test_a_time_that_clocks_leave_out_is_none(spark):
    frame = checked(spark, [f"{SPRING} 01:45", f"{SPRING} 02:30", f"{SPRING} 03:00"], SPRING)
    assert [row.row_reason for row in frame.orderBy("source_row_id").collect()] == [
        None, "bad_time", None,
    ]  # fmt: skip


def test_a_doubled_time_that_was_not_sent_twice_is_of_an_unknown_hour(spark):
    times = ["01:45", "02:00", "02:15", "02:15", "02:15", "02:30+02:00", "02:45+01:00", "03:00"]
    frame = checked(spark, [f"{AUTUMN} {time}" for time in times], AUTUMN)
    rows = frame.orderBy("source_row_id").collect()
    assert [row.row_reason for row in rows] == [
        None, *["doubled_hour"] * 4, None, None, None,
    ]  # fmt: skip
    assert {row.raw_row for row in rows if row.row_reason} == {
        f"{AUTUMN} 02:00,1A,1", *(f"{AUTUMN} 02:15,1A,{n}" for n in (2, 3, 4)),
    }  # fmt: skip


def test_timestamps_without_a_zone_are_local_times_whatever_the_session_is(spark):
    before = spark.conf.get("spark.sql.session.timeZone")
    try:
        for zone in ("UTC", "Asia/Tokyo"):
            spark.conf.set("spark.sql.session.timeZone", zone)
            raw = spark.sql(
                "SELECT TIMESTAMP_NTZ '2026-07-01 12:00:00' AS Time, '1A' AS CellName, 1D AS load"
            )
            found = check_samples(raw, PROFILE).selectExpr("unix_seconds(time) AS at").collect()
            noon = datetime(2026, 7, 1, 12, tzinfo=ZoneInfo(MADRID))
            assert [row.at for row in found] == [int(noon.timestamp())]
    finally:
        spark.conf.set("spark.sql.session.timeZone", before)


def test_baselines_of_a_local_monday_reach_into_the_step_that_its_first_hour_lies_in():
    monday = date(2026, 1, 12)
    # 00:00 in Madrid is Sunday 23:00 UTC.
    assert history_begin(monday, PROFILE.alarms) == date(2025, 12, 29)
    assert history_begin(monday + timedelta(days=1), PROFILE.alarms) == date(2026, 1, 5)


@pytest.mark.slow
def test_samples_of_one_period_give_the_ratio_of_their_sums(spark):
    text = QUARTERS.replace('load = { unit = "%" }', 'load = { unit = "%" }\ncalled = {}')
    text = text.replace('of = ["load"]', 'of = ["load"]\nrelative_to = ["called"]')
    text = text.replace('"median_iqr"', '"static"\nfixed = 0').replace(
        "smallest_spread = 1", "smallest_spread = 0.001\nminimum_denominator = 3"
    )
    rows = [
        # 1/10 and 9/90 are 10/100; so are 8/20 and 2/80, whose ratios have a mean of 0.2125.
        ("2026-07-01 12:00", "1A", "1", "10"), ("2026-07-01 12:05", "1A", "9", "90"),
        ("2026-07-01 12:00", "2B", "8", "20"), ("2026-07-01 12:05", "2B", "2", "80"),
        # What has one of the parts alone has no part in it; a few calls at a time are enough.
        ("2026-07-01 12:00", "3C", "1", "2"), ("2026-07-01 12:05", "3C", "1", "4"),
        ("2026-07-01 12:10", "3C", "70", "N/A"),
        # Too few.
        ("2026-07-01 12:00", "4D", "1", "2"),
    ]  # fmt: skip
    samples = spark.createDataFrame(
        rows, "Time string, CellName string, load string, called string"
    )
    run = Run(date(2026, 7, 1), "try")
    results = raise_alarms(samples, profile=parse_profile(text), run=run, keep=kept)
    values = {row.CellName: row.value for row in results.anomalies.collect()}
    assert values == {
        "1A": pytest.approx(0.1),
        "2B": pytest.approx(0.1),
        "3C": pytest.approx(1 / 3),
    }


@pytest.mark.slow
def test_an_hour_that_cannot_be_told_apart_is_no_silence(spark):
    """Cells send 96 samples of the day of 100 quarter hours, as systems by the local clock do."""
    times = list(dict.fromkeys(local_times(AUTUMN)))
    rows = [(time, "1A", "5") for time in times]
    # Two hours later another cell is silent in truth: 16 quarter hours from 10:00 on.
    rows += [(time, "2B", "5") for time in times if not "10:00" <= time[11:] < "14:00"]
    samples = spark.createDataFrame(rows, "Time string, CellName string, load string")
    span = times_of_day(AUTUMN, MADRID)
    results = raise_alarms(samples, profile=PROFILE, run=Run(AUTUMN, "try"), keep=kept, times=span)
    doubled = results.rejected.where("reason = 'doubled_hour'")
    assert doubled.count() == 8
    (alarm,) = results.alarms.collect()
    assert alarm.CellName == "2B"
    # Raised with the second missing quarter hour, and cleared with the second that is there: there
    # is no baseline yet, so that nothing but silence can be what it is about.
    raised, cleared = (time.replace(tzinfo=UTC) for time in (alarm.raised_at, alarm.cleared_at))
    ten = datetime(2026, 10, 25, 10, tzinfo=ZoneInfo(MADRID)).astimezone(UTC)
    assert (raised, cleared) == (ten + timedelta(minutes=15), ten + timedelta(hours=4, minutes=15))
