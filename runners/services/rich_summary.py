"""What a command shows at its end on a terminal: tables with colours, as wide as the screen.

Needs rich, which a cluster lacks: import it only where there is a terminal.
"""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from runners.services.console import (
    MADE_UP_WORDS,
    NEWEST_SHOWN,
    alarm_headline,
    headline,
    in_short,
    is_due_longer,
    places,
    remarks,
)
from runners.services.days_done import DaysDone
from runners.services.outcome import Outcome
from runners.services.plurals import counted
from runners.services.run_summary import RunSummary

CELLS_SHOWN = 20
LABEL_WIDTH = 10
SEVERITY_STYLES = {"CRIT": "bold red", "WARN": "yellow"}


def show_outcome(console: Console, outcome: Outcome) -> None:
    """Print the outcome of a run."""
    summary = outcome.summary
    parts: list[RenderableType] = []
    if outcome.is_made_up:
        parts.append(Text(MADE_UP_WORDS, "bold yellow"))
    if outcome.judges_cells:
        parts.append(Text(headline(summary), "bold red" if summary.required else "bold green"))
        if summary.to_visit:
            parts.append(Padding(cells_to_visit(summary), (1, 0)))
    parts.append(labelled(remarks(summary)))
    if summary.alarms:
        parts.append(Text(alarm_headline(summary), "bold"))
        if summary.alarms.named:
            parts.append(Padding(alarms_table(summary), (1, 0)))
    console.print(*parts, sep="\n")
    _print_places(console, places(outcome))


def cells_to_visit(summary: RunSummary, most: int = CELLS_SHOWN) -> Table:
    """The cells that need maintenance, worst first: what is wrong, their customers, since when."""
    cells = summary.to_visit[:most]
    has_customers = any(cell.customers is not None for cell in cells)
    has_days = any(is_due_longer(cell, summary) for cell in cells)
    table = plain_table()
    table.add_column("#", justify="right", style="dim", no_wrap=True)
    table.add_column("Cell", style="bold", overflow="fold", max_width=24)
    table.add_column("What is wrong", ratio=1)
    if has_customers:
        table.add_column("Customers", justify="right", no_wrap=True)
    if has_days:
        table.add_column("Since", no_wrap=True)
    for cell in cells:
        words, evidence = in_short(cell)
        row: list[RenderableType] = [
            str(cell.rank),
            Text(cell.name),
            Group(Text(f"{words[:1].upper()}{words[1:]}"), Text(evidence, "dim")),
        ]
        if has_customers:
            row.append("" if cell.customers is None else f"{cell.customers:,}")
        if has_days:
            row.append(cell.since if cell.since and is_due_longer(cell, summary) else "new")
        table.add_row(*row)
    if more := summary.required - len(cells):
        table.add_row("", "", Text(f"and {counted(more, 'more cell')}, in the table", "dim"))
    return table


def alarms_table(summary: RunSummary) -> Table:
    """The alarms, active ones first, then the newest."""
    table = plain_table()
    table.add_column("Severity", no_wrap=True)
    table.add_column("Alarm", ratio=1)
    alarms = summary.alarms
    if alarms is None:
        return table
    for row in alarms.named[:NEWEST_SHOWN]:
        table.add_row(Text(row.item, SEVERITY_STYLES.get(row.item, "")), Text(row.detail))
    if (more := alarms.raised - len(alarms.named[:NEWEST_SHOWN])) > 0:
        table.add_row("", Text(f"and {counted(more, 'more alarm')}, in the table", "dim"))
    return table


def labelled(lines: Iterable[tuple[str, str]]) -> Table:
    """Labels beside sentences; a label that repeats stands once."""
    grid = Table.grid(padding=(0, 2), expand=True)
    grid.add_column(style="cyan", no_wrap=True, min_width=LABEL_WIDTH)
    grid.add_column(ratio=1, overflow="fold")
    before = ""
    for label, words in lines:
        grid.add_row("" if label == before else label, Text(words))
        before = label
    return grid


def plain_table() -> Table:
    """A table without lines."""
    return Table(box=None, expand=True, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")


def show_days(console: Console, done: DaysDone) -> None:
    """Print the days of a backfill, each with its result and why it was run."""
    table = plain_table()
    table.add_column("Day", style="bold", no_wrap=True)
    table.add_column("Result", ratio=1)
    for one in done.days:
        why, result = one.words
        told = [Text(result)] if result else []
        table.add_row(str(one.day), Group(*told, Text(why, "dim")))
    console.print(Text(done.headline, "bold"), Padding(table, (1, 0)), sep="\n")
    _print_places(console, (("Tables", done.tables), ("Next", done.next_command)))


def _print_places(console: Console, found: Iterable[tuple[str, str]]) -> None:
    """Paths and commands, which are copied: a line that is too long is left to the terminal."""
    for label, words in found:
        console.print(Text.assemble((f"{label:{LABEL_WIDTH + 2}}", "cyan"), words), soft_wrap=True)
