"""Keeps a frame for the rest of a run, in the memory and on the disks of those who computed it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from pyspark.errors import PySparkNotImplementedError
from pyspark.sql import DataFrame, SparkSession

from runners.engines.errors import reading_and_writing

CONSTRAINTS = "spark.sql.constraintPropagation.enabled"
# More than any frame has: a frame that says how its rows are parted is not taken for the same one
# where a plan has it twice, and would be broadcast twice.
MOST_PARTITIONS = 1_000_000
# A setting of the session is that of all its threads, and a run plans in two.
_CONF_LOCK = Lock()


def held(name: str, frame: DataFrame) -> tuple[DataFrame, int]:
    """The frame computed, and the number of its rows.

    Raises InputError where Spark fails at reading what the frame is made from.
    """
    kept = truncate_lineage(name, frame)
    with reading_and_writing(name):
        return kept, kept.count()


def truncate_lineage(name: str, frame: DataFrame) -> DataFrame:
    """The frame, to be kept once it is computed; on one machine what comes after plans faster.

    On one machine a checkpoint, because it also ends the plan there: a persisted frame's plan
    stays whole, and Spark goes through it again at each later step. On a cluster a checkpoint
    would go with the executor that holds it, and a persisted frame is computed anew. Raises
    InputError where Spark fails at reading what it must compute to plan the frame.
    """
    session = frame.sparkSession
    if not (session.conf.get("spark.master", "") or "").startswith("local"):
        return frame.persist()
    with reading_and_writing(name), without_constraints(session):
        try:
            return frame.coalesce(MOST_PARTITIONS).localCheckpoint(eager=False)
        except PySparkNotImplementedError:
            # Spark Connect knows checkpoints since Spark 4.
            return frame.persist()


@contextmanager
def without_constraints(session: SparkSession) -> Iterator[None]:
    """A checkpoint takes the constraints of its plan along, which are more than all memory holds.

    Their number grows with the power of the columns that are made of each other.
    """
    with _CONF_LOCK:
        before = session.conf.get(CONSTRAINTS, "true") or "true"
        if before == "true":
            session.conf.set(CONSTRAINTS, "false")
            try:
                yield
            finally:
                session.conf.set(CONSTRAINTS, before)
            return
    # Nothing to change, and so nobody to wait for.
    yield
