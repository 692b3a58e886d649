"""Keeps the frames of a run as the runner does: short plans, each computed once, quick tests."""

from pyspark.sql import DataFrame

from anomaly.run import Frame
from runners.engines.choice import engine_of
from runners.services.materializer import MATERIALIZATIONS


def kept(name: Frame, frame: DataFrame) -> DataFrame:
    """A `keep` for `detect` that truncates the plan of every frame that a run keeps."""
    if name not in MATERIALIZATIONS:
        return frame
    # One for each frame, because a keeper has each name once.
    keeper = engine_of(frame.sparkSession).keeper(packs_inputs=False)
    kept, _ = keeper.keep(name.value, frame, has_input_rows=False)
    return kept
