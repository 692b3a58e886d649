"""From clean rows to averages: per cell, per customer, and joined.

samples -> a row per cell; call statistics -> a row per customer; both joined to the customers ->
averages per customer and cell, and from those averages per cell.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.contracts import CALL_STATISTICS, SAMPLES
from anomaly.numbers import exact_mean, ratio
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


def join_inputs(customers: DataFrame, cells: DataFrame, callers: DataFrame) -> DataFrame:
    """Customers with the averages of their cell and of their calls, unmatched rows included.

    A row per customer and cell, and a row per caller that is no known customer (is_customer is
    false). sample_count and call_row_count are NULL where there is no partner. `cells` has a row
    per cell, `callers` a row per customer number.
    """
    return (
        customers.select(*CUSTOMER_COLUMNS, F.lit(True).alias("is_customer"))
        # Many customer rows to at most one caller; callers that are no customers are kept.
        .join(callers, on="customerID", how="full_outer")
        # Many customers to at most one cell.
        .join(cells, on="CellName", how="left")
        .withColumn("is_customer", F.coalesce("is_customer", F.lit(False)))
    )


def customer_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows that are published: a row per customer and cell.

    Customers without a cell or without call statistics are left out, and those without samples of
    their cell unless the profile keeps them.
    """
    usable = F.col("is_customer") & F.col("CellName").isNotNull()
    usable &= F.col("call_row_count").isNotNull()
    if not profile.join.keep_customers_without_samples:
        usable &= F.col("sample_count").isNotNull()
    return joined.where(usable).drop("is_customer")


def cell_averages(customers: DataFrame, cells: DataFrame, profile: Profile) -> DataFrame:
    """Customer averages to a row per cell, with the cell's own sample averages.

    Call KPIs are the mean over the cell's customers, each customer counting once. Without
    customers customerID_count is 0, call KPIs are NULL, and the cell is kept only if the profile
    says so; without samples the sample KPIs are NULL.
    """
    per_cell = customers.groupBy("CellName").agg(
        F.count(F.lit(1)).alias("customerID_count"),
        F.sum("call_row_count").alias("call_row_count"),
        *(
            exact_mean(F.col(kpi.average)).alias(kpi.average)
            for kpi in profile.kpis_of(CALL_STATISTICS)
        ),
    )
    how = "full_outer" if profile.join.keep_cells_without_customers else "left"
    # One to one.
    return per_cell.join(cells, on="CellName", how=how).fillna(
        0, subset=["customerID_count", "sample_count", "call_row_count"]
    )


def derived_kpis(profile: Profile) -> list[Column]:
    """The derived KPIs of a row of averages; NULL where an operand is, or a denominator is 0."""
    averages = {kpi.name: F.col(kpi.average) for kpi in profile.kpis}
    return [_derive(kpi, averages).alias(kpi.name) for kpi in profile.derived]


def _derive(kpi: DerivedKpi, averages: dict[str, Column]) -> Column:
    first, second = averages[kpi.first], averages[kpi.second]
    return ratio(first, second) if kpi.formula is Formula.RATIO else first - second


def _means(kpis: tuple[Kpi, ...]) -> list[Column]:
    return [exact_mean(F.col(kpi.name)).alias(kpi.average) for kpi in kpis]
