"""From clean rows to averages: per cell, per customer, joined, and per cell again.

Clean rows hold their KPIs as one array, `values`, in the order of the profile. They are many, so
their averages are taken side by side: each is looked up once, however many KPIs it has. Of joined
rows, which are fewer, the values are taken one below the other: what Spark compiles for an
aggregate grows with its columns.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.contracts import CALL_STATISTICS, SAMPLES
from anomaly.numbers import exact_mean
from anomaly.profile import DerivedKpi, Formula, MissingPolicy, Profile

CUSTOMER_COLUMNS = (
    "customerID",
    "CellName",
    "tenure",
    "PhoneService",
    "MultipleLines",
    "InternetService",
)

# The SQL of an aggregate: rows of `position` and `mean` as one array. Without any KPI the position
# is NULL, and the array empty.
MEANS_IN_ORDER = (
    "transform(array_sort(collect_list(CASE WHEN position IS NOT NULL THEN struct(position, mean) "
    "END)), kpi -> kpi.mean)"
)


def average_samples(samples: DataFrame, profile: Profile) -> DataFrame:
    """Clean samples to a row per cell: CellName, sample_count, sample_means (array by KPI)."""
    means = _means(SAMPLES, profile)
    return samples.groupBy("CellName").agg(
        F.expr("count(*) AS sample_count"), F.expr(f"{means} AS sample_means")
    )


def average_calls(calls: DataFrame, profile: Profile) -> DataFrame:
    """Clean call statistics to a row per customer: customerID, call_row_count, call_means."""
    means = _means(CALL_STATISTICS, profile)
    return calls.groupBy("customerID").agg(
        F.expr("count(*) AS call_row_count"), F.expr(f"{means} AS call_means")
    )


def join_samples(customers: DataFrame, cells: DataFrame) -> DataFrame:
    """Customers with the averages of their cell; is_customer is true there.

    A row per customer and cell, and a row per cell without customers (customerID and is_customer
    are NULL there). sample_count is NULL where there are no samples. `cells` has a row per cell.
    """
    known = customers.selectExpr(*CUSTOMER_COLUMNS, "TRUE AS is_customer")
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


def unknown_callers(joined: DataFrame) -> DataFrame:
    """Those rows of `join_calls` that have no customer: customerID, call_row_count."""
    return joined.where("is_customer IS NULL AND call_row_count IS NOT NULL").select(
        "customerID", "call_row_count"
    )


def customer_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows that are published: a row per customer and cell, with `averages`.

    `averages` is an array in the order of profile.kpis, NULL where there was no value. Customers
    without a cell or without call statistics are left out, and those without samples of their cell
    unless the profile keeps them.
    """
    return joined.where(_is_published(profile)).selectExpr(
        *CUSTOMER_COLUMNS, "sample_count", "call_row_count", f"{_averages(profile)} AS averages"
    )


def cell_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows to a row per cell: CellName, customerID_count, row counts, `averages`.

    Call KPIs are the mean over the cell's published customers, each counting once. Without such
    customers customerID_count is 0, call KPIs are NULL, and the cell is kept only if the profile
    says so; without samples the sample KPIs are NULL.
    """
    # The mean of a cell's samples is the same in each of its rows.
    mean = (
        f"CASE WHEN position < {len(profile.kpis_of(SAMPLES))} THEN max(value) "
        f"ELSE {exact_mean('value', where='is_published')} END"
    )
    cells = (
        joined.where("CellName IS NOT NULL")
        .selectExpr(
            "CellName",
            "sample_count",
            "call_row_count",
            f"{_is_published(profile)} AS is_published",
            f"posexplode_outer({_averages(profile)}) AS (position, value)",
        )
        .groupBy("CellName", "position")
        .agg(
            F.expr("count_if(is_published) AS customerID_count"),
            F.expr(
                "coalesce(sum(call_row_count) FILTER (WHERE is_published), 0) AS call_row_count"
            ),
            F.expr("coalesce(max(sample_count), 0) AS sample_count"),
            F.expr(f"{mean} AS mean"),
        )
        .groupBy("CellName")
        .agg(
            # The same for each KPI.
            *(
                F.expr(f"max({count}) AS {count}")
                for count in ("customerID_count", "call_row_count", "sample_count")
            ),
            F.expr(f"{MEANS_IN_ORDER} AS averages"),
        )
    )
    if profile.join.keep_cells_without_customers:
        return cells.where("customerID_count > 0 OR sample_count > 0")
    return cells.where("customerID_count > 0")


def with_kpis(averages: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Averages with `kpis` in their place, the derived KPIs behind the measured ones.

    An array in the order of profile.kpis and profile.derived. A derived KPI is NULL where an
    operand is, or where a denominator is 0 or below its minimum_denominator.
    """
    derived = ", ".join(_derived(kpi, profile) for kpi in profile.derived)
    kpis = f"concat(averages, array({derived}))" if derived else "averages"
    if profile.level(level).missing is MissingPolicy.ZERO_BEFORE_BASELINE:
        kpis = f"transform({kpis}, kpi -> coalesce(kpi, 0D))"
    return averages.selectExpr("*", f"{kpis} AS kpis").drop("averages")


def _means(source: str, profile: Profile) -> str:
    """The SQL of an aggregate of clean rows: the means of their values."""
    means = (exact_mean(f"values[{kpi}]") for kpi in range(len(profile.kpis_of(source))))
    return f"CAST(array({', '.join(means)}) AS array<double>)"


def _averages(profile: Profile) -> str:
    """The SQL of a joined row's averages, NULLs standing for a missing partner's."""

    def or_nulls(means: str, source: str) -> str:
        kpis = len(profile.kpis_of(source))
        return f"coalesce({means}, array_repeat(CAST(NULL AS double), {kpis}))"

    of_samples = or_nulls("sample_means", SAMPLES)
    return f"concat({of_samples}, {or_nulls('call_means', CALL_STATISTICS)})"


def _is_published(profile: Profile) -> str:
    """The SQL of whether a joined row is a customer of the published table."""
    needed = ["is_customer", "CellName", "call_row_count"]
    if not profile.join.keep_customers_without_samples:
        needed.append("sample_count")
    return "(" + " AND ".join(f"{column} IS NOT NULL" for column in needed) + ")"


def _derived(kpi: DerivedKpi, profile: Profile) -> str:
    first, second = (f"averages[{profile.position_of(name)}]" for name in (kpi.first, kpi.second))
    if kpi.formula is Formula.DIFFERENCE:
        return f"{first} - {second}"
    if kpi.minimum_denominator:
        return f"{first} / CASE WHEN {second} >= {kpi.minimum_denominator!r}D THEN {second} END"
    return f"{first} / nullif({second}, 0D)"
