"""The account of a run: every row in, what became of it, and what was found.

One table of figures in long form (contracts.SUMMARY_COLUMNS), small whatever the inputs' size.
"""

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anomaly.compare import defects, severity
from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL, SOURCE_FILE, SUMMARY_COLUMNS
from anomaly.verdict import REQUIRED

# Of keys without a partner, and of towers that need maintenance, the table names this many.
LARGEST_KEYS = 50
REASONS_SHOWN = 3


def input_figures(checked: Mapping[str, DataFrame]) -> DataFrame:
    """Per input file the rows read, clean and rejected, and per reason rows and values left out."""
    found = reduce(
        DataFrame.unionByName, (_outcomes(frame, source) for source, frame in checked.items())
    )
    is_rejected = F.col("row_reason").isNotNull()

    def of_file(item: str, counts: Column) -> Column:
        value = F.when(counts, F.col("row_count")).otherwise(0)
        return _figure("input", F.col("source"), F.lit(item), value, F.col(SOURCE_FILE))

    rows, source = F.col("row_count"), F.col("source")
    figures = F.concat(
        F.array(
            of_file("rows in", F.lit(True)),
            of_file("rows clean", ~is_rejected),
            of_file("rows rejected", is_rejected),
        ),
        F.when(
            is_rejected, F.array(_figure("rejected", source, F.col("row_reason"), rows))
        ).otherwise(
            F.transform("faults", lambda fault: _figure("missing_value", source, fault, rows))
        ),
    )
    return _added_up(found, figures)


def join_figures(joined: DataFrame, unknown_callers: DataFrame) -> list[DataFrame]:
    """Per join the matched and unmatched rows, and the unmatched keys with the most rows."""
    is_customer, has_calls = F.col("is_customer"), F.col("has_calls")
    has_samples, rows = F.col("has_samples"), F.col("row_count")
    kinds = joined.groupBy(
        F.col("customerID").isNotNull().alias("is_customer"),
        F.col("sample_count").isNotNull().alias("has_samples"),
        F.col("call_row_count").isNotNull().alias("has_calls"),
    ).agg(F.count(F.lit(1)).alias("row_count"))
    counted = {
        ("customers to samples", "matched customers"): is_customer & has_samples,
        ("customers to samples", "unmatched customers"): is_customer & ~has_samples,
        ("customers to samples", "cells without customers"): ~is_customer,
        ("customers to calls", "matched customers"): is_customer & has_calls,
        ("customers to calls", "unmatched customers"): is_customer & ~has_calls,
        ("all inputs", "matched customers"): is_customer & has_calls & has_samples,
        ("all inputs", "customers"): is_customer,
    }
    figures = F.array(
        *(
            _figure("join", F.lit(join), F.lit(item), F.when(condition, rows).otherwise(0))
            for (join, item), condition in counted.items()
        )
    )
    unmatched = _unmatched(joined).unionByName(
        unknown_callers.select(
            F.lit("callers that are no customer").alias("kind"),
            F.col("customerID").cast("string").alias("key"),
            F.col("call_row_count").alias("size"),
        )
    )
    return [_added_up(kinds, figures), *_of_unmatched(unmatched)]


def result_figures(customers: DataFrame, cells: DataFrame) -> list[DataFrame]:
    """Rows published, KPIs evaluated and flagged per level, verdicts, and the worst towers."""
    judged = customers.select(F.lit(CUSTOMER_LEVEL).alias("level"), "evidence").unionByName(
        cells.select(F.lit(CELL_LEVEL).alias("level"), "evidence")
    )
    kpis = (
        judged.select("level", F.explode("evidence").alias("kpi"))
        .groupBy("level", F.col("kpi.kpi").alias("kpi"))
        .agg(F.count("kpi.flag").alias("evaluated"), F.sum("kpi.flag").alias("flagged"))
    )
    of_kpi = F.array(
        *(
            _figure(
                "kpi",
                F.col("level"),
                F.concat_ws(" ", "kpi", F.lit(item)),
                F.coalesce(item, F.lit(0)),
            )
            for item in ("evaluated", "flagged")
        )
    )
    verdict = F.coalesce("Maintainence_Required", F.lit("Not judged"))
    verdicts = F.array(
        _figure("verdict", F.lit(CELL_LEVEL), verdict, F.lit(1)),
        _figure("kpi", F.lit(CELL_LEVEL), F.lit("rows"), F.lit(1)),
    )
    customer_rows = F.array(_figure("kpi", F.lit(CUSTOMER_LEVEL), F.lit("rows"), F.lit(1)))
    return [
        _added_up(kpis, of_kpi),
        _added_up(cells, verdicts),
        _added_up(customers, customer_rows),
        _worst(cells),
    ]


