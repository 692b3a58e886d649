"""How each frame that a pipeline names is kept: one table, and who does it."""

from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import Enum
from functools import partial

from pyspark.sql import DataFrame

from anomaly.run import Frame
from runners.engines.choice import engine_of
from runners.engines.engine import Keeper, Kept
from runners.engines.errors import reading_and_writing
from runners.services.progress import STAGES, Progress
from runners.storage.destination import FrameStore

# Computes a frame; gives what is read again, and the number of its rows.
Store = Callable[[], tuple[DataFrame, int]]


class Plan(Enum):
    """What a pipeline goes on with: the frame, or one whose plan begins anew where it is."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    # Truncated by an engine to which long plans cost more than writing the frame.
    SHORTENED = "shortened"
    # Of large inputs persisted with its whole plan, which packs columns; else truncated.
    CACHED = "cached"


class Stored(Enum):
    """What is made of a frame at once: a table, an intermediate of the destination, a count."""

    NOWHERE = "nowhere"
    AS_TABLE = "as a table"
    AS_INTERMEDIATE = "as an intermediate"
    COUNTED = "counted"


@dataclass(frozen=True)
class Materialization:
    """How a frame is kept."""

    plan: Plan
    stored: Stored = Stored.NOWHERE


# Planning a frame takes one core, and most wait for others.
THREADS = 4
LAZY = Materialization(Plan.WHOLE)
# Frames that are not named here are left lazy: one output alone is made of them, or they are cheap.
MATERIALIZATIONS: Mapping[Frame, Materialization] = {
    # As many rows as the inputs have.
    Frame.CHECKED_CUSTOMERS: Materialization(Plan.CACHED),
    Frame.CHECKED_SAMPLES: Materialization(Plan.CACHED),
    Frame.CHECKED_CALLS: Materialization(Plan.CACHED),
    Frame.CHECKED_HISTORY: Materialization(Plan.CACHED),
    Frame.ROW_COUNTS: Materialization(Plan.TRUNCATED),
    # Nothing is made of the rejected rows, which may be many.
    Frame.REJECTED: Materialization(Plan.WHOLE, Stored.AS_TABLE),
    Frame.JOINED: Materialization(Plan.TRUNCATED),
    Frame.INPUT_FIGURES: Materialization(Plan.TRUNCATED, Stored.COUNTED),
    Frame.CELL_METRICS: Materialization(Plan.TRUNCATED),
    Frame.LIMITS: Materialization(Plan.TRUNCATED),
    # Their tables are ranked, which takes them twice.
    Frame.JUDGED_CELLS: Materialization(Plan.SHORTENED),
    Frame.JUDGED_CUSTOMERS: Materialization(Plan.SHORTENED),
    Frame.JUDGED_SPAN: Materialization(Plan.TRUNCATED),
    Frame.ALARM_PERIODS: Materialization(Plan.WHOLE, Stored.AS_INTERMEDIATE),
    Frame.ALARM_STATES: Materialization(Plan.WHOLE, Stored.AS_INTERMEDIATE),
    Frame.ALARMS: Materialization(Plan.WHOLE, Stored.AS_TABLE),
    Frame.ANOMALIES: Materialization(Plan.WHOLE, Stored.AS_TABLE),
    Frame.CELLS: Materialization(Plan.TRUNCATED, Stored.AS_TABLE),
    Frame.CUSTOMERS: Materialization(Plan.WHOLE, Stored.AS_TABLE),
}


class Materializer:
    """Keeps the frames of a run, and reports each that is stored. A context: it ends its threads.

    `stored` has the frames that are stored, as they can be read again. packs_inputs: whether the
    inputs are large.
    """

    def __init__(self, store: FrameStore, progress: Progress, packs_inputs: bool = True) -> None:
        self._into, self._progress = store, progress
        self._keeper = engine_of(store.spark).keeper(packs_inputs)
        self.stored: dict[str, DataFrame] = {}
        self._threads = ThreadPoolExecutor(THREADS)
        self._made_of: dict[str, tuple[str, Callable[[DataFrame], tuple[DataFrame, int]]]] = {}

    def __enter__(self) -> "Materializer":
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)
        self._keeper.release()

    def submit(self, work: Callable[[], DataFrame]) -> Future[DataFrame]:
        """Have a frame made beside others (anomaly.pipeline.graph.Submit)."""
        return self._threads.submit(work)

    def materialize(self, name: Frame, frame: DataFrame) -> DataFrame:
        """The frame to go on with (anomaly.run.Keep), stored as MATERIALIZATIONS says."""
        how = MATERIALIZATIONS.get(name, LAZY)
        frame = self._planned(name, frame, how.plan)
        if how.stored is not Stored.NOWHERE:
            stored = self._run(name.value, partial(self._store(how.stored), name.value, frame))
            # What is made of it goes on from the shorter plan.
            frame = frame if how.plan is Plan.TRUNCATED else stored
        if name in self._made_of:
            made, stage = self._made_of[name]
            self._run(made, partial(stage, frame))
        return frame

    def materialize_all(self, frames: Mapping[Frame, DataFrame]) -> dict[Frame, DataFrame]:
        """Frames side by side: planning each of them takes one core."""
        kept = self._threads.map(self.materialize, frames, frames.values())
        return dict(zip(frames, kept, strict=True))

    def stage_with(
        self, name: Frame, made: str, stage: Callable[[DataFrame], tuple[DataFrame, int]]
    ) -> None:
        """Stage a table that is made of another frame, once that is there."""
        self._made_of[name] = made, stage

    def _planned(self, name: Frame, frame: DataFrame, plan: Plan) -> DataFrame:
        if plan is Plan.WHOLE:
            return frame
        is_told = name in STAGES and MATERIALIZATIONS[name].stored is Stored.NOWHERE
        if is_told:
            self._progress.begin(name)
        kept, rows = kept_as_planned(self._keeper, name, frame)
        if is_told and rows is None:
            self._progress.drop(name)
        elif is_told:
            self._progress.done(name, rows)
        return kept

    def _store(self, stored: Stored) -> Callable[[str, DataFrame], tuple[DataFrame, int]]:
        return {
            Stored.AS_TABLE: self._into.stage,
            Stored.AS_INTERMEDIATE: self._into.hold,
            Stored.COUNTED: counted,
        }[stored]

    def _run(self, name: str, store: Store) -> DataFrame:
        self._progress.begin(name)
        self.stored[name], rows = store()
        self._progress.done(name, rows)
        return self.stored[name]


def kept_as_planned(keeper: Keeper, name: Frame, frame: DataFrame) -> Kept:
    """The frame to go on with, as MATERIALIZATIONS says."""
    plan = MATERIALIZATIONS.get(name, LAZY).plan
    if plan is Plan.WHOLE:
        return frame, None
    if plan is Plan.SHORTENED:
        return keeper.shorten(name.value, frame)
    return keeper.keep(name.value, frame, plan is Plan.CACHED)


def counted(name: str, kept: DataFrame) -> tuple[DataFrame, int]:
    """A frame that is kept once it is computed, after that, and the number of its rows.

    Raises InputError if the engine fails at reading what the frame is made from.
    """
    with reading_and_writing(name):
        return kept, kept.count()
