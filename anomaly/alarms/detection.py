"""The alarms, from raw or clean samples to their tables. It starts no job."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.account import alarm_figures, sample_figures
from anomaly.alarms.deviations import judged_periods
from anomaly.alarms.output import alarms_table, anomalies_table
from anomaly.alarms.periods import judged_span, reported_periods
from anomaly.alarms.states import alarm_states
from anomaly.cleaning.checks import check_input, clean_rows, rejected_rows, row_counts_by_outcome
from anomaly.cleaning.sample_times import ANY_TIME, TimesOfRun
from anomaly.errors import ConfigurationError
from anomaly.profile.alarm_rules import AlarmRules
from anomaly.profile.model import Profile
from anomaly.run import CHECKED, Frame, Keep, Run, leave_lazy
from anomaly.schema.inputs import HISTORY, SAMPLES
from anomaly.schema.tables import (
    SAMPLES_KPI,
)
from anomaly.summary.account import input_figures, summary

# What a cell has of the alarm that stands, if any.
STANDING_TYPE = "struct<severity:string,families:array<string>,reason:string>"


@dataclass(frozen=True)
class AlarmResults:
    """The tables of a run for alarms alone, lazy; each attribute has the name of its table."""

    cell_sample_anomalies: DataFrame
    cell_alarms: DataFrame
    rejected_rows: DataFrame
    run_summary: DataFrame


@dataclass(frozen=True)
class FoundAlarms:
    """What alarms have of their own: two tables, and their figures for the summary."""

    cell_sample_anomalies: DataFrame
    cell_alarms: DataFrame
    figures: DataFrame


def raise_alarms(
    samples: DataFrame,
    profile: Profile,
    run: Run,
    history: DataFrame | None = None,
    start: datetime | None = None,
    keep: Keep = leave_lazy,
    times: TimesOfRun = ANY_TIME,
) -> AlarmResults:
    """Find what is out of line in dated samples, and the alarms that it raises.

    `samples` is a raw frame (inputs.SAMPLES_CONTRACT and the profile's KPI columns), and so is
    `history`, older samples to take baselines from; what of it is not before the first sample does
    not count. Judged is what is at or after `start` (an instant; naive for UTC); without it, all
    samples. `keep` and `times` as in `pipeline.detection.detect`.

    Raises InputError for an input without a column that is needed, ConfigurationError where the
    profile has no `[alarms]`.
    """
    rules_of(profile)
    narrow, of_run = profile.for_alarms(), run.columns(profile)
    raw = {SAMPLES: samples} | ({HISTORY: history} if history is not None else {})
    checked = {
        source: keep(CHECKED[source], check_input(source, frame, narrow, times))
        for source, frame in raw.items()
    }
    row_counts = keep(Frame.ROW_COUNTS, row_counts_by_outcome(checked, narrow))
    rejected = keep(Frame.REJECTED, rejected_rows(checked, row_counts, of_run))
    of_inputs = keep(Frame.INPUT_FIGURES, input_figures(row_counts, narrow))
    clean = {source: clean_rows(frame) for source, frame in checked.items()}
    found = found_alarms(clean, narrow, of_run, start, keep)
    return AlarmResults(
        cell_sample_anomalies=found.cell_sample_anomalies,
        cell_alarms=found.cell_alarms,
        rejected_rows=rejected,
        run_summary=keep(Frame.SUMMARY, summary((of_inputs, found.figures), of_run)),
    )


def found_alarms(
    clean: Mapping[str, DataFrame],
    profile: Profile,
    of_run: Mapping[str, Column],
    start: datetime | None = None,
    keep: Keep = leave_lazy,
    end: datetime | None = None,
) -> FoundAlarms:
    """The alarms of clean samples (SAMPLES, and HISTORY if there is one), checked by `profile`.

    `of_run` are the columns that stand at the end of each table, `end` is the instant until which
    samples are expected, where it is known; the others as in `raise_alarms`.
    """
    rules = rules_of(profile)
    span = keep(Frame.JUDGED_SPAN, judged_span(clean[SAMPLES], rules, start))
    reported = reported_periods(clean[SAMPLES], clean.get(HISTORY), span, profile)
    periods = keep(Frame.ALARM_PERIODS, reported)
    states = keep(Frame.ALARM_STATES, alarm_states(judged_periods(periods, span, rules), rules))
    anomalies = anomalies_table(states, span, rules).withColumns({**of_run})
    alarms = keep(Frame.ALARMS, alarms_table(states, span, rules).withColumns({**of_run}))
    return FoundAlarms(
        cell_sample_anomalies=keep(Frame.ANOMALIES, anomalies),
        cell_alarms=alarms,
        figures=alarm_figures(states, alarms, span, rules).unionByName(
            sample_figures(periods, span, rules, end)
        ),
    )


def standing_alarms(alarms: DataFrame, profile: Profile) -> DataFrame:
    """Of the table of the alarms those that stand at its end: CellName, standing_alarm.

    A row per cell; at most one alarm of a cell stands. `families` are those of its KPIs.
    """
    families = {kpi.name: kpi.family for kpi in rules_of(profile).kpis if kpi.family}
    if profile.verdict.silent_family:
        families[SAMPLES_KPI] = profile.verdict.silent_family
    named = [
        F.when(F.array_contains("kpis", kpi), F.lit(family)) for kpi, family in families.items()
    ]
    return alarms.where(F.col("cleared_at").isNull()).select(
        "CellName",
        F.struct(
            "severity",
            F.array_distinct(F.array_compact(F.array(*named))).alias("families"),
            "reason",
        )
        .cast(STANDING_TYPE)
        .alias("standing_alarm"),
    )


def rules_of(profile: Profile) -> AlarmRules:
    """The rules for alarms. Raises ConfigurationError where the profile has no `[alarms]`."""
    if profile.alarms is None:
        raise ConfigurationError(
            f"profile {profile.name}", ["has no table [alarms]; conf/default.toml shows one"]
        )
    return profile.alarms
