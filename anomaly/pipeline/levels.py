"""From joined rows to the published tables of the two levels: customers and cells."""

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.aggregation.derived import COUNTS, no_errors, with_errors, with_kpis
from anomaly.aggregation.level_averages import cell_averages, customer_averages
from anomaly.alarms.detection import STANDING_TYPE
from anomaly.expressions.arrays import by_name
from anomaly.expressions.frames import union
from anomaly.pipeline.output_tables import level_columns
from anomaly.profile.choices import MissingPolicy
from anomaly.profile.model import Profile
from anomaly.run import Run
from anomaly.schema.tables import CELL_LEVEL, CUSTOMER_LEVEL, DEFECT_COUNT
from anomaly.thresholds.baselines import baselines
from anomaly.thresholds.compare import judge, judge_with_evidence, with_evidence
from anomaly.thresholds.limits import level_rules
from anomaly.thresholds.verdict import rank_by_severity, with_counts, with_verdict

# A column that is added meanwhile; the blank keeps it apart from those of a user.
FLAGS = "flags of rules"


def customer_metrics(joined: DataFrame, profile: Profile) -> DataFrame:
    """KPIs of the published customers: a row per customer and cell; `level` says so."""
    kpis = with_kpis(customer_averages(joined, profile), CUSTOMER_LEVEL, profile)
    return kpis.withColumns(
        {
            "level": F.lit(CUSTOMER_LEVEL),
            "peers": F.lit(None).cast("string"),
            "errors": no_errors(profile),
        }
    )


def cell_metrics(joined: DataFrame, profile: Profile) -> DataFrame:
    """KPIs of the cells: a row per cell; `level` says so."""
    kpis = with_kpis(cell_averages(joined, profile), CELL_LEVEL, profile)
    counts = ("customerID_count", "call_row_count", "sample_count", "customer_count")
    return with_errors(kpis, profile).select(
        "CellName", "peers", *counts, *COUNTS, "kpis", "errors", F.lit(CELL_LEVEL).alias("level")
    )


def rules_of_levels(metrics: Sequence[DataFrame], profile: Profile) -> DataFrame:
    """The limits of levels, a row per level and group (limits.level_rules)."""
    # One frame of all levels means one aggregate.
    of_rules = ("level", "peers", "kpis", "errors")
    both = union(frame.select(*of_rules) for frame in metrics)
    return level_rules(baselines(both, profile), profile)


def judged_customers(metrics: DataFrame, rules: DataFrame, profile: Profile) -> DataFrame:
    """Customers with the status of each KPI, and how many are defects."""
    return judge(metrics, rules, CUSTOMER_LEVEL, profile).transform(with_counts)


def judged_cells(
    metrics: DataFrame, rules: DataFrame, profile: Profile, standing: DataFrame | None = None
) -> DataFrame:
    """Cells with the status of each KPI, its evidence, and their verdict.

    `standing`: the alarms that stand (detection.standing_alarms), where there were dated samples.
    """
    judged = judge_with_evidence(metrics, rules, CELL_LEVEL, profile).transform(with_counts)
    if standing is None:
        with_alarms = judged.withColumn("standing_alarm", F.lit(None).cast(STANDING_TYPE))
    else:
        # A cell to at most one alarm.
        with_alarms = judged.join(standing, on="CellName", how="left")
    return with_verdict(with_alarms, profile)


def customer_table(judged: DataFrame, rules: DataFrame, profile: Profile, run: Run) -> DataFrame:
    """The published table of the customers: a row per customer and cell."""
    ranked = judged.transform(rank_by_severity, DEFECT_COUNT.name, "customerID", "CellName")
    explained = with_evidence(ranked, rules, CUSTOMER_LEVEL, profile)
    return _table(explained, CUSTOMER_LEVEL, profile, run)


def cell_table(judged: DataFrame, profile: Profile, run: Run) -> DataFrame:
    """The published table of the cells: a row per cell, with its verdict."""
    ranked = judged.transform(rank_by_severity, "gravity", "CellName")
    return _table(ranked, CELL_LEVEL, profile, run)


def _table(judged: DataFrame, level: str, profile: Profile, run: Run) -> DataFrame:
    """The table of a level, with the columns of its contract."""
    kpis = (*(kpi.name for kpi in profile.kpis), *profile.level(level).derived)
    values, nothing = F.col("kpis"), F.lit(0.0)
    columns = {profile.column_of(kpi): values[kpi] for kpi in kpis}
    if profile.level(level).missing is MissingPolicy.HEALTHY:
        columns = {name: F.coalesce(value, nothing) for name, value in columns.items()}
    # Flags alone, because Sail copies what is in an array for each element that is taken from it.
    flags = F.transform("evidence", lambda kpi: kpi["flag"])
    flag_of = by_name(F.col(FLAGS), (rule.kpi for rule in profile.rules))
    columns |= {rule.flag: flag_of[rule.kpi] for rule in profile.rules}
    return judged.withColumns({FLAGS: flags, **run.columns(profile)}).select(
        *(
            columns[column.name].alias(column.name)
            if column.name in columns
            else F.col(column.name).cast(column.type).alias(column.name)
            for column in level_columns(level, profile)
        )
    )
