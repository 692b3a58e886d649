"""One run, wherever it runs: reads, detects, stages, checks, publishes."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from pyspark.sql import DataFrame, Row, SparkSession

from anomaly import AlarmRequest, Profile, Run
from anomaly.cleaning.checks import check_input
from anomaly.cleaning.sample_times import ANY_TIME, TimesOfRun
from anomaly.errors import ConfigurationError, InputError
from anomaly.pipeline.detection import results_of
from anomaly.pipeline.nodes import Request
from anomaly.pipeline.output_tables import TABLES_OF_A_RUN, TABLES_OF_ALARMS, table_columns
from anomaly.run import CHECKED, MADE_UP, Frame
from anomaly.schema.inputs import HISTORY, SAMPLES
from anomaly.schema.tables import (
    ALARMS_TABLE,
    CELL_TABLE,
    HISTORY_TABLE,
    REJECTED_TABLE,
    SUMMARY_COLUMNS,
    SUMMARY_TABLE,
)
from runners.engines.choice import choice_of, engine_of
from runners.engines.errors import SPARK_ERRORS
from runners.services.hash_key import key_frame
from runners.services.limits import check_limits, check_run_limits
from runners.services.materializer import Materializer
from runners.services.notices import notices
from runners.services.origins import ORIGIN, Origin, origins
from runners.services.progress import DESTINATION, INPUTS, PUBLISHED, Progress
from runners.services.published_history import due_since, stage_history
from runners.services.rejections import Rejections
from runners.services.run_summary import DUE, ENGINE, RunSummary
from runners.services.stopping import publishing
from runners.services.times_of_run import find_times, times_of_run
from runners.storage.destination import Destination, Storage
from runners.storage.files import Place
from runners.storage.inputs import read_input
from runners.storage.local_files import bytes_below
from runners.storage.places import keep_apart, on_this_machine, storages_of

LOG = logging.getLogger(__name__)
# A row of the summary.
FIGURE = Row(*(column.name for column in SUMMARY_COLUMNS))
# From so many bytes of inputs on they are persisted, which packs their columns. Below that, a plan
# that begins anew saves more than the rows, which lie there one by one, cost the collector.
COLUMNAR_CACHE_MIN_BYTES = 256 * 2**20


def new_run(run_date: date, on_made_up_data: bool = False) -> Run:
    """A run of its own for a day; all rows tell by its id that they rest on made-up data."""
    run = Run.new(run_date)
    return replace(run, run_id=f"{MADE_UP}{run.run_id}") if on_made_up_data else run


@dataclass(frozen=True)
class Opened:
    """What a run goes on from: inputs that are checked, or the results of stages.

    made_from: the files of the inputs. times: those that samples may have. kept: frames that are
    computed already.
    """

    frames: Mapping[Frame, DataFrame]
    made_from: Sequence[Origin]
    times: TimesOfRun = ANY_TIME
    is_large: bool = True
    kept: Mapping[Frame, DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class Finished:
    """The result of a run: its summary, and where its tables are."""

    summary: RunSummary
    place_of_tables: str


def run_pipeline(
    spark: SparkSession,
    profile: Profile,
    inputs: Mapping[str, Place],
    out: Storage,
    run: Run,
    progress: Progress,
    hash_key: bytes | None = None,
) -> Finished:
    """One run; with a key customer numbers are published as hashes.

    Raises AnomalyError, with the previous output whole.
    """
    keep_apart(inputs, out)
    progress.begin(INPUTS)
    checked, times = read_inputs(spark, inputs, profile, run.run_date)
    made_from = origins(spark, inputs, profile)
    opened = Opened(checked, made_from, times, should_cache_columnar(inputs))
    progress.done(INPUTS)
    return run_opened(spark, profile, opened, out, run, progress, hash_key)


def run_opened(
    spark: SparkSession,
    profile: Profile,
    opened: Opened,
    out: Storage,
    run: Run,
    progress: Progress,
    hash_key: bytes | None = None,
) -> Finished:
    """The same from inputs that are open, some frames of which may be computed already."""
    has_history = HISTORY in (one.source for one in opened.made_from)
    alarms = alarm_request(has_history, profile, opened.times)
    request = Request(profile, run, opened.times, alarms, key_frame(spark, hash_key))
    return make_and_publish(spark, opened, request, out, progress)


def make_and_publish(
    spark: SparkSession,
    opened: Opened,
    request: Request,
    out: Storage,
    progress: Progress,
) -> Finished:
    """Make the tables of a run from frames of its graph, check its limits, and publish them.

    Raises AnomalyError, with the previous output whole.
    """
    profile, run = request.profile, request.run
    has_alarms = request.alarms is not None or Frame.ALARMS in opened.frames
    tables = (*TABLES_OF_A_RUN, *(TABLES_OF_ALARMS if has_alarms else ()))
    columns = table_columns(profile, tables, hash_customers=request.hash_key is not None)
    progress.begin(DESTINATION)
    with out.destination(spark, run, columns) as destination:
        progress.done(DESTINATION)
        if not has_alarms:
            keep_alarms(destination, run.run_date, profile)
        with Materializer(destination, progress, opened.is_large) as frames:
            frames.stage_with(
                Frame.CELLS, HISTORY_TABLE, partial(stage_history, destination, profile, run)
            )
            given = {**frames.materialize_all(opened.frames), **opened.kept}
            results = results_of(given, request, frames.materialize, frames.submit)
            progress.begin(SUMMARY_TABLE)
            summary = RunSummary(results.summary.collect())
            history = frames.stored[HISTORY_TABLE]
            summary = with_due_days(summary, history, destination, profile, run)
        with refusing(frames.stored[REJECTED_TABLE], out, progress) as rejections:
            if has_alarms:
                sources = [one.source for one in opened.made_from]
                check_run_limits(summary, profile, rejections, sources)
            else:
                check_limits(summary, profile, rejections)
        return publish(destination, summary, profile, run, progress, opened.made_from)


def read_inputs(
    spark: SparkSession, inputs: Mapping[str, Place], profile: Profile, day: date
) -> tuple[dict[Frame, DataFrame], TimesOfRun]:
    """The inputs of a day checked, and the times that samples may have.

    The inputs are read side by side: each takes small jobs, which leave cores idle. Raises
    InputError that names every input that cannot be read; or as where dated samples are of other
    days.
    """

    def read(source: str) -> DataFrame:
        # Older samples have the columns of samples.
        return read_input(spark, SAMPLES if source == HISTORY else source, inputs[source], profile)

    def found_times() -> TimesOfRun:
        if SAMPLES not in reading:
            return ANY_TIME
        return times_of_run(find_times(reading[SAMPLES].result(), profile), profile, day)

    def checked(source: str) -> DataFrame:
        of_run = times.result() if source == SAMPLES else ANY_TIME
        return check_input(source, reading[source].result(), profile, of_run)

    # A thread for each, because some wait for others.
    with ThreadPoolExecutor(max_workers=2 * len(inputs) + 1) as threads:
        reading = {source: threads.submit(read, source) for source in inputs}
        times = threads.submit(found_times)
        checking = {source: threads.submit(checked, source) for source in inputs}
        faults = [str(one.exception()) for one in reading.values() if _is_refused(one)]
        if len(faults) > 1:
            raise InputError("\n".join(faults))
        # In the order of the inputs, so that the first one at fault is told.
        found = {CHECKED[source]: one.result() for source, one in checking.items()}
        return found, times.result()


def _is_refused(reading: Future[DataFrame]) -> bool:
    return isinstance(reading.exception(), InputError)


def keep_alarms(destination: Destination, day: date, profile: Profile) -> None:
    """Where a run makes no alarms: refuse to lose those of its day by samples without dates.

    Raises InputError. A profile without [alarms] is chosen: that they go is told, no more.
    """
    if not _has_alarms(destination, day):
        return
    if profile.alarms is None:
        LOG.warning("the alarms that are published of %s go: none are made here", day)
        return
    raise InputError(
        f"{SAMPLES}: most have no date, so that no alarms are raised, and those that are published "
        f"of {day} would be lost; give samples with dates, or another --out"
    )


def _has_alarms(destination: Destination, day: date) -> bool:
    if day not in destination.days(ALARMS_TABLE):
        return False
    try:
        # A bucket knows its days, not which tables each of them has.
        return bool(destination.published(ALARMS_TABLE, [day]).columns)
    except SPARK_ERRORS:
        return False


def should_cache_columnar(inputs: Mapping[str, Place]) -> bool:
    """Whether the rows of the inputs are better packed; unknown sizes are taken for large."""
    places = storages_of(inputs)
    is_known = on_this_machine(*places)
    return not is_known or bytes_below(map(str, places)) >= COLUMNAR_CACHE_MIN_BYTES


def alarm_request(has_history: bool, profile: Profile, times: TimesOfRun) -> AlarmRequest | None:
    """That the samples are dated, where alarms are raised.

    Raises ConfigurationError for older samples that nothing would use.
    """
    if times.are_dated and profile.alarms:
        return AlarmRequest(end=times.end)
    if has_history:
        unused = "only alarms use it; they need samples with dates, and [alarms] in the profile"
        raise ConfigurationError("--history", [unused])
    return None


def with_due_days(
    summary: RunSummary, history: DataFrame, destination: Destination, profile: Profile, run: Run
) -> RunSummary:
    """The summary, which also says since when each cell to visit is due, by the history."""
    cells = [cell.name for cell in summary.to_visit]
    since = dict.fromkeys(cells, str(run.run_date))
    # Without an earlier day there is nothing to look up, which would take a job of its own.
    if cells and any(day < run.run_date for day in destination.days(CELL_TABLE)):
        since = due_since(history, run.run_date, cells)
    of_run = _of_run(profile, run)
    days = [FIGURE(DUE, cell, "since", None, day, *of_run) for cell, day in since.items()]
    return RunSummary([*summary.rows, *days])


def _of_run(profile: Profile, run: Run) -> tuple[object, ...]:
    """The last values of each row of the summary."""
    return run.run_id, profile.fingerprint, run.run_date


@contextmanager
def refusing(rejected: DataFrame, out: Storage, progress: Progress) -> Iterator[Rejections]:
    """Where the run is refused in there, its rejected rows are kept beside the output."""
    rejections = Rejections(rejected, progress.tells_persons)
    try:
        yield rejections
    except InputError as error:
        raise InputError(f"{error}{rejections.keep(out)}") from error


def publish(
    destination: Destination,
    summary: RunSummary,
    profile: Profile,
    run: Run,
    progress: Progress,
    made_from: Iterable[Origin] = (),
) -> Finished:
    """Let readers see the tables that are staged, and the summary, whose limits were checked.

    The summary also tells what the tables were `made_from`, by which engine, and the seconds that
    each stage took.
    """
    for sentence in notices(summary):
        LOG.warning(sentence)
    progress.done(SUMMARY_TABLE, len(summary.rows))
    progress.begin(PUBLISHED)
    of_run = _of_run(profile, run)
    chosen = choice_of(destination.spark)
    rows = [
        *summary.rows,
        FIGURE(ENGINE, chosen.engine, "reason", None, chosen.reason, *of_run),
        *(FIGURE(ORIGIN, one.source, "files", one.files, one.digest, *of_run) for one in made_from),
        *(
            FIGURE("seconds", stage, "seconds", seconds, None, *of_run)
            for stage, seconds in progress.seconds.items()
        ),
    ]
    type_ = f"struct<{', '.join(f'{column.name}: {column.type}' for column in SUMMARY_COLUMNS)}>"
    table = engine_of(destination.spark).frame_of(destination.spark, rows, type_)
    destination.stage(SUMMARY_TABLE, table)
    with publishing(destination.place_of_tables, str(run.run_date)):
        destination.publish()
    progress.done(PUBLISHED)
    return Finished(RunSummary(rows), destination.place_of_tables)
