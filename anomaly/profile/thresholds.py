"""Rules built in Python: each function takes only the arguments that make sense for it.

    profile.with_rules(Rule.of("PRBUsageDL", above(median_iqr(k=2), ignore_below=5)))

The settings are those of a profile's `[rules]`; docs/reference/profile.md explains each.
"""

from dataclasses import dataclass, replace

from anomaly.profile.methods import Direction, Method, Scale


@dataclass(frozen=True)
class Baseline:
    """The method that finds the baseline, and the distance of the limit from it in spreads."""

    method: Method
    k: float = 0.0
    warn_k: float | None = None
    q: float | None = None
    value: float | None = None


@dataclass(frozen=True)
class Threshold:
    """The limit of a KPI, and its bad side."""

    bad_when: Direction
    baseline: Baseline
    ignore_below: float = 0.0
    at_least: float | None = None
    at_most: float | None = None
    limit: float | None = None
    scale: Scale = Scale.LINEAR
    offset: float = 0.0
    smallest_factor: float = 1.0


def static(value: float) -> Baseline:
    """A fixed number, in the unit of the KPI."""
    return Baseline(Method.STATIC, value=value)


def mean() -> Baseline:
    """The mean of the peers; every value beyond it is a defect, as in the published lab."""
    return Baseline(Method.MEAN)


def quantile(q: float) -> Baseline:
    """The quantile of the peers that has this share (0 to 1) of the values below it."""
    return Baseline(Method.QUANTILE, q=q)


def mean_std(k: float, warn_k: float | None = None) -> Baseline:
    """The mean of the peers; the spread is their standard deviation. `warn_k`: k of a warning."""
    return Baseline(Method.MEAN_STD, k, warn_k)


def median_mad(k: float, warn_k: float | None = None) -> Baseline:
    """The median of the peers; the spread is their median absolute deviation, scaled to a sigma."""
    return Baseline(Method.MEDIAN_MAD, k, warn_k)


def median_iqr(k: float, warn_k: float | None = None) -> Baseline:
    """The median of the peers; the spread is their interquartile range, scaled to a sigma."""
    return Baseline(Method.MEDIAN_IQR, k, warn_k)


def above(
    baseline: Baseline,
    *,
    ignore_below: float = 0.0,
    at_least: float | None = None,
    limit: float | None = None,
) -> Threshold:
    """A KPI that is bad above its limit, which is never lower than `at_least`.

    `ignore_below` is the smallest distance of the limit from the baseline. A value beyond `limit`
    is a defect whatever its peers. All are in the unit of the KPI.
    """
    return Threshold(Direction.ABOVE, baseline, ignore_below, at_least, limit=limit)


def below(
    baseline: Baseline,
    *,
    ignore_below: float = 0.0,
    at_most: float | None = None,
    limit: float | None = None,
) -> Threshold:
    """A KPI that is bad below its limit, which is never higher than `at_most`; see `above`."""
    return Threshold(Direction.BELOW, baseline, ignore_below, at_most=at_most, limit=limit)


def either_side(baseline: Baseline, *, ignore_below: float = 0.0) -> Threshold:
    """A KPI that is bad too far from its baseline, on either side."""
    return Threshold(Direction.BOTH, baseline, ignore_below)


def by_factor(threshold: Threshold, *, offset: float, smallest_factor: float = 1.0) -> Threshold:
    """The threshold on a logarithmic scale, for KPIs that are never negative.

    `offset`, in the unit of the KPI, is a size that is next to nothing; `smallest_factor` is the
    smallest factor between limit and baseline.
    """
    return replace(threshold, scale=Scale.LOG, offset=offset, smallest_factor=smallest_factor)
