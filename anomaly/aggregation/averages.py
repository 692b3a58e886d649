"""From clean rows to averages: per cell, per customer, joined, and per cell again.

Clean rows hold their KPIs as one array, `values`, in the order of the profile. They are many, so
their averages are taken side by side: each is looked up once, however many KPIs it has. Of joined
rows, which are fewer, the values are taken one below the other: what Spark compiles for an
aggregate grows with its columns.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.sql_text import exact_mean
from anomaly.profile.model import Profile
from anomaly.profile.sections import DerivedKpi, Formula, MissingPolicy
from anomaly.schema.inputs import CALL_STATISTICS, SAMPLES

CUSTOMER_COLUMNS = (
    "customerID",
    "CellName",
    "tenure",
    "PhoneService",
    "MultipleLines",
    "InternetService",
)

# The SQL of an aggregate: rows of `position` and what is found of it as one array. Without any KPI
# the position is NULL, and the array empty.
IN_ORDER = (
    "array_sort(collect_list(CASE WHEN position IS NOT NULL "
    "THEN struct(position, mean, mean_square, value_count, usable_count, value_customers) END))"
)
# How many values and how many customers the averages of a row are of.
COUNTS = ("usable_counts", "value_customers")
# Squares are added up as decimals, which are exact in any order: up to 1e24, with twelve digits
# behind the point.
SQUARE_TYPE = "decimal(38,12)"


def average_samples(samples: DataFrame, profile: Profile) -> DataFrame:
    """Clean samples to a row per cell: CellName, sample_count, sample_means (array by KPI).

    And sample_usable, how many values each mean is of; and sample_peers, the group that the cell
    belongs to: the first by name of those in its rows.
    """
    means, usable = _means(SAMPLES, profile), _usable(SAMPLES, profile)
    return samples.groupBy("CellName").agg(
        F.expr("count(*) AS sample_count"),
        F.expr(f"{means} AS sample_means"),
        F.expr(f"{usable} AS sample_usable"),
        F.min("peer_group").alias("sample_peers"),
    )


def average_calls(calls: DataFrame, profile: Profile) -> DataFrame:
    """Clean call statistics to a row per customer: customerID, call_row_count, call_means.

    And call_usable, how many values each mean is of.
    """
    means, usable = _means(CALL_STATISTICS, profile), _usable(CALL_STATISTICS, profile)
    return calls.groupBy("customerID").agg(
        F.expr("count(*) AS call_row_count"),
        F.expr(f"{means} AS call_means"),
        F.expr(f"{usable} AS call_usable"),
    )


def join_samples(customers: DataFrame, cells: DataFrame) -> DataFrame:
    """Customers with the averages of their cell; is_customer is true there.

    A row per customer and cell, and a row per cell without customers (customerID and is_customer
    are NULL there). sample_count is NULL where there are no samples. `cells` has a row per cell.
    """
    known = customers.selectExpr(
        *CUSTOMER_COLUMNS, "peer_group AS customer_peers", "TRUE AS is_customer"
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
    """Callers that are no customer, and customers without calls.

    customerID, is_customer and call_row_count, which is NULL of customers.
    """
    return joined.where("(is_customer IS NULL) != (call_row_count IS NULL)").selectExpr(
        "customerID", "coalesce(is_customer, FALSE) AS is_customer", "call_row_count"
    )


def customer_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows that are published: a row per customer and cell, with `averages`.

    `averages` is an array in the order of profile.kpis, NULL where there was no value; likewise
    usable_counts, of how many values it is, and value_customers, of how many customers. Customers
    without a cell or without call statistics are left out, and those without samples of their cell
    unless the profile keeps them.
    """
    return joined.where(_is_published(profile)).selectExpr(
        *CUSTOMER_COLUMNS,
        "sample_count",
        "call_row_count",
        "1L AS customer_count",
        f"{_averages(profile)} AS averages",
        f"{_usable_counts(profile)} AS usable_counts",
        f"array_repeat(1L, {len(profile.kpis)}) AS value_customers",
    )


