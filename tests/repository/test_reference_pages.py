"""The reference pages are what the code says."""

from dataclasses import fields, is_dataclass
from typing import Any, get_args, get_type_hints

import pytest

from anomaly.profile.model import Profile
from anomaly.profile.settings import about_of
from docs import kpis_reference, profile_reference, rejected_rows_reference, tables_reference
from docs.profile_reference import TABLES

GENERATORS = (kpis_reference, profile_reference, rejected_rows_reference, tables_reference)


@pytest.mark.parametrize("generator", GENERATORS, ids=lambda one: one.PAGE.name)
def test_a_page_is_up_to_date(generator: Any) -> None:
    assert generator.PAGE.read_text(encoding="utf-8") == generator.page(), (
        "run `make docs-reference`"
    )


def tables_of(hint: Any) -> set[type]:
    """The dataclasses with settings that a type is made of."""
    found = set().union(*map(tables_of, get_args(hint)))
    if is_dataclass(hint):
        found |= set().union(*map(tables_of, get_type_hints(hint).values()))
        found |= {hint} if any(about_of(one) for one in fields(hint)) else set()
    return found


def test_every_table_of_a_profile_is_on_the_page() -> None:
    # A grouping is a part of the table of its KPI.
    assert {table.__name__ for table in tables_of(Profile)} - {"Grouping"} == {
        table.__name__ for table in TABLES.values()
    }
