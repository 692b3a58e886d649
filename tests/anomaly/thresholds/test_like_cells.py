"""Comparison that fits the quantity, the size of a cell and its peers; found again by plain Python.

Twelve cells, or so, with one KPI each; the rules are those of the cell level.
"""

import math
import statistics

import pytest

from anomaly import ConfigurationError, parse_profile
from anomaly.pipeline.levels import rules_of_levels
from anomaly.schema.tables import CELL_LEVEL
from anomaly.thresholds.compare import judge, with_evidence
from tests.builders.level_metrics import metrics_of, quantile

HEAD = """
name = "peers"
[verdict]
minimum_defects = 1
[cell_level]
minimum_baseline_count = 3
standard_errors = true
"""
# In calls, so that standard errors count.
KPI = '{name} = {{ unit = "calls", minimum = 0 }}\n'
RULE = '[rules.{name}]\nmethod = "median_iqr"\n'
VALUES = [1.0, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0, 0.05, 90.0]


def profile_of(more="", **rules):
    """A profile of KPIs with their rules, and settings more."""
    kpis = "".join(KPI.format(name=name) for name in rules)
    of_rules = "".join(f"{RULE.format(name=name)}{rule}\n" for name, rule in rules.items())
    return parse_profile(f"{HEAD}{more}[kpis.samples]\n[kpis.call_statistics]\n{kpis}{of_rules}")


def evidence(spark, profile, values, errors=None, peers=None, customers=5):
    """The evidence of each value of each KPI, by the KPI, in the order of the cells."""
    names = [rule.kpi for rule in profile.rules]
    errors = errors or {}
    cells = range(max(map(len, values.values())))

    def of_cell(numbers, cell):
        return [one[cell] if cell < len(one) else None for one in numbers]

    rows = [(CELL_LEVEL, of_cell([values[name] for name in names], cell)) for cell in cells]
    of_errors = [of_cell([errors.get(name, ()) for name in names], cell) for cell in cells]
    metrics = metrics_of(spark, profile, rows, peers, of_errors, customers)
    rules = rules_of_levels([metrics], profile)
    judged = judge(metrics, rules, CELL_LEVEL, profile)
    found = with_evidence(judged, rules, CELL_LEVEL, profile).orderBy("number").collect()
    return {
        name: [row.evidence[place] for row in found][: len(values[name])]
        for place, name in enumerate(names)
    }


# A rule, the values that it judges, and their errors where there are some.
LOG = 'bad_when = "both"\nscale = "log"\noffset = 0.5\n'
NEAR = [4.0, 4.2, 4.4, 4.6, 4.8, 5.0, 5.2, 5.4, 5.6, 5.8, 8.0, 8.0]
NEAR_ERRORS = [0.2] * 11 + [2.0]
ERRORS = [0.1 * value for value in VALUES]
CROWD = [70.0, 71.0, 72.0, 73.0, 74.0, 49.0]
LOW = [0.0, 1.0, 3.0, 6.0, 9.0]
CASES = {
    "by_spread": (f"{LOG}k = 1.5\nsmallest_factor = 1\n", VALUES),
    "by_factor": (f"{LOG}k = 0.5\nsmallest_factor = 3\n", VALUES),
    "ignored": (
        'bad_when = "above"\nscale = "log"\noffset = 0.1\nk = 1\nignore_below = 100\n',
        VALUES,
    ),
    "with_errors": ('bad_when = "above"\nk = 3\n', NEAR, NEAR_ERRORS),
    "log_errors": ('bad_when = "above"\nk = 2\nscale = "log"\noffset = 0.5\n', VALUES, ERRORS),
    "crowd": ('bad_when = "above"\nk = 3\nlimit = 50\n', CROWD),
    "alone": ('bad_when = "above"\nk = 3\nlimit = 50\n', [70.0, 49.0]),
    "too_low": ('bad_when = "below"\nk = 2\n', LOW),
    "both_sides": ('bad_when = "both"\nk = 2\n', LOW),
}


