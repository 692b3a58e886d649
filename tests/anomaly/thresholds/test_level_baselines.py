"""Each method of a level's rules on each case, found again by plain Python.

A KPI for each case, method and direction, so that one frame judges them all: twelve cells, and one
customer, who is alone on his level.
"""

import itertools
import random
import statistics

import pytest

from anomaly import parse_profile
from anomaly.aggregation.derived import with_kpis
from anomaly.pipeline.levels import rules_of_levels
from anomaly.schema.tables import CELL_LEVEL, CUSTOMER_LEVEL
from anomaly.thresholds.compare import judge, with_evidence
from anomaly.thresholds.verdict import with_counts
from tests.builders.level_metrics import metrics_of, quantile

HEAD = """
name = "baselines"
[verdict]
minimum_defects = 1
[customer_level]
minimum_baseline_count = 1
[cell_level]
minimum_baseline_count = 8
[kpis.samples]
"""
SPREAD = "k = 3\nwarn_k = 2\n"
METHODS = {
    "static": "value = 10\n",
    "mean": "",
    "mean_std": SPREAD,
    "median_mad": SPREAD,
    "median_iqr": SPREAD,
    "quantile": "q = 0.9\n",
}
DIRECTIONS = ("above", "below", "both")
CELLS = 12
IGNORED = 0.5
# A value for each cell, and one for the single customer.
CASES = {
    "spike": ([9, 10, 11, 10, 9.5, 10.5, 10, 9, 11, 10, 12.5, 60], 10),
    "drop": ([9, 10, 11, 10, 9.5, 10.5, 10, 9, 11, 10, 7.5, -40], 3),
    "shifted": ([9, 10, 11, 10, 9.5, 10.5, 10, 9, 30, 31, 29, 30], 30),
    "constant": ([10] * CELLS, 10),
    "ties": ([0.1] * (CELLS - 1) + [0.7], 0.1),
    "too_few": ([9, 10, 11, 10, 9.5, 10.5, 60, None, None, None, None, None], 60),
    "missing": ([None] * CELLS, None),
    "negative": ([-31, -30, -29, -30, -30.5, -29.5, -30, -31, -29, -30, -3, -60], -3),
    "small": ([0.001 * n for n in (1, 2, 3, 1, 2, 3, 1, 2, 3, 2, 2, 950)], 0.002),
    "large": ([1e11 + 1e8 * n for n in (1, 2, 3, 1, 2, 3, 1, 2, 3, 2, 4, 90)], 1e11),
}
NAMES = list(itertools.product(CASES, METHODS, DIRECTIONS))


def rule(name, bad_when, method, settings=""):
    return f'[rules.{name}]\nbad_when = "{bad_when}"\nmethod = "{method}"\n{settings}'


def profile_of(rules):
    """A profile of the rules by the names of their KPIs, all of them of the samples."""
    kpis = "".join(f'{name} = {{ unit = "users" }}\n' for name in rules)
    return parse_profile(HEAD + kpis + "[kpis.call_statistics]\n" + "".join(rules.values()))


def judged_rows(spark, profile, rows, partitions=2):
    """Rows of (level, values of the KPIs), judged, in the same order."""
    metrics = metrics_of(spark, profile, rows).repartition(partitions)
    rules = rules_of_levels([metrics], profile)
    counted = judge(metrics, rules, CELL_LEVEL, profile).transform(with_counts)
    return with_evidence(counted, rules, CELL_LEVEL, profile).orderBy("number").collect()


def as_floats(values):
    return [None if value is None else float(value) for value in values]


# --- expected, by plain Python ------------------------------------------------------------------


def expected_baseline(method, values):
    """Centre and spread of at least one value; the spread is None where there is none."""
    median = statistics.median(values)
    if method == "static":
        return 10, None
    if method == "mean":
        return statistics.fmean(values), None
    if method == "mean_std":
        deviation = statistics.stdev(values) if len(values) > 1 else None
        return statistics.fmean(values), deviation
    if method == "median_mad":
        return median, 1.4826 * statistics.median(abs(value - median) for value in values)
    if len(values) == 1:
        return values[0], 0 if method == "median_iqr" else None
    if method == "median_iqr":
        return median, (quantile(values, 0.75) - quantile(values, 0.25)) / 1.349
    return quantile(values, 0.9), None


def expected(method, bad_when, values, minimum, value):
    """status, flag, direction, bound, baseline, spread and baseline_count of one value."""
    values = [each for each in values if each is not None]
    centre, spread = expected_baseline(method, values) if values else (None, None)
    if method == "static":
        centre = 10
    direction = bad_when
    if bad_when == "both" and value is not None:
        direction = "above" if value >= centre else "below"
    found = (centre, spread, len(values))
    is_usable = method == "static" or len(values) >= minimum
    if method in ("mean_std", "median_mad", "median_iqr"):
        is_usable = is_usable and spread is not None
    if not is_usable or direction == "both":
        return ("NO_DATA" if value is None else "NO_BASELINE", None, direction, None, *found)
    sign = 1 if direction == "above" else -1
    bound, near = (centre + sign * max(k * (spread or 0), IGNORED) for k in (3, 2))
    if value is None:
        return "NO_DATA", None, direction, bound, *found
    distance, tie = sign * value, 1e-9 * abs(value)
    status = "OK"
    if distance > sign * near + tie and spread is not None:
        status = "WARN"
    if distance > sign * bound + tie:
        status = "CRIT"
    return status, int(status == "CRIT"), direction, bound, *found


def alike(numbers):
    return [None if number is None else pytest.approx(number, rel=1e-9) for number in numbers]


