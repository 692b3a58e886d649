"""docs/reference/rejected-rows.md, from the reasons for which rows and values are rejected."""

from pathlib import Path

from anomaly.schema.reasons import REASONS
from docs.markdown import markdown_table

PAGE = Path(__file__).parent / "reference" / "rejected-rows.md"

INTRODUCTION = """\
# Rejected rows and values

Generated from the code by `make docs-reference`; do not edit this page.

A run accounts for every row: rows in = rows clean + rows rejected, by file and reason, in
`run_summary`. The table [`rejected_rows`](tables.md#rejected_rows) lists each rejected row or
value with its file, row, column, reason and text. A run that is refused names the most common
reasons on the screen, and keeps its rejected rows in `OUT-refused/rejected_rows`.

The [limits](profile.md#limits) of the profile say how many rows and values a run may lose to
faults before it is refused. What the profile itself leaves out is not a fault. [The three
inputs](inputs.md) describes what is read, and what refuses a whole file.
"""


def page() -> str:
    """The text of the page."""
    return "\n".join(
        (
            INTRODUCTION,
            "## Rows\n\nThe whole row is left out.\n",
            _reasons(rejects_row=True),
            "## Values\n\nThe value becomes NO_DATA, never 0; the rest of its row counts.\n",
            _reasons(rejects_row=False),
        )
    )


def _reasons(rejects_row: bool) -> str:
    rows = (
        (f"`{reason.code}`", reason.meaning, "yes" if reason.is_fault else "no")
        for reason in REASONS.values()
        if reason.rejects_row == rejects_row
    )
    return markdown_table(("reason", "meaning", "is a fault"), rows)
