"""Profiles that extend others, and what a file says once for all of its rules."""

import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from anomaly import ConfigurationError, load_profile, parse_profile
from anomaly.profile.files import read_tables, shipped_profiles, whole_text

OURS = 'extends = "default"\nname = "ours"\n'


def problems_of(load: Callable[[], object]) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        load()
    return caught.value.problems


def write(folder: Path, **texts: str) -> Path:
    """Profiles by their names; returns the path of the first."""
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / f"{next(iter(texts))}.toml"


@pytest.mark.parametrize("name", ["default", "lab"])
def test_a_profile_is_the_same_whichever_files_say_it(name: str) -> None:
    """So is its fingerprint: it is made of the profile, not of the text."""
    profile, text = load_profile(name), whole_text(name)
    assert parse_profile(text) == profile
    assert parse_profile(text).fingerprint == profile.fingerprint
    assert "extends" not in tomllib.loads(text)


def test_the_profile_of_the_lab_never_changes() -> None:
    """Of the file that said it all by itself, without catalogue and defaults."""
    lab = load_profile("lab")
    assert lab.fingerprint == "lab@1db323faf5ac"
    # What came later counts where it is set.
    calls = replace(lab.inputs["call_statistics"], customer_id_prefix=0)
    inputs = lab.inputs | {"call_statistics": calls}
    assert replace(lab, inputs=inputs).fingerprint != lab.fingerprint


def test_settings_count_above_those_of_the_profile_that_is_extended() -> None:
    default, ours = load_profile("default"), parse_profile(f"{OURS}[rules.PRBUsageUL]\nk = 3\n")
    rules = {rule.kpi: rule for rule in ours.rules}
    assert [*rules] == [rule.kpi for rule in default.rules]
    assert (rules["PRBUsageUL"].k, rules["PRBUsageUL"].limit) == (3.0, 85.0)
    assert [rule for rule in default.rules if rule not in ours.rules] == [
        rule for rule in default.rules if rule.kpi == "PRBUsageUL"
    ]


def test_only_tables_are_taken_over() -> None:
    """Two profiles of one name would be hard to tell apart in the tables."""
    assert problems_of(lambda: parse_profile('extends = "default"')) == (
        "the profile needs a name",
    )


def test_what_is_new_comes_after_what_is_extended(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        top='extends = "middle.toml"\n[a]\nz = 1\nx = 2\n[c]\n',
        middle='extends = "below/base.toml"\n[a]\ny = 3\n[b]\n',
    )
    (tmp_path / "below").mkdir()
    write(tmp_path / "below", base='extends = "other.toml"\n[a]\nx = 4\n', other="[a]\nw = 5\n")
    tables = read_tables(path)
    assert tables == {"a": {"w": 5, "x": 2, "y": 3, "z": 1}, "b": {}, "c": {}}
    assert [[*tables], [*tables["a"]]] == [["a", "b", "c"], ["w", "x", "y", "z"]]


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path, a='extends = "b.toml"', b='extends = "./below/../a.toml"')
    (tmp_path / "below").mkdir()
    assert problems_of(lambda: load_profile(path)) == (
        "extends itself: a.toml extends b.toml extends a.toml",
    )


@pytest.mark.parametrize("name", ["elsewhere/base.toml", "no-such-profile", ""])
def test_what_is_not_there_cannot_be_extended(name: str) -> None:
    assert problems_of(lambda: parse_profile(f'extends = "{name}"')) == (
        f"extends {name!r}: no such file; give a path or one of: catalogue, default, lab",
    )


@pytest.mark.parametrize(
    ("asked", "meant"), [("defualt", "default"), ("{folder}/our_netwrok.toml", "our_network.toml")]
)
def test_a_misspelled_profile_is_reported_with_the_one_that_was_meant(
    asked: str, meant: str, tmp_path: Path
) -> None:
    write(tmp_path, our_network="", other="")
    (problem,) = problems_of(lambda: load_profile(asked.format(folder=tmp_path)))
    assert problem.endswith(f"{meant}'?")


def test_the_file_that_is_extended_is_named_where_it_is_no_toml(tmp_path: Path) -> None:
    path = write(tmp_path, top='extends = "base.toml"', base="a = ")
    with pytest.raises(ConfigurationError, match=r"base\.toml: 1 problem\n  - is not valid TOML"):
        load_profile(path)


def test_what_is_no_text_is_told_with_all_other_problems() -> None:
    text = whole_text("lab").replace("minimum_defects = 15", "minimum_defects = 1.5")
    assert problems_of(lambda: parse_profile(f"extends = 1\n{text}")) == (
        "top level: extends is 1; it must be text",
        "[verdict] minimum_defects is 1.5; it must be a whole number",
    )


@pytest.mark.parametrize(
    ("defaults", "problem"),
    [
        ("rule_defaults", "[rule_defaults] method is 'best'; it must be static or mean or"),
        ("alarms.kpi_defaults", "[alarms.kpi_defaults] method is 'best'; it must be static or"),
    ],
)
def test_a_wrong_default_is_one_problem(defaults: str, problem: str) -> None:
    text = whole_text("default").replace(f"[{defaults}]\n", f"[{defaults}]\nkk = 1\n")
    head, tail = text.split(f"[{defaults}]\n", 1)
    text = f"[{defaults}]\n".join((head, tail.replace('"median_iqr"', '"best"', 1)))
    wrong, unknown = sorted(problems_of(lambda: parse_profile(text)))
    assert unknown.startswith(f"[{defaults}] unknown setting 'kk'; use one of: at_least,")
    assert problem in wrong


def test_a_rule_counts_more_than_the_defaults() -> None:
    defaults, own = 'method = "mean_std"', 'method = "median_mad"'
    profile = parse_profile(f"{OURS}[rule_defaults]\n{defaults}\n[rules.sample_count]\n{own}\n")
    methods = {rule.kpi: rule.method.value for rule in profile.rules}
    assert (methods.pop("sample_count"), {*methods.values()}) == ("median_mad", {"mean_std"})


def test_texts_survive_being_written_out(tmp_path: Path) -> None:
    text = r"""
words = "a \"quoted\" \\ text,\ttwo\nlines, ü, 😀, \u0001 and \u007f"
["a key"]
numbers = [1, 2.5, -1e300, inf]
is = true
"""
    path = write(tmp_path, odd=text)
    assert tomllib.loads(whole_text(path)) == tomllib.loads(text)


def test_the_catalogue_is_no_profile() -> None:
    assert (shipped_profiles() / "catalogue.toml").is_file()
    assert "top level: table 'rules' is missing" in problems_of(lambda: load_profile("catalogue"))
