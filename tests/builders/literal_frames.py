"""Frames of literals, and times as they stand in them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession

BEGIN = datetime(2026, 1, 26, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def text(minutes: float | None) -> str | None:
    return None if minutes is None else at(minutes).strftime("%Y-%m-%d %H:%M:%SZ")


def in_memory(spark: SparkSession, columns: str, rows: Sequence[tuple]) -> DataFrame:
    """A frame of literals, which costs Spark less than rows of Python."""
    typed = [column.split(" ") for column in columns.split(", ")]
    listed = [str(tuple("" if one is None else str(one) for one in row)) for row in rows]
    values = ", ".join(listed or [str(("",) * len(typed))])
    selected = (f"CAST(nullif({name}, '') AS {type_}) AS {name}" for name, type_ in typed)
    names = ", ".join(name for name, _ in typed)
    return spark.sql(
        f"SELECT {', '.join(selected)} FROM VALUES {values} AS t({names}) WHERE {len(rows)} > 0"
    )
