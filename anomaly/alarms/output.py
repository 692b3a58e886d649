"""The tables of the alarms: what of a cell was out of line when, and the alarms that it raised.

Each row explains itself in a sentence (`reason`).
"""

from collections.abc import Iterable

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.messages import (
    WORD_FIELDS,
    reason_of_alarm,
    reason_of_kpi,
    reason_of_silence,
    words_of,
)
from anomaly.alarms.periods import first_period_of_step, time_of
from anomaly.expressions.sql import constant_array
from anomaly.profile.alarm_rules import AlarmRules
from anomaly.schema.inputs import Column
from anomaly.schema.tables import (
    ALARMS_COLUMNS,
    ANOMALIES_COLUMNS,
    NEW_BASELINE,
    RECOVERY,
    RUN_COLUMNS,
    SAMPLES_KPI,
)
from anomaly.thresholds.compare import CRIT, NO_DATA, WARN

# A silent cell comes before any KPI.
LEVEL_OF_SILENCE = 1e9


def anomalies_table(states: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per cell, period and KPI out of line (tables.ANOMALIES_COLUMNS, without the run's).

    From the first judged period on.
    """
    return (
        _out_of_line(states, rules)
        # Many rows to the one row of the span.
        .join(F.broadcast(span), how="cross")
        .where("period >= start_period AND kpi IS NOT NULL")
        .withColumn("reason", reason_of_kpi(rules))
        .withColumn("raised_at", F.expr(time_of("raised_period", rules)))
        .withColumn("time", F.expr(time_of("period", rules)))
        .selectExpr(*_contract(ANOMALIES_COLUMNS))
    )


def alarms_table(states: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per alarm that stood in a judged period (tables.ALARMS_COLUMNS, without the run's).

    One that was raised before the first judged period is there with all that it rests on.
    """
    next_step = first_period_of_step("step + 1", rules)
    is_renewed = f"last_standing = {next_step} - 1"
    return (
        _out_of_line(states.where("raised_period IS NOT NULL"), rules)
        .transform(_peaks_of_kpis, rules)
        .transform(_alarms_of_peaks)
        # Many rows to the one row of the span.
        .join(F.broadcast(span), how="cross")
        .where("coalesce(cleared_period, last_standing) >= start_period")
        .selectExpr(
            "*",
            f"{time_of('raised_period', rules)} AS raised_at",
            f"CASE WHEN {is_renewed} THEN {time_of(next_step, rules)} "
            f"ELSE {time_of('cleared_period', rules)} END AS cleared_at",
            f"CASE WHEN {is_renewed} THEN '{NEW_BASELINE}' "
            f"WHEN cleared_period IS NOT NULL THEN '{RECOVERY}' END AS cleared_by",
            "transform(evidence, peak -> peak.kpi) AS kpis",
            # Silence has no deviation.
            "get(filter(evidence, kpi -> kpi.deviation IS NOT NULL), 0) AS peak",
        )
        .selectExpr("*", "peak.kpi AS peak_kpi", "peak.deviation AS peak_deviation")
        .withColumn("reason", reason_of_alarm(rules))
        .selectExpr(*_contract(ALARMS_COLUMNS))
    )


def _out_of_line(states: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per KPI out of line, and per period without a sample; kpi is NULL in other periods.

    The columns of what was found of the KPI stand beside those of its period. `place` is 0 in one
    row of each bad period.
    """
    nothing = ("direction", "value", "smoothed_value", "baseline", "baseline_count", "bound")
    silence = ", ".join(f"NULL AS {name}" for name in (*nothing, "deviation", "smoothed_deviation"))
    status = f"CASE WHEN is_silent THEN '{CRIT}' ELSE '{NO_DATA}' END AS status"
    no_sample = f"struct(-1 AS position, {status}, {LEVEL_OF_SILENCE!r}D AS level, {silence})"
    found = f"CASE WHEN is_missing THEN array({no_sample}) ELSE out_of_line END"
    words = constant_array((words_of(kpi) for kpi in rules.kpis), WORD_FIELDS)
    return (
        states.selectExpr("*", f"posexplode_outer({found}) AS (place, found)")
        .withColumn("words", F.get(words, F.col("found.position")))
        .selectExpr(
            "CellName",
            "step",
            "period",
            "raised_period",
            "is_cleared",
            "place",
            "words",
            "words.unit",
            f"CASE WHEN found.position < 0 THEN '{SAMPLES_KPI}' ELSE words.kpi END AS kpi",
            "found.*",
        )
        .drop("position")
    )


def _peaks_of_kpis(out_of_line: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per alarm and KPI: how often it was out of line, and its first highest level."""
    values = "value, smoothed_value, unit, baseline, baseline_count, bound, direction"
    at_peak = f"struct(level, -period AS before, status, {values}, smoothed_deviation AS deviation)"
    is_bad = f"status IN ('{WARN}', '{CRIT}')"
    silent_before = rules.silent_periods - 1
    peaks = (
        out_of_line.groupBy("CellName", "step", "raised_period", "kpi")
        .agg(
            F.expr(f"max({at_peak}) FILTER (WHERE {is_bad})").alias("peak"),
            F.expr(f"count_if({is_bad})").alias("periods"),
            F.max("words").alias("words"),
            F.expr("count_if(place = 0)").alias("bad_periods"),
            F.expr("max(CASE WHEN NOT is_cleared THEN period END)").alias("last_standing"),
            F.expr("max(CASE WHEN is_cleared THEN period END)").alias("cleared_period"),
        )
        .selectExpr("*", "peak.*")
        .withColumn("peak_at", F.expr(time_of("-before", rules)))
    )
    silence = reason_of_silence(
        rules,
        F.col("periods") + silent_before,
        time_of(f"-before - {silent_before}", rules),
    )
    reason = F.when(F.col("kpi") == SAMPLES_KPI, silence).otherwise(reason_of_kpi(rules))
    return peaks.withColumn("reason", reason)


def _alarms_of_peaks(peaks: DataFrame) -> DataFrame:
    """A row per alarm, the KPI that is farthest out of line first in its `evidence`."""
    evidence = (
        "kpi, status, periods, peak_at, value, smoothed_value, unit, baseline, baseline_count, "
        "bound, direction, deviation, reason"
    )
    by_level = f"struct(-level AS order, kpi AS name, struct({evidence}) AS peak)"
    return (
        peaks.groupBy("CellName", "step", "raised_period")
        .agg(
            F.expr(f"sort_array(collect_list({by_level}) FILTER (WHERE peak IS NOT NULL))").alias(
                "peaks"
            ),
            F.sum("bad_periods").alias("bad_periods"),
            F.max("last_standing").alias("last_standing"),
            F.max("cleared_period").alias("cleared_period"),
        )
        .selectExpr("*", "transform(peaks, peak -> peak.peak) AS evidence")
        .withColumn(
            "severity",
            F.expr(f"if(exists(evidence, kpi -> kpi.status = '{CRIT}'), '{CRIT}', '{WARN}')"),
        )
    )


def _contract(columns: Iterable[Column]) -> list[str]:
    """The select list of a table's contract, without the columns of the run."""
    return [
        f"CAST({column.name} AS {column.type}) AS {column.name}"
        for column in columns
        if column not in RUN_COLUMNS
    ]