def cell_averages(joined: DataFrame, profile: Profile) -> DataFrame:
    """The joined rows to a row per cell: CellName, customerID_count, row counts, `averages`.

    Call KPIs are the mean over the cell's published customers, each counting once. Without such
    customers customerID_count is 0, call KPIs are NULL, and the cell is kept only if the profile
    says so; without samples the sample KPIs are NULL. peers: the group that the cell belongs to.
    In the order of profile.kpis `usable_counts` says how many values an average is of, and
    `value_customers` how many customers they are of.

    `mean_squares` and `value_counts` have, in the order of profile.kpis, the mean of the squares of
    the customers' values and how many they are; and behind them, in the order of profile.derived,
    the same of the products of both operands. The mean squares of samples are NULL, and so are all
    where the level has no standard errors.
    """
    entries = f"posexplode_outer({_entries(profile)}) AS (position, entry)"
    # The mean of a cell's samples is the same in each of its rows.
    mean = (
        f"CASE WHEN position < {len(profile.kpis_of(SAMPLES))} THEN max(value) "
        f"ELSE {exact_mean('value', where='is_published')} END"
    )
    squares = f"try_sum(CAST(square AS {SQUARE_TYPE})) FILTER (WHERE is_published)"
    count = "count(square) FILTER (WHERE is_published)"
    usable = (
        f"CASE WHEN position < {len(profile.kpis_of(SAMPLES))} THEN max(usable) "
        "ELSE sum(usable) FILTER (WHERE is_published) END"
    )
    cells = (
        joined.where("CellName IS NOT NULL")
        .selectExpr(
            "CellName",
            "coalesce(sample_peers, customer_peers) AS peers",
            "sample_count",
            "call_row_count",
            f"{_is_published(profile)} AS is_published",
            entries,
        )
        .selectExpr("*", "entry.*")
        .groupBy("CellName", "position")
        .agg(
            F.min("peers").alias("peers"),
            F.expr("count_if(is_published) AS customerID_count"),
            F.expr(
                "coalesce(sum(call_row_count) FILTER (WHERE is_published), 0) AS call_row_count"
            ),
            F.expr("coalesce(max(sample_count), 0) AS sample_count"),
            F.expr(f"{mean} AS mean"),
            F.expr(f"CAST({squares} AS double) / nullif({count}, 0) AS mean_square"),
            F.expr(f"{count} AS value_count"),
            F.expr(f"coalesce({usable}, 0L) AS usable_count"),
            F.expr("count(value) FILTER (WHERE is_published) AS value_customers"),
        )
        .groupBy("CellName")
        .agg(
            # The same for each KPI.
            F.min("peers").alias("peers"),
            *(
                F.expr(f"max({count}) AS {count}")
                for count in ("customerID_count", "call_row_count", "sample_count")
            ),
            F.expr(f"{IN_ORDER} AS found"),
        )
        .selectExpr(
            "CellName",
            "peers",
            "customerID_count",
            "call_row_count",
            "sample_count",
            "customerID_count AS customer_count",
            *(
                f"transform(slice(found, 1, {len(profile.kpis)}), kpi -> kpi.{of_kpi}) AS {name}"
                for of_kpi, name in (
                    ("mean", "averages"),
                    ("usable_count", "usable_counts"),
                    ("value_customers", "value_customers"),
                )
            ),
            "transform(found, kpi -> kpi.mean_square) AS mean_squares",
            "transform(found, kpi -> kpi.value_count) AS value_counts",
        )
    )
    if profile.join.keep_cells_without_customers:
        return cells.where("customerID_count > 0 OR sample_count > 0")
    return cells.where("customerID_count > 0")


