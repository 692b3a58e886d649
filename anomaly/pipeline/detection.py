"""The whole pipeline as one function, from raw inputs to the tables. It starts no job."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame

from anomaly.aggregation.averages import (
    COUNTS,
    average_calls,
    average_samples,
    cell_averages,
    customer_averages,
    join_calls,
    join_samples,
    with_errors,
    with_kpis,
    without_partner,
)
from anomaly.alarms.detection import STANDING_TYPE, found_alarms, standing_alarms
from anomaly.cleaning.checks import check_input, clean_rows, rejected_rows, row_counts_by_outcome
from anomaly.cleaning.sample_times import ANY_TIME, TimesOfRun
from anomaly.pipeline.output_tables import level_columns
from anomaly.pipeline.pseudonyms import hash_customers, withhold_texts
from anomaly.profile.model import Profile
from anomaly.profile.sections import MissingPolicy
from anomaly.run import CHECKED, Frame, Keep, Run, leave_lazy
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES
from anomaly.schema.tables import (
    CELL_LEVEL,
    CUSTOMER_LEVEL,
    DEFECT_COUNT,
)
from anomaly.summary.account import input_figures, join_figures, result_figures, summary
from anomaly.thresholds.baselines import baselines
from anomaly.thresholds.compare import judge, judge_with_evidence, with_evidence
from anomaly.thresholds.limits import level_rules
from anomaly.thresholds.verdict import rank_by_severity, with_counts, with_verdict


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
class AlarmRequest:
    """Says that the samples are dated, so that alarms are raised from them.

    `history` is a raw frame of older samples that baselines rest on, and `start` the first instant
    that is judged; both as in `raise_alarms`. `end` is the instant until which samples are
    expected, so that the summary tells how much lacks.
    """

    history: DataFrame | None = None
    start: datetime | None = None
    end: datetime | None = None


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
    typed. `keep(name, frame)` is handed each intermediate that feeds more than one output, each
    output, and the figures that may be made early; it returns the frame to go on with, so a caller
    may persist or stage it. Without it nothing is kept and the whole is one lazy plan. With `dated`
    alarms are raised from the samples, too. With `hash_key` (one row of pseudonyms.KEY_BLOCKS) the
    published customer numbers are hashed, and texts of personal inputs left out. Samples with times
    that are none of `times` are rejected.

    Raises InputError for an input without a column that is needed, ConfigurationError where alarms
    are wanted and the profile has no `[alarms]`.
    """
    raw = {CUSTOMERS: customers, SAMPLES: samples, CALL_STATISTICS: calls}
    if dated is not None and dated.history is not None:
        raw[HISTORY] = dated.history
    checked = {
        source: keep(CHECKED[source], check_input(source, frame, profile, times))
        for source, frame in raw.items()
    }
    return detect_in_checked(checked, profile, run, keep, dated, hash_key)


def detect_in_checked(
    checked: Mapping[str, DataFrame],
    profile: Profile,
    run: Run,
    keep: Keep = leave_lazy,
    dated: AlarmRequest | None = None,
    hash_key: DataFrame | None = None,
) -> Results:
    """The same of inputs that are checked already (checks.check_input), by their names.

    Older samples are there as HISTORY, not in `dated`. Raises ConfigurationError where alarms are
    wanted and the profile has no `[alarms]`.
    """
    row_counts = keep(Frame.ROW_COUNTS, row_counts_by_outcome(checked, profile))
    rejected = rejected_rows(checked, row_counts, run.columns(profile))
    rejected = keep(Frame.REJECTED, withhold_texts(rejected, hash_key))
    clean = {source: clean_rows(frame) for source, frame in checked.items()}

    with_samples = join_samples(clean[CUSTOMERS], average_samples(clean[SAMPLES], profile))
    callers = average_calls(clean[CALL_STATISTICS], profile)
    joined = keep(Frame.JOINED, join_calls(with_samples, callers))
    of_joins = join_figures(joined, hash_customers(without_partner(joined), hash_key))
    of_inputs = keep(Frame.INPUT_FIGURES, input_figures(row_counts, profile).unionByName(of_joins))

    of_customers = customer_metrics(joined, profile)
    of_cells = keep(Frame.CELL_METRICS, cell_metrics(joined, profile))
    rules = keep(Frame.LIMITS, rules_of_levels([of_customers, of_cells], profile))
    found, standing = None, None
    if dated is not None:
        found = found_alarms(clean, profile, run.columns(profile), dated.start, keep, dated.end)
        standing = standing_alarms(found.cell_alarms, profile)
    # Both before one is kept, where a caller may wait for what they are made of.
    cells = cell_table(of_cells, rules, profile, run, standing)
    judged_customers = hash_customers(customer_table(of_customers, rules, profile, run), hash_key)
    published_cells = keep(Frame.CELLS, cells)
    published_customers = keep(Frame.CUSTOMERS, judged_customers)

    figures = [of_inputs, result_figures(published_customers, published_cells)]
    if found is not None:
        figures.append(found.figures)
    return Results(
        customer_service_metrics_data=published_customers,
        cell_tower_performance_data=published_cells,
        rejected_rows=rejected,
        run_summary=keep(Frame.SUMMARY, summary(figures, run.columns(profile))),
        cell_sample_anomalies=found.cell_sample_anomalies if found else None,
        cell_alarms=found.cell_alarms if found else None,
    )


