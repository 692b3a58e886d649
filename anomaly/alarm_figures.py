"""The account of the alarms, as figures of the run's summary (contracts.SUMMARY_COLUMNS)."""

from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.alarm_rules import AlarmRules
from anomaly.periods import time_of
from anomaly.summary import added_up, alone, figure, first_of_each
from anomaly.times import utc_text

SECTION = "'alarms'"


def alarm_figures(
    states: DataFrame, alarms: DataFrame, span: DataFrame, rules: AlarmRules
) -> DataFrame:
    """What was judged, the statuses of each KPI, and the alarms, some of them by name.

    Those that stand come first, then the newest.

    `cell days`: judged periods of all cells, in days. `from` and `until` (the first instant that is
    not judged) have their times as detail.
    """
    # Many rows to the one row of the span.
    judged = states.join(F.broadcast(span), how="cross").where("period >= start_period")
    cell_days = judged.selectExpr(f"count(*) / {rules.periods_a_day} AS days")
    names = ", ".join(f"'{kpi.name}'" for kpi in rules.kpis)
    of_kpi = figure("'alarm_kpi'", f"get(array({names}), place)", "status", "1")
    statuses = judged.selectExpr("posexplode(statuses) AS (place, status)")
    end = "CASE WHEN cleared_at IS NULL THEN 'standing' ELSE 'cleared' END"
    of_alarms = (figure(SECTION, "'raised'", item, "1") for item in ("severity", end))
    newest = first_of_each(
        alarms.withColumn("all", F.lit(1)),
        "all",
        "cleared_at IS NOT NULL, raised_at DESC, peak_deviation DESC, CellName",
    )
    return reduce(
        DataFrame.unionByName,
        (
            alone(cell_days, figure(SECTION, "'judged'", "'cell days'", "days")),
            alone(span, _time("from", "start_period", rules)),
            alone(span, _time("until", "last_period + 1", rules)),
            added_up(statuses, f"array({of_kpi})"),
            added_up(alarms, f"array({', '.join(of_alarms)})"),
            alone(newest, figure("'alarm'", "CellName", "severity", "position", "reason")),
        ),
    )


def _time(item: str, period: str, rules: AlarmRules) -> str:
    """The SQL of a figure that is a time, in UTC."""
    return figure(SECTION, "'judged'", f"'{item}'", "NULL", utc_text(time_of(period, rules)))
