"""The form of times, and the period between the samples of a cell."""

import pytest

from runners.inspection.times import UNREADABLE, form_of, period_of


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("06:15", "a time of day"),
        ("2026-03-01T06:15:00Z", "a date with a time"),
        ("1772345700", "seconds since 1970"),
        ("1772345700000", "milliseconds since 1970"),
        ("01.03.2026 06:15", UNREADABLE),
        ("3/1/2026 6:15 AM", UNREADABLE),
        ("12.5", None),
        ("1ALTE", None),
    ],
)
def test_a_form_is_recognized(text, form):
    assert form_of([text] * 3) == form


def test_texts_are_times_if_nearly_all_are():
    assert form_of(["06:15"] * 95 + ["late"] * 5) == "a time of day"
    assert form_of(["06:15"] * 94 + ["late"] * 6) is None
    assert form_of([]) is None


@pytest.mark.parametrize(
    ("times", "period"),
    [
        (["06:30", "06:00", "06:15"], 15),
        (["2026-03-01 23:30", "2026-03-02 00:30:00+00:00", "2026-03-02 01:30"], 60),
        (["1772345700", "1772346000", "1772346300"], 5),
    ],
)
def test_the_period_is_the_usual_step_between_samples_of_a_cell(times, period):
    cells = ["1A"] * len(times) + ["2B", "2B"]
    # 2B sends twice at the same time, which is no step.
    found = period_of(cells, [*times, times[0], times[0]])
    assert found == (period, "2 of 2 steps between samples of a cell")


def test_without_two_times_of_a_cell_there_is_no_period():
    assert period_of(["1A", "2B"], ["06:00", "06:15"]) is None
    assert period_of(["1A", "1A"], ["01.03.2026", "02.03.2026"]) is None


def test_a_date_beside_a_time_of_day_can_be_read():
    assert form_of(["2026-03-01", "2026-03-02"]) == "a date"
    assert form_of(["01.03.2026", "02.03.2026"]) == UNREADABLE
