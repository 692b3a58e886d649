"""Alarms from dated samples: baselines, states over time, and that no future changes the past."""

import random
import statistics
from datetime import UTC, date, datetime, timedelta

import pytest

from anomaly import ConfigurationError, Run, parse_profile
from anomaly.alarms.periods import first_period_from
from anomaly.pipeline.detection import raise_alarms
from anomaly.pipeline.nodes import AlarmRequest
from runners.cli.main import main
from tests.builders.alarm_kpis import HEAD, OF_PEERS, kpi
from tests.builders.kept import kept
from tests.builders.small_inputs import write_csv

RUN = Run(date(2026, 11, 1), "try")
# A Monday, with which a step begins.
MONDAY = datetime(2026, 1, 12, tzinfo=UTC)
HOURS = 6


def frame(spark, cells, start=MONDAY, vendors=None):
    """Samples with a value of `load` every six hours from `start` on; None sends no sample."""
    rows = [
        (f"{start + timedelta(hours=HOURS * n):%Y-%m-%d %H:%M}", cell, str(value), "3", vendor)
        for cell, values in cells.items()
        for vendor in [(vendors or {}).get(cell, "A")]
        for n, value in enumerate(values)
        if value is not None
    ]
    return spark.createDataFrame(
        rows, "Time string, CellName string, load string, users string, Vendor string"
    )


def hours(period):
    """The time of a period of the judged week, counted from its first."""
    return MONDAY + timedelta(hours=HOURS * period)


def found(results):
    """The alarms by cell: (raised, cleared, cleared_by, severity) as periods of the week."""

    def period(time):
        if time is None:
            return None
        return (time.replace(tzinfo=UTC) - MONDAY) / timedelta(hours=HOURS)

    alarms = {}
    for row in sorted(results.alarms.collect(), key=lambda row: (row.CellName, row.raised_at)):
        times = (period(row.raised_at), period(row.cleared_at))
        alarms.setdefault(row.CellName, []).append((*times, row.cleared_by, row.severity))
    return alarms


# --- states over time -----------------------------------------------------------------------------

STATES = {
    "healthy": [0, 0, 0, 0, 0, 0],
    "one spike": [0, 9, 0, 0, 0, 0],
    # Raised with the second of three; good are 4 and 5, so it is cleared with 5.
    "two of three": [0, 3, 0, 3, 0, 0],
    "two of four": [3, 0, 0, 3, 0, 0],
    "standing": [0, 0, 0, 0, 3, 3],
    "critical": [0, 3, 5, 0, 0, 0],
    # 1.5 is below warn and above the level of clearing: neither bad nor good.
    "lingers": [3, 3, 1.5, 0, 1.5, 0],
    "silent": [0, None, None, None, 0, 0],
    "one missing": [0, None, 0, 0, 0, 0],
    # The missing sample is no recovery: good in a row are 4 and 5 alone.
    "missing is not good": [3, 3, 0, None, 0, 0],
    # A tie is no defect.
    "at the level": [2, 2, 2, 2, 2, 2],
    "one KPI alone": [0, -3, -3, 0, 0, 0],
    # Others go on to report, so it is silent to the end.
    "gone": [0, 0, 0, 0, None, None],
}


@pytest.fixture(scope="module")
def states(spark):
    """With ANSI mode on, where a place behind the end of an array is an error."""
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", "true")
    profile = parse_profile(HEAD + kpi("one") + kpi("two", bad_when="both") + OF_PEERS)
    yield raise_alarms(frame(spark, STATES), profile=profile, run=RUN, keep=kept)
    spark.conf.set("spark.sql.ansi.enabled", before)


def test_alarms_are_raised_and_cleared(states):
    assert found(states) == {
        "two of three": [(3, 5, "recovery", "WARN")],
        "standing": [(5, None, None, "WARN")],
        "critical": [(2, 4, "recovery", "CRIT")],
        "lingers": [(1, None, None, "WARN")],
        "silent": [(2, 5, "recovery", "CRIT")],
        "missing is not good": [(1, 5, "recovery", "WARN")],
        "one KPI alone": [(2, 4, "recovery", "WARN")],
        "gone": [(5, None, None, "CRIT")],
    }


