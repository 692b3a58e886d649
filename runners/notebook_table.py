"""A table for notebooks: HTML where they can show it, aligned text elsewhere."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

# Notebooks align text in tables to the right. No colours are set, so that the table follows the
# theme of the notebook, light or dark.
STYLE = 'style="text-align: left; vertical-align: top"'
INDENT = " " * 8


@dataclass(frozen=True, repr=False)
class NotebookTable:
    """A caption, column names, and rows of texts.

    The first text of a row is its heading. The last one may have several lines; in plain text they
    are printed below the row.
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
        """HTML that screen readers can follow: with a caption, and a scope for each header."""
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
    """A cell with the writing direction of its text, isolated from its neighbours."""
    attribute = f' scope="{scope}"' if scope else ""
    return f'<{tag}{attribute} dir="auto" {STYLE}>{_escaped(text)}</{tag}>'


def _escaped(text: str) -> str:
    return "<br>".join(f"<bdi>{escape(line)}</bdi>" for line in text.splitlines())