@pytest.fixture(scope="module")
def found(spark):
    """The evidence of all cases, each a KPI of its own that the others do not touch."""
    profile = profile_of(**{name: rule for name, (rule, *_) in CASES.items()})
    values = {name: one for name, (_, one, *_) in CASES.items()}
    errors = {name: one[0] for name, (_, _, *one) in CASES.items() if one}
    return evidence(spark, profile, values, errors)


def rounded(value):
    """To four significant digits, as values are before quantiles are taken."""
    return float(f"{value:.4g}")


def median_and_spread(values):
    """Of values on the scale that they are compared on."""
    values = [rounded(value) for value in values]
    spread = (quantile(values, 0.75) - quantile(values, 0.25)) / 1.349
    return statistics.median(values), spread


@pytest.mark.parametrize(("case", "k", "factor"), [("by_spread", 1.5, 1), ("by_factor", 0.5, 3)])
def test_on_the_scale_log_a_tenth_is_as_far_as_ten_times_as_much(found, case, k, factor):
    centre, spread = median_and_spread([math.log(value + 0.5) for value in VALUES])
    distance = max(k * spread, math.log(factor))
    below, above = (math.exp(centre + sign * distance) - 0.5 for sign in (-1, 1))
    assert 0 < below < math.exp(centre) - 0.5 < above
    for one, value in zip(found[case], VALUES, strict=True):
        is_above = value >= math.exp(centre) - 0.5
        assert one.flag == int(value > above if is_above else value < below), value
        assert one.bound == pytest.approx(above if is_above else below, rel=1e-9)
        assert one.baseline == pytest.approx(math.exp(centre) - 0.5, rel=1e-9)
        assert one.deviation == pytest.approx((math.log(value + 0.5) - centre) / spread, rel=1e-9)
        assert (one.scale, one.log_offset) == ("log", 0.5)
    assert {one.flag for one in found[case]} == {0, 1}


def test_a_difference_that_does_not_matter_is_none_however_large_the_factor(found):
    assert {one.flag for one in found["ignored"]} == {0}


def test_few_customers_have_wider_limits(found):
    """The same value twice: beyond the limit with an error as usual, within it with a large one."""
    of_case = found["with_errors"]
    centre, spread = median_and_spread(NEAR)
    own = [math.sqrt(max(spread**2 - 0.2**2, 0) + error**2) for error in NEAR_ERRORS]
    assert [one.spread for one in of_case] == pytest.approx(own, rel=1e-9)
    assert [one.bound for one in of_case] == pytest.approx([centre + 3 * s for s in own], rel=1e-9)
    assert [one.standard_error for one in of_case] == NEAR_ERRORS
    assert [one.flag for one in of_case] == [0] * 10 + [1, 0]
    assert of_case[10].reason.endswith(" calls for 5 customers)")


def test_on_the_scale_log_an_error_counts_by_its_share_of_the_value(found):
    shares = [error / (value + 0.5) for error, value in zip(ERRORS, VALUES, strict=True)]
    _, spread = median_and_spread([math.log(value + 0.5) for value in VALUES])
    usual = statistics.median(map(rounded, shares))
    own = [math.sqrt(spread**2 - usual**2 + share**2) for share in shares]
    assert [one.spread for one in found["log_errors"]] == pytest.approx(own, rel=1e-9)


def test_fewer_customers_than_the_profile_asks_for_are_not_judged(spark):
    rule = 'bad_when = "above"\nk = 1\n'
    profile = profile_of("[join]\nminimum_customers = 6\n", drops=rule)
    of_five = evidence(spark, profile, {"drops": VALUES}, customers=5)["drops"]
    assert {(one.status, one.reason) for one in of_five} == {
        ("NO_BASELINE", "rests on 5 customers: too few")
    }
    of_six = evidence(spark, profile, {"drops": VALUES}, customers=6)["drops"]
    assert {one.status for one in of_six} == {"OK", "CRIT"}


