"""Days of any time zone, and the span of any samples, without Spark."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from anomaly.cleaning.sample_times import PERIODS_APART, main_span, times_of_day

QUARTER = timedelta(minutes=15)
zones = st.sampled_from(sorted(available_timezones() - {"localtime"}))
# Before, there were clocks that were set at one minute past midnight, to the day before.
days = st.dates(date(2013, 1, 1), date(2037, 12, 30))


def span_of(day: date, zone: str) -> tuple[datetime, datetime]:
    found = times_of_day(day, zone)
    return found.begin.astimezone(UTC), found.end.astimezone(UTC)


@given(days, zones)
def test_each_quarter_hour_of_a_day_is_of_that_day_in_its_zone(day, zone):
    begin, end = span_of(day, zone)
    assert 22 <= (end - begin) / timedelta(hours=1) <= 26
    quarters = [begin + QUARTER * n for n in range((end - begin) // QUARTER)]
    assert {one.astimezone(ZoneInfo(zone)).date() for one in quarters} == {day}


@given(days, zones)
def test_a_day_begins_where_the_one_before_ends(day, zone):
    assert span_of(day + timedelta(1), zone)[0] == span_of(day, zone)[1]


samples_of_periods = st.dictionaries(st.integers(-200, 200), st.integers(1, 50), min_size=1)


@given(samples_of_periods, st.integers(-(10**6), 10**6))
def test_the_main_span_goes_from_one_sample_to_another_wherever_they_lie(samples, shift):
    first, last = main_span(samples)
    assert first <= last
    assert {first, last} <= samples.keys()
    assert main_span({period + shift: n for period, n in samples.items()}) == (
        first + shift,
        last + shift,
    )


@given(st.lists(st.integers(1, PERIODS_APART), max_size=40), st.integers(1, 50))
def test_samples_without_a_longer_pause_are_one_span(pauses, samples):
    periods = [sum(pauses[:n]) for n in range(len(pauses) + 1)]
    assert main_span(dict.fromkeys(periods, samples)) == (0, periods[-1])


@given(samples_of_periods, st.integers(PERIODS_APART + 1, 10**6), st.sampled_from([-1, 1]))
def test_one_sample_that_strayed_changes_no_span(samples, distance, side):
    samples[0] = 2  # of samples that all lie by themselves, each may have strayed
    end = max(samples) if side == 1 else min(samples)
    assert main_span({**samples, end + side * distance: 1}) == main_span(samples)
