"""Keeps a frame for the rest of a run where no folder of this machine can hold it."""

from pyspark.sql import DataFrame

from runners.storage.spark_errors import reading_and_writing


def held(name: str, frame: DataFrame) -> tuple[DataFrame, int]:
    """The frame computed, on the executors, and the number of its rows.

    A checkpoint, because it also ends the plan there: a persisted frame's plan stays whole, and
    Spark compares it again at each later step. Raises InputError where Spark fails at reading what
    the frame is made from.
    """
    with reading_and_writing(name):
        kept = frame.localCheckpoint()
        return kept, kept.count()
