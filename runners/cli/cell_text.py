"""One cell in words: its verdict, its history, and every KPI with value, limit and baseline."""

from collections.abc import Iterator, Sequence

from pyspark.sql import Row

from anomaly.schema.tables import VERDICT
from runners.cli.shown_rows import kpis_worst_first
from runners.notebook import texts_of_kpi
from runners.services.console import wrapped
from runners.services.plurals import counted

COLUMNS = ("KPI", "status", "value", "limit", "baseline")


def report_of_cell(cell: Row, history: Row | None) -> str:
    """A row of the cell table as plain text, with the row of its history on that day, if any."""
    lines = [headline_of(cell), *wrapped(cell.verdict_reason)]
    lines += [f"{label}: {words}" for label, words in remarks_on(cell, history)]
    return "\n".join([*lines, "", *_table(kpi_rows(cell))])


def headline_of(cell: Row) -> str:
    """The verdict of a cell."""
    verdict = cell[VERDICT.name]
    named = {None: "not judged"}.get(verdict, f"maintenance {verdict}")
    return f"{cell.CellName} on {cell.run_date}: {named}, rank {cell.severity_rank}"


def remarks_on(cell: Row, history: Row | None) -> list[tuple[str, str]]:
    """Labels and sentences: the state of a cell, and what is behind its verdict."""
    behind = (
        f"{counted(cell.customerID_count or 0, 'customer')}, "
        f"{counted(cell.sample_count or 0, 'sample')}, "
        f"{counted(cell.call_row_count or 0, 'row')} of call statistics; "
        f"{counted(cell.evaluated_kpis, 'KPI')} judged"
    )
    return [*([("State", _state(history))] if history else []), ("Behind it", behind)]


def kpi_rows(cell: Row) -> list[tuple[str, ...]]:
    """The KPIs of a cell, worst first, as texts for COLUMNS."""
    texts = map(texts_of_kpi, kpis_worst_first(cell))
    return [(text[0], *text[2:6]) for text in texts]


def _state(history: Row) -> str:
    """The state with its day, and the verdicts of the last days, the newest last."""
    recent = ", ".join(
        f"{day.run_date} {day.verdict or 'not judged'}" for day in reversed(history.recent)
    )
    due = f"; maintenance due since {history.raised_on}" if history.raised_on else ""
    return f"{history.state} since {history.since}{due}; last verdicts: {recent}"


def _table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """A line for each KPI, aligned."""
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    yield _aligned(COLUMNS, widths)
    for row in rows:
        yield _aligned(row, widths)


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> str:
    fields = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
    return "  ".join(fields).rstrip()
