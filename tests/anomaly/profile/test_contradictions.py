"""How far each setting may go: what is just allowed makes a profile, what is not is named."""

import pytest

from anomaly import ConfigurationError, parse_profile

PROFILE = """
name = "limits"
[inputs.samples]
decimal = "."
delimiter = ";"
encoding = "UTF-8"
[inputs.samples.keep_where]
CellName = "!= test"
[inputs.samples.columns]
CellName = "Cell"
load = "PRB"
[peers]
column = "Region"
input = "samples"
[families.traffic]
[families.usage]
[diagnoses.busy]
words = "busy"
failed = ["load"]
sound = ["drops"]
[verdict]
minimum_failed_families = 2
silent_family = "traffic"
[history]
raise_days = 2
raise_within = 2
[kpis.samples]
load = { unit = "%", minimum = 0, maximum = 100 }
users = { unit = "users", minimum = 0 }
change = { unit = "users" }
[kpis.call_statistics]
drops = { unit = "calls", minimum = 0 }
calls = { unit = "calls", minimum = 0 }
[derived.drop_ratio]
formula = "ratio"
first = "drops"
second = "calls"
minimum_denominator = 1
[customer_level]
derived = ["drop_ratio"]
[cell_level]
derived = ["drop_ratio"]
[rules.load]
family = "traffic"
bad_when = "above"
method = "median_iqr"
k = 3
warn_k = 2
[rules.users]
bad_when = "below"
method = "median_iqr"
k = 2
[rules.drops]
bad_when = "above"
method = "static"
value = 7
[rules.calls]
bad_when = "above"
method = "quantile"
q = 0.9
[rules.change]
bad_when = "both"
method = "mean"
ignore_below = 1
[alarms]
period_minutes = 360
time_zone = "Europe/Madrid"
peers_column = "Vendor"
baseline_days = 7
history_days = 14
largest_deviation = 10
raise_periods = 2
raise_within = 2
clear_level = 1
[alarms.kpis.load]
bad_when = "above"
method = "median_iqr"
smallest_spread = 1
warn = 2
crit = 4
groups = ["peers", "slot"]
neighbouring_slots = 1
[alarms.kpis.users]
bad_when = "both"
method = "static"
fixed = 5
scale = "log"
offset = 1
smallest_spread = 1
warn = 3
crit = 3
"""
LOAD, USERS, CHANGE = "[rules.load]", "[rules.users]", "[rules.change]"
DROPS, CALLS = "[rules.drops]", "[rules.calls]"
ALARMS, ALARM, LOG_ALARM = "[alarms]", "[alarms.kpis.load]", "[alarms.kpis.users]"
SAMPLES, VERDICT, PEERS = "[inputs.samples]", "[verdict]", "[peers]"
COLUMNS = "[inputs.samples.columns]"


def changed(heading: str, **settings: str | None) -> str:
    """The profile with settings of one table replaced, added, or left out by None."""
    before, rest = PROFILE.split(f"{heading}\n")
    table, mark, after = rest.partition("\n[")
    lines = dict(line.split(" = ", 1) for line in table.splitlines() if line) | settings
    table = "\n".join(f"{key} = {one}" for key, one in lines.items() if one is not None)
    return f"{before}{heading}\n{table}{mark}{after}"


def problems_of(text: str) -> tuple[str, ...]:
    try:
        parse_profile(text)
    except ConfigurationError as error:
        return error.problems
    return ()


def test_the_profile_has_no_problem():
    assert problems_of(PROFILE) == ()


