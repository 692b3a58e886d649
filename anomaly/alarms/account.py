"""The account of the alarms, as figures of the run's summary (tables.SUMMARY_COLUMNS)."""

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.alarms.periods import first_period_from, time_of
from anomaly.expressions.arrays import transform_zipped
from anomaly.expressions.frames import union
from anomaly.expressions.guards import require_columns
from anomaly.expressions.timestamps import utc_text
from anomaly.profile.alarm_rules import AlarmRules
from anomaly.summary.figures import (
    explode_and_sum,
    figure,
    figure_per_row,
    figures_if,
    top_n_per_group,
)

SECTION = "alarms"
# What is told of the samples that alarms rest on: subjects and items of the summary.
SAMPLES_SENT, MINUTES_BETWEEN = "samples", "minutes between samples"
CELLS, BEHIND, LACKING = "cells", "cells behind", "periods lacking at the end"
# Of fewer periods it is not known how often a cell reports.
FEWEST_PERIODS = 4
# Deviations are ordered by so many digits behind the point, which are the same on each engine.
DEVIATION_DIGITS = 9


def alarm_figures(
    states: DataFrame, alarms: DataFrame, span: DataFrame, rules: AlarmRules
) -> DataFrame:
    """What was judged, the statuses of each KPI, and the alarms, some of them by name.

    A row per figure. Alarms that stand come first, then the newest. `cell days`: judged periods of
    all cells, in days. `from` and `until` (the first instant that is not judged) have their times
    as detail. The frames are those of states.alarm_states, output.alarms_table and
    periods.judged_span.
    """
    require_columns(states, ["period", "statuses"], "alarm_figures")
    # Many rows to the one row of the span.
    of_span = states.join(F.broadcast(span), how="cross")
    judged = of_span.where(F.col("period") >= F.col("start_period"))
    cell_days = judged.agg((F.count("*") / rules.periods_a_day).alias("days"))
    is_cleared = F.col("cleared_at").isNotNull()
    end = F.when(is_cleared, "cleared").otherwise("standing")
    of_alarms = (figure(SECTION, "raised", item, 1) for item in (F.col("severity"), end))
    newest = top_n_per_group(alarms, [F.lit(1)], _newest_first())
    of_newest = (F.col(name) for name in ("CellName", "severity", "position", "reason"))
    of_kpi = figure("alarm_kpi", F.col("kpi"), F.col("status"), 1)
    return union(
        (
            figure_per_row(cell_days, figure(SECTION, "judged", "cell days", F.col("days"))),
            figure_per_row(span, _time("from", F.col("start_period"), rules)),
            figure_per_row(span, _time("until", F.col("last_period") + 1, rules)),
            explode_and_sum(judged.select(F.inline("statuses")), F.array(of_kpi)),
            explode_and_sum(alarms, F.array(*of_alarms)),
            figure_per_row(newest, figure("alarm", *of_newest)),
        ),
    )


def sample_figures(
    periods: DataFrame, span: DataFrame, rules: AlarmRules, end: datetime | None = None
) -> DataFrame:
    """How often cells report, and until when: figures of the periods with samples.

    A row per figure. `minutes between samples` has the cells by what is usual for each, of late:
    where enough is judged, older samples do not count. `cells behind` sent nothing in the last
    silent_periods. With an `end` of the run (an instant), `periods lacking at the end` are those
    before it in which no cell sent anything. `periods` and `span` are those of
    periods.reported_periods and judged_span.
    """
    require_columns(periods, ["CellName", "period", "is_reported"], "sample_figures")
    cells, behind = (figure(SECTION, SAMPLES_SENT, item, 1) for item in (CELLS, BEHIND))
    minutes = (F.col("usual") * rules.period_minutes).cast("string")
    often = figure(SECTION, MINUTES_BETWEEN, minutes, 1)
    last = F.coalesce("last", "start_period")
    found = explode_and_sum(
        _cells(periods, span),
        F.concat(
            F.array(cells),
            figures_if(F.col("usual").isNotNull(), often),
            figures_if(last <= F.col("last_period") - rules.silent_periods, behind),
        ),
    )
    if end is None:
        return found
    lacking = first_period_from(end, rules) - F.col("last_period") - 1
    return found.unionByName(figure_per_row(span, figure(SECTION, SAMPLES_SENT, LACKING, lacking)))


def _newest_first() -> list[Column]:
    """The order of alarms: those that stand first, then the newest, then the farthest."""
    return [
        F.col("cleared_at").isNotNull(),
        F.col("raised_at").desc(),
        F.round("peak_deviation", DEVIATION_DIGITS).desc(),
        F.col("CellName"),
    ]


def _cells(periods: DataFrame, span: DataFrame) -> DataFrame:
    """A row per cell: last period that it reported, usual periods from one to the next, span."""
    period = F.col("period")
    judged = F.collect_list(F.when(period >= F.col("start_period"), period))
    is_enough = F.array_size(judged) >= FEWEST_PERIODS
    sent, count = F.col("sent"), F.array_size("sent")
    between = F.sort_array(
        transform_zipped(lambda pair: pair["later"] - pair["earlier"], "earlier", "later")
    )
    # The lower one of two in the middle, so that gaps count for little.
    middle = F.floor((count - 2) / 2).cast("int")
    return (
        # Many rows to the one row of the span.
        periods.join(F.broadcast(span), how="cross")
        .groupBy("CellName")
        .agg(
            F.sort_array(F.when(is_enough, judged).otherwise(F.collect_list("period"))).alias(
                "sent"
            ),
            F.max(F.when(F.col("is_reported"), period)).alias("last"),
            F.max("start_period").alias("start_period"),
            F.max("last_period").alias("last_period"),
        )
        .withColumns({"earlier": F.slice(sent, 1, count - 1), "later": F.slice(sent, 2, count - 1)})
        .withColumn("usual", F.when(count >= FEWEST_PERIODS, F.get(between, middle)))
    )


def _time(item: str, period: Column, rules: AlarmRules) -> Column:
    """A figure that is the time at which a period begins, in UTC."""
    return figure(SECTION, "judged", item, F.lit(None), utc_text(time_of(period, rules)))
