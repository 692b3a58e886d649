"""One cell on a terminal: its verdict, its history, and a table of its KPIs as wide as the screen.

Needs rich: import it only where there is a terminal.
"""

from pyspark.sql import Row
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from runners.cli.cell_text import COLUMNS, headline_of, kpi_rows, remarks_on
from runners.services.rich_summary import SEVERITY_STYLES, labelled, plain_table


def show_cell(console: Console, cell: Row, history: Row | None) -> None:
    """Print a row of the cell table, with the row of its history on that day, if any."""
    rows, table = kpi_rows(cell), plain_table()
    first, *others = COLUMNS
    longest = max(len(kpi) for kpi, *_ in rows)
    table.add_column(
        first, style="bold", overflow="fold", min_width=min(longest, console.width // 3)
    )
    for name in others:
        table.add_column(name)
    for kpi, status, *texts in rows:
        table.add_row(Text(kpi), Text(status, SEVERITY_STYLES.get(status, "")), *map(Text, texts))
    remarks = [("Why", cell.verdict_reason), *remarks_on(cell, history)]
    console.print(Text(headline_of(cell), "bold"), labelled(remarks), Padding(table, (1, 0, 0, 0)))
