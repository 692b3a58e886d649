"""Frames put together."""

from collections.abc import Iterable
from functools import reduce

from pyspark.sql import DataFrame


def union(frames: Iterable[DataFrame], allow_missing: bool = False) -> DataFrame:
    """The rows of all frames, by the names of their columns.

    allow_missing: a column that a frame lacks is NULL in its rows. There is at least one frame.
    """
    # A method of the frame itself: frames of Spark Connect have a class of their own.
    return reduce(
        lambda one, other: one.unionByName(other, allowMissingColumns=allow_missing), frames
    )
