"""The public interface: what a notebook imports, on a DataFrame of its user's own."""

import inspect
from dataclasses import replace
from operator import attrgetter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import anomaly
from anomaly import (
    ConfigurationError,
    InputError,
    Kpi,
    Profile,
    Rule,
    VerdictRule,
    above,
    below,
    by_factor,
    detect,
    either_side,
    mean,
    median_iqr,
    quantile,
    static,
)
from tests.builders.kept import kept

# What others build on: whoever changes it says so in CHANGELOG.md.
SIGNATURES = {
    "detect": "samples, *, profile, customers, calls, run, alarms, keep, hash_key, times",
    "raise_alarms": "samples, *, profile, run, alarms, keep, times",
    "load_profile": "source",
    "parse_profile": "text, subject",
    "clean_samples": "samples, *, kpis, cell, time, rules",
    "average_kpis": "frame, *, by, kpis",
    "peer_baselines": "frame, *, kpis, by",
    "flag_outliers": "frame, *, kpis, by, smallest_group",
    "explain_flags": "flagged, *, keys",
    "above": "baseline, *, ignore_below, at_least, limit",
    "below": "baseline, *, ignore_below, at_most, limit",
    "either_side": "baseline, *, ignore_below",
    "by_factor": "threshold, *, offset, smallest_factor",
    "static": "value",
    "mean": "",
    "quantile": "q",
    "mean_std": "k, warn_k",
    "median_mad": "k, warn_k",
    "median_iqr": "k, warn_k",
    "AlarmRequest": "history, start, end",
    "Run": "run_date, run_id",
    "Profile.load": "source",
    "Profile.parse": "text",
    "Profile.to_toml": "self",
    "Profile.validate": "self",
    "Profile.with_rules": "self, *rules",
    "Profile.without": "self, *kpis",
    "Rule.of": "kpi, threshold, *, flag, family",
    "Results": "cells, customers, rejected, summary, alarms, anomalies",
    "Results.explain": "self, cell",
    "Results.tables": "self",
    "AlarmResults": "alarms, anomalies, rejected, summary",
}
TYPES = {
    *("AlarmRequest", "AlarmResults", "DerivedKpi", "Direction", "Kpi", "Method", "Profile"),
    *("Results", "Rule", "Run", "VerdictRule"),
    *("AnomalyError", "ConfigurationError", "InputError", "OutputError"),
}
DEFAULT = Profile.load("default")


def words(function: object) -> str:
    shown, is_named = [], False
    for one in inspect.signature(function).parameters.values():
        if one.kind is inspect.Parameter.KEYWORD_ONLY and not is_named:
            shown, is_named = [*shown, "*"], True
        shown.append("*" * (one.kind is inspect.Parameter.VAR_POSITIONAL) + one.name)
    return ", ".join(shown)


def test_names_and_signatures_stay():
    functions = {name for name in SIGNATURES if "." not in name and name[0].islower()}
    assert set(anomaly.__all__) == functions | TYPES
    found = {name: words(attrgetter(name)(anomaly)) for name in SIGNATURES}
    assert found == SIGNATURES


# --- profiles made in Python ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["default", "lab"])
def test_a_profile_written_as_toml_is_the_same_profile(name):
    profile = Profile.load(name)
    assert Profile.parse(profile.to_toml()) == profile


@settings(deadline=None)
@given(
    k=st.floats(0, 1e6),
    ignore_below=st.floats(0, 1e300),
    family=st.sampled_from([None, "traffic", "integrity"]),
    flag=st.from_regex(r"[a-z]{1,20}_flag", fullmatch=True),
)
def test_any_rule_survives_being_written_as_toml(k, ignore_below, family, flag):
    threshold = above(median_iqr(k=k), ignore_below=ignore_below)
    rule = Rule.of("PRBUsageDL", threshold, flag=flag, family=family)
    changed = replace(DEFAULT, rules=(rule,), diagnoses=())
    assert Profile.parse(changed.to_toml()).rules == (rule,)


def test_a_rule_replaces_that_of_its_kpi_and_another_one_is_added():
    rule = Rule.of("PRBUsageDL", above(static(80)), family="utilization")
    added = Rule.of("sample_count", below(quantile(0.1)), flag="few")
    without = DEFAULT.without("sample_count")
    profile = without.with_rules(rule, added)
    assert [one for one in profile.rules if one.kpi == "PRBUsageDL"] == [rule]
    assert profile.rules[-1] == added
    assert len(profile.rules) == len(without.rules) + 1


def test_constructors_set_what_they_name_and_nothing_else():
    told = Rule.of("load", by_factor(above(median_iqr(k=3, warn_k=2)), offset=0.5))
    assert (told.flag, told.bad_when, told.method) == ("load_Thrsld", "above", "median_iqr")
    assert (told.k, told.warn_k, told.scale, told.offset) == (3, 2, "log", 0.5)
    plain = Rule.of("load", either_side(mean(), ignore_below=4))
    assert (plain.bad_when, plain.method, plain.k, plain.ignore_below) == ("both", "mean", 0, 4)


