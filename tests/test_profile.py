"""Profiles: what ships is valid, and every fault of a bad one is named at once."""

import pytest

from anomaly import ConfigurationError, load_profile, parse_profile
from anomaly.profile_reader import shipped_profiles


@pytest.mark.parametrize("name", ["default", "lab"])
def test_shipped_profiles_judge_25_of_33_kpis(name):
    profile = load_profile(name)
    assert (len(profile.kpis), len(profile.derived), len(profile.rules)) == (33, 4, 25)
    assert profile.fingerprint.startswith(f"{name}@")


def test_fingerprint_changes_with_any_setting():
    text = (shipped_profiles() / "lab.toml").read_text()
    changed = text.replace("minimum_defects = 15", "minimum_defects = 14")
    assert parse_profile(text).fingerprint == parse_profile(text).fingerprint
    assert parse_profile(text).fingerprint != parse_profile(changed).fingerprint


def test_all_faults_are_reported_at_once():
    text = (shipped_profiles() / "lab.toml").read_text()
    bad = text.replace("minimum_defects = 15", "minimum_defects = true\nlevel = 1")
    bad = bad.replace(
        '[rules.PRBUsageUL]\nbad_when = "above"', '[rules.PRBUsageUL]\nbad_when = "up"'
    )
    with pytest.raises(ConfigurationError) as caught:
        parse_profile(bad, "bad.toml")
    assert len(caught.value.faults) == 3
    assert "PRBUsageUL" in str(caught.value) and "unknown setting 'level'" in str(caught.value)


def test_two_columns_of_one_published_name_are_an_error():
    text = (shipped_profiles() / "lab.toml").read_text()
    clash = text.replace("[kpis.samples]", '[kpis.samples]\nmaxUE_UL_DL = { unit = "users" }')
    with pytest.raises(ConfigurationError, match="avg_maxUE_UL_DL"):
        parse_profile(clash)


def test_a_name_that_bigquery_refuses_is_an_error():
    text = (shipped_profiles() / "lab.toml").read_text()
    illegal = text.replace("[kpis.samples]", '[kpis.samples]\n"Drop Rate (%)" = { unit = "%" }')
    with pytest.raises(ConfigurationError, match="Drop Rate"):
        parse_profile(illegal)


def test_an_unknown_profile_names_the_known_ones():
    with pytest.raises(ConfigurationError, match="default, lab"):
        load_profile("no-such-profile")
