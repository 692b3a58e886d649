"""The draft of a profile that reads inspected files: TOML, with the evidence beside each line."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from os.path import commonpath, dirname, relpath
from pathlib import Path
from textwrap import wrap

from anomaly.profile.files import SHIPPED, toml_of
from anomaly.profile.input_columns import expected_columns
from anomaly.profile.model import Profile
from anomaly.profile.sections import InputRules
from anomaly.schema.inputs import CUSTOMERS, INPUT_CONTRACTS, SAMPLES
from runners.inspection.columns import AS_IN_PROFILE, Choice
from runners.inspection.inputs import Input
from runners.inspection.tables import Part, settled
from runners.inspection.times import UNREADABLE, period_of
from runners.services.arguments import INPUT_OPTIONS
from runners.services.plurals import counted
from runners.storage.files import File

CANNOT_TELL = "cannot tell"
WIDTH = 100


def draft(
    inputs: Sequence[Input], others: Sequence[File], profile: Profile, base: str, name: str
) -> str:
    """A profile that extends `base`, which is `profile`, and reads the inputs.

    `others` are files that could not be looked at.
    """
    is_relative = base not in SHIPPED and not Path(base).is_absolute()
    why = f"what is judged, and how{'; a path from the folder of this file' * is_relative}"
    lines = [
        f"# Drafted from the first rows of {name}. Check each line, and what it cannot tell.",
        _setting("extends", base, why),
        _setting("name", "draft", "choose a name; published rows have it"),
    ]
    names = [_plain(_named(file.address)) for file in others]
    lines += [f"# Not looked at: {other} (no CSV or Parquet)" for other in names]
    for one in inputs:
        lines += ["", *_input_lines(one, inputs, profile)]
    for source in INPUT_CONTRACTS:
        if source not in [one.source for one in inputs]:
            lines += ["", f"# {source}: {CANNOT_TELL}; no table has its columns"]
    lines += ["", *_period_lines(inputs, profile)]
    return "\n".join(lines).rstrip() + "\n"


def _input_lines(one: Input, inputs: Sequence[Input], profile: Profile) -> Iterator[str]:
    table = one.table
    place = _plain(_place(one))
    yield f"# {place}: {counted(len(table.files), 'file')}, {counted(table.rows, 'row')} looked at"
    if one.source is None:
        options = ", ".join(INPUT_OPTIONS.values())
        yield f"# {CANNOT_TELL} which input it is ({one.evidence}); give it as one of {options}"
        yield from (f"#   {_plain(name)}: {one.columns.fact(name)}" for name in table.header)
        return
    if sum(other.source == one.source for other in inputs) > 1:
        yield f"# {CANNOT_TELL} which table is {one.source}: several may be; keep one"
    arguments = f"{INPUT_OPTIONS[one.source]} {shlex.quote(place)}"
    yield f"# {one.source}: {one.evidence}; read it with {arguments}"
    yield f"[inputs.{one.source}]"
    yield from _dialect_lines(table.parts, profile.inputs[one.source])
    yield ""
    yield f"[inputs.{one.source}.columns]"
    expected = expected_columns(one.source, profile)
    kpis = {kpi.column: f"{kpi.meaning}; {kpi.unit}" for kpi in profile.kpis_of(one.source)}
    for choice in one.choices:
        yield from _column_lines(choice, expected[choice.column], one, kpis)
    yield from _unused_lines(one)


def _unused_lines(one: Input) -> Iterator[str]:
    """The columns that are not read: those of numbers may be KPIs, except of customers."""
    used = {choice.found for choice in one.choices}
    unused = [name for name in one.table.header if name not in used]
    numbers = [name for name in unused if name in one.columns.numbers and one.source != CUSTOMERS]
    candidates = [f"{_plain(name)} ({one.columns.range_of(name)})" for name in numbers]
    others = [_plain(name) for name in unused if name not in numbers]
    for told, names in (
        ("Not read, candidates for KPIs", candidates),
        ("Not read", others),
    ):
        if names:
            yield from wrap(
                f"{told}: {'; '.join(names)}",
                WIDTH,
                initial_indent="# ",
                subsequent_indent="#   ",
                break_long_words=False,
            )


def _dialect_lines(parts: Sequence[Part], rules: InputRules) -> Iterator[str]:
    """The settings that say how CSV files are written, and whether all files agree on them."""
    first, default = parts[0].dialect, InputRules()
    if first is None:
        yield "# Parquet needs no delimiter, decimal mark or encoding"
        return
    for name, finding in (
        ("encoding", first.encoding),
        ("delimiter", first.delimiter),
        ("decimal", first.decimal),
    ):
        is_default = finding.value == getattr(default, name)
        told = f"{finding}{' (the default)' * is_default}"
        if finding.value in settled(name, [rules]):
            told = f"{AS_IN_PROFILE}; {finding.evidence}"
        yield _setting(name, finding.value, told)
    for part in parts[1:]:
        if part.dialect and part.dialect.values != first.values:
            values = ", ".join(map(repr, part.dialect.values))
            yield f"# {CANNOT_TELL} for all files: {_plain(part.file.name)} has {values}"


def _column_lines(
    choice: Choice, is_required: bool, one: Input, kpis: Mapping[str, str]
) -> Iterator[str]:
    if choice.found is None:
        facts = (f"{_plain(name)} ({one.columns.fact(name)})" for name in choice.candidates)
        named = ", ".join(facts)
        needed = "needed" if is_required else "optional"
        if choice.column in kpis:
            needed = f'{kpis[choice.column]}; "" leaves it out'
        candidates = f"; candidates: {named}" if named else ""
        yield f"# {choice.column} = {CANNOT_TELL} ({needed}): {choice.evidence}{candidates}"
        return
    yield _setting(choice.column, choice.found, choice.evidence)
    if one.columns.forms[choice.found] == UNREADABLE and choice.column == "Time":
        yield "#   write times as YYYY-MM-DD HH:MM, HH:MM, or seconds since 1970"


def _period_lines(inputs: Sequence[Input], profile: Profile) -> Iterator[str]:
    """The granularity period, if samples have times; set only where it is not the profile's."""
    samples = next((one for one in inputs if one.source == SAMPLES), None)
    column = {choice.column: choice.found for choice in samples.choices} if samples else {}
    cell, time, day = column.get("CellName"), column.get("Time"), column.get("Date")
    if not (samples and cell and time):
        return
    texts = samples.table.texts
    times = texts[time]
    if day:
        times = [f"{date[:10]} {of_day}" for date, of_day in zip(texts[day], times, strict=True)]
    found = period_of(texts[cell], times)
    if found is None:
        yield f"# granularity period: {CANNOT_TELL}; no cell has two times that can be read"
        return
    minutes, evidence = found
    if minutes * 60 == profile.period_seconds:
        yield f"# granularity period: {minutes} minutes, as in the profile; {evidence}"
    elif profile.alarms:
        yield "[alarms]"
        yield _setting("period_minutes", minutes, evidence)
    else:
        yield f"# granularity period: {minutes} minutes; {evidence}"


def _place(one: Input) -> str:
    """The file of a table, or the folder that holds all of its files."""
    addresses = [file.address for file in one.table.files]
    return _named(addresses[0] if len(addresses) == 1 else commonpath(map(dirname, addresses)))


def _named(address: str) -> str:
    """A path from the current folder, where commands are typed; in full if it lies elsewhere."""
    return relpath(address) if Path(address).is_relative_to(Path.cwd()) else address


def _setting(name: str, value: object, evidence: str) -> str:
    return f"{toml_of({name: value}).strip()}  # {_plain(evidence)}"


def _plain(text: str) -> str:
    """A text without the characters that may not stand in a comment."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
