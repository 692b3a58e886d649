"""Verdicts: families that fail, silent cells, standing alarms, and the sentence that says why."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from pyspark.sql import functions as F

from anomaly import AlarmRequest, ConfigurationError, InputError, Run, detect, parse_profile
from anomaly.profile.choices import SilentCells, StandingAlarms
from anomaly.schema.evidence import EVIDENCE_TYPE
from anomaly.thresholds.verdict import rank_by_severity, with_counts, with_verdict
from tests.builders.dated_inputs import PROFILE_TEXT
from tests.builders.kept import kept
from tests.builders.small_inputs import customers_on

RULE = '[rules.{kpi}]\nbad_when = "below"\nmethod = "static"\nvalue = 1\nfamily = "{family}"\n'
FAMILIES = {
    "traffic": ("users", "load"),
    "integrity": ("peak", "mean", "edge"),
    "usage": ("calls",),
}
KPIS = [kpi for kpis in FAMILIES.values() for kpi in kpis]
TEXT = """
name = "verdicts"
[join]
minimum_samples = 24
[verdict]
minimum_failed_families = 1
minimum_evaluated = 3
silent_cells = "no_verdict"
silent_family = "traffic"
standing_alarms = "CRIT"
[families.traffic]
[families.integrity]
minimum_defects = 2
minimum_warnings = 3
[families.usage]
decides = false
[diagnoses.sleeping]
words = "sleeps"
failed = ["users"]
sound = ["peak"]
[diagnoses.poor]
words = "is poor"
failed = ["mean", "peak"]
[kpis.call_statistics]
[kpis.samples]
""" + "".join(f"{kpi} = {{ unit = 'users' }}\n" for kpi in KPIS)
PROFILE = parse_profile(
    TEXT + "".join(RULE.format(kpi=k, family=f) for f, kpis in FAMILIES.items() for k in kpis)
)
STATUSES = {"C": "CRIT", "W": "WARN", "o": "OK", "-": "NO_DATA"}


def evidence(letters, deviations=None):
    """A KPI for each letter, in the order of FAMILIES: critical, warning, ok or no data."""
    kpis = [(family, kpi) for family, kpis in FAMILIES.items() for kpi in kpis]
    found = []
    for place, ((family, kpi), letter) in enumerate(zip(kpis, letters, strict=True)):
        deviation = -float(deviations[place]) if deviations else -3.0
        found.append(
            {
                "kpi": kpi,
                "status": STATUSES[letter],
                "flag": {"C": 1, "-": None}.get(letter, 0),
                "deviation": deviation,
                "deviation_unit": "spreads",
                "reason": f"{kpi} is low",
                "family": family,
            }
        )
    return found


def verdicts(spark, rows, profile=PROFILE):
    """Rows of (evidence, sample_count, customers, alarm) with their verdicts, in their order."""
    frame = spark.createDataFrame(
        [(f"{place:02}", *row) for place, row in enumerate(rows)],
        f"CellName string, evidence {EVIDENCE_TYPE}, sample_count bigint, "
        "customerID_count bigint, standing_alarm "
        "struct<severity:string,families:array<string>,reason:string>",
    )
    judged = frame.selectExpr(
        "*",
        f"struct({', '.join(f'sample_count AS {kpi}' for kpi in KPIS)}) AS usable_counts",
        "transform(evidence, kpi -> struct(kpi.kpi AS kpi, kpi.status AS status)) AS judged",
        "0D AS severity",
    ).transform(with_counts)
    found = with_verdict(judged, profile).transform(rank_by_severity, "gravity", "CellName")
    return found.orderBy("CellName").collect()


# Which silent cells are due, and which alarms count; neither has to do with the other.
PROFILES = [
    replace(PROFILE, verdict=replace(PROFILE.verdict, silent_cells=silent, standing_alarms=alarms))
    for silent, alarms in (
        (SilentCells.NO_VERDICT, StandingAlarms.CRIT),
        (SilentCells.REQUIRED, StandingAlarms.WARN),
        (SilentCells.JUDGED_BY_CALLS, StandingAlarms.NONE),
    )
]
LETTERS = (
    "oooooo Cooooo CCoooo ooCooo ooCCoo ooCWWo ooWWWo ooWWoo WWoooo CoCCoC oooooC oo---- C----- "
    "------ CoCCoo oCoooo"
).split()


def alarm(severity):
    return (severity, ["integrity"], "peak has been low since noon")


@pytest.fixture(scope="module")
def found(spark):
    """Cells by their letters, profile (silent cells, standing alarms), samples and alarm."""
    cells = [
        (letters, samples, severity)
        for letters in LETTERS
        for samples in (96, 0)
        for severity in (None, "WARN", "CRIT")
    ]
    rows = [
        (evidence(letters), samples, 10, severity and alarm(severity))
        for letters, samples, severity in cells
    ]
    return {
        (letters, rule, samples, severity): row
        for profile in PROFILES
        for (letters, samples, severity), row in zip(
            cells, verdicts(spark, rows, profile), strict=True
        )
        for rule in (profile.verdict.silent_cells, profile.verdict.standing_alarms)
    }


def sound(found, letters):
    """A cell that reports, has no alarm, and is judged by the usual profile."""
    return found[letters, SilentCells.NO_VERDICT, 96, None]


@pytest.mark.parametrize(
    ("letters", "failed", "verdict"),
    [
        ("oooooo", [], "Not Required"),
        ("Cooooo", ["traffic"], "Required"),
        # Two KPIs of a family are one voice, and so is one: the list has the family once.
        ("CCoooo", ["traffic"], "Required"),
        ("ooCooo", [], "Not Required"),
        ("ooCCoo", ["integrity"], "Required"),
        ("ooCWWo", ["integrity"], "Required"),
        ("ooWWWo", ["integrity"], "Required"),
        ("ooWWoo", [], "Not Required"),
        ("WWoooo", [], "Not Required"),
        ("CoCCoC", ["traffic", "integrity"], "Required"),
        # What decides nothing is a flag all the same.
        ("oooooC", [], "Not Required"),
        ("oo----", [], None),
        # Enough families fail, however little is known of the others.
        ("C-----", ["traffic"], "Required"),
    ],
)
def test_a_verdict_follows_from_families_that_fail(found, letters, failed, verdict):
    row = sound(found, letters)
    assert (row.failed_families, row.Maintainence_Required) == (failed, verdict)


@pytest.mark.parametrize(
    ("letters", "reason"),
    [
        ("Cooooo", "sleeps: users is low; 10 customers with call statistics"),
        (
            "CoCCoo",
            "is poor: users is low; mean is low, and 1 more KPI of integrity; "
            "10 customers with call statistics",
        ),
        ("oCoooo", "load is low; 10 customers with call statistics"),
        (
            "oooooC",
            "no failure: 1 of 6 judged KPIs are beyond their limits; "
            "10 customers with call statistics",
        ),
        (
            "oo----",
            "not judged: 2 KPIs could be judged, 3 are needed; 10 customers with call statistics",
        ),
    ],
)
def test_the_reason_says_what_it_looks_like_and_names_the_worst_kpi(found, letters, reason):
    assert sound(found, letters).verdict_reason == reason


def test_the_worst_kpi_of_a_family_is_the_farthest(spark):
    rows = [(evidence("CCoooo", deviations=[3, 7, 0, 0, 0, 0]), 96, 1, None)]
    (row,) = verdicts(spark, rows)
    assert row.verdict_reason == (
        "sleeps: load is low, and 1 more KPI of traffic; 1 customer with call statistics"
    )


@pytest.mark.parametrize(
    ("count", "told"),
    [(0, "no customers"), (999, "999 customers"), (1234567, "1,234,567 customers")],
)
def test_customers_are_counted_as_on_screens(spark, count, told):
    (row,) = verdicts(spark, [(evidence("oCoooo"), 96, count, None)])
    assert row.verdict_reason == f"load is low; {told} with call statistics"


def test_more_failed_families_rank_first_then_more_defects_then_the_farthest(spark):
    far, near = [9, 0, 9, 9, 0, 0], [4, 0, 4, 4, 0, 0]
    rows = [
        (evidence("Cooooo", near), 96, 1, None),
        (evidence("CoCCoo", near), 96, 1, None),
        (evidence("Cooooo", far), 96, 1, None),
        (evidence("oooooC", far), 96, 1, None),
        (evidence("oooooo"), 96, 1, None),
        (evidence("oooooo"), 96, 1, None),
    ]
    assert [row.severity_rank for row in verdicts(spark, rows)] == [3, 1, 2, 4, 5, 5]


SILENCE = "it sends no samples while other cells do"


@pytest.mark.parametrize(
    ("rule", "letters", "verdict", "failed"),
    [
        (SilentCells.NO_VERDICT, "oooooo", None, []),
        (SilentCells.NO_VERDICT, "Cooooo", "Required", ["traffic"]),
        (SilentCells.REQUIRED, "oooooo", "Required", ["traffic"]),
        (SilentCells.JUDGED_BY_CALLS, "oooooo", "Not Required", []),
    ],
)
def test_a_cell_with_customers_and_no_samples_is_never_just_healthy(
    found, rule, letters, verdict, failed
):
    row = found[letters, rule, 0, None]
    assert (row.Maintainence_Required, row.failed_families) == (verdict, failed)
    assert row.sample_state == "NO_SAMPLES"
    assert SILENCE in row.verdict_reason


def test_a_cell_with_few_samples_is_told_from_one_that_reports(spark):
    rows = [(evidence("oooooo"), samples, 10, None) for samples in (23, 24)]
    assert [row.sample_state for row in verdicts(spark, rows)] == ["FEW_SAMPLES", "REPORTING"]


@pytest.mark.parametrize(
    ("counts", "severity", "verdict", "failed"),
    [
        (StandingAlarms.CRIT, "CRIT", "Required", ["integrity"]),
        (StandingAlarms.CRIT, "WARN", "Not Required", []),
        (StandingAlarms.WARN, "WARN", "Required", ["integrity"]),
        (StandingAlarms.NONE, "CRIT", "Not Required", []),
    ],
)
def test_an_alarm_that_stands_is_evidence_and_always_named(
    found, counts, severity, verdict, failed
):
    row = found["oooooo", counts, 96, severity]
    assert (row.Maintainence_Required, row.failed_families) == (verdict, failed)
    assert f"{severity} alarm: peak has been low since noon" in row.verdict_reason


def test_an_alarm_makes_a_cell_required_that_could_not_be_judged(found):
    row = found["------", StandingAlarms.CRIT, 0, "CRIT"]
    assert row.Maintainence_Required == "Required"
    assert sound(found, "------").Maintainence_Required is None


@pytest.mark.parametrize(
    ("good", "bad", "fault"),
    [
        ("minimum_failed_families = 1", "minimum_failed_families = 4", "number of families (3)"),
        ("minimum_failed_families = 1", "", "needs exactly one of minimum_failed_families, "),
        ('silent_family = "traffic"', 'silent_family = "none"', "family 'none' is unknown"),
        ("minimum_defects = 2", "minimum_defects = 0", "minimum_defects must be at least 1"),
        ("minimum_warnings = 3", "minimum_warnings = -1", "minimum_warnings must not be negative"),
        ('sound = ["peak"]', 'sound = ["none"]', "'sleeps' names 'none', which has no rule"),
        (
            "[families.usage]",
            '[peers]\ncolumn = "load"\n[families.usage]',
            "has another meaning in",
        ),
        ("[families.usage]", '[peers]\ncolumn = "x"\ninput = "y"\n[families.usage]', "input is"),
        (
            "[families.usage]",
            '[peers]\ncolumn = "x"\nminimum_cells = 1\n[families.usage]',
            "minimum_cells must be at least 2",
        ),
    ],
)
def test_what_a_verdict_cannot_follow_from_is_refused(good, bad, fault):
    rules = "".join(RULE.format(kpi=k, family=f) for f, kpis in FAMILIES.items() for k in kpis)
    with pytest.raises(ConfigurationError) as caught:
        parse_profile((TEXT + rules).replace(good, bad, 1))
    assert any(fault in found for found in caught.value.problems), caught.value.problems


# --- whole runs ---------------------------------------------------------------------------------


def detected(spark, profile, samples, schema, towers=None, dated=None):
    """The cells of a run by their names; a customer on each of `towers`, with seven calls."""
    names = towers or {"1": "1A"}
    calls = spark.createDataFrame(
        [(f"100{int(number):04}", 7.0) for number in names], "Customer_ID string, calls double"
    )
    results = detect(
        spark.createDataFrame(samples, schema),
        customers=customers_on(spark, names),
        calls=calls,
        profile=profile,
        run=Run(date(2026, 1, 12), "test"),
        keep=kept,
        alarms=dated,
    )
    return {row.CellName: row for row in results.cells.collect()}


PEERS = """
name = "peers"
[join]
keep_cells_without_customers = true
keep_customers_without_samples = true
[verdict]
minimum_failed_families = 1
[families.load]
[kpis.samples]
load = { unit = "%", minimum = 0 }
[kpis.call_statistics]
calls = { unit = "calls" }
[rules.load]
family = "load"
bad_when = "above"
method = "median_iqr"
k = 3
[peers]
column = "Region"
minimum_cells = 4
"""
# 30 is usual in the south, and far above usual in the north.
LOADS = {"north": [9, 10, 11, 12, 30], "south": [28, 29, 30, 31, 33]}


@pytest.mark.slow
@pytest.mark.parametrize("source", ["samples", "customers"])
def test_cells_are_grouped_by_a_column_of_either_input(spark, source):
    rows = [
        (f"{place}{region}", region, load)
        for region, loads in LOADS.items()
        for place, load in enumerate(loads)
    ]
    customers = customers_on(spark, {str(n): cell for n, (cell, *_) in enumerate(rows, 1)})
    samples = spark.createDataFrame(rows, "CellName string, Region string, load int")
    if source == "customers":
        region = F.expr("substring(CellTower, 2)")
        customers, samples = customers.withColumn("Region", region), samples.drop("Region")
    calls = spark.createDataFrame([("1000001", 7.0)], "Customer_ID string, calls double")
    profile = parse_profile(f'{PEERS}input = "{source}"')
    if source == "customers":
        # What is not there cannot be asked for.
        with pytest.raises(InputError, match="samples: column Region is missing"):
            cells_of(spark, parse_profile(PEERS), customers, samples, calls)
        optional = parse_profile(f"{PEERS}required = false")
        found = cells_of(spark, optional, customers, samples, calls)
        assert {row.evidence[0].peers for row in found.values()} == {None}
    found = cells_of(spark, profile, customers, samples, calls)
    required = [name for name, row in found.items() if row.Maintainence_Required == "Required"]
    # Compared with north alone; only there a customer has calls, which changes nothing.
    assert required == ["4north"]
    assert found["4north"].evidence[0].peers == "north"
    assert "(median of 5 north cells, limit " in found["4north"].verdict_reason


def cells_of(spark, profile, customers, samples, calls):
    run = Run(date(2026, 1, 12), "test")
    table = detect(
        samples, customers=customers, calls=calls, profile=profile, run=run, keep=kept
    ).cells
    return {row.CellName: row for row in table.collect()}


@pytest.mark.slow
def test_the_table_and_the_alarms_of_a_day_do_not_contradict_each_other(spark):
    """1A is loaded at the end of its last day, and 2B has fallen silent; 3C is as ever."""
    text = PROFILE_TEXT.replace(
        "[verdict]\n",
        '[families.utilization]\n[families.availability]\n[verdict]\nstanding_alarms = "CRIT"\n'
        'silent_family = "availability"\n',
    ).replace("[alarms.kpis.load]\n", '[alarms.kpis.load]\nfamily = "utilization"\n')
    first = date(2026, 1, 5)
    samples = [
        (f"{first + timedelta(days=day)} {hour:02}:00", cell, load)
        for cell, last in (
            ("1A", [10, 10, 40, 40]),
            ("2B", [10, None, None, None]),
            ("3C", [10] * 4),
        )
        for day in range(8)
        for hour, load in zip(range(0, 24, 6), last if day == 7 else [10] * 4, strict=True)
        if load is not None
    ]
    towers = {"1": "1A", "2": "2B", "3": "3C"}
    # The mean of a week hardly moves, so that the averages alone would find nothing.
    cells = detected(
        spark,
        parse_profile(text),
        samples,
        "Time string, CellName string, load int",
        towers,
        AlarmRequest(),
    )
    assert {name: row.Maintainence_Required for name, row in cells.items()} == {
        "1A": "Required",
        "2B": "Required",
        "3C": "Not Required",
    }
    assert cells["1A"].failed_families == ["utilization"]
    assert cells["2B"].failed_families == ["availability"]
    assert "CRIT alarm: 1A since 2026-01-12 " in cells["1A"].verdict_reason
    assert "the cell sent no samples for 3 periods" in cells["2B"].verdict_reason
    assert cells["3C"].severity_rank > cells["2B"].severity_rank