@pytest.mark.parametrize(
    ("heading", "settings"),
    [
        (SAMPLES, {"decimal": '","'}),
        (SAMPLES, {"delimiter": '"\\t"'}),
        (SAMPLES, {"encoding": '"latin-1"'}),
        # A name is that of the column itself, or one that no other column has.
        (COLUMNS, {"CellName": '"cellname"'}),
        (COLUMNS, {"Date": '""', "load": '""'}),
        (PEERS, {"input": '"customers"', "column": '"load"'}),
        (VERDICT, {"minimum_failed_families": "1"}),
        (VERDICT, {"minimum_failed_families": None, "minimum_defects": "0"}),
        (VERDICT, {"minimum_failed_families": None, "minimum_defect_share": "1"}),
        (VERDICT, {"minimum_failed_families": None, "minimum_defect_share": "0.001"}),
        ("[kpis.samples]", {"change": '{ unit = "users", minimum = 2, maximum = 2 }'}),
        (LOAD, {"warn_k": "2.99"}),
        (LOAD, {"warn_k": "0"}),
        (LOAD, {"limit": "99.9", "at_least": "99.9"}),
        (LOAD, {"scale": '"log"', "offset": "0.1", "smallest_factor": "1"}),
        (USERS, {"limit": "0.1", "at_most": "0.1"}),
        (CHANGE, {"at_least": "3", "at_most": "-3"}),
        (CHANGE, {"ignore_below": None, "method": '"mean_std"', "k": "0.1"}),
        (CHANGE, {"ignore_below": None, "method": '"static"', "value": "1"}),
        # What may be negative has no end below.
        (CHANGE, {"bad_when": '"below"', "limit": "-1"}),
        (DROPS, {"value": "0.5"}),
        (ALARMS, {"period_minutes": "480"}),
        (ALARMS, {"baseline_days": "1", "history_days": "1"}),
        (ALARMS, {"largest_deviation": "4"}),
        (ALARMS, {"clear_level": "2"}),
        (ALARMS, {"clear_level": "0.1"}),
        (ALARMS, {"raise_within": "3"}),
        (ALARM, {"warn": "4"}),
        (ALARM, {"smallest_spread": "1e-9"}),
        (ALARM, {"groups": '["peers", "day_type"]', "neighbouring_slots": "0"}),
        (ALARM, {"at_least": "3", "ignore_below": "0.1"}),
        (ALARM, {"relative_to": '["users"]', "minimum_denominator": "0.1"}),
        (LOG_ALARM, {"at_least": "3", "at_most": "2"}),
        (LOG_ALARM, {"fixed": "-0.9"}),
        (LOG_ALARM, {"relative_to": '["load"]', "relative_offset": "0.1"}),
    ],
)
def test_what_is_just_allowed_is_no_problem(heading, settings):
    assert problems_of(changed(heading, **settings)) == ()


