"""Schedules, and places that lie in each other, of any form."""

from pathlib import PurePosixPath

from hypothesis import given
from hypothesis import strategies as st

from runners.composer.deploy.schedule import problems_of_schedule
from runners.composer.run_settings import overlaps

# Of each field: its name, its smallest and its largest value.
FIELDS = (
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
NAMES = {"month": "jan FEB Mar dec", "day of the week": "sun MON Sat"}


def part(name: str, least: int, most: int) -> st.SearchStrategy[str]:
    numbers = st.integers(least, most)
    spans = st.tuples(numbers, numbers).map(lambda ends: "{}-{}".format(*sorted(ends)))
    named = st.sampled_from(NAMES.get(name, "*").split())
    steps = st.one_of(st.just(""), st.integers(1, most).map("/{}".format))
    return st.builds("{}{}".format, st.one_of(numbers, spans, named, st.just("*")), steps)


fields = st.tuples(
    *(st.lists(part(*field), min_size=1, max_size=3).map(",".join) for field in FIELDS)
)


@given(fields)
def test_a_schedule_of_cron_has_no_fault(fields):
    assert problems_of_schedule(" ".join(fields)) == []


@given(fields, st.integers(0, 4), st.data())
def test_a_field_out_of_its_range_is_the_one_that_is_named(fields, place, data):
    name, least, most = FIELDS[place]
    beyond = data.draw(st.one_of(st.integers(-99, least - 1), st.integers(most + 1, 999)))
    written = data.draw(st.sampled_from([f"{beyond}", f"*,{beyond}", f"{least}-{beyond}"]))
    text = " ".join((*fields[:place], written, *fields[place + 1 :]))
    (problem,) = problems_of_schedule(text)
    assert repr(written) in problem
    assert problem.endswith(f" {name}")


folders = st.lists(st.sampled_from(["in", "input", "out"]), min_size=1, max_size=3).map("/".join)


@given(folders, folders, st.sampled_from(["", "/"]), st.sampled_from(["", "/"]))
def test_a_place_overlaps_with_what_is_above_and_below_it_alone(out, steps, end, other_end):
    inputs = ("customers", "samples", "calls", "history")
    settings = {name: f"gs://elsewhere/{name}" for name in inputs}
    settings |= {"out": f"gs://{out}{end}", "steps": f"gs://{steps}{other_end}"}
    of_out, of_steps = PurePosixPath(out), PurePosixPath(steps)
    lie_in_each_other = of_out.is_relative_to(of_steps) or of_steps.is_relative_to(of_out)
    assert bool(overlaps(settings)) == lie_in_each_other
