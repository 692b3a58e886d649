"""The pipeline as functions, from raw inputs to the tables. They start no job."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import DataFrame

from anomaly.alarms.detection import rules_of
from anomaly.cleaning.sample_times import ANY_TIME, TimesOfRun
from anomaly.pipeline.nodes import GRAPH, AlarmRequest, Request
from anomaly.profile.model import Profile
from anomaly.run import Frame, Keep, Run, leave_lazy

TABLES = (Frame.CUSTOMERS, Frame.CELLS, Frame.REJECTED, Frame.SUMMARY)
ALARM_TABLES = (Frame.ANOMALIES, Frame.ALARMS)


@dataclass(frozen=True)
class Results:
    """The tables of a run, lazy; each attribute carries the name of its table.

    The alarms are None where the samples were not said to be dated.
    """

    customer_service_metrics_data: DataFrame
    cell_tower_performance_data: DataFrame
    rejected_rows: DataFrame
    run_summary: DataFrame
    cell_sample_anomalies: DataFrame | None = None
    cell_alarms: DataFrame | None = None


@dataclass(frozen=True)
class AlarmResults:
    """The tables of a run for alarms alone, lazy; each attribute has the name of its table."""

    cell_sample_anomalies: DataFrame
    cell_alarms: DataFrame
    rejected_rows: DataFrame
    run_summary: DataFrame


def detect(
    customers: DataFrame,
    samples: DataFrame,
    calls: DataFrame,
    profile: Profile,
    run: Run,
    keep: Keep = leave_lazy,
    dated: AlarmRequest | None = None,
    hash_key: DataFrame | None = None,
    times: TimesOfRun = ANY_TIME,
) -> Results:
    """Find the cells that need maintenance and the customers whose service suffers.

    The inputs are raw frames (inputs.INPUT_CONTRACTS and the profile's KPI columns), texts or
    typed. `keep(name, frame)` is handed each intermediate and each output, and returns the frame to
    go on with, so that a caller may persist or stage it. Without it nothing is kept and the whole
    is one lazy plan. With `dated` alarms are raised from the samples, too. With `hash_key` (one row
    of pseudonyms.KEY_BLOCKS) the published customer numbers are hashed, and texts of personal
    inputs left out. Samples with times that are none of `times` are rejected.

    Raises InputError for an input without a column that is needed, ConfigurationError where alarms
    are wanted and the profile has no `[alarms]`.
    """
    given = {Frame.RAW_CUSTOMERS: customers, Frame.RAW_SAMPLES: samples, Frame.RAW_CALLS: calls}
    if dated is not None and dated.history is not None:
        given[Frame.RAW_HISTORY] = dated.history
    return results_of(given, Request(profile, run, times, dated, hash_key), keep)


def results_of(
    given: Mapping[Frame, DataFrame], request: Request, keep: Keep = leave_lazy
) -> Results:
    """The tables of a run, made of raw or checked inputs, or of what stages left.

    Raises ConfigurationError where alarms are wanted and the profile has no `[alarms]`.
    """
    return Results(**_made((*TABLES, *ALARM_TABLES), given, request, keep))


def raise_alarms(
    samples: DataFrame,
    profile: Profile,
    run: Run,
    history: DataFrame | None = None,
    start: datetime | None = None,
    keep: Keep = leave_lazy,
    times: TimesOfRun = ANY_TIME,
) -> AlarmResults:
    """Find anomalies in dated samples, and the alarms that they raise.

    `samples` is a raw frame (inputs.SAMPLES_CONTRACT and the profile's KPI columns), and so is
    `history`. `history` and `start` as in AlarmRequest, `keep` and `times` as in `detect`.

    Raises InputError for an input without a column that is needed, ConfigurationError where the
    profile has no `[alarms]`.
    """
    rules_of(profile)
    given = {Frame.RAW_SAMPLES: samples}
    if history is not None:
        given[Frame.RAW_HISTORY] = history
    request = Request(profile.for_alarms(), run, times, AlarmRequest(start=start))
    wanted = (*ALARM_TABLES, Frame.REJECTED, Frame.SUMMARY)
    return AlarmResults(**_made(wanted, given, request, keep))


def _made(
    tables: Iterable[Frame], given: Mapping[Frame, DataFrame], request: Request, keep: Keep
) -> dict[str, DataFrame]:
    """The tables that can be made, by their names."""
    made = GRAPH.make(tables, given, request, keep)
    return {table.value: made[table] for table in tables if table in made}