@pytest.mark.slow
def test_every_method_on_every_case(spark):
    floor = f"ignore_below = {IGNORED}\n"
    rules = {
        "_".join(name): rule("_".join(name), name[2], name[1], METHODS[name[1]] + floor)
        for name in NAMES
    }
    cells = zip(*(as_floats(CASES[case][0]) for case, _, _ in NAMES), strict=True)
    alone = as_floats(CASES[case][1] for case, _, _ in NAMES)
    rows = [(CELL_LEVEL, [*values]) for values in cells] + [(CUSTOMER_LEVEL, alone)]
    statuses = set()
    for number, row in enumerate(judged_rows(spark, profile_of(rules), rows)):
        for (case, method, bad_when), one in zip(NAMES, row.evidence, strict=True):
            values = CASES[case][0] if number < CELLS else [CASES[case][1]]
            minimum, value = (8, values[number]) if number < CELLS else (1, values[0])
            status, flag, direction, *numbers = expected(method, bad_when, values, minimum, value)
            where = (case, method, bad_when, number)
            assert (one.status, one.flag, one.direction) == (status, flag, direction), where
            of_one = [one.bound, one.baseline, one.spread, one.baseline_count]
            assert of_one == alike(numbers), where
            statuses.add((method, status))
        assert row.evaluated_kpis == sum(one.flag is not None for one in row.evidence)
        assert row.defected_count == sum(one.status == "CRIT" for one in row.evidence)
    assert {method for method, status in statuses if status == "CRIT"} == {*METHODS}
    assert {method for method, status in statuses if status == "WARN"} == {
        method for method, settings in METHODS.items() if settings == SPREAD
    }


def test_equal_values_have_no_spread(spark):
    """Not even that of the rounding of their mean."""
    profile = profile_of({"one": rule("one", "both", "mean_std", "k = 3\n")})
    for row in judged_rows(spark, profile, [(CELL_LEVEL, [0.1])] * 10):
        (one,) = row.evidence
        assert (one.status, one.baseline, one.spread, one.bound) == ("OK", 0.1, 0, 0.1)


def test_floors_hold_back_bounds_and_warnings(spark):
    """The median is 10, the spread 1.4826: without floors 12 and 8 would be warnings."""
    settings = "k = 2\nwarn_k = 1\n"
    rules = {
        "high": rule("high", "above", "median_mad", settings + "at_least = 20\n"),
        "low": rule("low", "below", "median_mad", settings + "at_most = 5\n"),
        "idle": rule("idle", "above", "median_mad", settings + "at_least = 11.9\n"),
        "sides": rule("sides", "both", "median_mad", settings + "at_least = 20\nat_most = 8.2\n"),
    }
    values = [8.0, 9.0, 9.0, 10.0, 10.0, 10.0, 11.0, 11.0, 12.0]
    lowest, *_, highest = judged_rows(
        spark, profile_of(rules), [(CELL_LEVEL, [value] * 4) for value in values]
    )
    assert [one.bound for one in highest.evidence] == alike([20, 5, 12.9652, 20])
    assert [one.bound for one in lowest.evidence] == alike([20, 5, 12.9652, 7.0348])
    assert [one.status for one in highest.evidence] == ["OK", "OK", "WARN", "OK"]
    assert [one.status for one in lowest.evidence] == ["OK", "OK", "OK", "WARN"]
    near = (
        "sides is 8 users against the usual 10 users "
        "(median of 9 cells, near the limit of 7.03 users)"
    )
    assert (lowest.evidence[3].reason, lowest.evidence[3].flag) == (near, 0)
    assert (lowest.evaluated_kpis, lowest.defected_count) == (4, 0)


@pytest.mark.slow
def test_the_partitions_of_the_rows_change_nothing(spark):
    dice = random.Random(5)
    rows = [(CELL_LEVEL, [dice.lognormvariate(0, 2)] * 4) for _ in range(300)]
    rules = {
        method: rule(method, "both", method, settings or "ignore_below = 1\n")
        for method, settings in METHODS.items()
        if method not in ("static", "quantile")
    }
    profile = profile_of(rules)
    first, *others = (judged_rows(spark, profile, rows, partitions=n) for n in (1, 3, 17))
    assert {one.status for row in first for one in row.evidence} == {"OK", "WARN", "CRIT"}
    for found in others:
        assert found == first


def test_a_ratio_over_less_than_its_minimum_is_missing(spark):
    text = (
        HEAD
        + """
    calls = { unit = "calls" }
    drops = { unit = "calls" }
    [kpis.call_statistics]
    [derived.drop_ratio]
    formula = "ratio"
    first = "drops"
    second = "calls"
    minimum_denominator = 2
    [rules.drop_ratio]
    bad_when = "above"
    method = "static"
    value = 1
    """
    )
    profile = parse_profile(text)
    denominators = [None, 0.0, 1.9, 2.0, 4.0, -4.0]
    averages = spark.createDataFrame(
        [(calls, (calls, 1.0), 0, (6, 6), (1, 1), 1) for calls in denominators],
        "calls double, averages struct<calls: double, drops: double>, sample_count bigint, "
        "usable_counts struct<calls: bigint, drops: bigint>, "
        "value_customers struct<calls: bigint, drops: bigint>, customer_count bigint",
    )
    rows = with_kpis(averages, CELL_LEVEL, profile).collect()
    found = {row.calls: row.kpis.drop_ratio for row in rows}
    assert found == {None: None, 0: None, 1.9: None, 2: 0.5, 4: 0.25, -4: None}
