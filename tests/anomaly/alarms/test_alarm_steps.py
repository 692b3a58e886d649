"""The steps of the alarms on frames of one's own, each by itself, with KPIs by their names."""

import statistics
from datetime import UTC, datetime

import pytest

from anomaly import ConfigurationError, InputError, parse_profile
from anomaly.alarms.account import alarm_figures, sample_figures
from anomaly.alarms.deviations import judged_periods
from anomaly.alarms.output import alarms_table, anomalies_table
from anomaly.alarms.period_baselines import period_baselines
from anomaly.alarms.periods import judged_span, reported_periods
from anomaly.alarms.states import alarm_states
from tests.builders.dated_inputs import PROFILE_TEXT

# Periods of six hours, four a day; the steps are weeks that begin with a Monday.
USERS = """
[alarms.kpis.users-of_all]
of = ["load"]
groups = []
bad_when = "below"
method = "mean_std"
minimum_samples = 2
smallest_spread = 0.5
warn = 2
crit = 4
"""
PROFILE = parse_profile(PROFILE_TEXT + USERS)
RULES = PROFILE.alarms
LOAD, OF_ALL = RULES.kpis
MONDAY = datetime(2026, 1, 12, tzinfo=UTC)
FIRST = int(MONDAY.timestamp()) // (6 * 3600)
HISTORY = {"1A": [3.0, 5.0, 4.0, 9.0, 5.0, 2.0, 5.0, 6.0], "2B": [40.0] * 8}


@pytest.fixture(scope="module")
def periods(spark):
    """A week before and some periods after it; fields in another order than the profile has."""
    rows = [
        (cell, FIRST - 28 + place, None, True, (value, value))
        for cell, values in HISTORY.items()
        for place, value in enumerate(values)
    ]
    rows += [("1A", FIRST, None, True, (9.5, 5.0)), ("1A", FIRST + 1, None, False, (None, None))]
    return spark.createDataFrame(
        rows,
        "CellName string, period bigint, peers string, is_reported boolean, "
        "values struct<`users-of_all`: double, load: double>",
    )


@pytest.fixture(scope="module")
def span(spark):
    return spark.createDataFrame(
        [(FIRST, FIRST, FIRST + 1)],
        "first_period bigint, start_period bigint, last_period bigint",
    )


def test_baselines_are_columns_with_the_names_of_their_kpis(periods, span):
    of_cells = period_baselines(periods, span, LOAD.grouping, RULES)
    assert of_cells.columns == ["CellName", "step", "baseline of load"]
    found = {row.CellName: row["baseline of load"] for row in of_cells.collect()}
    lower, middle, upper = statistics.quantiles(HISTORY["1A"], n=4, method="inclusive")
    assert found["1A"].centre == middle
    assert found["1A"].spread == pytest.approx((upper - lower) / 1.349)
    assert (found["2B"].centre, found["2B"].spread, found["2B"]["count"]) == (40, 0, 8)

    of_all = period_baselines(periods, span, OF_ALL.grouping, RULES)
    (row,) = of_all.collect()
    values = [value for of_cell in HISTORY.values() for value in of_cell]
    assert row["baseline of users-of_all"].centre == pytest.approx(statistics.fmean(values))
    assert row["baseline of users-of_all"].spread == pytest.approx(statistics.stdev(values))
    assert row["baseline of users-of_all"]["count"] == 16


