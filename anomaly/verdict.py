"""From the judgement of a row to its defect count, its verdict and its rank."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anomaly.compare import defects, flag, severity
from anomaly.profile import VerdictRule

REQUIRED, NOT_REQUIRED = "Required", "Not Required"
# Rows without a defect are most rows of a large table: they are spread over this many tasks.
TASKS_WITHOUT_DEFECT = 64


def defect_count(judged: Column) -> Column:
    """How many KPIs have the flag 1."""
    return F.size(defects(judged))


def evaluated_count(judged: Column) -> Column:
    """How many KPIs could be judged at all."""
    return F.size(F.filter(judged, lambda kpi: flag(kpi).isNotNull()))


def maintenance_verdict(rule: VerdictRule) -> Column:
    """Required or Not Required from defected_count and evaluated_kpis; NULL if unknown."""
    if rule.minimum_defects is not None:
        is_required = F.col("defected_count") >= rule.minimum_defects
    else:
        share = float(rule.minimum_defect_share or 0.0)
        is_required = F.col("defected_count") >= share * F.col("evaluated_kpis")
        is_required &= F.col("defected_count") > 0
    enough = F.col("evaluated_kpis") >= rule.minimum_evaluated
    return F.when(enough, F.when(is_required, REQUIRED).otherwise(NOT_REQUIRED))


def total_severity(judged: Column) -> Column:
    """How far the defects of a row lie beyond their bounds, added up."""
    return F.aggregate(defects(judged), F.lit(0.0), lambda total, kpi: total + severity(kpi))


def rank_by_severity(judged: DataFrame, *keys: str) -> DataFrame:
    """Adds severity_rank: most defects first, then the farthest beyond their bounds.

    Rows alike in both share a rank, and the next rank is left out (1, 2, 2, 4). Needs
    defected_count and severity (total_severity). Rows are ranked within their defect count and
    moved down by the number of rows with more defects, so that no single task sorts them all.
    """
    # Rows without a defect are all alike, so that each of their tasks gives them the same rank.
    task = F.when(
        F.col("defected_count") == 0, F.pmod(F.xxhash64(*keys), F.lit(TASKS_WITHOUT_DEFECT))
    ).otherwise(F.lit(0))
    tasks = F.when(
        F.col("defected_count") == 0, F.sequence(F.lit(0), F.lit(TASKS_WITHOUT_DEFECT - 1))
    ).otherwise(F.array(F.lit(0)))
    histogram = judged.groupBy("defected_count").agg(F.count(F.lit(1)).alias("row_count"))
    worse = (
        histogram.where(F.col("defected_count") > 0)
        .withColumn("defected_count", F.explode(F.sequence(F.lit(0), F.col("defected_count") - 1)))
        .groupBy("defected_count")
        .agg(F.sum("row_count").alias("worse_rows"))
        .select("defected_count", "worse_rows", F.explode(tasks).alias("task"))
    )
    in_task = Window.partitionBy("defected_count", "task").orderBy(F.desc("severity"))
    return (
        judged.withColumn("task", task.cast("int"))
        # Many rows to one count; a merge join, because a broadcast would cost a job of its own.
        .join(worse.hint("merge"), on=["defected_count", "task"], how="left")
        .withColumn("severity_rank", F.coalesce("worse_rows", F.lit(0)) + F.rank().over(in_task))
        .drop("task", "worse_rows")
    )