def test_kpis_at_once_are_one_alarm_that_explains_itself(states):
    alarms = {row.CellName: row for row in states.alarms.collect()}
    critical = alarms["critical"]
    assert (critical.kpis, critical.peak_deviation) == (["one", "two"], 5)
    assert critical.reason == (
        "critical since 2026-01-12 12:00 UTC: load of the cell (one) is 5.00 % as a mean of 360 "
        "minutes, alarm above 2.00; also out of line: two; 1 bad period of 360 minutes; cleared "
        "2026-01-13 00:00 UTC"
    )
    alone = alarms["one KPI alone"]
    assert (alone.kpis, alone.peak_kpi, alone.peak_deviation) == (["two"], "two", -3)
    assert alarms["silent"].peak_kpi is None
    assert alarms["silent"].reason == (
        "silent since 2026-01-12 12:00 UTC: the cell sent no samples for 3 periods of 360 minutes, "
        "from 2026-01-12 06:00 UTC on; 2 bad periods of 360 minutes; cleared 2026-01-13 06:00 UTC"
    )


@pytest.mark.parametrize(
    ("scale", "of_two"), [('"linear"', 47.5), ('"log"\noffset = 1', 18.3)], ids=["linear", "log"]
)
def test_what_is_said_of_a_kpi_was_measured_however_far_it_is(spark, scale, of_two):
    """Deviations are capped, so that one alone raises no alarm; what is told is not."""
    head = HEAD.replace("smoothed_periods = 1", "smoothed_periods = 2")
    head = head.replace("largest_deviation = 1000", "largest_deviation = 5")
    head = head.replace('load = { unit = "%" }', 'load = { unit = "%", minimum = 0 }')
    head = head.replace("raise_periods = 2", "raise_periods = 1")
    more = f"fixed = 3\nscale = {scale}\nat_least = 15"
    profile = parse_profile(head + kpi("one", floor=0.3, more=more) + OF_PEERS)
    samples = frame(spark, {"congested": [3, 92, 92, 92, 3, 3, 3]})
    results = raise_alarms(samples, profile=profile, run=RUN, keep=kept)
    rows = sorted(results.anomalies.collect(), key=lambda row: row.time)
    told = [(round(row.value, 9), round(row.smoothed_value, 1)) for row in rows]
    assert told[:3] == [(92, of_two), (92, 92), (92, 92)]
    (alarm,) = results.alarms.collect()
    assert "(one) is 92.0 % as a mean of 720 minutes, alarm above 15.0" in alarm.reason


def test_what_is_out_of_line_is_listed_with_its_alarm(states):
    rows = {
        (row.CellName, row.time.replace(tzinfo=UTC), row.kpi): row
        for row in states.anomalies.collect()
    }
    spike = rows["one spike", hours(1), "one"]
    assert (spike.status, spike.value, spike.bound, spike.deviation) == ("CRIT", 9, 2, 9)
    assert spike.raised_at is None
    first, second = (rows["two of three", hours(n), "one"] for n in (1, 3))
    assert first.raised_at is None
    assert second.raised_at.replace(tzinfo=UTC) == hours(3)
    assert rows["one missing", hours(1), "samples"].status == "NO_DATA"
    assert rows["silent", hours(2), "samples"].status == "CRIT"


def test_what_was_judged_is_accounted_for(states):
    figures = {(row.section, row.subject, row.item): row for row in states.summary.collect()}
    assert figures["alarms", "judged", "cell days"].value == len(STATES) * 6 / 4
    assert figures["alarms", "judged", "until"].detail == "2026-01-13 12:00:00"
    missing = sum(values.count(None) for values in STATES.values())
    assert figures["alarm_kpi", "one", "NO_DATA"].value == missing
    assert figures["alarm_kpi", "of_peers", "NO_BASELINE"].value == len(STATES) * 6 - missing
    assert figures["alarms", "raised", "standing"].value == 3


# --- baselines ------------------------------------------------------------------------------------

METHODS = {
    "static": "fixed = 10",
    "mean": "",
    "mean_std": "",
    "median_mad": "",
    "median_iqr": "",
    "quantile": "q = 0.9",
}
MINIMUM = 20
source = random.Random(7)
HISTORY = [10 + source.choice([-2, -1, 0, 0, 1, 2]) for _ in range(28)]
CASES = {
    # history, judged
    "spike": (HISTORY, [10, 60, 10]),
    "level shift": (HISTORY, [30, 30, 30]),
    "constant": ([10] * 28, [10, 10, 12.5]),
    "ties": ([10] * 28, [10, 10, 10]),
    "warm-up": ([None] * 20 + HISTORY[:8], [60, 60, 60]),
    "null KPI": (["N/A"] * 28, [60, 60, 60]),
    "negative": ([value - 40 for value in HISTORY], [-30, -3, -30]),
    "below": (HISTORY, [-40, -40, -40]),
}


