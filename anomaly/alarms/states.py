"""From judged periods to alarms as they stand: raised after some bad periods, cleared after good.

Everything is found by windows over the periods of a cell within a step; nothing is carried from
one run to the next, so a month at once and day by day give the same rows.
"""

from pyspark.sql import DataFrame

from anomaly.alarms.deviations import IN_STEP
from anomaly.profile.alarm_rules import AlarmRules
from anomaly.thresholds.compare import CRIT, NO_BASELINE, NO_DATA, WARN

TO_HERE = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
OUT_OF_LINE = f"kpi.status IN ('{WARN}', '{CRIT}')"
IS_JUDGED = f"kpi.status NOT IN ('{NO_DATA}', '{NO_BASELINE}')"


def alarm_states(judged: DataFrame, rules: AlarmRules) -> DataFrame:
    """Judged periods with the alarm that they belong to: a row per cell and period.

    CellName, step, period, is_missing, is_silent (so many before it are missing, too, that it
    raises an alarm), statuses (of each KPI), out_of_line (the elements of `judged` that are, each
    with its `position`), raised_period (NULL where no alarm stands or is being cleared) and
    is_cleared (whether the alarm is cleared with this period).

    An alarm is raised with a bad period when `raise_periods` of the last `raise_within` are bad,
    and when `silent_periods` in a row are missing. It is cleared when `clear_periods` in a row are
    good: a sample is there, some KPI is judged, and each KPI's level is below `clear_level`. Where
    none was judged in the step so far, silence alone can have raised it, and a sample ends that.
    """
    counted = (
        judged.transform(_with_outcomes, rules)
        .selectExpr("*", f"max(is_judged) OVER ({IN_STEP} {TO_HERE}) AS was_judged")
        .selectExpr("*", "is_calm AND (is_judged OR NOT was_judged) AS is_good")
        .transform(_with_counts, rules)
    )
    mark = (
        f"CASE WHEN is_bad AND bad_periods >= {rules.raise_periods} THEN TRUE "
        f"WHEN missing_periods = {rules.silent_periods} THEN TRUE "
        f"WHEN good_periods = {rules.clear_periods} THEN FALSE END"
    )
    last_mark = f"last(mark, true) OVER ({IN_STEP} {TO_HERE})"
    before = f"coalesce(lag(stands) OVER ({IN_STEP}), FALSE)"
    last_raised = f"last(CASE WHEN is_raised THEN period END, true) OVER ({IN_STEP} {TO_HERE})"
    return (
        counted.selectExpr("*", f"{mark} AS mark")
        .selectExpr("*", f"coalesce({last_mark}, FALSE) AS stands")
        .selectExpr("*", f"stands AND NOT {before} AS is_raised", f"{before} AS stood")
        .selectExpr(
            "CellName",
            "step",
            "period",
            "is_missing",
            f"missing_periods = {rules.silent_periods} AS is_silent",
            "statuses",
            "out_of_line",
            f"CASE WHEN stands OR stood THEN {last_raised} END AS raised_period",
            "stood AND NOT stands AS is_cleared",
        )
    )


def _with_outcomes(judged: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds statuses, out_of_line, is_bad, is_judged (some KPI is) and is_calm (none is beyond)."""
    calm = f"forall(judged, kpi -> NOT {IS_JUDGED} OR kpi.level < {rules.clear_level!r}D)"
    return judged.selectExpr(
        "CellName",
        "step",
        "period",
        "is_missing",
        "transform(judged, kpi -> kpi.status) AS statuses",
        f"filter(judged, kpi -> {OUT_OF_LINE}) AS out_of_line",
        f"exists(judged, kpi -> {OUT_OF_LINE}) AS is_bad",
        f"exists(judged, kpi -> {IS_JUDGED}) AS is_judged",
        f"NOT is_missing AND {calm} AS is_calm",
    )


def _with_counts(outcomes: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds how many of the last periods are bad, missing and good."""
    counts = (
        ("is_bad", rules.raise_within, "bad_periods"),
        ("is_missing", rules.silent_periods, "missing_periods"),
        ("is_good", rules.clear_periods, "good_periods"),
    )
    return outcomes.selectExpr(
        "*",
        *(
            f"count_if({outcome}) OVER ({IN_STEP} ROWS BETWEEN {periods - 1} PRECEDING AND "
            f"CURRENT ROW) AS {name}"
            for outcome, periods, name in counts
        ),
    )
