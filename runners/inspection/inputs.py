"""Which input of a run each table is: by its columns, and by the names of its files and folders."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from anomaly.profile.input_columns import expected_columns
from anomaly.profile.model import Profile
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, INPUT_CONTRACTS, SAMPLES
from runners.inspection.columns import Choice, Columns, Keys, choices_of
from runners.inspection.names import says
from runners.inspection.tables import Table

# What the names of files and folders say.
OF_FILES: Mapping[str, set[str]] = {
    CUSTOMERS: {"customers", "customer", "subscribers", "kunden", "crm"},
    SAMPLES: {"samples", "sample", "counters", "counter", "cells", "pm", "zellen"},
    CALL_STATISTICS: {"calls", "call", "callstatistics", "cdr", "anrufe"},
}
# As much as half of the columns.
WEIGHT_OF_NAME = 0.5
# One column that may be a key is no sign: nearly every table has one.
FEWEST_COLUMNS = 2


@dataclass(frozen=True)
class Input:
    """A table, the input that it is (None where that cannot be told), and its columns."""

    table: Table
    source: str | None
    evidence: str
    columns: Columns
    choices: Sequence[Choice] = ()


def inputs_of(tables: Sequence[tuple[Table, str | None]], profile: Profile) -> list[Input]:
    """The tables with what they are, in the order of the inputs.

    Beside each table stands what it is, or None to find that out.
    """
    columns = [Columns(table) for table, _ in tables]
    found = [
        (given, "as given") if given else _source(one, profile)
        for one, (_, given) in zip(columns, tables, strict=True)
    ]
    inputs: list[Input] = []
    keys = Keys()
    # The cells of customers are found by those of samples, and callers by the customers.
    for source in (SAMPLES, CUSTOMERS, CALL_STATISTICS):
        for one, (chosen, evidence) in zip(columns, found, strict=True):
            if chosen == source:
                choices = choices_of(source, one, profile, keys)
                inputs.append(Input(one.table, source, evidence, one, choices))
        keys = _keys(inputs)
    unknown = [
        Input(one.table, None, evidence, one)
        for one, (chosen, evidence) in zip(columns, found, strict=True)
        if chosen is None
    ]
    return sorted(inputs, key=lambda one: [*INPUT_CONTRACTS].index(one.source or "")) + unknown


def _source(columns: Columns, profile: Profile) -> tuple[str | None, str]:
    """The input that a table is most like, with the evidence; None if two are equally like it."""
    scores: dict[str, float] = {}
    told = {}
    for source in INPUT_CONTRACTS:
        choices = choices_of(source, columns, profile, Keys())
        number, of = sum(bool(one.found) for one in choices), len(expected_columns(source, profile))
        file = columns.table.files[0]
        names = (*file.folders, *PurePath(file.address).parts[-2:])
        named = next((name for name in names if _names(name, source)), None)
        if number >= (1 if named else FEWEST_COLUMNS):
            scores[source] = number / of + WEIGHT_OF_NAME * (named is not None)
        told[source] = f"{number} of {of} columns found" + (f", named {named}" if named else "")
    first = [source for source, score in scores.items() if score == max(scores.values())]
    if len(first) == 1:
        return first[0], told[first[0]]
    return None, "; ".join(f"{source}: {words}" for source, words in told.items())


def _names(name: str, source: str) -> bool:
    return says(name.split(".")[0], OF_FILES[source])


def _keys(inputs: Sequence[Input]) -> Keys:
    """The cells of the samples and the numbers of the customers, as far as they are known."""
    cells: set[str] = set()
    customers: set[int] = set()
    for one in inputs:
        column = {choice.column: choice.found for choice in one.choices}
        if name := column.get("CellName"):
            cells |= set(one.columns.filled[name])
        if name := column.get("Index"):
            customers |= {int(float(text)) for text in one.columns.filled[name]}
    return Keys(cells, customers)
