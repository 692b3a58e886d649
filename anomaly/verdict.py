"""From the evidence of a row to its defect count, its verdict and its rank."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anomaly.compare import defects, severity
from anomaly.profile import VerdictRule

REQUIRED, NOT_REQUIRED = "Required", "Not Required"


def defect_count(evidence: Column) -> Column:
    """How many KPIs have the flag 1."""
    return F.size(defects(evidence))


def evaluated_count(evidence: Column) -> Column:
    """How many KPIs could be judged at all."""
    return F.size(F.filter(evidence, lambda kpi: kpi["flag"].isNotNull()))


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


def rank_by_severity(judged: DataFrame, *keys: str) -> DataFrame:
    """Adds severity_rank, 1 to n: most defects first, then the farthest beyond their bounds.

    Needs defected_count and evidence. Rows are ranked within their defect count and moved down by
    the number of rows with more defects, so that no single task has to sort them all.
    """
    worse = (
        judged.where(F.col("defected_count") > 0)
        .select(
            F.explode(F.sequence(F.lit(0), F.col("defected_count") - 1)).alias("defected_count")
        )
        .groupBy("defected_count")
        .agg(F.count(F.lit(1)).alias("worse_rows"))
    )
    deviation = F.aggregate(
        defects(F.col("evidence")), F.lit(0.0), lambda total, kpi: total + severity(kpi)
    )
    within_count = Window.partitionBy("defected_count").orderBy(F.desc("deviation"), *keys)
    return (
        judged.withColumn("deviation", deviation)
        # Many rows to one count; a merge join, because a broadcast would cost a job of its own.
        .join(worse.hint("merge"), on="defected_count", how="left")
        .withColumn(
            "severity_rank",
            F.coalesce("worse_rows", F.lit(0)) + F.row_number().over(within_count),
        )
        .drop("deviation", "worse_rows")
    )
