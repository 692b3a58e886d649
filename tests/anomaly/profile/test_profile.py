"""Profiles: what ships is valid, and every problem of a bad one is named at once."""

import pytest

from anomaly import ConfigurationError, Profile, load_profile, parse_profile
from anomaly.profile.files import whole_text

LAB = whole_text("lab")
RULE = 'bad_when = "above"\n'


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        parse_profile(text)
    return caught.value.problems


# The default profile judges those of the lab, nine shares and throughputs, and the samples sent.
@pytest.mark.parametrize(("name", "derived", "rules"), [("default", 13, 35), ("lab", 4, 25)])
def test_shipped_profiles_judge_the_kpis_of_the_lab(name: str, derived: int, rules: int) -> None:
    profile = load_profile(name)
    assert (len(profile.kpis), len(profile.derived), len(profile.rules)) == (33, derived, rules)
    assert {rule.flag for rule in load_profile("lab").rules} <= {
        rule.flag for rule in profile.rules
    }
    assert profile.fingerprint.startswith(f"{name}@")


def test_fingerprint_changes_with_any_setting() -> None:
    changed = LAB.replace("minimum_defects = 15", "minimum_defects = 14")
    assert parse_profile(LAB).fingerprint == parse_profile(LAB).fingerprint
    assert parse_profile(LAB).fingerprint != parse_profile(changed).fingerprint


def test_conditions_compare_numbers_as_numbers() -> None:
    conditions = parse_profile(LAB).inputs["customers"].keep_where
    assert conditions == (("Index", ">", 1000.0), ("PhoneService", "=", "Yes"))


@pytest.mark.parametrize(
    ("good", "bad", "meant"),
    [
        ("[join]", "[jion]", "join"),
        ('unit = "%"', 'unit = "%"\nmimimum = 0', "minimum"),
        ('bad_when = "above"', 'bad_when = "abvoe"', "above"),
        ("[rules.PRBUsageUL]", "[rules.PRBUsgeUL]", "PRBUsageUL"),
        ('first = "peak_vce_Mean"', 'first = "peakvce_Mean"', "peak_vce_Mean"),
        ('Index = "> 1000"', 'Idnex = "> 1000"', "Index"),
        ("[join]", '[inputs.samples.columns]\ncellname = "Zelle"\n[join]', "CellName"),
    ],
)
def test_a_misspelled_name_is_reported_with_the_one_that_was_meant(
    good: str, bad: str, meant: str
) -> None:
    found = [problem for problem in problems_of(LAB.replace(good, bad, 1)) if "did you" in problem]
    assert [problem.split("; ")[-1] for problem in found] == [f"did you mean {meant!r}?"]


@pytest.mark.parametrize(
    ("good", "bad", "meant"),
    [
        ('family = "integrity"', 'family = "inegrity"', "integrity"),
        ('failed = ["PRBUsageUL"', 'failed = ["PRBUsagUL"', "PRBUsageUL"),
        ('groups = ["cell", "slot"]', 'groups = ["cell", "slto"]', "slot"),
        ('of = ["PRBUsageUL"]', 'of = ["PRBUsageULL"]', "PRBUsageUL"),
        ('time_zone = "UTC"', 'time_zone = "Europe/Belrin"', "Europe/Berlin"),
    ],
)
def test_so_are_those_of_families_diagnoses_and_alarms(good: str, bad: str, meant: str) -> None:
    text = whole_text("default")
    assert good in text
    found = problems_of(text.replace(good, bad, 1))
    assert found
    assert {problem.split("; ")[-1] for problem in found} == {f"did you mean {meant!r}?"}


def test_a_misspelled_kpi_to_leave_out_is_reported_likewise() -> None:
    with pytest.raises(ConfigurationError, match=r"did you mean 'roam_Mean'\?"):
        load_profile("default").without("roam_Maen")