# Of each problem the table that it is of, and what it must speak of.
@pytest.mark.parametrize(
    ("heading", "settings", "where", "names"),
    [
        (SAMPLES, {"decimal": '"x"'}, SAMPLES, "decimal is 'x'"),
        (SAMPLES, {"decimal": '""'}, SAMPLES, "decimal is ''"),
        (SAMPLES, {"delimiter": '""'}, SAMPLES, "delimiter"),
        (SAMPLES, {"delimiter": '";;"'}, SAMPLES, "delimiter"),
        (SAMPLES, {"delimiter": "'\"'"}, SAMPLES, "delimiter"),
        (SAMPLES, {"delimiter": '"\\n"'}, SAMPLES, "delimiter"),
        (SAMPLES, {"decimal": '","', "delimiter": '","'}, SAMPLES, "delimiter and decimal"),
        (SAMPLES, {"customer_id_prefix": "0"}, SAMPLES, "only call_statistics has it"),
        (SAMPLES, {"encoding": '"none"'}, SAMPLES, "encoding 'none'"),
        ("[inputs.samples.keep_where]", {"load": '"> 1"'}, SAMPLES, "'load'"),
        (COLUMNS, {"none": '"x"'}, COLUMNS, "no column 'none'"),
        (COLUMNS, {"CellName": '" LOAD "'}, COLUMNS, "CellName = ' LOAD '"),
        (COLUMNS, {"CellName": '" "'}, COLUMNS, 'CellName = "": a run needs this column'),
        (PEERS, {"input": '"call_statistics"'}, PEERS, "input is 'call_statistics'"),
        (PEERS, {"column": '"cellname"'}, PEERS, "column 'cellname'"),
        (PEERS, {"column": '"LOAD"'}, PEERS, "column 'LOAD'"),
        (VERDICT, {"minimum_failed_families": "0"}, VERDICT, "families (2)"),
        (VERDICT, {"minimum_failed_families": "3"}, VERDICT, "families (2)"),
        (VERDICT, {"minimum_defects": "1"}, VERDICT, "minimum_defects, minimum_defect_share"),
        (VERDICT, {"minimum_failed_families": None}, VERDICT, "minimum_failed_families, "),
        (VERDICT, {"silent_family": '"none"'}, VERDICT, "family 'none'"),
        ("[diagnoses.busy]", {"failed": '["load", "none"]'}, "[diagnoses]", "'none'"),
        ("[diagnoses.busy]", {"sound": '["none"]'}, "[diagnoses]", "'none'"),
        ("[history]", {"raise_days": "3"}, "[history]", "raise_days"),
        (
            "[kpis.samples]",
            {"change": '{ unit = "users", minimum = 2, maximum = 1.9 }'},
            "[kpis.samples.change]",
            "minimum 2.0 is above maximum 1.9",
        ),
        ("[derived.drop_ratio]", {"first": '"none"'}, "[derived.drop_ratio]", "'none'"),
        ("[derived.drop_ratio]", {"second": '"drop_ratio"'}, "[derived.drop_ratio]", "drop_ratio"),
        (
            "[derived.drop_ratio]",
            {"formula": '"difference"'},
            "[derived.drop_ratio]",
            "minimum_den",
        ),
        ("[customer_level]", {"derived": "[]"}, "[customer_level]", "drop_ratio"),
        ("[cell_level]", {"derived": '["drop_ratio", "drop_ratio"]'}, "[cell_level]", "drop_ratio"),
        (LOAD, {"flag": '"CELLNAME"'}, "'CELLNAME'", "CELLNAME"),
        (LOAD, {"family": '"none"'}, LOAD, "family 'none'"),
        (LOAD, {"warn_k": "3"}, LOAD, "warn_k"),
        (LOAD, {"warn_k": "-0.1"}, LOAD, "warn_k"),
        (LOAD, {"k": "-0.1", "warn_k": None}, LOAD, "k"),
        (LOAD, {"ignore_below": "-0.1"}, LOAD, "ignore_below"),
        (LOAD, {"limit": "100"}, LOAD, "limit is 100"),
        (LOAD, {"at_least": "100"}, LOAD, "at_least is 100"),
        (LOAD, {"at_most": "1"}, LOAD, "at_most"),
        (LOAD, {"value": "1"}, LOAD, "value "),
        (LOAD, {"q": "0.5"}, LOAD, "q "),
        (LOAD, {"offset": "0.1"}, LOAD, "offset"),
        (LOAD, {"smallest_factor": "1.1"}, LOAD, "smallest_factor"),
        (LOAD, {"scale": '"log"'}, LOAD, "offset"),
        (
            LOAD,
            {"scale": '"log"', "offset": "1", "smallest_factor": "0.9"},
            LOAD,
            "smallest_factor",
        ),
        (USERS, {"limit": "0"}, USERS, "limit is 0"),
        (USERS, {"at_most": "0"}, USERS, "at_most is 0"),
        (USERS, {"at_least": "1"}, USERS, "at_least"),
        (DROPS, {"bad_when": '"below"', "value": "0"}, DROPS, "value is 0"),
        (DROPS, {"value": None}, DROPS, "value "),
        (DROPS, {"k": "1"}, DROPS, "k "),
        (DROPS, {"scale": '"log"', "offset": "1"}, DROPS, "static"),
        (CALLS, {"q": None}, CALLS, "q "),
        (CALLS, {"warn_k": "0"}, CALLS, "warn_k"),
        (CHANGE, {"limit": "1"}, CHANGE, "limit"),
        (CHANGE, {"ignore_below": None}, CHANGE, "ignore_below or smallest_factor"),
        (CHANGE, {"scale": '"log"', "offset": "1"}, CHANGE, "minimum to 0"),
        (ALARMS, {"period_minutes": "0"}, ALARMS, "period_minutes"),
        (ALARMS, {"period_minutes": "-360"}, ALARMS, "period_minutes"),
        (ALARMS, {"period_minutes": "7"}, ALARMS, "period_minutes"),
        (ALARMS, {"time_zone": '"Nowhere/Land"'}, ALARMS, "time_zone 'Nowhere/Land'"),
        (ALARMS, {"time_zone": '"../Madrid"'}, ALARMS, "time_zone '../Madrid'"),
        (ALARMS, {"peers_column": None}, ALARMS, "peers_column"),
        (ALARMS, {"peers_column": '"time"'}, ALARMS, "peers_column 'time'"),
        (ALARMS, {"peers_column": '"Load"'}, ALARMS, "peers_column 'Load'"),
        (ALARMS, {"baseline_days": "8"}, ALARMS, "history_days"),
        (ALARMS, {"largest_deviation": "3.9"}, ALARM, "largest_deviation"),
        (ALARMS, {"clear_level": "0"}, ALARMS, "clear_level"),
        (ALARMS, {"clear_level": "2.1"}, ALARM, "clear_level"),
        (ALARMS, {"raise_periods": "3"}, ALARMS, "raise_within"),
        (ALARM, {"family": '"none"'}, ALARM, "family 'none'"),
        (ALARM, {"of": "[]"}, ALARM, "of "),
        (ALARM, {"of": '["drops"]'}, ALARM, "'drops'"),
        (ALARM, {"relative_to": '["none"]'}, ALARM, "'none'"),
        (ALARM, {"fixed": "1"}, ALARM, "fixed "),
        (ALARM, {"method": '"quantile"'}, ALARM, "q "),
        (ALARM, {"q": "0.5"}, ALARM, "q "),
        (ALARM, {"warn": "4.1"}, ALARM, "crit"),
        (ALARM, {"smallest_spread": "0"}, ALARM, "smallest_spread"),
        (ALARM, {"at_most": "1"}, ALARM, "at_most"),
        (ALARM, {"bad_when": '"below"', "at_least": "1"}, ALARM, "at_least"),
        (ALARM, {"ignore_below": "-0.1"}, ALARM, "ignore_below"),
        (ALARM, {"minimum_denominator": "0.1"}, ALARM, "relative_to"),
        (
            ALARM,
            {"minimum_denominator": "-0.1", "relative_to": '["users"]'},
            ALARM,
            "minimum_denominator",
        ),
        (ALARM, {"groups": '["peers", "slot", "slot"]'}, ALARM, "groups"),
        (ALARM, {"groups": '["peers", "slot", "cell"]'}, ALARM, "cell and peers"),
        (ALARM, {"groups": '["peers"]'}, ALARM, "neighbouring_slots"),
        # Four slots a day: two on either side are all of them, and one of them twice.
        (ALARM, {"neighbouring_slots": "2"}, ALARM, "neighbouring_slots"),
        (ALARM, {"neighbouring_slots": "-1"}, ALARM, "neighbouring_slots"),
        (ALARM, {"offset": "1"}, ALARM, "offset"),
        (ALARM, {"relative_offset": "1"}, ALARM, "relative_offset"),
        (LOG_ALARM, {"fixed": None}, LOG_ALARM, "fixed "),
        (LOG_ALARM, {"fixed": "-1"}, LOG_ALARM, "fixed"),
        (LOG_ALARM, {"offset": "0", "fixed": "1"}, LOG_ALARM, "offset"),
        (LOG_ALARM, {"relative_to": '["load"]'}, LOG_ALARM, "relative_offset"),
        (LOG_ALARM, {"of": '["change"]'}, LOG_ALARM, "KPI change"),
    ],
)
def test_what_is_not_is_the_one_problem_and_named(heading, settings, where, names):
    (problem,) = problems_of(changed(heading, **settings))
    assert problem.startswith(where)
    assert names in problem


