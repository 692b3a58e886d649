"""The pipeline as functions, from raw inputs to the tables. They start no job."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.detection import rules_of
from anomaly.cleaning.sample_times import ANY_TIME, TimesOfRun
from anomaly.pipeline.graph import Submit, at_once
from anomaly.pipeline.nodes import GRAPH, AlarmRequest, Request
from anomaly.pipeline.results import TABLES, AlarmResults, Results
from anomaly.profile.input_columns import expected_columns
from anomaly.profile.model import Profile
from anomaly.run import Frame, Keep, Run, leave_lazy
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS


def detect(
    samples: DataFrame,
    *,
    profile: Profile,
    customers: DataFrame | None = None,
    calls: DataFrame | None = None,
    run: Run | None = None,
    alarms: AlarmRequest | None = None,
    keep: Keep = leave_lazy,
    hash_key: DataFrame | None = None,
    times: TimesOfRun = ANY_TIME,
) -> Results:
    """Find the cells that need maintenance and the customers with poor service.

    The inputs are raw frames (inputs.INPUT_CONTRACTS and the profile's KPI columns), as strings or
    typed. Samples are enough to judge cells; without `customers` every cell with samples is judged,
    and without `calls` no customer is.

    `run` marks the rows; by default it is a new run for today. With `alarms`, alarms are raised as
    well, from samples that must have dates. `keep(name, frame)` receives each intermediate and each
    output, and returns the frame to go on with, so that a caller can persist it; without it,
    everything is one lazy plan. With `hash_key` (one row of pseudonyms.KEY_BLOCKS) the published
    customer numbers are hashed, and texts of personal inputs are left out. Samples whose time is
    not in `times` are rejected.

    Raises InputError if an input lacks a required column, ConfigurationError if the profile is
    invalid, or if alarms are requested and the profile has no `[alarms]`.
    """
    profile.validate()
    if customers is None:
        # Then no cell has customers.
        profile = replace(profile, join=replace(profile.join, keep_cells_without_customers=True))
    given = {
        Frame.RAW_SAMPLES: samples,
        Frame.RAW_CUSTOMERS: _or_no_rows(customers, CUSTOMERS, samples, profile),
        Frame.RAW_CALLS: _or_no_rows(calls, CALL_STATISTICS, samples, profile),
    }
    if alarms is not None:
        rules_of(profile)
        if alarms.history is not None:
            given[Frame.RAW_HISTORY] = alarms.history
    request = Request(profile, run or Run.new(), times, alarms, hash_key)
    return results_of(given, request, keep)


def results_of(
    given: Mapping[Frame, DataFrame],
    request: Request,
    keep: Keep = leave_lazy,
    submit: Submit = at_once,
) -> Results:
    """The tables of a run, from raw or checked inputs, or from the results of stages.

    `submit` may make frames side by side (Graph.make). Raises ConfigurationError if alarms are
    requested and the profile has no `[alarms]`.
    """
    return Results(**_made(TABLES, given, request, keep, submit))


def raise_alarms(
    samples: DataFrame,
    *,
    profile: Profile,
    run: Run | None = None,
    alarms: AlarmRequest | None = None,
    keep: Keep = leave_lazy,
    times: TimesOfRun = ANY_TIME,
) -> AlarmResults:
    """Find anomalies in dated samples, and the alarms that they raise.

    `samples` is a raw frame (inputs.SAMPLES_CONTRACT and the KPI columns that the profile's alarms
    need). `alarms` may give baseline samples, and the first instant that is judged. The other
    arguments are those of `detect`.

    Raises InputError if an input lacks a required column, ConfigurationError if the profile is
    invalid or has no `[alarms]`.
    """
    rules_of(profile.validate())
    request = Request(profile.for_alarms(), run or Run.new(), times, alarms or AlarmRequest())
    return alarm_results_of(samples, request, keep)


def alarm_results_of(
    samples: DataFrame, request: Request, keep: Keep = leave_lazy, submit: Submit = at_once
) -> AlarmResults:
    """The same of a request, whose profile has `[alarms]`.

    `submit` may make frames side by side (Graph.make).
    """
    given = {Frame.RAW_SAMPLES: samples}
    if request.alarms and request.alarms.history is not None:
        given[Frame.RAW_HISTORY] = request.alarms.history
    wanted = ("alarms", "anomalies", "rejected", "summary")
    return AlarmResults(**_made(wanted, given, request, keep, submit))


def _or_no_rows(raw: DataFrame | None, source: str, like: DataFrame, profile: Profile) -> DataFrame:
    """An input; if it is missing, one without rows."""
    if raw is not None:
        return raw
    nothing = F.lit(None).cast("string")
    columns = (nothing.alias(name) for name in expected_columns(source, profile))
    return like.select(*columns).where(F.lit(False))


def _made(
    names: Iterable[str],
    given: Mapping[Frame, DataFrame],
    request: Request,
    keep: Keep,
    submit: Submit,
) -> dict[str, DataFrame]:
    """The tables that can be made, by attribute name."""
    frames = {name: TABLES[name] for name in names}
    made = GRAPH.make(frames.values(), given, request, keep, submit)
    return {name: made[frame] for name, frame in frames.items() if frame in made}
