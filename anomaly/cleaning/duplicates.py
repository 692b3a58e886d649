"""Rows that are there more often than they may count."""

from collections.abc import Sequence
from functools import reduce
from operator import and_

from pyspark.sql import Column, DataFrame, Window, WindowSpec
from pyspark.sql import functions as F

from anomaly.schema.inputs import SOURCE_FILE, SOURCE_ROW_ID

# The order of the rows in their files.
FILE_ORDER = (SOURCE_FILE, SOURCE_ROW_ID)
# Rows about the same are found by sorting them in so many parts: with a part for each key, Sail
# takes ten times as long.
PARTS = 4096
BEYOND_LIMIT = "beyond_row_limit"


def tell_hours_apart(checked: DataFrame) -> DataFrame:
    """Give the local times of the hour that is there twice their own instants.

    `time` is the earlier one, and `later_by` the minutes to the later one, NULL where there is
    none. What a cell sent first is of the earlier hour. Where it did not send exactly two samples
    of the same time it is not known of which hour they are, and they are rejected.
    """
    is_doubled = F.col("later_by").isNotNull() & F.col("row_reason").isNull()
    same, is_later = _same(("CellName", "time"), is_alone=~is_doubled)
    later = F.col("time") + F.make_interval(mins=F.col("later_by"))
    was_doubled, unknown = F.col("was_doubled"), F.col("was_doubled") & (F.col("sent") != 2)
    return (
        checked.withColumns(
            {
                "was_doubled": is_doubled,
                "sent": F.count("*").over(same),
                "is_second": is_later,
            }
        )
        .withColumns(
            {
                "row_column": F.when(unknown, "Time").otherwise(F.col("row_column")),
                "row_reason": F.when(unknown, "doubled_hour").otherwise(F.col("row_reason")),
                "time": F.when(was_doubled & F.col("is_second"), later).otherwise(F.col("time")),
            }
        )
        .drop("was_doubled", "sent", "is_second")
    )


def reject_duplicates(
    checked: DataFrame, keys: Sequence[str], compared: Sequence[str], column: str
) -> DataFrame:
    """Reject rows that say again what an earlier one said, and all that contradict each other.

    Rows are about the same where their `keys` are equal; those with a key that is NULL, or that
    are rejected already, are about nothing else. `compared` are the columns that must be equal;
    `column` is the one that rejected rows name.
    """
    is_alone = F.col("row_reason").isNotNull()
    for key in keys:
        is_alone |= F.col(key).isNull()
    same, is_later = _same(keys, is_alone)
    contents = F.xxhash64(*compared)
    differ = F.min(contents).over(same) != F.max(contents).over(same)
    repeated = F.when(differ, "contradicting_rows").when(is_later, "duplicate_row")
    return (
        checked.withColumn("repeated", F.when(~is_alone, repeated))
        # A row that stands alone is no repetition, so nothing that is there is replaced.
        .withColumns(
            {
                "row_column": F.when(F.col("repeated").isNull(), F.col("row_column")).otherwise(
                    column
                ),
                "row_reason": F.coalesce("repeated", "row_reason"),
            }
        )
        .drop("repeated")
    )


def limit_rows(
    checked: DataFrame, key: str, rows_per_key: int, emptied: Sequence[str]
) -> DataFrame:
    """Reject the rows of a key after the first ones, in the order of file and row.

    They are as good as those before them, so there is nothing to show, and they may be most rows:
    their `emptied` columns are NULL.
    """
    usable = F.col("row_reason").isNull()
    in_file_order = Window.partitionBy(key, usable).orderBy(*FILE_ORDER)
    is_beyond = F.col("is_beyond")
    return (
        checked.withColumn(
            "is_beyond", usable & (F.row_number().over(in_file_order) > rows_per_key)
        )
        .withColumns(
            {
                "row_reason": F.when(is_beyond, BEYOND_LIMIT).otherwise(F.col("row_reason")),
                **{name: F.when(~is_beyond, F.col(name)) for name in emptied},
            }
        )
        .drop("is_beyond")
    )


def _same(keys: Sequence[str], is_alone: Column) -> tuple[WindowSpec, Column]:
    """Rows about the same, and whether one of them is before a row, in the order of FILE_ORDER.

    Rows about the same have equal `keys`. Of rows that stand alone both say nothing.
    """
    # Those are spread by their own number, or one task would get all of them.
    number = F.when(is_alone, F.xxhash64(*FILE_ORDER)).otherwise(F.xxhash64(*keys))
    part = Window.partitionBy(F.pmod(number, F.lit(PARTS)), is_alone)
    in_turn, here = part.orderBy(*keys, *FILE_ORDER), Window.currentRow
    has_key_of_last = reduce(and_, (F.lag(key).over(in_turn) == F.col(key) for key in keys))
    same = part.orderBy(*keys).rangeBetween(here, here)
    return same, F.coalesce(has_key_of_last, F.lit(False))