def test_all_problems_are_reported_at_once() -> None:
    bad = LAB.replace("minimum_defects = 15", "minimum_defects = true\nlevel = 1")
    bad = bad.replace(
        '[rules.PRBUsageUL]\nbad_when = "above"', '[rules.PRBUsageUL]\nbad_when = "up"'
    )
    assert sorted(problems_of(bad)) == [
        "[rules.PRBUsageUL] bad_when is 'up'; it must be above or below or both",
        "[verdict] minimum_defects is True; it must be a whole number",
        "[verdict] unknown setting 'level'; use one of: minimum_defect_share, "
        "minimum_defects, minimum_evaluated, minimum_failed_families, silent_cells, "
        "silent_family, standing_alarms",
    ]


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ('name = "lab"', "name = 1", "top level: name is 1; it must be text"),
        ('Index = "> 1000"', "Index = 1000", "keep_where] Index is 1000; it must be an operator"),
        ("[join]", "[joint]", "top level: unknown setting 'joint'"),
        ("without_samples = false", "without_samples = 0", "it must be true or false"),
        ("rows_per_key = 1\n", "rows_per_key = 1.5\n", "it must be a whole number"),
        ("[join]", "[limits]\nsmallest_match_rate = inf\n[join]", "it must be a finite number"),
        (
            'bad_when = "above"\n',
            "",
            "setting 'bad_when' is missing; it must be above or below or both",
        ),
        ("derived = [", "derived = [1, ", "it must be a list, each element text"),
        ("[kpis.samples]", "[kpis.samples]\nx = 1", "[kpis.samples] table 'x' is missing"),
        ('formula = "ratio"', 'name = "x"', "stability_voice_calls] unknown setting 'name'"),
    ],
)
def test_a_wrong_setting_is_one_problem(good: str, bad: str, problem: str) -> None:
    (found,) = problems_of(LAB.replace(good, bad, 1))
    assert problem in found


@pytest.mark.parametrize(
    ("good", "bad", "problem"),
    [
        ("minimum_defects = 15", "minimum_defects = -1", "must not be negative"),
        (
            'bad_when = "above"',
            'flag = "Evidence"\nbad_when = "above"',
            "is already a column of the tables",
        ),
        *(
            (
                "[kpis.samples]",
                f'[kpis.samples]\nx = {{ name = "{name.swapcase()}" }}',
                f"{name!r} is the name of two KPIs",
            )
            for name in ("sample_count", "service_stability_voice_calls")
        ),
        ("minimum_defects = 15", "", "[verdict] needs exactly one of minimum_failed_families,"),
        (RULE, RULE + 'method = "static"\n', "value belongs to the method static"),
        (RULE, RULE + "q = 0.5\n", "q belongs to the method quantile"),
        (RULE, RULE + "k = 2\n", "k does not apply to the method"),
        (RULE, RULE + "ignore_below = -1\n", "must not be negative"),
        (RULE, RULE + "warn_k = 2\n", "warn_k does not apply to the method"),
        (RULE, RULE + 'method = "mean_std"\nk = 2\nwarn_k = 2\n', "warn_k must be smaller"),
        (RULE, RULE + 'method = "median_mad"\nwarn_k = 2\n', "warn_k must be smaller than k"),
        ('bad_when = "above"', 'bad_when = "both"', "both needs k, ignore_below or"),
        ('bad_when = "above"', 'bad_when = "above"\nat_most = 1', "at_most does not go with"),
        ('bad_when = "below"', 'bad_when = "below"\nat_least = 1', "at_least does not go with"),
        ('"difference"', '"difference"\nminimum_denominator = 1', "does not apply to a difference"),
        ('"ratio"', '"ratio"\nminimum_denominator = -1', "denominator must not be negative"),
        ('first = "peak_vce_Mean"', 'first = "none"', "uses 'none', which is not a measured KPI"),
        ("[rules.PRBUsageUL]", "[rules.none]", "there is no measured or derived KPI 'none'"),
        ('Index = "> 1000"', 'none = "> 1000"', "keep_where has no column 'none'; use CellTower"),
        # What may lack in a file decides nothing about its rows.
        ("[verdict]", '[inputs.samples.keep_where]\nTime = "> 5"\n[verdict]', "; use CellName"),
        ("[join]", "[limits]\nlargest_unjudged_share = -1\n[join]", "must be between 0 and 1"),
        ('unit = "%"', 'unit = "%"\nminimum = 2\nmaximum = 1', "minimum 2.0 is above maximum 1.0"),
        ("[join]", "[limits]\nsmallest_match_rate = 2\n[join]", "it must be between 0 and 1"),
        ("derived = [", "minimum_baseline_count = 0\nderived = [", "count must be at least 1"),
    ],
)
def test_a_contradiction_is_a_problem(good: str, bad: str, problem: str) -> None:
    (found,) = problems_of(LAB.replace(good, bad, 1))
    assert problem in found


