"""From clean rows to averages: per cell, per customer, and joined.

samples -> a row per cell; call statistics -> a row per customer; both joined to the customers ->
averages per customer and cell, and from those averages per cell.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.contracts import CALL_STATISTICS, SAMPLES
from anomaly.numbers import exact_mean
from anomaly.profile import DerivedKpi, Formula, Kpi, Profile

CUSTOMER_COLUMNS = (
    "customerID",
    "CellName",
    "tenure",
    "PhoneService",
    "MultipleLines",
    "InternetService",
)


def average_samples(samples: DataFrame, profile: Profile) -> DataFrame:
    """Clean samples to a row per cell: CellName, sample_count, the mean of each sample KPI."""
    return samples.groupBy("CellName").agg(
        F.count(F.lit(1)).alias("sample_count"), *_means(profile.kpis_of(SAMPLES))
    )


def average_calls(calls: DataFrame, profile: Profile) -> DataFrame:
    """Clean call statistics to a row per customer: customerID, call_row_count, each KPI's mean."""
    return calls.groupBy("customerID").agg(
        F.count(F.lit(1)).alias("call_row_count"), *_means(profile.kpis_of(CALL_STATISTICS))
    )


def unknown_callers(calls: DataFrame, customers: DataFrame) -> DataFrame:
    """Clean call statistics without a customer: a row per number, customerID, call_row_count."""
    counted = calls.groupBy("customerID").agg(F.count(F.lit(1)).alias("call_row_count"))
    # One caller to no customer; by hash, because a broadcast would cost a job of its own.
    known = customers.select("customerID").hint("shuffle_hash")
    return counted.join(known, on="customerID", how="left_anti")


def join_inputs(customers: DataFrame, cells: DataFrame, callers: DataFrame) -> DataFrame:
    """Customers with the averages of their cell and of their calls.

    A row per customer and cell, and a row per cell without customers (customerID is NULL there).
    sample_count and call_row_count are NULL where there is no partner. `cells` has a row per cell,
    `callers` a row per customer number.
    """
    return (
        customers.select(*CUSTOMER_COLUMNS)
        # Many customers to at most one cell; cells without customers are kept.
        .join(cells, on="CellName", how="full_outer")
        # Many customer rows to at most one caller; merged whatever their sizes, because a broadcast
        # would cost a job of its own.
        .join(callers.hint("merge"), on="customerID", how="left")
    )


def customer_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows that are published: a row per customer and cell.

    Customers without a cell or without call statistics are left out, and those without samples of
    their cell unless the profile keeps them.
    """
    return joined.where(_is_published(profile))


def cell_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows to a row per cell.

    Call KPIs are the mean over the cell's published customers, each counting once. Without such
    customers customerID_count is 0, call KPIs are NULL, and the cell is kept only if the profile
    says so; without samples the sample KPIs are NULL.
    """
    published = F.col("is_published")
    cells = (
        joined.where(F.col("CellName").isNotNull())
        .withColumn("is_published", _is_published(profile))
        .groupBy("CellName")
        .agg(
            F.count_if(published).alias("customerID_count"),
            F.coalesce(F.sum(F.when(published, F.col("call_row_count"))), F.lit(0)).alias(
                "call_row_count"
            ),
            *(
                F.expr(exact_mean(kpi.average, where="is_published")).alias(kpi.average)
                for kpi in profile.kpis_of(CALL_STATISTICS)
            ),
            # The same in each row of the cell.
            F.coalesce(F.max("sample_count"), F.lit(0)).alias("sample_count"),
            *(F.max(kpi.average).alias(kpi.average) for kpi in profile.kpis_of(SAMPLES)),
        )
    )
    has_customers, has_samples = F.col("customerID_count") > 0, F.col("sample_count") > 0
    if profile.join.keep_cells_without_customers:
        return cells.where(has_customers | has_samples)
    return cells.where(has_customers)


def _is_published(profile: Profile) -> Column:
    is_published = F.col("customerID").isNotNull() & F.col("CellName").isNotNull()
    is_published &= F.col("call_row_count").isNotNull()
    if not profile.join.keep_customers_without_samples:
        is_published &= F.col("sample_count").isNotNull()
    return is_published


def with_derived_kpis(averages: DataFrame, profile: Profile) -> DataFrame:
    """Averages with the derived KPIs; NULL where an operand is, or a denominator is 0."""
    return averages.selectExpr("*", *(_derived(kpi, profile) for kpi in profile.derived))


def _derived(kpi: DerivedKpi, profile: Profile) -> str:
    first, second = profile.column_of(kpi.first), profile.column_of(kpi.second)
    if kpi.formula is Formula.RATIO:
        return f"{first} / nullif({second}, 0D) AS {kpi.name}"
    return f"{first} - {second} AS {kpi.name}"


def _means(kpis: tuple[Kpi, ...]) -> list[Column]:
    return [F.expr(exact_mean(kpi.name)).alias(kpi.average) for kpi in kpis]