def test_no_alarm_is_raised_by_a_deviation_of_nothing():
    found = problems_of(changed(ALARMS, largest_deviation="0"))
    assert {problem.partition("]")[0] for problem in found} == {
        "[alarms",
        "[alarms.kpis.load",
        "[alarms.kpis.users",
    }
    small = changed(ALARMS, largest_deviation="0.1", clear_level="0.1")
    for kpi in ("warn = 2\ncrit = 4", "warn = 3\ncrit = 3"):
        small = small.replace(kpi, "warn = 0.1\ncrit = 0.1")
    assert problems_of(small) == ()
    assert len(problems_of(small.replace("warn = 0.1", "warn = 0", 1))) == 2


def test_columns_whose_names_differ_in_case_alone_are_both_named():
    told = problems_of(changed(LOAD, flag='"avg_USERS"'))
    assert [name in problem for name, problem in zip(("USERS", "users"), told, strict=True)] == [
        True,
        True,
    ]


def test_periods_must_divide_an_hour_where_a_kpi_goes_by_the_hour():
    by_hour = PROFILE.replace('groups = ["peers", "slot"]', 'groups = ["peers", "hour"]')
    by_hour = by_hour.replace("neighbouring_slots = 1\n", "")
    assert problems_of(by_hour.replace("period_minutes = 360", "period_minutes = 30")) == ()
    told = problems_of(by_hour.replace('"hour"', '"hour", "slot"').replace("= 360", "= 30"))
    assert [("[alarms.kpis.load]" in problem, "slot" in problem) for problem in told] == [
        (True, True)
    ]
    (problem,) = problems_of(by_hour.replace("period_minutes = 360", "period_minutes = 40"))
    assert problem.startswith("[alarms] period_minutes")
    assert "hour" in problem


@pytest.mark.parametrize(
    ("name", "is_allowed"),
    [("a-B_1", True), ("x" * 100, True), ("x" * 101, False), ("a b", False), ("samples", False)],
)
def test_the_name_of_an_alarm_kpi_is_one_that_sql_has_no_other_use_for(name, is_allowed):
    found = problems_of(PROFILE.replace(ALARM, f'[alarms.kpis."{name}"]\nof = ["load"]'))
    assert [problem.startswith(f"[alarms.kpis.{name}] ") for problem in found] == (
        [] if is_allowed else [True]
    )


def test_two_columns_of_one_name_in_the_files_are_each_named():
    told = problems_of(changed(COLUMNS, CellName='"x"', load='"X "', users='"CellName"'))
    assert [problem.partition(":")[0] for problem in sorted(told)] == [
        f"{COLUMNS} CellName = 'x'",
        f"{COLUMNS} load = 'X '",
        f"{COLUMNS} users = 'CellName'",
    ]
