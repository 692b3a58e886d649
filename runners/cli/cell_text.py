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
    """A row of the cell table, and the row of its history on that day, if there is one."""
    verdict = cell[VERDICT.name]
    named = {None: "not judged"}.get(verdict, f"maintenance {verdict}")
    lines = [
        f"{cell.CellName} on {cell.run_date}: {named}, rank {cell.severity_rank}",
        *wrapped(cell.verdict_reason),
    ]
    if history:
        lines.append(f"State: {_state(history)}")
    lines.append(
        f"Behind it: {counted(cell.customerID_count or 0, 'customer')}, "
        f"{counted(cell.sample_count or 0, 'sample')}, "
        f"{counted(cell.call_row_count or 0, 'row')} of call statistics; "
        f"{counted(cell.evaluated_kpis, 'KPI')} judged"
    )
    return "\n".join([*lines, "", *_table(kpis_worst_first(cell))])


def _state(history: Row) -> str:
    """The state with its day, and the verdicts of the last days, the newest last."""
    recent = ", ".join(
        f"{day.run_date} {day.verdict or 'not judged'}" for day in reversed(history.recent)
    )
    due = f"; maintenance due since {history.raised_on}" if history.raised_on else ""
    return f"{history.state} since {history.since}{due}; last verdicts: {recent}"


def _table(kpis: Sequence[Row]) -> Iterator[str]:
    """A line for each KPI, aligned."""
    texts = [texts_of_kpi(kpi) for kpi in kpis]
    rows = [(text[0], *text[2:6]) for text in texts]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
    yield _aligned(COLUMNS, widths)
    for row in rows:
        yield _aligned(row, widths)


def _aligned(texts: Sequence[str], widths: Sequence[int]) -> str:
    fields = (text.ljust(width) for text, width in zip(texts, widths, strict=True))
    return "  ".join(fields).rstrip()