def with_kpis(averages: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Averages with `kpis` in their place: the derived KPIs and sample_count behind them.

    An array in the order of Profile.position_of, and so are, from then on, usable_counts and
    value_customers: of how many values and customers each KPI is. A derived KPI is of as many as
    that operand with fewer. Where what is missing counts as 0, every row has a value. A derived
    KPI is NULL where an operand is, or where its denominator is 0 or below its minimum_denominator.
    `customer_count` are the customers that the row is about.
    """
    derived = (_derived(kpi, profile) for kpi in profile.derived)
    sent = "nullif(CAST(sample_count AS double), 0D)"
    kpis = f"concat(averages, array({', '.join((*derived, sent))}))"
    if profile.level(level).missing is MissingPolicy.ZERO_BEFORE_BASELINE:
        kpis = f"transform({kpis}, kpi -> coalesce(kpi, 0D))"
    others = (name for name in averages.columns if name not in (*COUNTS, "averages"))
    counts = (
        f"{behind} AS {name}"
        for name, behind in zip(COUNTS, _counts_behind(level, profile), strict=True)
    )
    return averages.selectExpr(*others, f"{kpis} AS kpis", *counts)


def _counts_behind(level: str, profile: Profile) -> tuple[str, str]:
    """The SQL of usable_counts and value_customers of all KPIs, from those of the measured."""
    kpis = [kpi.name for kpi in profile.published_kpis]
    if profile.level(level).missing is MissingPolicy.ZERO_BEFORE_BASELINE:
        rows = (
            "sample_count" if profile.rests_on_samples(kpi) else "call_row_count" for kpi in kpis
        )
        counted = ", ".join(f"coalesce({count}, 0L)" for count in rows)
        return f"array({counted})", f"array_repeat(customer_count, {len(kpis)})"

    def with_derived(counts: str, of_samples: str) -> str:
        places = (
            [profile.position_of(name) for name in (kpi.first, kpi.second)]
            for kpi in profile.derived
        )
        derived = (f"least({counts}[{first}], {counts}[{second}])" for first, second in places)
        return f"concat({counts}, array({', '.join((*derived, of_samples))}))"

    return (
        with_derived("usable_counts", "coalesce(sample_count, 0L)"),
        with_derived("value_customers", "customer_count"),
    )


def with_errors(kpis: DataFrame, profile: Profile) -> DataFrame:
    """Cells with `errors`, the standard errors of their `kpis` in the same order.

    NULL as a whole where the level has none. In the unit of the KPI; NULL for KPIs of samples,
    which follow upon each other and are no independent draws, and where fewer than four customers
    have a value. The error of a derived KPI is that of the mean of its residuals, first - ratio x
    second, for each unit of the denominator (the usual linearization of a ratio of means).

    An error that is found from n customers is itself uncertain: it is as wide as the t distribution
    with n - 1 degrees of freedom, whose variance is (n - 1) / (n - 3).
    """
    measured = (
        _error(f"mean_squares[{place}] - kpis[{place}] * kpis[{place}]", place)
        for place in range(len(profile.kpis))
    )
    derived = (_derived_error(kpi, profile) for kpi in profile.derived)
    errors = "NULL"
    if profile.cell_level.standard_errors:
        errors = f"array({', '.join((*measured, *derived, 'NULL'))})"
    return kpis.selectExpr("*", f"CAST({errors} AS array<double>) AS errors")


def _error(variance: str, place: int) -> str:
    """The SQL of the standard error of a mean, from the mean square around it.

    (mean square x n / (n - 1)) / n x (n - 1) / (n - 3)
    """
    return f"sqrt(greatest({variance}, 0D) / nullif(greatest(value_counts[{place}] - 3, 0), 0))"


def _derived_error(kpi: DerivedKpi, profile: Profile) -> str:
    position = len(profile.kpis) + profile.derived.index(kpi)
    first, second = (profile.position_of(name) for name in (kpi.first, kpi.second))
    if kpi.formula is Formula.SHORTFALL:
        first, second = second, first
    is_ratio = kpi.formula is not Formula.DIFFERENCE
    slope = f"(kpis[{first}] / nullif(kpis[{second}], 0D))" if is_ratio else "1D"
    mean = f"(kpis[{first}] - {slope} * kpis[{second}])"
    variance = (
        f"mean_squares[{first}] - 2D * {slope} * mean_squares[{position}] "
        f"+ {slope} * {slope} * mean_squares[{second}] - {mean} * {mean}"
    )
    error = _error(variance, position)
    return f"{error} / nullif(kpis[{second}], 0D)" if is_ratio else error


def _means(source: str, profile: Profile) -> str:
    """The SQL of an aggregate of clean rows: the means of their values."""
    means = (exact_mean(f"values[{kpi}]") for kpi in range(len(profile.kpis_of(source))))
    return f"CAST(array({', '.join(means)}) AS array<double>)"


def _usable(source: str, profile: Profile) -> str:
    """The SQL of an aggregate of clean rows: how many of their values are usable, by KPI."""
    counts = (f"count(values[{kpi}])" for kpi in range(len(profile.kpis_of(source))))
    return f"CAST(array({', '.join(counts)}) AS array<bigint>)"


def _averages(profile: Profile) -> str:
    """The SQL of a joined row's averages, NULLs standing for a missing partner's."""
    return _of_both("means", "CAST(NULL AS double)", profile)


def _usable_counts(profile: Profile) -> str:
    """The SQL of how many values each of them is of."""
    return _of_both("usable", "0L", profile)


def _of_both(what: str, missing: str, profile: Profile) -> str:
    """The SQL of what a joined row has of its samples and of its calls, as one array by KPI."""
    found = (
        f"coalesce({prefix}_{what}, array_repeat({missing}, {len(profile.kpis_of(source))}))"
        for prefix, source in (("sample", SAMPLES), ("call", CALL_STATISTICS))
    )
    return f"concat({', '.join(found)})"


def _entries(profile: Profile) -> str:
    """The SQL of what a joined row adds to its cell: an array of struct<value, square, usable>.

    By KPI, and behind them the products of the operands of derived KPIs, which have no value.
    """
    samples, has_errors = len(profile.kpis_of(SAMPLES)), profile.cell_level.standard_errors
    square = f"CASE WHEN place >= {samples} THEN mean * mean END" if has_errors else "NULL"
    measured = (
        f"zip_with(transform({_averages(profile)}, (mean, place) -> struct(mean AS value, "
        f"CAST({square} AS double) AS square)), {_usable_counts(profile)}, (mean, usable) -> "
        "struct(mean.value AS value, mean.square AS square, usable AS usable))"
    )
    if not has_errors:
        return measured
    places = {kpi.name: place for place, kpi in enumerate(profile.kpis_of(CALL_STATISTICS))}
    products = (
        f"get(call_means, {places[kpi.first]}) * get(call_means, {places[kpi.second]})"
        if kpi.first in places and kpi.second in places
        else "NULL"
        for kpi in profile.derived
    )
    structs = ", ".join(
        f"struct(CAST(NULL AS double) AS value, CAST({product} AS double) AS square, "
        "CAST(NULL AS bigint) AS usable)"
        for product in products
    )
    return f"concat({measured}, array({structs}))" if structs else measured


def _is_published(profile: Profile) -> str:
    """The SQL of whether a joined row is a customer of the published table."""
    needed = ["is_customer", "CellName", "call_row_count"]
    if not profile.join.keep_customers_without_samples:
        needed.append("sample_count")
    return "(" + " AND ".join(f"{column} IS NOT NULL" for column in needed) + ")"


def _derived(kpi: DerivedKpi, profile: Profile) -> str:
    first, second = (f"averages[{profile.position_of(name)}]" for name in (kpi.first, kpi.second))
    if kpi.denominator is None:
        return f"{first} - {second}"
    numerator, denominator = (
        (first, second)
        if kpi.formula is Formula.RATIO
        else (f"greatest({first} - {second}, 0D)", first)
    )
    if not kpi.minimum_denominator:
        return f"{numerator} / nullif({denominator}, 0D)"
    in_all = denominator
    if not profile.rests_on_samples(kpi.name):
        in_all = f"{denominator} * value_customers[{profile.position_of(kpi.denominator)}]"
    enough = f"CASE WHEN {in_all} >= {kpi.minimum_denominator!r}D THEN {denominator} END"
    return f"{numerator} / {enough}"
