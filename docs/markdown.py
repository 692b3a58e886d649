"""Tables of the generated pages."""

from collections.abc import Iterable, Sequence


def markdown_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The rows as a Markdown table, with a line break at its end."""
    lines = (header, ("---",) * len(header), *rows)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
