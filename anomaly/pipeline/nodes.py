"""The graph of the pipeline: which transform makes which frame from which others."""

from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame

from anomaly.aggregation.averages import (
    average_calls,
    average_samples,
    join_calls,
    join_samples,
    without_partner,
)
from anomaly.alarms.account import alarm_figures, sample_figures
from anomaly.alarms.detection import rules_of, standing_alarms
from anomaly.alarms.deviations import judged_periods
from anomaly.alarms.output import alarms_table, anomalies_table
from anomaly.alarms.periods import judged_span, reported_periods
from anomaly.alarms.states import alarm_states
from anomaly.cleaning.checks import check_input, clean_rows, rejected_rows, row_counts_by_outcome
from anomaly.cleaning.sample_times import ANY_TIME, TimesOfRun
from anomaly.pipeline import levels
from anomaly.pipeline.graph import Graph, Node
from anomaly.pipeline.pseudonyms import hash_customers, withhold_texts
from anomaly.profile.model import Profile
from anomaly.run import CHECKED, RAW, Frame, Run
from anomaly.summary.account import input_figures, join_figures, result_figures, summary


@dataclass(frozen=True)
class AlarmRequest:
    """A request to raise alarms, for samples with dates.

    `history` is a raw frame of baseline samples; those that are not older than the first sample are
    ignored. `start` is the first instant that is judged (naive means UTC; without it, all samples
    are judged), `end` the instant until which samples are expected, so that the summary says how
    many are missing.
    """

    history: DataFrame | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Request:
    """The request that every node of the graph receives.

    Samples whose time is not in `times` are rejected. With `alarms`, alarms are raised. With
    `hash_key` (one row of pseudonyms.KEY_BLOCKS) customer numbers are published as hashes, and
    texts of personal inputs withheld.
    """

    profile: Profile
    run: Run
    times: TimesOfRun = ANY_TIME
    alarms: AlarmRequest | None = None
    hash_key: DataFrame | None = None

    @property
    def columns(self) -> dict[str, Column]:
        """The last columns of each table."""
        return self.run.columns(self.profile)


def _check(source: str) -> Node[Request]:
    def checked(request: Request, raw: DataFrame) -> DataFrame:
        return check_input(source, raw, request.profile, request.times)

    return Node(CHECKED[source], checked, (RAW[source],))


def _row_counts(request: Request, *checked: DataFrame | None) -> DataFrame:
    return row_counts_by_outcome(_by_source(checked), request.profile)


def _rejected(request: Request, row_counts: DataFrame, *checked: DataFrame | None) -> DataFrame:
    rows = rejected_rows(_by_source(checked), row_counts, request.columns)
    return withhold_texts(rows, request.hash_key)


def _by_source(checked: tuple[DataFrame | None, ...]) -> dict[str, DataFrame]:
    """The available checked inputs, in the order of CHECKED."""
    return {
        source: frame for source, frame in zip(CHECKED, checked, strict=True) if frame is not None
    }


def _with_samples(request: Request, customers: DataFrame, samples: DataFrame) -> DataFrame:
    cells = average_samples(clean_rows(samples), request.profile)
    return join_samples(clean_rows(customers), cells)


def _joined(request: Request, with_samples: DataFrame, calls: DataFrame) -> DataFrame:
    return join_calls(with_samples, average_calls(clean_rows(calls), request.profile))


def _input_figures(request: Request, row_counts: DataFrame, joined: DataFrame | None) -> DataFrame:
    figures = input_figures(row_counts, request.profile)
    if joined is None:
        return figures
    unmatched = hash_customers(without_partner(joined), request.hash_key)
    return figures.unionByName(join_figures(joined, unmatched))


def _limits(request: Request, *metrics: DataFrame) -> DataFrame:
    return levels.rules_of_levels(metrics, request.profile)


def _judged_span(request: Request, samples: DataFrame) -> DataFrame:
    start = request.alarms.start if request.alarms else None
    return judged_span(clean_rows(samples), rules_of(request.profile), start)


def _alarm_periods(
    request: Request, samples: DataFrame, span: DataFrame, history: DataFrame | None
) -> DataFrame:
    older = None if history is None else clean_rows(history)
    return reported_periods(clean_rows(samples), older, span, request.profile)


def _alarm_states(request: Request, periods: DataFrame, span: DataFrame) -> DataFrame:
    rules = rules_of(request.profile)
    return alarm_states(judged_periods(periods, span, rules), rules)


def _anomalies(request: Request, states: DataFrame, span: DataFrame) -> DataFrame:
    anomalies = anomalies_table(states, span, rules_of(request.profile))
    return anomalies.withColumns(request.columns)


