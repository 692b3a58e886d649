"""Days that are run in turn: the next one is begun while a day is judged and published."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from pyspark.sql import DataFrame, SparkSession

from anomaly import Profile, Run
from anomaly.pipeline.nodes import GRAPH, Request
from anomaly.run import CHECKED, Frame
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS
from runners.engines.choice import engine_of
from runners.engines.engine import Keeper
from runners.services.materializer import kept_as_planned
from runners.services.origins import Origin
from runners.services.pipeline_run import Opened, read_inputs, should_cache_columnar
from runners.storage.files import Place

# Days may have these in common; samples are checked by the day that they are of.
OF_MANY_DAYS = (CUSTOMERS, CALL_STATISTICS)


class DaysAhead:
    """Begins one day after the other. A context: it frees what it keeps of them.

    A day must have ended before the second day after it begins. Customers and call statistics that
    stay as they are from day to day are checked once.
    """

    def __init__(self, spark: SparkSession, profile: Profile) -> None:
        self._spark, self._profile = spark, profile
        # What was read, place and files, and the frame.
        self._of_many_days: dict[str, tuple[tuple[Place, Origin], DataFrame]] = {}
        self._keepers: dict[str, list[Keeper]] = defaultdict(list)

    def __enter__(self) -> "DaysAhead":
        return self

    def __exit__(self, *_: object) -> None:
        for keeper in chain(*self._keepers.values()):
            keeper.release()

    def open(self, inputs: Mapping[str, Place], made_from: Sequence[Origin], run: Run) -> Opened:
        """What a run goes on from: its inputs, checked, and all frames up to the limits.

        Raises InputError as read_inputs does.
        """
        read_from = {one.source: (inputs[one.source], one) for one in made_from}
        as_before = {
            CHECKED[source]: frame
            for source, (before, frame) in self._of_many_days.items()
            if before == read_from[source]
        }
        others = [source for source in inputs if CHECKED[source] not in as_before]
        to_read = {source: inputs[source] for source in others}
        checked, times = read_inputs(self._spark, to_read, self._profile, run.run_date)
        is_large = should_cache_columnar(inputs)
        of_day = self._keeper("day", is_large)

        def keep(source: str) -> DataFrame:
            keeper = self._keeper(source, is_large) if source in OF_MANY_DAYS else of_day
            return kept_as_planned(keeper, CHECKED[source], checked[CHECKED[source]])[0]

        with ThreadPoolExecutor(len(others)) as threads:
            kept = dict(zip(others, threads.map(keep, others), strict=True))
        given = as_before | {CHECKED[source]: frame for source, frame in kept.items()}
        self._of_many_days = {
            source: (read_from[source], given[CHECKED[source]]) for source in OF_MANY_DAYS
        }
        request = Request(self._profile, run, times)
        frames = GRAPH.make(
            [Frame.LIMITS], given, request, lambda *named: kept_as_planned(of_day, *named)[0]
        )
        return Opened({}, made_from, times, is_large, frames)

    def _keeper(self, of: str, is_large: bool) -> Keeper:
        """A new keeper; the last one may still be needed, the one before it is not."""
        keepers = self._keepers[of]
        if len(keepers) > 1:
            keepers.pop(0).release()
        keepers.append(engine_of(self._spark).keeper(is_large))
        return keepers[-1]
