"""What days that are run in turn have in common, and what is of one day alone."""

import os
from datetime import date, timedelta

import pytest

from anomaly import Run
from anomaly.cleaning.checks import clean_rows
from anomaly.run import Frame
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS
from runners.services.days_ahead import DaysAhead
from runners.services.origins import origins
from tests.builders.dated_inputs import DATED_PROFILE, write_days

FIRST = date(2026, 1, 11)
SHARED = (Frame.CHECKED_CUSTOMERS, Frame.CHECKED_CALLS)


@pytest.fixture
def each_day(tmp_path):
    """The places of three days."""
    return write_days(tmp_path, FIRST, {"1A": [10, 40, 70], "2B": [30, 20, 50]})


@pytest.fixture
def places(each_day):
    """The same, but customers and calls are those of the first day."""
    of_first = {
        name: each_day[name].format(run_date=FIRST) for name in (CUSTOMERS, CALL_STATISTICS)
    }
    return each_day | of_first


def opened(spark, days, places, place):
    run = Run.new(FIRST + timedelta(days=place))
    inputs = {source: path.format(run_date=run.run_date) for source, path in places.items()}
    return days.open(inputs, origins(spark, inputs, DATED_PROFILE), run).kept


def loads(frames):
    rows = clean_rows(frames[Frame.CHECKED_SAMPLES]).select("CellName", "values").collect()
    return {row["CellName"]: row["values"].load for row in rows}


def test_what_days_have_in_common_is_checked_once_and_samples_each_day(spark, places):
    with DaysAhead(spark, DATED_PROFILE) as days:
        first, second = (opened(spark, days, places, place) for place in (0, 1))
        assert [second[name] is first[name] for name in SHARED] == [True, True]
        assert loads(first) == {"1A": 10.0, "2B": 30.0}
        assert loads(second) == {"1A": 40.0, "2B": 20.0}


def test_what_changes_between_days_is_read_again(spark, places, tmp_path):
    with DaysAhead(spark, DATED_PROFILE) as days:
        first = opened(spark, days, places, 0)
        calls = tmp_path / "calls" / str(FIRST) / "more.csv"
        calls.write_text("Customer_ID,calls\n1000009,7\n")
        second = opened(spark, days, places, 1)
        assert [frames[Frame.CHECKED_CALLS].count() for frames in (first, second)] == [2, 3]
        assert second[Frame.CHECKED_CUSTOMERS] is first[Frame.CHECKED_CUSTOMERS]
        third = opened(spark, days, places, 2)
        assert third[Frame.CHECKED_CALLS] is second[Frame.CHECKED_CALLS]


def test_other_places_are_other_inputs_though_their_files_are_alike(spark, each_day, tmp_path):
    # As in exports that were all copied at one time.
    for file in tmp_path.glob("c*/*/*"):
        os.utime(file, (0, 0))
    with DaysAhead(spark, DATED_PROFILE) as days:
        first, second = (opened(spark, days, each_day, place) for place in (0, 1))
        assert [second[name] is first[name] for name in SHARED] == [False, False]
