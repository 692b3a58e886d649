"""Whatever tables a profile has: written out as one text, they are the same tables."""

import json
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anomaly.profile.files import whole_text

plain = st.one_of(st.text(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats())
lists = st.recursive(plain, lambda below: st.lists(below, max_size=3), max_leaves=5)
tables = st.recursive(
    st.dictionaries(st.text(), lists, max_size=4),
    lambda below: st.dictionaries(st.text(), st.one_of(lists, below), max_size=3),
    max_leaves=4,
)


def in_lines(table: dict) -> str:
    """As TOML with a line for each setting, and the tables below written into it."""
    return "".join(f"{quoted(key)} = {inline(value)}\n" for key, value in table.items())


def inline(value: object) -> str:
    if isinstance(value, dict):
        return f"{{{', '.join(f'{quoted(key)} = {inline(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(inline, value))}]"
    return quoted(value) if isinstance(value, str) else repr(value).lower()


def quoted(text: str) -> str:
    """With every letter beyond ASCII written as its number."""
    return "".join(
        f"\\U{ord(letter):08x}" if letter == "\x7f" or letter > "~" else json.dumps(letter)[1:-1]
        for letter in text
    ).join('""')


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("profile") / "any.toml"


@given(tables)
def test_any_tables_survive_being_written_out(file, written):
    written.pop("extends", None)
    file.write_text(in_lines(written), encoding="utf-8")
    assert as_text(tomllib.loads(file.read_text(encoding="utf-8"))) == as_text(written)
    assert as_text(tomllib.loads(whole_text(file))) == as_text(written)


def as_text(tables: dict) -> str:
    """In which nan is equal to itself, 1 is not 1.0, and tables have no order."""
    return json.dumps(tables, sort_keys=True)
