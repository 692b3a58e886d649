"""Keeps the frames of a run as the runner does: short plans, each computed once, quick tests."""

from pyspark.sql import DataFrame

from anomaly.run import Frame
from runners.engines.spark.kept import truncate_lineage
from runners.services.materializer import MATERIALIZATIONS


def kept(name: Frame, frame: DataFrame) -> DataFrame:
    """A `keep` for `detect` that truncates the plan of every frame that a run keeps."""
    return truncate_lineage(name, frame) if name in MATERIALIZATIONS else frame
