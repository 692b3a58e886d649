"""From judged periods to alarms as they stand: raised after some bad periods, cleared after good.

Everything is found by windows over the periods of a cell within a step; nothing is carried from
one run to the next, so a month at once and day by day give the same rows.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anomaly.alarms.deviations import in_step
from anomaly.expressions.guards import require_columns
from anomaly.profile.alarm_rules import AlarmRules
from anomaly.thresholds.compare import CRIT, NO_BASELINE, NO_DATA, WARN


def alarm_states(judged: DataFrame, rules: AlarmRules) -> DataFrame:
    """Judged periods with the alarm that they belong to: a row per cell and period.

    CellName, step, period, is_missing, is_silent (so many before it are missing, too, that it
    raises an alarm), statuses (an array of the struct<kpi, status> of each KPI), out_of_line (the
    elements of `judged` that are), raised_period (NULL where no alarm stands or is being cleared)
    and is_cleared (whether the alarm is cleared with this period).

    An alarm is raised with a bad period when `raise_periods` of the last `raise_within` are bad,
    and when `silent_periods` in a row are missing. It is cleared when `clear_periods` in a row are
    good: a sample is there, some KPI is judged, and each KPI's level is below `clear_level`. Where
    none was judged in the step so far, silence alone can have raised it, and a sample ends that.

    `judged` is that of deviations.judged_periods. Raises InputError for a column that is missing.
    """
    needed = ["CellName", "step", "period", "is_missing", "judged"]
    require_columns(judged, needed, "alarm_states")
    so_far = in_step().rowsBetween(Window.unboundedPreceding, Window.currentRow)
    was_judged = F.max("is_judged").over(so_far)
    mark = (
        F.when(F.col("is_bad") & (F.col("bad_periods") >= rules.raise_periods), True)
        .when(F.col("missing_periods") == rules.silent_periods, True)
        .when(F.col("good_periods") == rules.clear_periods, False)
    )
    stands, stood = F.col("stands"), F.col("stood")
    raised = F.last(F.when(F.col("is_raised"), F.col("period")), ignorenulls=True).over(so_far)
    return (
        judged.transform(_with_outcomes, rules)
        .withColumn("was_judged", was_judged)
        .withColumn("is_good", F.col("is_calm") & (F.col("is_judged") | ~F.col("was_judged")))
        .transform(_with_counts, rules)
        .withColumn("mark", mark)
        .withColumn(
            "stands", F.coalesce(F.last("mark", ignorenulls=True).over(so_far), F.lit(False))
        )
        .withColumn("stood", F.coalesce(F.lag("stands").over(in_step()), F.lit(False)))
        .withColumn("is_raised", stands & ~stood)
        .select(
            "CellName",
            "step",
            "period",
            "is_missing",
            (F.col("missing_periods") == rules.silent_periods).alias("is_silent"),
            "statuses",
            "out_of_line",
            F.when(stands | stood, raised).alias("raised_period"),
            (stood & ~stands).alias("is_cleared"),
        )
    )


def is_out_of_line(kpi: Column) -> Column:
    """Whether a KPI is bad, from what was found of it (an element of `judged`)."""
    return kpi["status"].isin(WARN, CRIT)


def _is_judged(kpi: Column) -> Column:
    return ~kpi["status"].isin(NO_DATA, NO_BASELINE)


def _with_outcomes(judged: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds statuses, out_of_line, is_bad, is_judged (some KPI is) and is_calm (none is beyond)."""

    def is_calm(kpi: Column) -> Column:
        return ~_is_judged(kpi) | (kpi["level"] < rules.clear_level)

    return judged.select(
        "CellName",
        "step",
        "period",
        "is_missing",
        F.transform("judged", lambda kpi: F.struct(kpi["kpi"], kpi["status"])).alias("statuses"),
        F.filter("judged", is_out_of_line).alias("out_of_line"),
        F.exists("judged", is_out_of_line).alias("is_bad"),
        F.exists("judged", _is_judged).alias("is_judged"),
        (~F.col("is_missing") & F.forall("judged", is_calm)).alias("is_calm"),
    )


def _with_counts(outcomes: DataFrame, rules: AlarmRules) -> DataFrame:
    """Adds how many of the last periods are bad, missing and good."""

    def count(outcome: str, periods: int) -> Column:
        return F.count_if(outcome).over(in_step().rowsBetween(1 - periods, Window.currentRow))

    return outcomes.withColumns(
        {
            "bad_periods": count("is_bad", rules.raise_within),
            "missing_periods": count("is_missing", rules.silent_periods),
            "good_periods": count("is_good", rules.clear_periods),
        }
    )
