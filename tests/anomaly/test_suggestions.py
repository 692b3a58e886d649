"""The name that was meant: found for slips of the hand, and for nothing else."""

import pytest

from anomaly.suggestions import did_you_mean

KNOWN = ("minimum", "maximum", "PRBUsageDL", "unit")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("mimimum", "minimum"),
        ("maximun", "maximum"),
        ("prbusagedl", "PRBUsageDL"),
        ("Unit", "unit"),
    ],
)
def test_a_slip_of_the_hand_is_recognized(typed, meant):
    assert did_you_mean(typed, KNOWN) == f"; did you mean {meant!r}?"


@pytest.mark.parametrize("typed", ["threshold", "", "minimum", 5, None])
def test_nothing_is_suggested_for_other_words_and_values(typed):
    assert did_you_mean(typed, KNOWN) == ""
