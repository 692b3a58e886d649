"""Figures of a summary from SQL text, until nothing uses it (see figures)."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

# Of keys without a partner, and of towers that need maintenance, the table names this many.
LARGEST_KEYS = 50

FIGURE_COLUMNS = ("section", "subject", "item", "value", "detail")


def top_n_per_group(
    frame: DataFrame, group: str, order: str, most: int = LARGEST_KEYS
) -> DataFrame:
    """The first rows of each group, so many at most.

    By a window, because a sort with a limit would sample the rows in a job of its own.
    """
    position = f"row_number() OVER (PARTITION BY {group} ORDER BY {order})"
    return frame.selectExpr("*", f"{position} AS position").where(f"position <= {most}")


def figure(section: str, subject: str, item: str, value: str, detail: str = "NULL") -> str:
    """The SQL of a row of the summary, without the columns of the run."""
    return (
        f"struct({section} AS section, {subject} AS subject, {item} AS item, "
        f"CAST({value} AS double) AS value, CAST({detail} AS string) AS detail)"
    )


def figure_per_row(frame: DataFrame, figure: str) -> DataFrame:
    """The one figure that each row gives."""
    return explode_figures(frame, f"array({figure})")


def explode_figures(frame: DataFrame, figures: str) -> DataFrame:
    """The figures that each row gives."""
    return frame.selectExpr(f"inline({figures})")


def sum_figures(figures: DataFrame) -> DataFrame:
    """Figures of the same name added up."""
    return figures.groupBy("section", "subject", "item", "detail").agg(
        F.expr("sum(value) AS value")
    )


def explode_and_sum(frame: DataFrame, figures: str) -> DataFrame:
    """The figures that each row gives, those of the same name added up."""
    return sum_figures(explode_figures(frame, figures))
