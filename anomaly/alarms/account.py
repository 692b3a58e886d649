"""The account of the alarms, as figures of the run's summary (tables.SUMMARY_COLUMNS)."""

from datetime import datetime
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.periods import first_period_from, time_of
from anomaly.expressions.sql_text import utc_text
from anomaly.profile.alarm_rules import AlarmRules
from anomaly.summary.figures_sql import explode_and_sum, figure, figure_per_row, top_n_per_group

SECTION = "'alarms'"
# What is told of the samples that alarms rest on: subjects and items of the summary.
SAMPLES_SENT, MINUTES_BETWEEN = "samples", "minutes between samples"
CELLS, BEHIND, LACKING = "cells", "cells behind", "periods lacking at the end"
# Of fewer periods it is not known how often a cell reports.
FEWEST_PERIODS = 4


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
    newest = top_n_per_group(
        alarms.withColumn("all", F.lit(1)),
        "all",
        "cleared_at IS NOT NULL, raised_at DESC, peak_deviation DESC, CellName",
    )
    return reduce(
        DataFrame.unionByName,
        (
            figure_per_row(cell_days, figure(SECTION, "'judged'", "'cell days'", "days")),
            figure_per_row(span, _time("from", "start_period", rules)),
            figure_per_row(span, _time("until", "last_period + 1", rules)),
            explode_and_sum(statuses, f"array({of_kpi})"),
            explode_and_sum(alarms, f"array({', '.join(of_alarms)})"),
            figure_per_row(newest, figure("'alarm'", "CellName", "severity", "position", "reason")),
        ),
    )


def sample_figures(
    periods: DataFrame, span: DataFrame, rules: AlarmRules, end: datetime | None = None
) -> DataFrame:
    """How often cells report, and until when: figures of the periods with samples.

    `minutes between samples` has the cells by what is usual for each, of late: where enough is
    judged, older samples do not count. `cells behind` sent nothing in the last silent_periods. With
    an `end` of the run (an instant), `periods lacking at the end` are those before it in which no
    cell sent anything.
    """
    between = "transform(sequence(2, size(sent)), n -> sent[n - 1] - sent[n - 2])"
    # The lower one of two in the middle, so that gaps count for little.
    usual = f"sort_array({between})[CAST(floor((size(sent) - 2) / 2) AS int)]"
    judged = "sort_array(collect_list(CASE WHEN period >= start_period THEN period END))"
    all_sent = "sort_array(collect_list(period))"
    of_cells = (
        # Many rows to the one row of the span.
        periods.join(F.broadcast(span), how="cross")
        .groupBy("CellName")
        .agg(
            F.expr(
                f"CASE WHEN size({judged}) >= {FEWEST_PERIODS} THEN {judged} ELSE {all_sent} END"
            ).alias("sent"),
            F.expr("max(CASE WHEN is_reported THEN period END)").alias("last"),
            F.max("start_period").alias("start_period"),
            F.max("last_period").alias("last_period"),
        )
        .selectExpr(
            "last",
            "start_period",
            "last_period",
            f"CASE WHEN size(sent) >= {FEWEST_PERIODS} THEN {usual} END AS usual",
        )
    )
    minutes = f"CAST(usual * {rules.period_minutes} AS string)"
    often = figure(SECTION, f"'{MINUTES_BETWEEN}'", minutes, "1")
    cells, behind = (
        figure(SECTION, f"'{SAMPLES_SENT}'", f"'{one}'", "1") for one in (CELLS, BEHIND)
    )
    is_behind = f"coalesce(last, start_period) <= last_period - {rules.silent_periods}"
    found = explode_and_sum(
        of_cells,
        f"concat(array({cells}), CASE WHEN usual IS NOT NULL THEN array({often}) ELSE array() END, "
        f"CASE WHEN {is_behind} THEN array({behind}) ELSE array() END)",
    )
    if end is None:
        return found
    lacking = f"{first_period_from(end, rules)} - last_period - 1"
    return found.unionByName(
        figure_per_row(span, figure(SECTION, f"'{SAMPLES_SENT}'", f"'{LACKING}'", lacking))
    )


def _time(item: str, period: str, rules: AlarmRules) -> str:
    """The SQL of a figure that is a time, in UTC."""
    return figure(SECTION, "'judged'", f"'{item}'", "NULL", utc_text(time_of(period, rules)))
