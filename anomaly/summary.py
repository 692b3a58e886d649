"""The account of a run: every row in, what became of it, and what was found.

One table of figures in long form (contracts.SUMMARY_COLUMNS), small whatever the inputs' size.
"""

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.compare import defects, severity
from anomaly.contracts import (
    CELL_LEVEL,
    CUSTOMER_LEVEL,
    SOURCE_FILE,
    SUMMARY_COLUMNS,
)
from anomaly.profile import Profile
from anomaly.verdict import REQUIRED

# Of keys without a partner, and of towers that need maintenance, the table names this many.
LARGEST_KEYS = 50
REASONS_SHOWN = 3


def input_figures(checked: Mapping[str, DataFrame]) -> list[DataFrame]:
    """Per input file the rows read, clean and rejected, and per reason rows and values left out."""
    return [figures for source, frame in checked.items() for figures in _of_input(source, frame)]


def join_figures(joined: DataFrame, cells: DataFrame) -> list[DataFrame]:
    """Per join the matched and unmatched rows, and the unmatched keys with the most rows."""
    customer, calls = F.col("is_customer"), F.col("call_row_count").isNotNull()
    samples = F.col("sample_count").isNotNull()
    counts = joined.agg(
        F.count_if(customer & samples).alias("customers to samples|matched customers"),
        F.count_if(customer & ~samples).alias("customers to samples|unmatched customers"),
        F.count_if(customer & calls).alias("customers to calls|matched customers"),
        F.count_if(customer & ~calls).alias("customers to calls|unmatched customers"),
        F.count_if(~customer).alias("customers to calls|callers that are no customer"),
        F.count_if(customer & calls & samples).alias("all inputs|matched customers"),
        F.count_if(customer).alias("all inputs|customers"),
    )
    no_samples = (
        joined.where(customer & ~samples).groupBy("CellName").agg(F.count(F.lit(1)).alias("value"))
    )
    served = joined.where(customer & F.col("CellName").isNotNull()).select("CellName").distinct()
    no_customers = cells.join(served, on="CellName", how="left_anti")
    return [
        _melted(counts, "join"),
        _largest("cells without samples", no_samples, F.col("CellName"), F.col("value")),
        _largest("cells without customers", no_customers, F.col("CellName"), F.col("sample_count")),
        _largest(
            "callers that are no customer",
            joined.where(~customer),
            F.col("customerID").cast("string"),
            F.col("call_row_count"),
        ),
    ]


def result_figures(customers: DataFrame, cells: DataFrame, profile: Profile) -> list[DataFrame]:
    """Rows published, KPIs evaluated and flagged per level, verdicts, and the worst towers."""
    verdicts = cells.groupBy(
        F.coalesce(F.col("Maintainence_Required"), F.lit("Not judged")).alias("item")
    ).agg(F.count(F.lit(1)).alias("value"))
    return [
        *_of_level(customers, CUSTOMER_LEVEL, profile),
        *_of_level(cells, CELL_LEVEL, profile),
        _figures(verdicts, "verdict", F.lit(CELL_LEVEL), F.col("item"), F.col("value")),
        _worst(cells),
    ]


def summary(figures: Iterable[DataFrame], run: Iterable[Column]) -> DataFrame:
    """All figures of a run as one table (contracts.SUMMARY_COLUMNS)."""
    return reduce(DataFrame.unionByName, figures).select(
        *(F.col(column.name) for column in SUMMARY_COLUMNS[:-3]), *run
    )


def _of_input(source: str, checked: DataFrame) -> list[DataFrame]:
    rejected = F.col("row_reason").isNotNull()
    files = checked.groupBy(SOURCE_FILE).agg(
        F.count(F.lit(1)).alias("rows in"),
        F.count_if(~rejected).alias("rows clean"),
        F.count_if(rejected).alias("rows rejected"),
    )
    rows = checked.where(rejected).groupBy("row_reason").agg(F.count(F.lit(1)).alias("value"))
    values = (
        checked.where(~rejected & (F.size("faults") > 0))
        .select(F.explode("faults").alias("fault"))
        .groupBy(F.concat_ws(": ", "fault.column", "fault.reason").alias("item"))
        .agg(F.count(F.lit(1)).alias("value"))
    )
    subject = F.lit(source)
    return [
        _melted(files, "input", subject, F.col(SOURCE_FILE)),
        _figures(rows, "rejected", subject, F.col("row_reason"), F.col("value")),
        _figures(values, "missing_value", subject, F.col("item"), F.col("value")),
    ]


def _of_level(table: DataFrame, level: str, profile: Profile) -> list[DataFrame]:
    counts = table.agg(
        F.count(F.lit(1)).alias("rows"),
        *(F.count(rule.flag).alias(f"{rule.kpi} evaluated") for rule in profile.rules),
        *(F.sum(rule.flag).alias(f"{rule.kpi} flagged") for rule in profile.rules),
    )
    return [_melted(counts, "kpi", F.lit(level))]


def _worst(cells: DataFrame) -> DataFrame:
    """The towers that need maintenance, worst first, each with its strongest reasons."""
    by_severity = F.array_sort(
        F.transform(
            defects(F.col("evidence")),
            lambda kpi: F.struct(-severity(kpi).alias("order"), kpi["reason"].alias("reason")),
        )
    )
    reasons = F.transform(F.slice(by_severity, 1, REASONS_SHOWN), lambda kpi: kpi["reason"])
    worst = cells.where(F.col("Maintainence_Required") == REQUIRED).orderBy("severity_rank")
    return _figures(
        worst.limit(LARGEST_KEYS),
        "worst",
        F.col("CellName"),
        F.concat_ws(" of ", "defected_count", "evaluated_kpis"),
        F.col("severity_rank"),
        F.array_join(reasons, "; "),
    )


def _largest(subject: str, frame: DataFrame, key: Column, size: Column) -> DataFrame:
    figures = _figures(frame, "unmatched", F.lit(subject), F.coalesce(key, F.lit("(none)")), size)
    return figures.orderBy(F.desc("value"), "item").limit(LARGEST_KEYS)


def _melted(
    counts: DataFrame, section: str, subject: Column | None = None, detail: Column | None = None
) -> DataFrame:
    """A row per figure of a wide row; without a subject the names hold it, as `subject|item`."""
    names = [name for name in counts.columns if name != SOURCE_FILE]
    figures = F.explode(
        F.array(
            *(
                F.struct(
                    F.lit(name.split("|")[0]).alias("subject"),
                    F.lit(name.split("|")[-1]).alias("item"),
                    F.col(f"`{name}`").cast("double").alias("value"),
                )
                for name in names
            )
        )
    )
    detail = F.lit(None) if detail is None else detail
    melted = counts.select(figures.alias("figure"), detail.alias("detail"))
    subject = F.col("figure.subject") if subject is None else subject
    return _figures(
        melted, section, subject, F.col("figure.item"), F.col("figure.value"), F.col("detail")
    )


def _figures(
    frame: DataFrame,
    section: str,
    subject: Column,
    item: Column,
    value: Column,
    detail: Column | None = None,
) -> DataFrame:
    return frame.select(
        F.lit(section).alias("section"),
        subject.cast("string").alias("subject"),
        item.cast("string").alias("item"),
        value.cast("double").alias("value"),
        (F.lit(None) if detail is None else detail).cast("string").alias("detail"),
    )
