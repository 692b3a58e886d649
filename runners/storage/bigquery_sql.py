"""The statements that a run sends to BigQuery; the names in them have been checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from google.cloud.bigquery import QueryJobConfig, ScalarQueryParameter

from anomaly.run import Run


@dataclass(frozen=True)
class Swap:
    """The rows of a day in `target` that those of `staging` replace, and their columns."""

    target: str
    staging: str
    columns: tuple[str, ...]


def replace_day(swaps: Sequence[Swap]) -> str:
    """A script that replaces the rows of @run_date in all tables, or in none."""
    statements = []
    for swap in swaps:
        columns = ", ".join(f"`{name}`" for name in swap.columns)
        statements += [
            f"DELETE FROM `{swap.target}` WHERE run_date = @run_date;",
            f"INSERT INTO `{swap.target}` ({columns}) SELECT {columns} FROM `{swap.staging}`;",
        ]
    # What fails before COMMIT is rolled back by BigQuery.
    return "\n".join(("BEGIN TRANSACTION;", *statements, "COMMIT TRANSACTION;"))


def count_rows(table: str, not_null: Sequence[str]) -> str:
    """A query for the rows of a table, and for those without a value in each of some columns."""
    nulls = "".join(f", COUNTIF(`{name}` IS NULL)" for name in not_null)
    return f"SELECT COUNT(*){nulls} FROM `{table}`"


def for_day_of(run: Run) -> QueryJobConfig:
    """The parameters of `replace_day`."""
    day = ScalarQueryParameter("run_date", "DATE", run.run_date)
    return QueryJobConfig(query_parameters=[day])
