"""The table of all measurements, in Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.bench import Measured
from benchmarks.figures import spread

HEADINGS = ("part", "case", "scale", "runs", "seconds", "peak MB", "figures")


@dataclass(frozen=True)
class Line:
    """What was found for one case; a line without measurements has figures of others, or why."""

    part: str
    case: str
    scale: str
    measured: Sequence[Measured]
    figures: str


def markdown(header: Mapping[str, str], lines: Iterable[Line]) -> str:
    """The header as a list, and the lines as a table."""
    rows = [HEADINGS, tuple("-" * len(heading) for heading in HEADINGS), *map(_cells, lines)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))} |"
        for row in rows
    ]
    about = [f"- {name}: {value}" for name, value in header.items()]
    return "\n".join(
        (
            "# Benchmarks",
            "",
            *about,
            "",
            "Seconds and MB (of all processes together) are medians, with the lowest and the "
            "highest in brackets.",
            "",
            *table,
            "",
        )
    )


def _cells(line: Line) -> tuple[str, ...]:
    if not line.measured:
        return (line.part, line.case, line.scale, "", "", "", line.figures)
    seconds = spread([one.seconds for one in line.measured], 2)
    megabytes = spread([one.peak_megabytes for one in line.measured], 0)
    runs = str(len(line.measured))
    return (line.part, line.case, line.scale, runs, seconds, megabytes, line.figures)
