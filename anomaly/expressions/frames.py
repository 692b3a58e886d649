"""Frames put together."""

from collections.abc import Container, Iterable, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def union(frames: Iterable[DataFrame], allow_missing: bool = False) -> DataFrame:
    """The rows of all frames, by the names of their columns.

    allow_missing: a column that a frame lacks is NULL in its rows. There is at least one frame.
    """
    listed = list(frames)
    if allow_missing and len(listed) > 1:
        listed = _with_all_columns(listed)
    # A method of the frame itself: frames of Spark Connect have a class of their own.
    return reduce(
        lambda one, other: one.unionByName(other, allowMissingColumns=allow_missing), listed
    )


def _with_all_columns(frames: Sequence[DataFrame]) -> list[DataFrame]:
    """Each frame with the columns that only others have; they are NULL, and of their type.

    Sail leaves them without a type, and then finds no field in them.
    """
    # Through Spark Connect each question for a schema is a call.
    there = [{field.name.lower(): field for field in frame.schema.fields} for frame in frames]
    fields = {name: field for own in there for name, field in own.items()}

    def whole(frame: DataFrame, own: Container[str]) -> DataFrame:
        missing = (field for name, field in fields.items() if name not in own)
        nulls = (F.lit(None).cast(field.dataType).alias(field.name) for field in missing)
        return frame.select("*", *nulls)

    return [whole(frame, own) for frame, own in zip(frames, there, strict=True)]
