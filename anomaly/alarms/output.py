"""The tables of the alarms: what of a cell was out of line when, and the alarms that it raised.

Each row explains itself in a sentence (`reason`).
"""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.messages import (
    reason_of_alarm,
    reason_of_kpi,
    reason_of_silence,
    words_by_kpi,
)
from anomaly.alarms.periods import first_period_of_step, time_of
from anomaly.expressions.guards import require_columns
from anomaly.profile.alarm_rules import AlarmRules
from anomaly.schema import inputs
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
# KPIs are ordered by so many digits of their levels behind the point: what is the same but for the
# last bit of a double comes in the same order on each engine.
LEVEL_DIGITS = 9
# What is needed of states (states.alarm_states).
OF_STATES = "CellName step period is_missing is_silent out_of_line raised_period is_cleared".split()
# What is found of a KPI at its peak.
FOUND = "value smoothed_value unit baseline baseline_count bound direction".split()


def anomalies_table(states: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per cell, period and KPI out of line (tables.ANOMALIES_COLUMNS, without the run's).

    From the first judged period on. `states` and `span` are those of states.alarm_states and
    periods.judged_span. Raises InputError for a column that is missing.
    """
    require_columns(states, OF_STATES, "anomalies_table")
    return (
        _out_of_line(states, rules)
        # Many rows to the one row of the span.
        .join(F.broadcast(span), how="cross")
        .where((F.col("period") >= F.col("start_period")) & F.col("kpi").isNotNull())
        .withColumns(
            {
                "reason": reason_of_kpi(rules),
                "raised_at": time_of(F.col("raised_period"), rules),
                "time": time_of(F.col("period"), rules),
            }
        )
        .select(*_contract(ANOMALIES_COLUMNS))
    )


def alarms_table(states: DataFrame, span: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per alarm that stood in a judged period (tables.ALARMS_COLUMNS, without the run's).

    One that was raised before the first judged period is there with all that it rests on. `states`
    and `span` as in `anomalies_table`. Raises InputError for a column that is missing.
    """
    require_columns(states, OF_STATES, "alarms_table")
    next_step = first_period_of_step(F.col("step") + 1, rules)
    is_renewed = F.col("last_standing") == next_step - 1
    cleared_period = F.col("cleared_period")
    last_period = F.coalesce(cleared_period, F.col("last_standing"))
    # Silence has no deviation.
    with_deviation = F.filter("evidence", lambda peak: peak["deviation"].isNotNull())
    return (
        _out_of_line(states.where(F.col("raised_period").isNotNull()), rules)
        .transform(_peaks_of_kpis, rules)
        .transform(_alarms_of_peaks)
        # Many rows to the one row of the span.
        .join(F.broadcast(span), how="cross")
        .where(last_period >= F.col("start_period"))
        .withColumns(
            {
                "raised_at": time_of(F.col("raised_period"), rules),
                "cleared_at": time_of(
                    F.when(is_renewed, next_step).otherwise(cleared_period), rules
                ),
                "cleared_by": F.when(is_renewed, NEW_BASELINE).when(
                    cleared_period.isNotNull(), RECOVERY
                ),
                "kpis": F.transform("evidence", lambda peak: peak["kpi"]),
                "peak": F.get(with_deviation, 0),
            }
        )
        .withColumns(
            {
                "peak_kpi": F.col("peak.kpi"),
                "peak_deviation": F.col("peak.deviation"),
                "reason": reason_of_alarm(rules),
            }
        )
        .select(*_contract(ALARMS_COLUMNS))
    )


def _out_of_line(states: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per KPI out of line, and per period without a sample; kpi is NULL in other periods.

    The columns of what was found of the KPI stand beside those of its period. `place` is 0 in one
    row of each bad period.
    """
    of_silence = {
        "place": F.lit(0),
        "kpi": F.lit(SAMPLES_KPI),
        "status": F.when(F.col("is_silent"), CRIT).otherwise(NO_DATA),
        "level": F.lit(LEVEL_OF_SILENCE),
    }
    return (
        states.select(
            *(name for name in OF_STATES if name != "out_of_line"),
            F.posexplode_outer("out_of_line").alias("place", "found"),
        )
        .select("*", "found.*")
        .withColumns(
            {
                name: F.when(F.col("is_missing"), silence).otherwise(F.col(name))
                for name, silence in of_silence.items()
            }
        )
        .withColumn("words", F.element_at(words_by_kpi(rules), F.col("kpi")))
        .withColumn("unit", F.col("words.unit"))
    )


def _peaks_of_kpis(out_of_line: DataFrame, rules: AlarmRules) -> DataFrame:
    """A row per alarm and KPI: how often it was out of line, and its first highest level."""
    is_bad = F.col("status").isin(WARN, CRIT)
    at_peak = F.struct(
        F.col("level"),
        (-F.col("period")).alias("before"),
        *map(F.col, ("status", *FOUND)),
        F.col("smoothed_deviation").alias("deviation"),
    )
    period, is_cleared = F.col("period"), F.col("is_cleared")
    peaks = (
        out_of_line.groupBy("CellName", "step", "raised_period", "kpi")
        .agg(
            F.max(F.when(is_bad, at_peak)).alias("peak"),
            F.count_if(is_bad).alias("periods"),
            F.max("words").alias("words"),
            F.count_if(F.col("place") == 0).alias("bad_periods"),
            F.max(F.when(~is_cleared, period)).alias("last_standing"),
            F.max(F.when(is_cleared, period)).alias("cleared_period"),
        )
        .select("*", "peak.*")
        .withColumn("peak_at", time_of(-F.col("before"), rules))
    )
    # Silence is bad from the period on with which it raised the alarm.
    silent_before = rules.silent_periods - 1
    silence = reason_of_silence(
        rules,
        F.col("periods") + silent_before,
        time_of(-F.col("before") - silent_before, rules),
    )
    reason = F.when(F.col("kpi") == SAMPLES_KPI, silence).otherwise(reason_of_kpi(rules))
    return peaks.withColumn("reason", reason)


def _alarms_of_peaks(peaks: DataFrame) -> DataFrame:
    """A row per alarm, the KPI that is farthest out of line first in its `evidence`."""
    evidence = F.struct("kpi", "status", "periods", "peak_at", *FOUND, "deviation", "reason")
    by_level = F.struct(
        (-F.round("level", LEVEL_DIGITS)).alias("order"),
        F.col("kpi").alias("name"),
        evidence.alias("peak"),
    )
    is_bad = F.col("peak").isNotNull()
    is_critical = F.exists("evidence", lambda peak: peak["status"] == CRIT)
    return (
        peaks.groupBy("CellName", "step", "raised_period")
        .agg(
            F.sort_array(F.collect_list(F.when(is_bad, by_level))).alias("peaks"),
            F.sum("bad_periods").alias("bad_periods"),
            F.max("last_standing").alias("last_standing"),
            F.max("cleared_period").alias("cleared_period"),
        )
        .withColumn("evidence", F.transform("peaks", lambda peak: peak["peak"]))
        .withColumn("severity", F.when(is_critical, CRIT).otherwise(WARN))
    )


def _contract(columns: Iterable[inputs.Column]) -> list[Column]:
    """The columns of a table's contract, in order and typed, without those of the run."""
    return [
        F.col(column.name).cast(column.type).alias(column.name)
        for column in columns
        if column not in RUN_COLUMNS
    ]