def test_a_kpi_goes_with_all_that_is_made_of_it():
    profile = DEFAULT.without("PRBUsageDL", "Unusual")
    text = profile.to_toml()
    assert "PRBUsageDL" not in text
    assert "Unusual" not in text
    assert "downlink_throughput_for_its_load" not in text


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda: Rule.of("PRBUsageDL", above(median_iqr(k=-1))), "must not be negative"),
        (lambda: Rule.of("PRBUsageDL", above(median_iqr(k="2"))), "k is '2'; it must be a finite"),
        (lambda: Rule.of("load", above(mean())), "there is no measured or derived KPI 'load'"),
        (lambda: Rule.of("PRBUsageDL", above(mean()), flag="no spaces"), "set a `flag` of letters"),
        (lambda: Rule.of("PRBUsageDL", above(mean()), family="colour"), "colour"),
    ],
)
def test_a_profile_made_in_python_is_held_to_what_a_file_is(spark, change, problem):
    with pytest.raises(ConfigurationError, match=problem):
        DEFAULT.with_rules(change())
    made = replace(DEFAULT, rules=(*DEFAULT.rules[:1], change()))
    samples = spark.createDataFrame([], "CellName string")
    with pytest.raises(ConfigurationError, match=problem):
        detect(samples, profile=made)


def test_a_kpi_that_is_unknown_is_named_with_those_that_are_known():
    with pytest.raises(
        ConfigurationError, match="unknown KPI 'Unsual'; use one of: PRBUsageUL, PRB"
    ):
        DEFAULT.without("Unsual")


# --- a frame of one's own ------------------------------------------------------------------------

MINE = Profile(
    name="mine",
    kpis=(
        Kpi("load", "samples", unit="%"),
        Kpi("rate", "samples", unit="Mbps"),
    ),
    rules=(Rule.of("load", above(static(80))), Rule.of("rate", below(median_iqr(k=3)))),
    verdict=VerdictRule(minimum_defects=1),
)


@pytest.fixture(scope="module")
def cells(spark):
    """Nine cells alike, and one under load, as fast as the others."""
    rows = [(f"C{n}", 20.0 + n, 50.0 + n) for n in range(9)] + [("BUSY", 90.0, 51.0)]
    return spark.createDataFrame(rows, "CellName string, load double, rate double")


@pytest.fixture(scope="module")
def results(cells):
    return detect(cells, profile=MINE, keep=kept)


def test_samples_are_enough_to_judge_cells(results):
    found = {row.CellName: row.Maintainence_Required for row in results.cells.collect()}
    assert found == {f"C{n}": "Not Required" for n in range(9)} | {"BUSY": "Required"}
    assert results.customers.count() == 0
    assert results.alarms is None
    assert set(results.tables()) == {
        *("cell_tower_performance_data", "customer_service_metrics_data"),
        *("rejected_rows", "run_summary"),
    }


@pytest.mark.slow
def test_the_rows_are_the_same_where_nothing_is_kept(cells, results):
    lazy = detect(cells, profile=MINE)
    assert sorted(lazy.cells.drop("run_id").collect()) == sorted(
        results.cells.drop("run_id").collect()
    )


def test_a_cell_is_explained_by_its_kpis_the_worst_first(results):
    rows = results.explain("BUSY").collect()
    assert [(row.kpi, row.flag) for row in rows] == [("load", 1), ("rate", 0)]
    assert {(row.kpi, row.value) for row in rows} == {("load", 90.0), ("rate", 51.0)}
    assert results.explain("nowhere").count() == 0


def test_defects_come_before_warnings_and_the_farthest_first_on_either_side(spark):
    alike = [(f"C{n}", 49.0 + n % 3, 99.0 + n % 3, 9.0 + n % 3, 50.0) for n in range(12)]
    # Below by 40 of 50, above by 20 of 100, and near its limit.
    rows = [*alike, ("SICK", 10.0, 120.0, 14.0, 50.0)]
    names = ("rate", "load", "users", "power")
    frame = spark.createDataFrame(
        rows, "CellName string, " + ", ".join(f"{n} double" for n in names)
    )
    judged = {
        "rate": below(median_iqr(k=3)),
        "load": above(median_iqr(k=3)),
        "users": above(median_iqr(k=9, warn_k=2)),
        "power": above(median_iqr(k=3)),
    }
    profile = Profile(
        name="mine",
        kpis=tuple(Kpi(name, "samples") for name in names),
        rules=tuple(Rule.of(name, threshold) for name, threshold in judged.items()),
        verdict=VerdictRule(minimum_defects=1),
    )
    explained = detect(frame, profile=profile).explain("SICK").collect()
    assert [(row.kpi, row.status) for row in explained] == [
        *(("rate", "CRIT"), ("load", "CRIT"), ("users", "WARN"), ("power", "OK")),
    ]
    assert explained[0].deviation < 0 < explained[1].deviation


def test_old_names_of_tables_warn(results):
    with pytest.warns(DeprecationWarning, match=r"is Results\.cells now"):
        assert results.cell_tower_performance_data is results.cells


def test_a_column_that_is_missing_is_named_with_those_that_are_there(cells):
    with pytest.raises(InputError, match=r"rate") as told:
        detect(cells.drop("rate"), profile=MINE)
    assert "CellName" in str(told.value)
    assert "load" in str(told.value)