def summary(figures: Iterable[DataFrame], run: Mapping[str, Column]) -> DataFrame:
    """All figures of a run as one table (contracts.SUMMARY_COLUMNS)."""
    return (
        reduce(DataFrame.unionByName, figures)
        .withColumns({**run})
        .selectExpr(*(column.name for column in SUMMARY_COLUMNS))
    )


def _outcomes(checked: DataFrame, source: str) -> DataFrame:
    """A row per file and outcome of its rows: row_reason, or the faults of values as texts."""
    texts = F.transform("faults", lambda fault: F.concat_ws(": ", fault["column"], fault["reason"]))
    return checked.groupBy(
        F.lit(source).alias("source"),
        SOURCE_FILE,
        "row_reason",
        F.coalesce(texts, F.array().cast("array<string>")).alias("faults"),
    ).agg(F.count(F.lit(1)).alias("row_count"))


def _unmatched(joined: DataFrame) -> DataFrame:
    """A row per cell without samples, or without customers: kind, key, size."""
    without_samples = F.col("sample_count").isNull()
    kind = F.when(without_samples, "cells without samples").otherwise("cells without customers")
    return (
        joined.where(without_samples | F.col("customerID").isNull())
        .groupBy(kind.alias("kind"), F.coalesce("CellName", F.lit("(none)")).alias("key"))
        .agg(F.sum(F.coalesce("sample_count", F.lit(1))).alias("size"))
    )


def _of_unmatched(unmatched: DataFrame) -> list[DataFrame]:
    """How many keys found no partner, and the largest of them."""
    largest_first = Window.partitionBy("kind").orderBy(F.desc("size"), "key")
    largest = (
        unmatched.withColumn("position", F.row_number().over(largest_first))
        .where(F.col("position") <= LARGEST_KEYS)
        .select(_figure("unmatched", F.col("kind"), F.col("key"), F.col("size")).alias("figure"))
        .select("figure.*")
    )
    counts = F.array(
        _figure("unmatched_keys", F.col("kind"), F.lit("keys"), F.lit(1)),
        _figure("unmatched_keys", F.col("kind"), F.lit("rows"), F.col("size")),
    )
    return [largest, _added_up(unmatched, counts)]


def _worst(cells: DataFrame) -> DataFrame:
    """The towers that need maintenance, worst first, each with its strongest reasons."""
    by_severity = F.array_sort(
        F.transform(
            defects(F.col("evidence")),
            lambda kpi: F.struct(-severity(kpi).alias("order"), kpi["reason"].alias("reason")),
        )
    )
    reasons = F.transform(F.slice(by_severity, 1, REASONS_SHOWN), lambda kpi: kpi["reason"])
    figure = _figure(
        "worst",
        F.col("CellName"),
        F.concat_ws(" of ", "defected_count", "evaluated_kpis"),
        F.col("severity_rank"),
        F.array_join(reasons, "; "),
    )
    # A window instead of a sort with a limit, which would sample the table in a job of its own.
    worst_first = Window.partitionBy("Maintainence_Required").orderBy("severity_rank", "CellName")
    return (
        cells.where(F.col("Maintainence_Required") == REQUIRED)
        .withColumn("position", F.row_number().over(worst_first))
        .where(F.col("position") <= LARGEST_KEYS)
        .select(figure.alias("figure"))
        .select("figure.*")
    )


def _figure(
    section: str, subject: Column, item: Column, value: Column, detail: Column | None = None
) -> Column:
    """A row of the summary, without the columns of the run."""
    return F.struct(
        F.lit(section).alias("section"),
        subject.alias("subject"),
        item.alias("item"),
        value.cast("double").alias("value"),
        (F.lit(None) if detail is None else detail).cast("string").alias("detail"),
    )


def _added_up(frame: DataFrame, figures: Column) -> DataFrame:
    """The figures that each row gives, those of the same name added up."""
    return (
        frame.select(F.explode(figures).alias("figure"))
        .select("figure.*")
        .groupBy("section", "subject", "item", "detail")
        .agg(F.sum("value").alias("value"))
    )
