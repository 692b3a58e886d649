"""A table as notebooks show it: HTML where they can, aligned text everywhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# Notebooks align the texts of tables to the right. No colour is set: text and background are those
# of the notebook, light or dark, and so is their contrast.
STYLE = 'style="text-align: left; vertical-align: top"'
INDENT = " " * 8


@dataclass(frozen=True, repr=False)
class NotebookTable:
    """A caption, the names of the columns, and rows of texts.

    The first text of a row names it. The last one may have several lines; as plain text they stand
    below their row.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]

    def __repr__(self) -> str:
        texts = [row[:-1] for row in (self.columns, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
        lines = [self.caption, _aligned(self.columns[:-1], widths)]
        for row in self.rows:
            lines += [_aligned(row[:-1], widths), *(INDENT + line for line in row[-1].splitlines())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        """The table for a screen reader, too: with a caption, and a scope for each header."""
        header = "".join(_cell("th", "col", name) for name in self.columns)
        rows = "".join(
            f"<tr>{_cell('th', 'row', row[0])}{''.join(_cell('td', '', text) for text in row[1:])}"
            "</tr>\n"
            for row in self.rows
        )
        return (
            f"<table>\n<caption {STYLE}>{_escaped(self.caption)}</caption>\n"
            f"<thead><tr>{header}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>"
        )


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> str:
    columns = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
    return "  ".join(columns).rstrip()


def _cell(tag: str, scope: str, text: str) -> str:
    """A cell whose direction of writing is that of its text, and disturbs no other's."""
    of = f' scope="{scope}"' if scope else ""
    return f'<{tag}{of} dir="auto" {STYLE}>{_escaped(text)}</{tag}>'


def _escaped(text: str) -> str:
    return "<br>".join(f"<bdi>{escape(line)}</bdi>" for line in text.splitlines())
