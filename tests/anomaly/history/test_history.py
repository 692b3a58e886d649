"""The maintenance history: states worked out by hand, and a day at a time against all at once."""

from datetime import date, timedelta

import pytest
from chispa import assert_df_equality
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anomaly.history.maintenance import maintenance_history
from anomaly.profile.sections import HistoryRules

FIRST = date(2026, 11, 1)
RULES = HistoryRules(raise_days=2, raise_within=3, clear_days=2, flapping_days=3, forgotten_days=3)
VERDICTS = {"R": "Required", "N": "Not Required", "?": None}
STATES = {
    "H": "HEALTHY",
    "W": "WATCHED",
    "n": "NEW",
    "P": "PERSISTING",
    "F": "FLAPPING",
    "v": "RECOVERED",
    "-": "NO_DATA",
    " ": None,
}
# Of each cell its verdict on each day (`?` no verdict, `.` not in the table), the states that
# follow, and the day of the month since when the last one holds.
CASES = {
    "healthy": ("NNNNNNNN", "HHHHHHHH", 1),
    "one bad day": ("NRNNNNNN", "HWHHHHHH", 3),
    "two of three": ("RNRRNNNN", "WHnPPvHH", 7),
    "two of four": ("RNNRNNNN", "WHHWHHHH", 5),
    # A single good day is no recovery.
    "persisting": ("RRNRRNRR", "WnPPPPPP", 2),
    # Cleared on the 4th, due again on the 6th.
    "flapping": ("RRNNRRRR", "WnPvWFFF", 6),
    "not so soon": ("RRNNNNNRR", "WnPvHHHWn", 9),
    # Days without data are no recovery.
    "silent": ("RRN?.NNN", "WnP--PvH", 8),
    "comes late": ("...RRRRR", "   WnPPP", 5),
    # NO_DATA since the 3rd; on the 6th it is forgotten, and comes back as a stranger.
    "forgotten": ("RR...... R".replace(" ", ""), "Wn---   W", 9),
    "no verdict at all": ("????????", "--------", 1),
}


def frame(spark, verdicts, first=0):
    """The cell table of days from a first one on."""
    rows = [
        (cell, VERDICTS[verdict], 1, 2, 3, FIRST + timedelta(days=first + place))
        for cell, of_days in verdicts.items()
        for place, verdict in enumerate(of_days)
        if verdict != "."
    ]
    return spark.createDataFrame(
        rows,
        "CellName string, Maintainence_Required string, severity_rank bigint, "
        "defected_count int, evaluated_kpis int, run_date date",
    )


def days(count, first=0):
    return [FIRST + timedelta(days=first + place) for place in range(count)]


def test_states_follow_from_verdicts(spark):
    length = max(len(verdicts) for verdicts, _, _ in CASES.values())
    cells = frame(spark, {cell: case[0] for cell, case in CASES.items()})
    found = {}
    history = maintenance_history(cells, days(length), None, RULES)
    for row in history.collect():
        found[row.CellName, row.run_date] = row
    for cell, (verdicts, states, since) in CASES.items():
        told = {day: STATES[state] for day, state in zip(days(len(states)), states, strict=True)}
        assert {
            day: found[cell, day].state if (cell, day) in found else None for day in told
        } == told, cell
        last = found[cell, FIRST + timedelta(days=len(verdicts) - 1)]
        assert last.since == date(2026, 11, since), cell
        if verdicts[-1] != "?":
            assert (last.severity_rank, last.defected_count, last.evaluated_kpis) == (1, 2, 3)


def day_by_day(spark, verdicts, length):
    before = None
    for place in range(length):
        of_day = frame(spark, {cell: one[place] for cell, one in verdicts.items()}, place)
        of_day = maintenance_history(of_day, days(1, place), before, RULES)
        # The table of the day, as a reader of it would find it.
        before = spark.createDataFrame(of_day.collect(), of_day.schema)
        yield before


verdicts_of_cells = st.dictionaries(
    st.sampled_from(["1A", "2B", "3C"]),
    st.text(alphabet="RN?.", min_size=5, max_size=5),
    min_size=1,
)


@pytest.mark.slow
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(verdicts_of_cells)
def test_a_day_at_a_time_equals_all_at_once(spark, verdicts):
    whole = maintenance_history(frame(spark, verdicts), days(5), None, RULES)
    each = [*day_by_day(spark, verdicts, 5)]
    united = each[0]
    for one in each[1:]:
        united = united.unionByName(one)
    # Sail has no hash of the last days' verdicts, by which they would be sorted.
    in_order = (rows.sort("CellName", "run_date") for rows in (whole, united))
    assert_df_equality(*in_order, ignore_nullable=True)