def test_a_profile_needs_a_kpi_of_one_input() -> None:
    text = 'name = "none"\n[kpis]\n[rules]\n[verdict]\nminimum_defects = 1\n'
    with pytest.raises(ConfigurationError, match=r"\[kpis\] has no KPI, neither of samples nor of"):
        parse_profile(text)
    assert parse_profile(text.replace("[kpis]", "[kpis.samples.load]")).kpis_of("samples")


def test_all_contradictions_of_a_rule_are_named_at_once() -> None:
    bad = 'bad_when = "below"\nk = -1\nwarn_k = 2\nat_least = 1\nq = 0.5\nmethod = "quantile"'
    text = LAB.replace('bad_when = "above"', bad, 1)
    assert sorted(problems_of(text)) == [
        "[rules.PRBUsageUL] at_least does not go with bad_when below",
        "[rules.PRBUsageUL] k does not apply to the method quantile, which has no spread",
        "[rules.PRBUsageUL] k, warn_k and ignore_below must not be negative",
        "[rules.PRBUsageUL] warn_k does not apply to the method quantile, which has no spread",
    ]


def test_two_columns_of_one_published_name_are_an_error() -> None:
    clash = LAB.replace("[kpis.samples]", '[kpis.samples]\nmaxUE_UL_DL = { unit = "users" }')
    assert all("avg_maxUE_UL_DL" in problem for problem in problems_of(clash))


def test_a_name_that_bigquery_refuses_is_an_error() -> None:
    illegal = LAB.replace("[kpis.samples]", '[kpis.samples]\n"Drop Rate (%)" = { unit = "%" }')
    (problem,) = problems_of(illegal)
    assert "'Drop Rate (%)', which BigQuery does not allow; set a `name` of letters" in problem


def test_an_unknown_profile_names_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="default, lab"):
        load_profile("no-such-profile")


def test_a_mistyped_path_is_no_shipped_profile() -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        load_profile("elsewhere/default.toml")


def test_numbers_out_of_range_are_told_with_all_contradictions() -> None:
    text = whole_text("default").replace("minimum_cells = 8", "minimum_cells = 1")
    text = text.replace("raise_days = 2", "raise_days = 0").replace("warn_k = 2.5", "warn_k = 4", 1)
    assert sorted(problems_of(text)) == [
        "[history] raise_days must be at least 1",
        "[peers] minimum_cells must be at least 2",
        "[rules.maxThr_DL] warn_k must be smaller than k, so that a warning precedes a defect",
    ]


def test_a_kpi_whose_column_the_files_do_not_have_is_left_out_with_what_uses_it():
    found = parse_profile(
        """
        extends = "default"
        name = "ours"
        [inputs.call_statistics.columns]
        drop_dat_Mean = ""
        plcd_vce_Mean = "Voice attempts"
        """
    )
    default = Profile.load("default")
    gone = {kpi.name for kpi in default.published_kpis} - {kpi.name for kpi in found.published_kpis}
    assert gone == {"drop_dat_Mean", "dropped_data_share"}
    assert not gone & {rule.kpi for rule in found.rules}
    assert found.inputs["call_statistics"].columns == (("plcd_vce_Mean", "Voice attempts"),)
    assert parse_profile(found.to_toml()) == found


def test_a_column_of_a_kpi_that_is_left_out_is_no_longer_named():
    named = '[inputs.call_statistics.columns]\ndrop_dat_Mean = "Dropped"'
    ours = parse_profile(f'extends = "default"\nname = "ours"\n{named}')
    found = ours.without("drop_dat_Mean")
    assert found.inputs["call_statistics"].columns == ()


def test_a_column_that_every_run_needs_cannot_be_absent():
    with pytest.raises(ConfigurationError) as refused:
        parse_profile(
            'extends = "default"\nname = "ours"\n[inputs.customers.columns]\nCellTower = ""'
        )
    assert refused.value.problems == (
        '[inputs.customers.columns] CellTower = "": a run needs this column',
    )


def test_a_profile_that_has_no_kpi_left_is_refused():
    lab = Profile.load("lab")
    absent = "\n".join(
        f"[inputs.{source}.columns]\n"
        + "\n".join(f'"{kpi.column}" = ""' for kpi in lab.kpis_of(source))
        for source in ("samples", "call_statistics")
    )
    with pytest.raises(ConfigurationError, match="whose columns the files do not have: "):
        parse_profile(f'extends = "lab"\nname = "ours"\n{absent}')
