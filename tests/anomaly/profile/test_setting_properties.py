"""Whatever a setting of a profile holds: it is read as it stands, or named with what it may be."""

import math
import typing
from dataclasses import Field, fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from anomaly.profile import alarm_rules, sections
from anomaly.profile.settings import about_of, out_of_range, read
from anomaly.profile.toml_section import Section

WHERE = ("a", "table")
TABLES = [
    table
    for module in (sections, alarm_rules)
    for table in vars(module).values()
    if is_dataclass(table) and table.__module__ == module.__name__
]
# Those that hold what their type says, empty texts included.
SETTINGS = [
    (table, one)
    for table in TABLES
    for one in fields(table)
    if (about := about_of(one)) and not (about.kind or about.table or about.default)
]
NUMBERS = [(table, one) for table, one in SETTINGS if one.type in (int, float)]


def hint_of(table: type, one: Field[Any]) -> Any:
    """The type of a setting; of one that may be left out, what it is where it is there."""
    hint = typing.get_type_hints(table)[one.name]
    return typing.get_args(hint)[0] if isinstance(hint, UnionType) else hint


def fits(hint: Any, found: object) -> bool:
    if typing.get_origin(hint) is tuple:
        (member, _) = typing.get_args(hint)
        return isinstance(found, list) and all(fits(member, one) for one in found)
    if issubclass(hint, Enum):
        return found in [member.value for member in hint]
    if hint is float and type(found) is int:
        return abs(found) < 2**1024 - 2**970
    return type(found) is hint and (hint is not float or math.isfinite(found))


def meant(hint: Any, found: Any) -> object:
    if typing.get_origin(hint) is tuple:
        (member, _) = typing.get_args(hint)
        return tuple(meant(member, one) for one in found)
    return hint(found)


WORDS = [
    member.value
    for table, one in SETTINGS
    if isinstance(hint := hint_of(table, one), type) and issubclass(hint, Enum)
    for member in hint
]
plain = st.one_of(
    st.text(),
    st.sampled_from(WORDS),
    st.booleans(),
    st.integers(),
    st.sampled_from([10**308, -(10**309)]),
    st.floats(),
)
values = st.recursive(
    plain,
    lambda below: st.one_of(st.lists(below), st.dictionaries(st.text(), below, max_size=3)),
    max_leaves=4,
)


@given(st.sampled_from(SETTINGS), values)
def test_a_setting_is_read_as_it_stands_or_named_with_what_it_may_be(setting, found):
    table, one = setting
    hint, section = hint_of(table, one), Section({one.name: found}, WHERE)
    made = read(section, table)
    # Others are missing.
    told = [problem for problem in section.problems() if " is missing" not in problem]
    if fits(hint, found):
        assert told == []
        assert getattr(made, one.name) == meant(hint, found)
    else:
        (problem,) = told
        assert problem.startswith(f"[a.table] {one.name} is {found!r}; it must be ")


@given(st.sampled_from(TABLES), st.text(), values)
def test_what_is_no_setting_is_named_with_those_that_are(table, key, value):
    known = sorted(one.name for one in fields(table) if about_of(one))
    section = Section({key: value}, WHERE)
    read(section, table)
    unknown = [problem for problem in section.problems() if "unknown setting" in problem]
    if key in known:
        assert unknown == []
    else:
        (problem,) = unknown
        assert problem.startswith("[a.table] ")
        assert repr(key) in problem
        assert f": {', '.join(known)}" in problem


@given(st.sampled_from(NUMBERS), st.one_of(st.integers(-2, 100), st.floats(-2, 2), st.floats()))
def test_a_number_out_of_its_range_is_named_with_the_range(setting, number):
    table, one = setting
    about, section = about_of(one), Section({one.name: number}, WHERE)
    made = read(section, table)
    if not fits(hint_of(table, one), number):
        return
    named = [problem for problem in out_of_range(made) if problem.startswith(f"{one.name} ")]
    most = math.inf if about.most is None else about.most
    if about.least is None or about.least <= number <= most:
        assert named == []
    else:
        (problem,) = named
        bounds = [bound for bound in (about.least, about.most) if bound]
        assert all(f"{bound:g}" in problem for bound in bounds)


@given(
    st.sampled_from(["=", "!=", ">=", "<=", ">", "<"]),
    st.one_of(st.floats().map(repr), st.text(), st.sampled_from(["NaN", "-Infinity", "1_0"])),
)
def test_a_condition_compares_with_a_number_that_sql_has_or_with_the_text(operator, value):
    section = Section({"suspect_where": {"x": f"{operator} {value}"}})
    rules = read(section, sections.InputRules)
    if "\n" in value.strip() or not value.strip():
        return
    ((column, found_operator, found),) = rules.suspect_where
    assert (column, found_operator) == ("x", operator)
    if isinstance(found, float):
        assert math.isfinite(found)
        assert found == float(value.strip())
    else:
        assert found == value.strip()
