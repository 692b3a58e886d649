"""Rows that are there more often than they may count."""

from collections.abc import Sequence

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from anomaly.schema.inputs import SOURCE_FILE, SOURCE_ROW_ID


def tell_hours_apart(checked: DataFrame) -> DataFrame:
    """Give the local times of the hour that is there twice their own instants.

    `time` is the earlier one, and `later_by` the minutes to the later one, NULL where there is
    none. What a cell sent first is of the earlier hour. Where it did not send exactly two samples
    of the same time it is not known of which hour they are, and they are rejected.
    """
    is_doubled = "later_by IS NOT NULL AND row_reason IS NULL"
    # Rows that stand alone are spread by their own number, or one task would get all of them.
    alone = f"CASE WHEN NOT ({is_doubled}) THEN struct({SOURCE_FILE}, {SOURCE_ROW_ID}) END"
    same = f"PARTITION BY CellName, time, {alone}"
    position = f"row_number() OVER ({same} ORDER BY {SOURCE_FILE}, {SOURCE_ROW_ID})"
    later = "time + make_interval(0, 0, 0, 0, 0, later_by)"
    unknown = "was_doubled AND sent != 2"
    return (
        checked.selectExpr(
            "*",
            f"{is_doubled} AS was_doubled",
            f"count(*) OVER ({same}) AS sent",
            f"{position} AS place",
        )
        .withColumn("row_column", F.expr(f"if({unknown}, 'Time', row_column)"))
        .withColumn("row_reason", F.expr(f"if({unknown}, 'doubled_hour', row_reason)"))
        .withColumn("time", F.expr(f"if(was_doubled AND place = 2, {later}, time)"))
        .drop("was_doubled", "sent", "place")
    )


def reject_duplicates(
    checked: DataFrame, keys: Sequence[str], said: Sequence[str], column: str
) -> DataFrame:
    """Reject rows that say again what an earlier one said, and all that contradict each other.

    Rows are about the same where their `keys` are equal; those with a key that is NULL, or that
    are rejected already, are about nothing else. `said` are the columns that are compared;
    `column` is the one that rejected rows name.
    """
    no_key = " OR ".join(f"{key} IS NULL" for key in keys)
    # Rows that stand alone are spread by their own number, or one task would get all of them.
    alone = (
        f"CASE WHEN row_reason IS NOT NULL OR {no_key} "
        f"THEN struct({SOURCE_FILE}, {SOURCE_ROW_ID}) END"
    )
    same = f"PARTITION BY {', '.join(keys)}, {alone}"
    contents = f"xxhash64({', '.join(said)})"
    differ = f"min({contents}) OVER ({same}) != max({contents}) OVER ({same})"
    position = f"row_number() OVER ({same} ORDER BY {SOURCE_FILE}, {SOURCE_ROW_ID})"
    return (
        checked.selectExpr(
            "*",
            f"CASE WHEN {differ} THEN 'contradicting_rows' "
            f"WHEN {position} > 1 THEN 'duplicate_row' END AS repeated",
        )
        # A row that stands alone is no repetition, so nothing that is there is replaced.
        .withColumn("row_column", F.expr(f"if(repeated IS NULL, row_column, '{column}')"))
        .withColumn("row_reason", F.coalesce("repeated", "row_reason"))
        .drop("repeated")
    )


def limit_rows(checked: DataFrame, key: str, rows_per_key: int) -> DataFrame:
    """Reject the rows of a key after the first ones, in the order of file and row."""
    usable = F.col("row_reason").isNull()
    in_file_order = Window.partitionBy(key, usable).orderBy(SOURCE_FILE, SOURCE_ROW_ID)
    beyond = usable & (F.col("row_number") > rows_per_key)
    return (
        checked.withColumn("row_number", F.row_number().over(in_file_order))
        .withColumn("row_reason", F.when(beyond, "beyond_row_limit").otherwise(F.col("row_reason")))
        .drop("row_number")
    )
