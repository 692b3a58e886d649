"""From averages to all KPIs of a row: the derived ones, and the standard errors of a cell's."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.aggregation.averages import count_of
from anomaly.expressions.arrays import null_struct, struct_of
from anomaly.profile.choices import Formula, MissingPolicy
from anomaly.profile.model import Profile
from anomaly.profile.sections import DerivedKpi
from anomaly.schema.tables import SAMPLE_COUNT

# How many values and how many customers the averages of a row are of.
COUNTS = ("usable_counts", "value_customers")


def with_kpis(averages: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Averages with `kpis` in their place: the derived KPIs and sample_count beside them.

    A field for each KPI (Profile.published_kpis), and so have, from then on, usable_counts and
    value_customers: of how many values and customers each KPI is. A derived KPI is of as many as
    that operand with fewer. Where what is missing counts as 0, every row has a value. A derived
    KPI is NULL where an operand is, or where its denominator is 0 or below its minimum_denominator.
    `customer_count` are the customers that the row is about.
    """
    measured = F.col("averages")
    kpis = {kpi.name: measured[kpi.name] for kpi in profile.kpis}
    kpis |= {kpi.name: _derived(kpi, profile) for kpi in profile.derived}
    sent = F.col("sample_count").cast("double")
    kpis[SAMPLE_COUNT.name] = F.nullif(sent, F.lit(0.0))
    if profile.level(level).missing is MissingPolicy.ZERO_BEFORE_BASELINE:
        nothing = F.lit(0.0)
        kpis = {name: F.coalesce(kpi, nothing) for name, kpi in kpis.items()}
        counts = _counts_of_rows(profile)
    else:
        counts = _counts_of_values(profile)
    others = (name for name in averages.columns if name not in (*COUNTS, "averages"))
    return averages.select(
        *others,
        struct_of(kpis).alias("kpis"),
        *(struct_of(of_kpis).alias(name) for name, of_kpis in zip(COUNTS, counts, strict=True)),
    )


def with_errors(kpis: DataFrame, profile: Profile) -> DataFrame:
    """Cells with `errors`, the standard errors of their `kpis`, a field for each judged one.

    NULL as a whole where the level has none. In the unit of the KPI; NULL for KPIs of samples,
    which follow upon each other and are no independent draws, and where fewer than four customers
    have a value. The error of a derived KPI is that of the mean of its residuals, first - ratio x
    second, for each unit of the denominator (the usual linearization of a ratio of means).

    An error that is found from n customers is itself uncertain: it is as wide as the t distribution
    with n - 1 degrees of freedom, whose variance is (n - 1) / (n - 3).
    """
    if not profile.cell_level.standard_errors:
        return kpis.withColumn("errors", no_errors(profile))
    errors = {rule.kpi: _error_of(rule.kpi, profile) for rule in profile.rules}
    return kpis.withColumn("errors", struct_of(errors))


def no_errors(profile: Profile) -> Column:
    """What stands for the standard errors of a row that has none."""
    return null_struct((rule.kpi for rule in profile.rules), "double")


def _derived(kpi: DerivedKpi, profile: Profile) -> Column:
    first, second = F.col("averages")[kpi.first], F.col("averages")[kpi.second]
    if kpi.denominator is None:
        return first - second
    numerator, denominator = (
        (first, second)
        if kpi.formula is Formula.RATIO
        else (F.greatest(first - second, F.lit(0.0)), first)
    )
    if not kpi.minimum_denominator:
        return numerator / F.nullif(denominator, F.lit(0.0))
    in_all = denominator
    if not profile.rests_on_samples(kpi.name):
        in_all = denominator * F.col("value_customers")[kpi.denominator]
    return numerator / F.when(in_all >= kpi.minimum_denominator, denominator)


def _counts_of_rows(profile: Profile) -> tuple[dict[str, Column], dict[str, Column]]:
    """The COUNTS of all KPIs where each row counts, whether it has a value or not."""
    names = [kpi.name for kpi in profile.published_kpis]
    samples, calls = (
        F.coalesce(count, count_of(0)) for count in ("sample_count", "call_row_count")
    )
    return (
        {name: samples if profile.rests_on_samples(name) else calls for name in names},
        dict.fromkeys(names, F.col("customer_count")),
    )


def _counts_of_values(profile: Profile) -> tuple[dict[str, Column], dict[str, Column]]:
    """The COUNTS of all KPIs, from those of the measured ones."""

    def with_derived(counts: str, of_samples: Column) -> dict[str, Column]:
        measured = F.col(counts)
        found = {kpi.name: measured[kpi.name] for kpi in profile.kpis}
        found |= {kpi.name: F.least(found[kpi.first], found[kpi.second]) for kpi in profile.derived}
        return {**found, SAMPLE_COUNT.name: of_samples}

    return (
        with_derived("usable_counts", F.coalesce("sample_count", count_of(0))),
        with_derived("value_customers", F.col("customer_count")),
    )


def _error_of(kpi: str, profile: Profile) -> Column:
    derived, mean = profile.derived_kpi(kpi), F.col("kpis")[kpi]
    if profile.rests_on_samples(kpi):
        return F.lit(None).cast("double")
    if derived is not None:
        return _derived_error(derived)
    return _error(F.col("mean_squares")[kpi] - mean * mean, kpi)


def _error(variance: Column, kpi: str) -> Column:
    """The standard error of a mean, from the mean square around it.

    (mean square x n / (n - 1)) / n x (n - 1) / (n - 3)
    """
    n = F.col("square_counts")[kpi]
    degrees = F.nullif(F.greatest(n - 3, F.lit(0)), F.lit(0))
    return F.sqrt(F.greatest(variance, F.lit(0.0)) / degrees)


def _derived_error(kpi: DerivedKpi) -> Column:
    first, second = kpi.first, kpi.second
    if kpi.formula is Formula.SHORTFALL:
        first, second = second, first
    values, squares = F.col("kpis"), F.col("mean_squares")
    denominator = F.nullif(values[second], F.lit(0.0))
    is_ratio = kpi.formula is not Formula.DIFFERENCE
    slope = values[first] / denominator if is_ratio else F.lit(1.0)
    mean = values[first] - slope * values[second]
    variance = (
        squares[first]
        - 2.0 * slope * squares[kpi.name]
        + slope * slope * squares[second]
        - mean * mean
    )
    error = _error(variance, kpi.name)
    return error / denominator if is_ratio else error
