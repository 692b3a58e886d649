"""The pipeline in stages, each run by a process of its own that keeps its frames for the next."""

from collections.abc import Mapping

from pyspark.sql import DataFrame, SparkSession

from anomaly import Profile, Run
from anomaly.errors import InputError
from anomaly.expressions.frames import union
from anomaly.pipeline.nodes import GRAPH, Request
from anomaly.pipeline.results import TABLES
from anomaly.pipeline.stages import PUBLISH, STAGES, WITH_CALLS, WITH_SAMPLES
from anomaly.run import Frame
from anomaly.schema.inputs import HISTORY
from runners.services.hash_key import key_frame
from runners.services.limits import check_limits
from runners.services.materializer import Materializer
from runners.services.origins import ORIGIN, Origin, origins
from runners.services.pipeline_run import (
    Finished,
    Opened,
    alarm_request,
    make_and_publish,
    read_inputs,
    should_cache_columnar,
)
from runners.services.progress import Progress
from runners.services.rejections import Rejections
from runners.services.run_summary import RunSummary
from runners.storage.destination import Storage
from runners.storage.stage_results import StageFolder, read_stage

ORIGIN_COLUMNS = "source string, files double, digest string"


class StageRun:
    """Runs stages of one run, each on the folders that earlier ones wrote.

    Between stages customer numbers stay as they are in the inputs, with or without a key.
    """

    def __init__(
        self,
        spark: SparkSession,
        profile: Profile,
        run: Run,
        folders: Mapping[str, str],
        progress: Progress,
        hash_key: bytes | None = None,
    ) -> None:
        """`folders` has a folder for each stage that is read."""
        self.spark, self.profile, self.run = spark, profile, run
        self.folders, self.progress = folders, progress
        self.hash_key = key_frame(spark, hash_key)

    def write(self, stage: str, inputs: Mapping[str, str], folder: str) -> None:
        """Run a stage on those of the inputs that it reads, and keep its frames in a folder.

        Raises AnomalyError.
        """
        profile, frames = self.profile, STAGES[stage].frames
        inputs = {source: inputs[source] for source in STAGES[stage].inputs if source in inputs}
        checked, times = read_inputs(self.spark, inputs, profile, self.run.run_date)
        alarms = alarm_request(HISTORY in inputs, profile, times)
        request = Request(profile, self.run, times, alarms, self.hash_key)
        # What the stage makes itself is not what earlier ones made of other inputs.
        earlier = {name: frame for name, frame in self._left(stage).items() if name not in frames}
        results = StageFolder(self.spark, folder)
        with Materializer(results, self.progress, should_cache_columnar(inputs)) as kept:
            given = earlier | kept.materialize_all(checked)
            made = GRAPH.make(frames, given, request, kept.materialize, kept.submit)
            for name in frames:
                if name in made and name not in results.names:
                    self.progress.begin(name)
                    _, rows = results.stage(name, made[name])
                    self.progress.done(name, rows)
        made_from = origins(self.spark, inputs, profile)
        of_files = [(one.source, one.files, one.digest) for one in made_from]
        results.stage(ORIGIN, self.spark.createDataFrame(of_files, ORIGIN_COLUMNS))
        results.finish(self.run, profile)
        if stage == WITH_CALLS:
            self._check_limits(folder)

    def publish(self, out: Storage) -> Finished:
        """Publish what the stages made. Raises AnomalyError, with the previous output whole."""
        given = self._left(PUBLISH)
        of_run = self.run.columns(self.profile)
        for table in TABLES.values():
            if table in given:
                given[table] = given[table].withColumns(of_run)
        made_from = [
            Origin(**row.asDict())
            for stage in (WITH_SAMPLES, WITH_CALLS)
            for row in self._read(stage)[ORIGIN].collect()
        ]
        request = Request(self.profile, self.run, hash_key=self.hash_key)
        return make_and_publish(self.spark, Opened(given, made_from), request, out, self.progress)

    def _check_limits(self, folder: str) -> None:
        """All inputs are joined now: what would stop the run at its end stops it here.

        Both stages keep their rejected rows in any case.
        """
        both = (self._read(WITH_SAMPLES), read_stage(self.spark, folder, self.run, self.profile))
        try:
            summary = RunSummary(_of_both(Frame.INPUT_FIGURES, both).collect())
            rejected = _of_both(Frame.REJECTED, both)
            rejections = Rejections(rejected, self.progress.tells_persons)
            check_limits(summary, self.profile, rejections)
        except InputError as error:
            places = (self.folders[WITH_SAMPLES], folder)
            kept = " and ".join(f"{place}/{Frame.REJECTED}" for place in places)
            raise InputError(f"{error}; the rejected rows are in {kept}") from error

    def _left(self, stage: str) -> dict[Frame, DataFrame]:
        """The frames that earlier stages left, rows of all of them where several have one."""
        found: dict[Frame, DataFrame] = {}
        for earlier in STAGES[stage].after:
            tables = self._read(earlier)
            for name in STAGES[earlier].frames:
                if name in tables:
                    others = found.get(name)
                    found[name] = (
                        tables[name] if others is None else others.unionByName(tables[name])
                    )
        return found

    def _read(self, stage: str) -> dict[str, DataFrame]:
        return read_stage(self.spark, self.folders[stage], self.run, self.profile)


def _of_both(name: Frame, tables: tuple[dict[str, DataFrame], ...]) -> DataFrame:
    return union(one[name] for one in tables)
