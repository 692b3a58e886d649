"""Figures of a summary, a row each: made of rows, added up, and the first of each group."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

# Of keys without a partner, and of towers that need maintenance, the table names this many.
LARGEST_KEYS = 50

FIGURE_COLUMNS = ("section", "subject", "item", "value", "detail")
FIGURE_TYPE = "struct<section:string,subject:string,item:string,value:double,detail:string>"
NO_FIGURES = f"array<{FIGURE_TYPE}>"


def top_n_per_group(
    frame: DataFrame,
    group: Sequence[Column],
    order: Sequence[Column],
    most: int = LARGEST_KEYS,
) -> DataFrame:
    """The first rows of each group, so many at most; `position` is their number in it.

    By a window, because a sort with a limit would sample the rows in a job of its own.
    """
    in_group = Window.partitionBy(*group).orderBy(*order)
    numbered = frame.withColumn("position", F.row_number().over(in_group))
    return numbered.where(F.col("position") <= most)


def figure(
    section: Column | str,
    subject: Column | str,
    item: Column | str,
    value: Column | float,
    detail: Column | str | None = None,
) -> Column:
    """A row of the summary, without the columns of the run; texts stand for themselves."""
    fields = zip(FIGURE_COLUMNS, (section, subject, item, value, detail), strict=True)
    return F.struct(*(F.lit(field).alias(name) for name, field in fields)).cast(FIGURE_TYPE)


def figures_if(condition: Column, *figures: Column) -> Column:
    """An array of figures, empty where a condition does not hold."""
    return F.when(condition, F.array(*figures)).otherwise(F.array().cast(NO_FIGURES))


def figure_per_row(frame: DataFrame, figure: Column) -> DataFrame:
    """The one figure that each row gives."""
    return explode_figures(frame, F.array(figure))


def explode_figures(frame: DataFrame, figures: Column) -> DataFrame:
    """The figures that each row gives, an array."""
    return frame.select(F.inline(figures))


def sum_figures(figures: DataFrame) -> DataFrame:
    """Figures of the same name added up."""
    names = (name for name in FIGURE_COLUMNS if name != "value")
    return figures.groupBy(*names).agg(F.sum("value").alias("value"))


def explode_and_sum(frame: DataFrame, figures: Column) -> DataFrame:
    """The figures that each row gives, an array; those of the same name added up."""
    return sum_figures(explode_figures(frame, figures))