def expected_status(method, history, value, bad_when):
    """The same by plain Python."""
    values = sorted(value for value in history if isinstance(value, int | float))
    if method != "static" and len(values) < MINIMUM:
        return "NO_BASELINE"
    spread = 0.0
    if method == "static":
        centre = 10.0
    elif method in ("mean", "mean_std"):
        centre = statistics.fmean(values)
        spread = statistics.stdev(values) if method == "mean_std" else 0.0
    else:
        quartiles = statistics.quantiles(values, n=20, method="inclusive")
        centre = quartiles[17] if method == "quantile" else quartiles[9]
        if method == "median_mad":
            spread = 1.4826 * statistics.median(abs(value - centre) for value in values)
        if method == "median_iqr":
            spread = (quartiles[14] - quartiles[4]) / 1.349
    deviation = (value - centre) / max(spread, 1.0)
    level = abs(deviation) if bad_when == "both" else deviation
    return "CRIT" if level > 4 else "WARN" if level > 2 else "OK"


@pytest.mark.slow
@pytest.mark.parametrize("bad_when", ["above", "both"])
def test_each_baseline_on_each_case(spark, bad_when):
    kpis = (
        kpi(method, method, bad_when=bad_when, more=f"{more}\nminimum_samples = {MINIMUM}")
        for method, more in METHODS.items()
    )
    profile = parse_profile(HEAD + "".join(kpis) + OF_PEERS)
    week_before = MONDAY - timedelta(days=7)
    samples = frame(
        spark, {cell: [*before, *now] for cell, (before, now) in CASES.items()}, week_before
    )
    from_monday = AlarmRequest(start=MONDAY)
    results = raise_alarms(samples, profile=profile, run=RUN, alarms=from_monday, keep=kept)
    statuses = {
        (row.CellName, row.time.replace(tzinfo=UTC), row.kpi): row.status
        for row in results.anomalies.collect()
    }
    expected = {}
    for cell, (history, judged) in CASES.items():
        for place, value in enumerate(judged):
            for method in METHODS:
                status = expected_status(method, history, value, bad_when)
                if status in ("WARN", "CRIT"):
                    expected[cell, hours(place), method] = status
    assert statuses == expected
    assert {method for _, _, method in expected} == {*METHODS}


@pytest.mark.slow
def test_peers_and_slots_are_groups(spark):
    """Vendor A has 10, B has 50, and all have 20 more at noon; without a vendor, no peers."""
    day = [10, 10, 30, 10]
    cells = {"A1": day * 8, "A2": day * 8, "B1": [value + 40 for value in day] * 8, "C1": day * 8}
    cells["A2"] = [*day * 7, 10, 10, 30, 30]
    vendors = {"B1": "B", "C1": "N/A"}
    group = 'groups = ["peers", "slot"]\nminimum_samples = 7'
    profile = parse_profile(HEAD + kpi("of_peers", "median_iqr", more=group))
    samples = frame(spark, cells, MONDAY - timedelta(days=7), vendors)
    from_monday = AlarmRequest(start=MONDAY)
    results = raise_alarms(samples, profile=profile, run=RUN, alarms=from_monday, keep=kept)
    (row,) = results.anomalies.collect()
    assert (row.CellName, row.time.replace(tzinfo=UTC)) == ("A2", hours(3))
    assert (row.baseline, row.baseline_count, row.status) == (10, 14, "CRIT")
    figures = {(row.subject, row.item): row.value for row in results.summary.collect()}
    assert figures["of_peers", "NO_BASELINE"] == 4


# --- time -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noisy():
    """Two cells for three weeks, noisy enough to alarm, one silent at times."""
    dice = random.Random(3)
    weeks = 3 * 28
    cells = {cell: [round(dice.gauss(10, 2), 2) for _ in range(weeks)] for cell in ("1A", "2B")}
    for begin in (30, 49, 54, 60, 75):
        cells["1A"][begin : begin + 5] = [30, 31, 29, 30, 32]
    cells["2B"][50:55] = [None] * 5
    cells["2B"][57:59] = [60, 60]
    return cells


NOISY_PROFILE = HEAD + kpi("load", "median_iqr", more="minimum_samples = 5") + OF_PEERS


