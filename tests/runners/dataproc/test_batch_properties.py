"""Whatever a run is asked for: its batch has a legal id, and is asked for the same."""

import argparse
import re
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from runners.dataproc import batch, command
from runners.dataproc.names import batch_id
from runners.services.arguments import add_arguments

days = st.dates(date(1970, 1, 1), date(2100, 12, 31))
# https://cloud.google.com/dataproc-serverless/docs/reference/rest/v1/projects.locations.batches
LEGAL = re.compile(r"[a-z0-9][a-z0-9-]{2,61}[a-z0-9]")


@given(st.text(), days, st.lists(st.text()), st.text(), st.integers(0))
def test_an_id_is_legal_whatever_it_is_made_of(prefix, day, arguments, code, rerun):
    name = batch_id(prefix, day, arguments, code, rerun)
    assert LEGAL.fullmatch(name)
    assert f"{day:%Y%m%d}" in name
    assert name == batch_id(prefix, day, [*arguments], code, rerun)


@given(days, days, st.lists(st.text()), st.lists(st.text()), st.integers(0, 2), st.integers(0, 2))
def test_another_run_has_another_id(day, other_day, arguments, others, rerun, another):
    is_same = (day, arguments, rerun) == (other_day, others, another)
    names = {batch_id("run", day, arguments, "c", rerun)}
    names.add(batch_id("run", other_day, others, "c", another))
    assert len(names) == (1 if is_same else 2)


addresses = st.text("ab/ *{},'=-", min_size=1).map("gs://bucket/{}".format)
names = st.from_regex(r"[a-z0-9_]{1,9}", fullmatch=True)


@given(
    st.fixed_dictionaries(
        {"customers": addresses, "samples": addresses, "calls": addresses, "out": addresses},
        optional={
            "run-date": days.map(str),
            "prefix": names,
            "staging-bucket": names,
            "keep-days": st.integers(-3, 1000).map(str),
        },
    ),
    st.lists(addresses, max_size=3),
    st.booleans(),
)
def test_the_batch_is_asked_for_what_submit_was_asked_for(given_, history, adds_columns):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    asked = [f"--{name}={value}" for name, value in given_.items()]
    asked += ["--history", *history] if history else []
    options = parser.parse_args(asked + ["--add-columns"] * adds_columns)
    handed_on = batch._parser().parse_args(command._arguments(options, "gs://code/a.toml"))
    found = vars(handed_on)
    assert found["profile"] == "gs://code/a.toml"
    assert {name: found[name] for name in vars(options)} == {
        **vars(options),
        "profile": "gs://code/a.toml",
    }
