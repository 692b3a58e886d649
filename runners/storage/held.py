"""Keeps a frame for the rest of a run where no folder of this machine can hold it."""

from pyspark.sql import DataFrame

from runners.storage.spark_errors import reading_and_writing


def held(name: str, frame: DataFrame) -> tuple[DataFrame, int]:
    """The frame computed, and the number of its rows.

    On one machine a checkpoint, because it also ends the plan there: a persisted frame's plan
    stays whole, and Spark compares it again at each later step. On a cluster a checkpoint would go
    with the executor that holds it, and a persisted frame is computed anew. Raises InputError where
    Spark fails at reading what the frame is made from.
    """
    is_local = (frame.sparkSession.conf.get("spark.master", "") or "").startswith("local")
    with reading_and_writing(name):
        kept = frame.localCheckpoint() if is_local else frame.persist()
        return kept, kept.count()