def rows_of(results, until=None):
    alarms = (row.asDict(recursive=True) for row in results.alarms.collect())
    anomalies = (row.asDict() for row in results.anomalies.collect())
    return (
        {(row["CellName"], row["raised_at"]): row for row in alarms},
        {(row["CellName"], row["time"], row["kpi"]): row for row in anomalies},
    )


@pytest.mark.slow
def test_day_by_day_equals_all_at_once_and_no_future_changes_the_past(spark, noisy):
    profile = parse_profile(NOISY_PROFILE)
    begin, first_day, days = MONDAY - timedelta(days=7), 12, 3
    whole = {cell: values[: (first_day + days) * 4] for cell, values in noisy.items()}
    judged_from = begin + timedelta(days=first_day)
    at_once = rows_of(
        raise_alarms(
            frame(spark, whole, begin).repartition(3),
            profile=profile,
            run=RUN,
            alarms=AlarmRequest(start=judged_from),
            keep=kept,
        )
    )
    alarms, anomalies = {}, {}
    for day in range(first_day, first_day + days):
        before = {cell: values[: day * 4] for cell, values in noisy.items()}
        today = {cell: values[day * 4 : day * 4 + 4] for cell, values in noisy.items()}
        start = begin + timedelta(days=day)
        found = rows_of(
            raise_alarms(
                frame(spark, today, start),
                profile=profile,
                run=RUN,
                alarms=AlarmRequest(frame(spark, before, begin), start),
                keep=kept,
            )
        )
        # What has been raised stays; it may be cleared later.
        alarms |= found[0]
        anomalies |= found[1]
    assert len(at_once[0]) >= 3
    assert alarms == at_once[0]
    # Whether an alarm came of it is known at once, for it is raised with its last bad period.
    assert anomalies == at_once[1]


# --- the command ----------------------------------------------------------------------------------


def test_a_start_without_an_offset_is_in_utc_and_begins_with_the_next_period():
    rules = parse_profile(HEAD + kpi("one") + OF_PEERS).alarms
    first = int(MONDAY.timestamp()) // (HOURS * 3600)
    for start, period in (
        (MONDAY, first),
        (MONDAY.replace(tzinfo=None), first),
        (MONDAY + timedelta(seconds=1), first + 1),
        (datetime.fromisoformat("2026-01-12 06:00:00+06:00"), first),
    ):
        assert first_period_from(start, rules) == period


def test_contradictions_of_alarms_are_told_at_once():
    text = HEAD.replace("baseline_days = 7", "baseline_days = 4").replace("360", "7")
    text += kpi("one", "mean", more="fixed = 3") + kpi("two", of="unknown", floor=0)
    text += kpi("samples").replace("[alarms.kpis.samples]", '[alarms.kpis."it\'s"]')
    text += kpi("three", more='fixed = 1\nscale = "log"\nat_most = 2\nneighbouring_slots = 1')
    with pytest.raises(ConfigurationError) as raised:
        parse_profile(text)
    told = str(raised.value)
    for part in (
        "history_days must be a multiple of baseline_days",
        "period_minutes must divide a day",
        "peers_column is needed if a KPI has the group peers",
        "[alarms.kpis.one] fixed belongs to the method static",
        "[alarms.kpis.it's] has an invalid name",
        "[alarms.kpis.two] uses 'unknown'",
        "[alarms.kpis.two] smallest_spread must be above 0",
        "[alarms.kpis.three] at_most does not go with bad_when above",
        "[alarms.kpis.three] neighbouring_slots needs the group slot",
        "[alarms.kpis.three] the scale log needs an offset",
    ):
        assert part in told


@pytest.mark.slow
def test_the_command_refuses_what_it_cannot_judge(spark, tmp_path, capsys):
    profile = tmp_path / "profile.toml"
    profile.write_text(HEAD + kpi("one") + OF_PEERS)
    header = ["Time", "CellName", "load", "users", "Vendor"]
    write_csv(tmp_path / "samples.csv", header, [["06:15", "1A", "1", "1", "A"]])
    arguments = ["alarms", "--samples", f"{tmp_path}/samples.csv", "--out", f"{tmp_path}/out"]
    assert main([*arguments, "--profile", str(profile)]) == 3
    assert "Time needs a date" in capsys.readouterr().err
    assert main([*arguments, "--profile", "lab"]) == 2
    assert "[alarms]" in capsys.readouterr().err