def _alarms(request: Request, states: DataFrame, span: DataFrame) -> DataFrame:
    alarms = alarms_table(states, span, rules_of(request.profile))
    return alarms.withColumns(request.columns)


def _alarm_figures(
    request: Request, periods: DataFrame, states: DataFrame, alarms: DataFrame, span: DataFrame
) -> DataFrame:
    rules, end = rules_of(request.profile), request.alarms.end if request.alarms else None
    figures = alarm_figures(states, alarms, span, rules)
    return figures.unionByName(sample_figures(periods, span, rules, end))


def _judged_customers(request: Request, metrics: DataFrame, limits: DataFrame) -> DataFrame:
    return levels.judged_customers(metrics, limits, request.profile)


def _judged_cells(
    request: Request, metrics: DataFrame, limits: DataFrame, alarms: DataFrame | None
) -> DataFrame:
    standing = None if alarms is None else standing_alarms(alarms, request.profile)
    return levels.judged_cells(metrics, limits, request.profile, standing)


def _cells(request: Request, judged: DataFrame) -> DataFrame:
    return levels.cell_table(judged, request.profile, request.run)


def _customers(request: Request, judged: DataFrame, limits: DataFrame) -> DataFrame:
    customers = levels.customer_table(judged, limits, request.profile, request.run)
    return hash_customers(customers, request.hash_key)


def _result_figures(request: Request, customers: DataFrame, cells: DataFrame) -> DataFrame:
    return result_figures(customers, cells, request.profile)


def _summary(request: Request, *figures: DataFrame | None) -> DataFrame:
    return summary((one for one in figures if one is not None), request.columns)


CHECKED_INPUTS = tuple(CHECKED.values())
GRAPH = Graph[Request](
    *map(_check, CHECKED),
    Node(Frame.ROW_COUNTS, _row_counts, optional=CHECKED_INPUTS),
    Node(Frame.REJECTED, _rejected, (Frame.ROW_COUNTS,), CHECKED_INPUTS),
    Node(Frame.WITH_SAMPLES, _with_samples, (Frame.CHECKED_CUSTOMERS, Frame.CHECKED_SAMPLES)),
    Node(Frame.JOINED, _joined, (Frame.WITH_SAMPLES, Frame.CHECKED_CALLS)),
    Node(Frame.INPUT_FIGURES, _input_figures, (Frame.ROW_COUNTS,), (Frame.JOINED,)),
    Node(
        Frame.CUSTOMER_METRICS,
        lambda request, joined: levels.customer_metrics(joined, request.profile),
        (Frame.JOINED,),
    ),
    Node(
        Frame.CELL_METRICS,
        lambda request, joined: levels.cell_metrics(joined, request.profile),
        (Frame.JOINED,),
    ),
    Node(Frame.LIMITS, _limits, (Frame.CUSTOMER_METRICS, Frame.CELL_METRICS)),
    Node(
        Frame.JUDGED_SPAN,
        _judged_span,
        (Frame.CHECKED_SAMPLES,),
        when=lambda request: request.alarms is not None,
    ),
    Node(
        Frame.ALARM_PERIODS,
        _alarm_periods,
        (Frame.CHECKED_SAMPLES, Frame.JUDGED_SPAN),
        (Frame.CHECKED_HISTORY,),
    ),
    Node(Frame.ALARM_STATES, _alarm_states, (Frame.ALARM_PERIODS, Frame.JUDGED_SPAN)),
    Node(Frame.ANOMALIES, _anomalies, (Frame.ALARM_STATES, Frame.JUDGED_SPAN)),
    Node(Frame.ALARMS, _alarms, (Frame.ALARM_STATES, Frame.JUDGED_SPAN)),
    Node(
        Frame.ALARM_FIGURES,
        _alarm_figures,
        (Frame.ALARM_PERIODS, Frame.ALARM_STATES, Frame.ALARMS, Frame.JUDGED_SPAN),
    ),
    Node(Frame.JUDGED_CELLS, _judged_cells, (Frame.CELL_METRICS, Frame.LIMITS), (Frame.ALARMS,)),
    Node(Frame.CELLS, _cells, (Frame.JUDGED_CELLS,)),
    Node(Frame.JUDGED_CUSTOMERS, _judged_customers, (Frame.CUSTOMER_METRICS, Frame.LIMITS)),
    Node(Frame.CUSTOMERS, _customers, (Frame.JUDGED_CUSTOMERS, Frame.LIMITS)),
    Node(Frame.RESULT_FIGURES, _result_figures, (Frame.CUSTOMERS, Frame.CELLS)),
    Node(
        Frame.SUMMARY,
        _summary,
        optional=(Frame.INPUT_FIGURES, Frame.RESULT_FIGURES, Frame.ALARM_FIGURES),
    ),
)
