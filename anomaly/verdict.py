"""From the judgement of a row to its defect count, its verdict and its rank."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.compare import CRIT, OK, WARN
from anomaly.contracts import DEFECT_COUNT
from anomaly.profile import VerdictRule

# The SQL of the statuses of KPIs that were judged.
JUDGED = f"('{OK}', '{WARN}', '{CRIT}')"
REQUIRED, NOT_REQUIRED = "Required", "Not Required"
# Rows without a defect are most rows of a large table: they are spread over this many tasks.
TASKS_WITHOUT_DEFECT = 64


def with_counts(judged: DataFrame) -> DataFrame:
    """Adds what follows from the column `status` of a row.

    defected_count: KPIs with the flag 1; evaluated_kpis: KPIs that could be judged.
    """
    return judged.selectExpr(
        "*",
        f"size(filter(status, one -> one = '{CRIT}')) AS {DEFECT_COUNT.name}",
        f"size(filter(status, one -> one IN {JUDGED})) AS evaluated_kpis",
    )


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
    """Adds severity_rank: most defects first, then the farthest beyond their bounds.

    Rows alike in both share a rank, and the next rank is left out (1, 2, 2, 4). Needs
    defected_count and severity. Rows are ranked within their defect count and
    moved down by the number of rows with more defects, so that no single task sorts them all.
    """
    # Not by sequence(), at whose first use Spark starts up the reflection of Scala: a second.
    fewer = "posexplode(array_repeat(row_count, defected_count)) AS (defected_count, row_count)"
    # Rows without a defect are all alike, so that each of their tasks gives them the same rank.
    tasks = f"CASE WHEN defected_count = 0 THEN {TASKS_WITHOUT_DEFECT} ELSE 1 END"
    hashed = f"pmod(xxhash64({', '.join(keys)}), {TASKS_WITHOUT_DEFECT})"
    worse = (
        judged.groupBy("defected_count")
        .agg(F.expr("count(*) AS row_count"))
        .selectExpr(fewer)
        .groupBy("defected_count")
        .agg(F.expr("sum(row_count) AS worse_rows"))
        .selectExpr(
            "defected_count", f"posexplode(array_repeat(worse_rows, {tasks})) AS (task, worse_rows)"
        )
    )
    rank = "rank() OVER (PARTITION BY defected_count, task ORDER BY severity DESC)"
    return (
        judged.selectExpr(
            "*", f"CAST(CASE WHEN defected_count = 0 THEN {hashed} ELSE 0 END AS int) AS task"
        )
        # Many rows to one count; a merge join, because a broadcast would cost a job of its own.
        .join(worse.hint("merge"), on=["defected_count", "task"], how="left")
        .selectExpr("*", f"coalesce(worse_rows, 0) + {rank} AS severity_rank")
    )
