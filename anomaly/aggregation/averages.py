"""From clean rows to averages: per cell and per customer; and their joins.

A KPI keeps its name: means and counts are structs with a field for each KPI.
"""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.cleaning.values import kpi_values
from anomaly.expressions.arithmetic import exact_mean
from anomaly.expressions.arrays import struct_of, struct_type
from anomaly.profile.model import Profile
from anomaly.schema.inputs import CALL_STATISTICS, SAMPLES

CUSTOMER_COLUMNS = (
    "customerID",
    "CellName",
    "tenure",
    "PhoneService",
    "MultipleLines",
    "InternetService",
)


def average_samples(samples: DataFrame, profile: Profile) -> DataFrame:
    """Clean samples to a row per cell: CellName, sample_count, sample_means (a field per KPI).

    And sample_usable, how many values each mean is of; and sample_peers, the group that the cell
    belongs to: the first by name of those in its rows.
    """
    values = kpi_values(profile.kpis_of(SAMPLES))
    return samples.groupBy("CellName").agg(
        F.count("*").alias("sample_count"),
        means_of(values).alias("sample_means"),
        counts_of(values).alias("sample_usable"),
        F.min("peer_group").alias("sample_peers"),
    )


def average_calls(calls: DataFrame, profile: Profile) -> DataFrame:
    """Clean call statistics to a row per customer: customerID, call_row_count, call_means.

    And call_usable, how many values each mean is of.
    """
    values = kpi_values(profile.kpis_of(CALL_STATISTICS))
    return calls.groupBy("customerID").agg(
        F.count("*").alias("call_row_count"),
        means_of(values).alias("call_means"),
        counts_of(values).alias("call_usable"),
    )


def means_of(values: Mapping[str, Column]) -> Column:
    """An aggregate: the exact means of values, as a struct by their names."""
    return struct_of({kpi: exact_mean(value) for kpi, value in values.items()})


def counts_of(values: Mapping[str, Column]) -> Column:
    """An aggregate: how many values there are that are not NULL, as a struct by their names."""
    counts = struct_of({kpi: F.count(value) for kpi, value in values.items()})
    # A count is never NULL, and Sail believes that also where a join leaves the struct out.
    return counts.cast(struct_type(dict.fromkeys(values, "bigint")))


def join_samples(customers: DataFrame, cells: DataFrame) -> DataFrame:
    """Customers with the averages of their cell; is_customer is true there.

    A row per customer and cell, and a row per cell without customers (customerID and is_customer
    are NULL there). sample_count is NULL where there are no samples. `cells` has a row per cell.
    """
    known = customers.select(
        *CUSTOMER_COLUMNS,
        F.col("peer_group").alias("customer_peers"),
        F.lit(True).alias("is_customer"),
    )
    # Many customers to at most one cell; cells without customers are kept.
    return known.join(cells, on="CellName", how="full_outer")


def join_calls(with_samples: DataFrame, callers: DataFrame) -> DataFrame:
    """The rows of `join_samples`, each customer with the averages of his calls.

    And a row per caller who is no customer (CellName and is_customer are NULL there).
    call_row_count is NULL where there are no calls. `callers` has a row per customer number.
    """
    # Many customer rows to at most one caller; merged whatever their sizes, because a broadcast
    # would cost a job of its own.
    return with_samples.join(callers.hint("merge"), on="customerID", how="full_outer")


def without_partner(joined: DataFrame) -> DataFrame:
    """Callers who are not customers, and customers without calls.

    customerID, is_customer and call_row_count, which is NULL of customers.
    """
    is_customer, calls = F.col("is_customer"), F.col("call_row_count")
    return joined.where(is_customer.isNull() != calls.isNull()).select(
        "customerID", F.coalesce(is_customer, F.lit(False)).alias("is_customer"), calls
    )


def is_published(profile: Profile) -> Column:
    """Whether a joined row is a customer of the published table."""
    needed = F.col("is_customer").isNotNull() & F.col("CellName").isNotNull()
    needed &= F.col("call_row_count").isNotNull()
    if not profile.join.keep_customers_without_samples:
        needed &= F.col("sample_count").isNotNull()
    return needed


def joined_means(profile: Profile) -> dict[str, Column]:
    """The averages of a joined row by KPI, NULL for those of a missing partner."""
    return _of_both("means", profile)


def joined_counts(profile: Profile) -> dict[str, Column]:
    """Of how many values each of them is."""
    none = count_of(0)
    return {kpi: F.coalesce(count, none) for kpi, count in _of_both("usable", profile).items()}


def count_of(number: int) -> Column:
    """A number that is a count, whatever its size."""
    return F.lit(number).cast("bigint")


def _of_both(what: str, profile: Profile) -> dict[str, Column]:
    found = {SAMPLES: F.col(f"sample_{what}"), CALL_STATISTICS: F.col(f"call_{what}")}
    return {kpi.name: found[kpi.source][kpi.name] for kpi in profile.kpis}