def customer_metrics(joined: DataFrame, profile: Profile) -> DataFrame:
    """KPIs of the published customers: a row per customer and cell; `level` says so."""
    kpis = with_kpis(customer_averages(joined, profile), CUSTOMER_LEVEL, profile)
    return kpis.selectExpr(
        "*",
        f"'{CUSTOMER_LEVEL}' AS level",
        "CAST(NULL AS string) AS peers",
        "CAST(NULL AS array<double>) AS errors",
    )


def cell_metrics(joined: DataFrame, profile: Profile) -> DataFrame:
    """KPIs of the cells: a row per cell; `level` says so."""
    kpis = with_kpis(cell_averages(joined, profile), CELL_LEVEL, profile)
    counts = ("customerID_count", "call_row_count", "sample_count", "customer_count")
    return with_errors(kpis, profile).selectExpr(
        "CellName", "peers", *counts, *COUNTS, "kpis", "errors", f"'{CELL_LEVEL}' AS level"
    )


def rules_of_levels(metrics: Sequence[DataFrame], profile: Profile) -> DataFrame:
    """What the metrics of levels are compared with: a row per level (limits.level_rules)."""
    # One frame of all levels means one aggregate.
    of_rules = ("level", "peers", "kpis", "errors")
    both = reduce(DataFrame.unionByName, (frame.select(*of_rules) for frame in metrics))
    return level_rules(baselines(both, profile), profile)


def customer_table(metrics: DataFrame, rules: DataFrame, profile: Profile, run: Run) -> DataFrame:
    """The published table of the customers: a row per customer and cell."""
    counted = judge(metrics, rules, CUSTOMER_LEVEL, profile).transform(with_counts)
    ranked = counted.transform(rank_by_severity, DEFECT_COUNT.name, "customerID", "CellName")
    judged = with_evidence(ranked, rules, CUSTOMER_LEVEL, profile)
    return _table(judged, CUSTOMER_LEVEL, profile, run)


def cell_table(
    metrics: DataFrame,
    rules: DataFrame,
    profile: Profile,
    run: Run,
    standing: DataFrame | None = None,
) -> DataFrame:
    """The published table of the cells: a row per cell, with its verdict.

    `standing`: the alarms that stand (detection.standing_alarms), where there were dated samples.
    """
    judged = judge_with_evidence(metrics, rules, CELL_LEVEL, profile).transform(with_counts)
    if standing is None:
        with_alarms = judged.selectExpr("*", f"CAST(NULL AS {STANDING_TYPE}) AS standing_alarm")
    else:
        # A cell to at most one alarm.
        with_alarms = judged.join(standing, on="CellName", how="left")
    ranked = with_verdict(with_alarms, profile).transform(rank_by_severity, "gravity", "CellName")
    return _table(ranked, CELL_LEVEL, profile, run)


def _table(judged: DataFrame, level: str, profile: Profile, run: Run) -> DataFrame:
    """The table of a level, with the columns of its contract."""
    missing_is_zero = profile.level(level).missing is MissingPolicy.HEALTHY
    value = "coalesce({}, 0D)" if missing_is_zero else "{}"
    values = {
        profile.column_of(kpi): value.format(f"kpis[{profile.position_of(kpi)}]")
        for kpi in (*(kpi.name for kpi in profile.kpis), *profile.level(level).derived)
    }
    flags = {rule.flag: f"evidence[{position}].flag" for position, rule in enumerate(profile.rules)}
    expressions = values | flags
    return judged.withColumns(run.columns(profile)).selectExpr(
        *(
            f"CAST({expressions.get(column.name, column.name)} AS {column.type}) AS {column.name}"
            for column in level_columns(level, profile)
        )
    )
