"""What happens to inputs on their way: mutations of a case, by kind.

Each one changes the case, and says what may become of it: that it may or must be refused, or how
many rows and values it spoils. One that says nothing must change nothing of what comes out.
"""

from collections.abc import Callable
from pathlib import Path

from tests.campaign.case import SECTIONS, Case, Input

Mutation = Callable[[Case], None]
KINDS: dict[str, list[Mutation]] = {}
# Fewer than the twentieth that the profile allows to be rejected, and than the hundredth of a
# column that is let be.


FEW = 2


def of_kind(kind: str) -> Callable[[Mutation], Mutation]:
    """Register a mutation under its kind."""

    def register(mutation: Mutation) -> Mutation:
        KINDS.setdefault(kind, []).append(mutation)
        return mutation

    return register


def add_column(one: Input, name: str, value: str, place: int | None = None) -> None:
    """A column that nobody reads."""
    at = len(one.columns) if place is None else place
    one.columns.insert(at, f"more {len(one.columns)}")
    one.header.insert(at, name)
    for row in one.rows:
        row.insert(at, value)


def insert_lines(one: Input, lines: list[str]) -> None:
    """Lines of text behind the first row of the first file."""
    inserted = "".join(f"{line}{one.line_end}" for line in lines)

    def insert(text: str) -> str:
        head, first, rest = text.split(one.line_end, 2)
        return one.line_end.join([head, first, inserted + rest])

    one.text_edits.append(insert)


def count_more(case: Case, source: str, rows: int) -> None:
    """Say that there are so many rows more, which are none."""
    case.more_rows[source] += rows
    case.spoilt_rows[source] += rows
    case.spoilt_values[source] += rows


def value_column(case: Case) -> tuple[str, Input, str]:
    """A column of numbers that the command reads."""
    if case.command == "alarms":
        return "samples", case.samples, "load"
    source, column = case.source.choice(
        (("samples", "load"), ("samples", "volume"), ("calls", "calls"), ("calls", "dropped"))
    )
    return source, case.inputs[source], column


def map_column(case: Case, source: str, column: str, name: str) -> None:
    """Say in the profile what a column is called, in older samples, too."""
    section = f"inputs.{SECTIONS[source]}.columns"
    case.settings.setdefault(section, []).append(f'{column} = "{name}"')
    if source == "samples" and case.history:
        case.history.header[case.history.place(column)] = name


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