def test_what_is_found_of_a_kpi_carries_its_name(periods, span):
    rows = judged_periods(periods, span, RULES).where("CellName = '1A'").collect()
    judged = {row.period - FIRST: {kpi.kpi: kpi for kpi in row.judged} for row in rows}
    # The cell sent nothing in the second period; it goes on to be expected.
    assert sorted(judged) == [0, 1]
    load, of_all = judged[0]["load"], judged[0]["users-of_all"]
    lower, middle, upper = statistics.quantiles(HISTORY["1A"], n=4, method="inclusive")
    spread = max(1, (upper - lower) / 1.349)
    # 5 is the value of load, 9.5 that of the other.
    assert (load.value, load.status, load.baseline) == (5.0, "OK", middle)
    assert load.deviation == pytest.approx((5 - middle) / spread)
    assert load.bound == pytest.approx(middle + 2 * spread)
    values = [value for of_cell in HISTORY.values() for value in of_cell]
    expected = (9.5 - statistics.fmean(values)) / statistics.stdev(values)
    assert (of_all.value, of_all.direction) == (9.5, "below")
    assert of_all.deviation == pytest.approx(expected)
    assert {kpi.status for kpi in judged[1].values()} == {"NO_DATA"}


KPI = (
    "struct<kpi: string, status: string, level: double, direction: string, value: double, "
    "smoothed_value: double, baseline: double, baseline_count: bigint, bound: double, "
    "deviation: double, smoothed_deviation: double>"
)
STATES = (
    "CellName string, step bigint, period bigint, is_missing boolean, is_silent boolean, "
    f"statuses array<struct<kpi: string, status: string>>, out_of_line array<{KPI}>, "
    "raised_period bigint, is_cleared boolean"
)


OF_STATES = (
    "needs the columns step, period, is_missing, is_silent, out_of_line, raised_period, is_cleared"
)


def bad(kpi, level):
    return (kpi, "WARN", level, "above", 7.0, 7.0, 4.0, 8, 6.0, level, level)


def test_levels_that_differ_in_the_last_bit_are_a_tie(spark, span):
    """Whichever an engine makes of the same numbers: the name decides."""
    less, more = sorted((10 * (0.1 + 0.2), 3.0))
    assert less < more
    out_of_line = [bad("load", less), bad("users-of_all", more)]
    states = spark.createDataFrame(
        [("1A", 2, FIRST, False, False, [], out_of_line, FIRST, False)], STATES
    )
    (alarm,) = alarms_table(states, span, RULES).collect()
    assert alarm.kpis == ["load", "users-of_all"]
    assert (alarm.peak_kpi, alarm.bad_periods) == ("load", 1)


def test_each_step_names_the_columns_that_it_lacks_and_those_that_are_there(spark):
    frame = spark.createDataFrame([("1A", 5)], "CellName string, users int")
    steps = [
        (lambda: judged_span(frame, RULES, None), "judged_span needs the column time"),
        (
            lambda: reported_periods(frame, None, frame, PROFILE),
            "reported_periods needs the columns time, peers, values",
        ),
        (
            lambda: period_baselines(frame, frame, LOAD.grouping, RULES),
            "period_baselines needs the columns period, peers, values",
        ),
        (
            lambda: judged_periods(frame, frame, RULES),
            "judged_periods needs the columns period, peers, is_reported, values",
        ),
        (
            lambda: alarm_states(frame, RULES),
            "alarm_states needs the columns step, period, is_missing, judged",
        ),
        (lambda: anomalies_table(frame, frame, RULES), f"anomalies_table {OF_STATES}"),
        (lambda: alarms_table(frame, frame, RULES), f"alarms_table {OF_STATES}"),
        (
            lambda: alarm_figures(frame, frame, frame, RULES),
            "alarm_figures needs the columns period, statuses",
        ),
        (
            lambda: sample_figures(frame, frame, RULES),
            "sample_figures needs the columns period, is_reported",
        ),
    ]
    for step, message in steps:
        with pytest.raises(InputError) as raised:
            step()
        assert str(raised.value) == f"{message}. Columns that are there: CellName, users"


def test_names_of_kpis_that_differ_in_case_alone_are_refused():
    """A field of a struct is found without regard to case."""
    with pytest.raises(ConfigurationError) as raised:
        parse_profile(PROFILE_TEXT + USERS + USERS.replace("users-of_all", "Users-of_All"))
    for name in ("users-of_all", "Users-of_All"):
        assert f"[alarms.kpis.{name}] needs another name" in str(raised.value)
