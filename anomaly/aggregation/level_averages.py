"""From joined rows to the averages of both levels: per customer and cell, and per cell."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.aggregation.averages import (
    CUSTOMER_COLUMNS,
    count_of,
    is_published,
    joined_counts,
    joined_means,
)
from anomaly.expressions.arithmetic import exact_mean, exact_sum_of_squares, ratio
from anomaly.expressions.arrays import named_array, struct_of
from anomaly.profile.model import Profile
from anomaly.profile.sections import Kpi
from anomaly.schema.inputs import CALL_STATISTICS, SAMPLES

ENTRIES_TYPE = (
    "array<struct<kpi:string,is_of_samples:boolean,value:double,square:double,usable:bigint>>"
)
# What is known of a KPI of a cell, and the column that has it for all KPIs.
OF_KPIS = {
    "mean": "averages",
    "usable_count": "usable_counts",
    "value_customers": "value_customers",
}
OF_SQUARES = {"mean_square": "mean_squares", "square_count": "square_counts"}


def customer_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows that are published: a row per customer and cell, with `averages`.

    `averages` has a field for each KPI, NULL where there was no value; likewise usable_counts, of
    how many values it is, and value_customers, of how many customers. Customers without a cell or
    without call statistics are left out, and those without samples of their cell unless the
    profile keeps them.
    """
    one = count_of(1)
    return joined.where(is_published(profile)).select(
        *CUSTOMER_COLUMNS,
        "sample_count",
        "call_row_count",
        one.alias("customer_count"),
        struct_of(joined_means(profile)).alias("averages"),
        struct_of(joined_counts(profile)).alias("usable_counts"),
        struct_of(dict.fromkeys((kpi.name for kpi in profile.kpis), one)).alias("value_customers"),
    )


def cell_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows to a row per cell: CellName, customerID_count, row counts, `averages`.

    Call KPIs are the mean over the cell's published customers, each counting once. Without such
    customers customerID_count is 0, call KPIs are NULL, and the cell is kept only if the profile
    says so; without samples the sample KPIs are NULL. peers: the group that the cell belongs to.
    For each KPI `usable_counts` says how many values an average is of, and `value_customers` how
    many customers they are of.

    `mean_squares` and `square_counts` have for each KPI the mean of the squares of the customers'
    values and how many they are; and for each derived KPI the same of the products of both
    operands. The mean squares of samples are NULL, and so are all where the level has no standard
    errors.
    """
    counts = ("customerID_count", "call_row_count", "sample_count")
    # KPIs stand one below the other: what Spark compiles for an aggregate grows with its columns.
    of_kpis = (
        joined.where(F.col("CellName").isNotNull())
        .select(
            "CellName",
            F.coalesce("sample_peers", "customer_peers").alias("peers"),
            "sample_count",
            "call_row_count",
            is_published(profile).alias("is_published"),
            F.explode_outer(_entries(profile)).alias("entry"),
        )
        .select("*", "entry.*")
        .groupBy("CellName", "kpi", "is_of_samples")
        .agg(*_of_kpi())
    )
    known = F.struct("kpi", F.struct(*OF_KPIS, *OF_SQUARES))
    cells = of_kpis.groupBy("CellName").agg(
        # The same for each KPI.
        F.min("peers").alias("peers"),
        *(F.max(count).alias(count) for count in counts),
        # A profile without any KPI gives one row per cell, and no entry.
        F.map_from_entries(F.collect_list(F.when(F.col("kpi").isNotNull(), known))).alias("found"),
    )
    measured = [kpi.name for kpi in profile.kpis]
    with_products = [*measured, *(kpi.name for kpi in profile.derived)]

    found = {name: F.try_element_at("found", F.lit(name)) for name in with_products}

    def opened(names: list[str], field: str) -> Column:
        return struct_of({name: found[name][field] for name in names})

    kept = F.col("customerID_count") > 0
    if profile.join.keep_cells_without_customers:
        kept |= F.col("sample_count") > 0
    return cells.where(kept).select(
        "CellName",
        "peers",
        *counts,
        F.col("customerID_count").alias("customer_count"),
        *(opened(measured, field).alias(column) for field, column in OF_KPIS.items()),
        *(opened(with_products, field).alias(column) for field, column in OF_SQUARES.items()),
    )


def _entries(profile: Profile) -> Column:
    """What a joined row adds to its cell: an element for each KPI.

    And where the level has standard errors, one for the product of the operands of each derived
    KPI of the calls, which has no value.
    """
    means, usable = joined_means(profile), joined_counts(profile)
    has_errors = profile.cell_level.standard_errors
    of_calls = {kpi.name for kpi in profile.kpis_of(CALL_STATISTICS)}
    no_number, no_count = F.lit(None).cast("double"), F.lit(None).cast("bigint")

    def measured(kpi: Kpi) -> dict[str, Column]:
        mean = means[kpi.name]
        is_squared = has_errors and kpi.name in of_calls
        return {
            "is_of_samples": F.lit(kpi.source == SAMPLES),
            "value": mean,
            "square": mean * mean if is_squared else no_number,
            "usable": usable[kpi.name],
        }

    entries = {kpi.name: measured(kpi) for kpi in profile.kpis}
    if has_errors:
        entries |= {
            kpi.name: {
                "is_of_samples": F.lit(False),
                "value": no_number,
                "square": means[kpi.first] * means[kpi.second],
                "usable": no_count,
            }
            for kpi in profile.derived
            if {kpi.first, kpi.second} <= of_calls
        }
    return named_array(entries).cast(ENTRIES_TYPE)


def _of_kpi() -> tuple[Column, ...]:
    """Aggregates of the rows of one cell and KPI."""
    published, of_samples = F.col("is_published"), F.col("is_of_samples")
    value, usable = F.col("value"), F.col("usable")
    square = F.when(published, F.col("square"))
    # The mean of a cell's samples is the same in each of its rows.
    mean = F.when(of_samples, F.max(value)).otherwise(exact_mean(value, where=published))
    usable_count = F.when(of_samples, F.max(usable)).otherwise(F.sum(F.when(published, usable)))
    calls = F.sum(F.when(published, F.col("call_row_count")))
    return (
        F.min("peers").alias("peers"),
        F.count_if(published).alias("customerID_count"),
        F.coalesce(calls, count_of(0)).alias("call_row_count"),
        F.coalesce(F.max("sample_count"), count_of(0)).alias("sample_count"),
        mean.alias("mean"),
        ratio(exact_sum_of_squares(square), F.count(square)).alias("mean_square"),
        F.count(square).alias("square_count"),
        F.coalesce(usable_count, count_of(0)).alias("usable_count"),
        F.count(F.when(published, value)).alias("value_customers"),
    )
