"""Frames put together."""

from collections.abc import Iterable, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def union(frames: Iterable[DataFrame], allow_missing: bool = False) -> DataFrame:
    """The rows of all frames, by the names of their columns.

    allow_missing: a column that a frame lacks is NULL in its rows. There is at least one frame.
    """
    listed = list(frames)
    if allow_missing:
        listed = _with_all_columns(listed)
    # A method of the frame itself: frames of Spark Connect have a class of their own.
    return reduce(
        lambda one, other: one.unionByName(other, allowMissingColumns=allow_missing), listed
    )


def _with_all_columns(frames: Sequence[DataFrame]) -> list[DataFrame]:
    """Each frame with the columns that only others have; they are NULL, and of their type.

    Sail leaves them without a type, and then finds no field in them.
    """
    fields = {field.name.lower(): field for frame in frames for field in frame.schema.fields}

    def whole(frame: DataFrame) -> DataFrame:
        there = {name.lower() for name in frame.columns}
        missing = (field for name, field in fields.items() if name not in there)
        nulls = (F.lit(None).cast(field.dataType).alias(field.name) for field in missing)
        return frame.select("*", *nulls)

    return [whole(frame) for frame in frames]