PEERS = '[peers]\ncolumn = "Band"\nminimum_cells = 4\n'


def of_peers(spark, values, peers):
    profile = profile_of(PEERS, drops='bad_when = "above"\nk = 3\n')
    return evidence(spark, profile, {"drops": values}, peers=peers)["drops"]


def test_cells_are_compared_with_those_of_their_group(spark):
    """30 is usual among the high cells, and far above all cells."""
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 28.0, 30.0, 31.0, 33.0, 80.0]
    found = of_peers(spark, values, ["low"] * 5 + ["high"] * 5)
    assert [one.flag for one in found] == [0] * 9 + [1]
    assert [one.baseline for one in found] == [3.0] * 5 + [31.0] * 5
    assert {(one.peers, one.baseline_count) for one in found} == {("low", 5), ("high", 5)}
    assert "against the usual 31 calls (median of 5 high cells, " in found[9].reason


def test_a_group_that_is_too_small_is_compared_with_all_cells(spark):
    """So is a cell whose group is unknown, and a group whose cells have no values."""
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 60.0, None, None]
    found = of_peers(spark, values, ["low"] * 4 + ["high"] * 3 + [None] + ["high"] * 2)
    assert [one.baseline for one in found] == [2.5] * 4 + [4.5] * 6
    assert [one.peers for one in found] == ["low"] * 4 + [None] * 6
    assert [one.baseline_count for one in found] == [4] * 4 + [8] * 6
    assert "(median of 8 cells, limit " in found[7].reason


def test_a_limit_counts_whatever_the_peers_and_without_any(found):
    assert [(one.flag, one.bound) for one in found["crowd"]] == [(1, 50.0)] * 5 + [(0, 50.0)]
    assert [one.flag for one in found["alone"]] == [1, 0]
    assert found["alone"][0].reason == "alone is 70 calls (limit 50 calls)"


def test_a_bound_that_no_value_can_pass_judges_nothing(found):
    """The median is 3 and the spread 3.7: below -4.4 calls nothing can lie."""
    (one, *others) = found["too_low"]
    assert (one.status, one.flag) == ("OUT_OF_REACH", None)
    assert one.reason.startswith("no value of too_low can pass the limit of -")
    assert {other.flag for other in others} == {None}
    # With both sides bad, the other one still judges.
    assert {one.status for one in found["both_sides"]} == {"OK"}


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        ('bad_when = "below"\nlimit = 0', "limit is 0, but no value can be below it"),
        ('bad_when = "below"\nat_most = -1', "at_most is -1, but no value can be below it"),
        ('bad_when = "both"\nk = 1\nlimit = 5', "limit does not go with bad_when both"),
        ('bad_when = "above"\nscale = "log"', "the scale log needs an offset above 0"),
        ('bad_when = "above"\noffset = 1', "offset and smallest_factor need the scale log"),
        (
            'bad_when = "above"\nscale = "log"\noffset = 1\nsmallest_factor = 0.5',
            "smallest_factor must be at least 1",
        ),
        ('bad_when = "above"\nfamily = "none"', "family 'none' is unknown"),
    ],
)
def test_what_a_rule_cannot_mean_is_refused(rule, fault):
    with pytest.raises(ConfigurationError) as caught:
        profile_of(drops=rule)
    (found,) = caught.value.problems
    assert fault in found


def test_the_scale_log_is_refused_for_what_may_be_negative():
    kpi = '[kpis.samples]\n[kpis.call_statistics]\ndrops = { unit = "calls" }\n'
    rule = '[rules.drops]\nmethod = "median_iqr"\nbad_when = "above"\nscale = "log"\noffset = 1'
    with pytest.raises(ConfigurationError, match="set its minimum to 0"):
        parse_profile(HEAD + kpi + rule)
