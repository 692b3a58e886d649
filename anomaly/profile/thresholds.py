"""Rules made in Python: an argument is there only where it means something.

    profile.with_rules(Rule.of("PRBUsageDL", above(median_iqr(k=2), ignore_below=5)))

The settings are those of a profile's `[rules]`; docs/reference/profile.md explains each.
"""

from dataclasses import dataclass, replace

from anomaly.profile.methods import Direction, Method, Scale


@dataclass(frozen=True)
class Baseline:
    """How the number that a KPI is compared with is found, and the spreads from it to the bound."""

    method: Method
    k: float = 0.0
    warn_k: float | None = None
    q: float | None = None
    value: float | None = None


@dataclass(frozen=True)
class Threshold:
    """On which side of its bound a KPI is bad, and where that bound lies."""

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
    """The mean of the peers: each value beyond it is a defect, as in the published lab."""
    return Baseline(Method.MEAN)


def quantile(q: float) -> Baseline:
    """The quantile of the peers with this share of the values below it, 0 to 1."""
    return Baseline(Method.QUANTILE, q=q)


def mean_std(k: float, warn_k: float | None = None) -> Baseline:
    """The mean of the peers; the spread is their standard deviation. `warn_k`: of a warning."""
    return Baseline(Method.MEAN_STD, k, warn_k)


def median_mad(k: float, warn_k: float | None = None) -> Baseline:
    """The median of the peers; the spread is their median absolute deviation, scaled as a sigma."""
    return Baseline(Method.MEDIAN_MAD, k, warn_k)


def median_iqr(k: float, warn_k: float | None = None) -> Baseline:
    """The median of the peers; the spread is their interquartile range, scaled as a sigma."""
    return Baseline(Method.MEDIAN_IQR, k, warn_k)


def above(
    baseline: Baseline,
    *,
    ignore_below: float = 0.0,
    at_least: float | None = None,
    limit: float | None = None,
) -> Threshold:
    """A KPI that is bad above its bound, which is never lower than `at_least`.

    `ignore_below` is the smallest distance of bound and baseline. Beyond `limit` a value is a
    defect whatever its peers. All are in the unit of the KPI.
    """
    return Threshold(Direction.ABOVE, baseline, ignore_below, at_least, limit=limit)


def below(
    baseline: Baseline,
    *,
    ignore_below: float = 0.0,
    at_most: float | None = None,
    limit: float | None = None,
) -> Threshold:
    """A KPI that is bad below its bound, which is never higher than `at_most`; else as `above`."""
    return Threshold(Direction.BELOW, baseline, ignore_below, at_most=at_most, limit=limit)


def either_side(baseline: Baseline, *, ignore_below: float = 0.0) -> Threshold:
    """A KPI that is bad too far from its baseline, on either side."""
    return Threshold(Direction.BOTH, baseline, ignore_below)


def by_factor(threshold: Threshold, *, offset: float, smallest_factor: float = 1.0) -> Threshold:
    """The threshold on a logarithmic scale, where factors count; for KPIs that are never negative.

    `offset`, in the unit of the KPI, is what counts as next to nothing; `smallest_factor` lies at
    least between bound and baseline.
    """
    return replace(threshold, scale=Scale.LOG, offset=offset, smallest_factor=smallest_factor)
