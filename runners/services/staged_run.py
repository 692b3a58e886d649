"""The pipeline in stages, each run by a process of its own that keeps its tables for the next."""

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from anomaly import Profile, Run
from anomaly.errors import InputError
from anomaly.pipeline.output_tables import table_columns
from anomaly.pipeline.stages import (
    INPUT_FIGURES,
    JOIN_FIGURES,
    WITH_CALLS,
    WITH_SAMPLES,
    customers_with_samples,
    judged_cells,
    judged_customers,
    results_of,
    with_call_statistics,
)
from anomaly.run import Frame
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, SAMPLES
from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE, HISTORY_TABLE, REJECTED_TABLE
from runners.services.console import Progress
from runners.services.limits import check_limits
from runners.services.pipeline_run import Finished, keep_alarms, publish, refusing
from runners.services.published_history import stage_history
from runners.services.rejections import Rejections
from runners.services.times_of_run import find_times, times_of_run
from runners.storage.destination import Publishing, open_destination
from runners.storage.inputs import read_input
from runners.storage.stage_results import read_stage, write_stage

WITH_SAMPLES_STAGE, WITH_CALLS_STAGE = "customers-with-samples", "with-call-statistics"
CUSTOMERS_STAGE, CELLS_STAGE, PUBLISH_STAGE = "customer-metrics", "cell-metrics", "publish"


@dataclass(frozen=True)
class Stage:
    """What a stage reads (raw inputs, and tables of earlier stages) and which tables it keeps."""

    inputs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()


STAGES = {
    WITH_SAMPLES_STAGE: Stage(
        inputs=(CUSTOMERS, SAMPLES), tables=(WITH_SAMPLES, REJECTED_TABLE, INPUT_FIGURES)
    ),
    WITH_CALLS_STAGE: Stage(
        inputs=(CALL_STATISTICS,),
        after=(WITH_SAMPLES_STAGE,),
        tables=(WITH_CALLS, REJECTED_TABLE, INPUT_FIGURES, JOIN_FIGURES),
    ),
    CUSTOMERS_STAGE: Stage(after=(WITH_CALLS_STAGE,), tables=(CUSTOMER_TABLE,)),
    CELLS_STAGE: Stage(after=(WITH_CALLS_STAGE,), tables=(CELL_TABLE,)),
    PUBLISH_STAGE: Stage(
        after=(WITH_SAMPLES_STAGE, WITH_CALLS_STAGE, CUSTOMERS_STAGE, CELLS_STAGE)
    ),
}


class StageRun:
    """Runs stages of one run, each on the folders that earlier ones wrote."""

    def __init__(
        self,
        spark: SparkSession,
        profile: Profile,
        run: Run,
        folders: Mapping[str, str],
        progress: Progress,
    ) -> None:
        """`folders` has a folder for each stage that is read."""
        self.spark, self.profile, self.run = spark, profile, run
        self.folders, self.progress = folders, progress
        self._persisted: list[DataFrame] = []

    def write(self, stage: str, inputs: Mapping[str, str], folder: str) -> None:
        """Run a stage and keep its tables in a folder. Raises AnomalyError."""
        try:
            tables = self._tables(stage, inputs)
            for name, rows in write_stage(self.spark, folder, tables, self.run, self.profile):
                self.progress.done(name, rows)
        finally:
            for frame in self._persisted:
                frame.unpersist()
        if stage == WITH_CALLS_STAGE:
            self._check_limits(folder)

    def publish(self, out: str, publishing: Publishing) -> Finished:
        """Publish what the stages made. Raises AnomalyError, with the previous output whole."""
        columns = table_columns(self.profile)
        destination = open_destination(self.spark, out, self.run, columns, publishing)
        with destination:
            self.progress.done("destination")
            # Stages raise no alarms, whatever the samples are.
            keep_alarms(destination, self.run.run_date, are_dated=True)
            results = results_of(
                self._read(WITH_SAMPLES_STAGE),
                self._read(WITH_CALLS_STAGE),
                self._read(CUSTOMERS_STAGE)[CUSTOMER_TABLE],
                self._read(CELLS_STAGE)[CELL_TABLE],
                self.profile,
                self.run,
            )
            for name in (REJECTED_TABLE, CUSTOMER_TABLE, CELL_TABLE):
                _, rows = destination.stage(name, getattr(results, name))
                self.progress.done(name, rows)
            cells = results.cell_tower_performance_data
            _, rows = stage_history(destination, self.profile, self.run, cells)
            self.progress.done(HISTORY_TABLE, rows)
            figures = results.run_summary
            summary = figures.collect()
            with refusing(results.rejected_rows, out, self.progress) as rejections:
                check_limits(summary, self.profile, rejections)
            return publish(destination, figures, summary, self.profile, self.run, self.progress)

    def _tables(self, stage: str, inputs: Mapping[str, str]) -> dict[str, DataFrame]:
        raw = {
            source: read_input(self.spark, source, inputs[source], self.profile)
            for source in STAGES[stage].inputs
        }
        if stage == WITH_SAMPLES_STAGE:
            found = find_times(raw[SAMPLES], self.profile)
            times = times_of_run(found, self.profile, self.run.run_date)
            return customers_with_samples(
                raw[CUSTOMERS], raw[SAMPLES], self.profile, self.run, self._keep, times
            )
        if stage == WITH_CALLS_STAGE:
            with_samples = self._read(WITH_SAMPLES_STAGE)[WITH_SAMPLES]
            return with_call_statistics(
                with_samples, raw[CALL_STATISTICS], self.profile, self.run, self._keep
            )
        judged = {CUSTOMERS_STAGE: judged_customers, CELLS_STAGE: judged_cells}[stage]
        return judged(self._read(WITH_CALLS_STAGE)[WITH_CALLS], self.profile, self.run)

    def _check_limits(self, folder: str) -> None:
        """All inputs are joined now: what would stop the run at its end stops it here.

        Both stages keep their rejected rows in any case.
        """
        own = read_stage(
            self.spark, folder, STAGES[WITH_CALLS_STAGE].tables, self.run, self.profile
        )
        of_samples = self._read(WITH_SAMPLES_STAGE)
        figures = of_samples[INPUT_FIGURES].unionByName(own[INPUT_FIGURES])
        rejected = of_samples[REJECTED_TABLE].unionByName(own[REJECTED_TABLE])
        try:
            summary = figures.unionByName(own[JOIN_FIGURES]).collect()
            rejections = Rejections(rejected, self.progress.tells_persons)
            check_limits(summary, self.profile, rejections)
        except InputError as error:
            places = (self.folders[WITH_SAMPLES_STAGE], folder)
            kept = " and ".join(f"{place}/{REJECTED_TABLE}" for place in places)
            raise InputError(f"{error}; the rejected rows are in {kept}") from error

    def _read(self, stage: str) -> dict[str, DataFrame]:
        tables = STAGES[stage].tables
        return read_stage(self.spark, self.folders[stage], tables, self.run, self.profile)

    def _keep(self, _: Frame, frame: DataFrame) -> DataFrame:
        self._persisted.append(frame.persist())
        return self._persisted[-1]
