"""The statements that a run sends to BigQuery; the names in them have been checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from google.cloud.bigquery import ArrayQueryParameter, QueryJobConfig, ScalarQueryParameter

from anomaly.run import Run


@dataclass(frozen=True)
class Swap:
    """The rows of a day in `target` that those of `staging` replace, and their columns.

    No staging: the day has no rows any more. later_days: the rows of later days are replaced, too.
    """

    target: str
    staging: str | None = None
    columns: tuple[str, ...] = ()
    later_days: bool = False


def replace_day(swaps: Sequence[Swap], summary: str, removes_old_days: bool) -> str:
    """A script that replaces the rows of @run_date in all tables, or in none.

    In none, too, where `summary` names a run of @first_date or later that is not one of @known.
    With removes_old_days days before @oldest_date are removed from all tables.
    """
    alone = (
        f"(SELECT COUNT(*) FROM `{summary}` WHERE run_date >= @first_date "
        "AND run_id NOT IN UNNEST(@known)) = 0"
    )
    statements = []
    for swap in swaps:
        days = f"run_date {'>=' if swap.later_days else '='} @run_date"
        statements.append(f"DELETE FROM `{swap.target}` WHERE {days} AND {alone};")
        if removes_old_days:
            old = "run_date < @oldest_date"
            statements.append(f"DELETE FROM `{swap.target}` WHERE {old} AND {alone};")
        if swap.staging:
            columns = ", ".join(f"`{name}`" for name in swap.columns)
            statements.append(
                f"INSERT INTO `{swap.target}` ({columns}) SELECT {columns} FROM `{swap.staging}` "
                f"WHERE {alone};"
            )
    # What fails before COMMIT is rolled back by BigQuery.
    return "\n".join(("BEGIN TRANSACTION;", *statements, "COMMIT TRANSACTION;"))


def count_rows(table: str, not_null: Sequence[str]) -> str:
    """A query for the rows of a table, and for those without a value in each of some columns."""
    nulls = "".join(f", COUNTIF(`{name}` IS NULL)" for name in not_null)
    return f"SELECT COUNT(*){nulls} FROM `{table}`"


def published_days(table: str) -> str:
    """A query for the days of a table."""
    return f"SELECT DISTINCT run_date FROM `{table}`"


def published_runs(summary: str) -> str:
    """A query for the days and runs that a summary tells of."""
    return f"SELECT DISTINCT run_date, run_id FROM `{summary}`"


def for_run(
    run: Run, first_date: date, known: Iterable[str], keep_days: int | None
) -> QueryJobConfig:
    """The parameters of `replace_day`."""
    oldest = run.run_date - timedelta(days=(keep_days or 1) - 1)
    return QueryJobConfig(
        query_parameters=[
            ScalarQueryParameter("run_date", "DATE", run.run_date),
            ScalarQueryParameter("first_date", "DATE", first_date),
            ScalarQueryParameter("oldest_date", "DATE", oldest),
            ArrayQueryParameter("known", "STRING", sorted({run.run_id, *known})),
        ]
    )
