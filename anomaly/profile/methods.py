"""The bad side of a KPI, its scale, and the method that finds its baseline."""

from enum import Enum


class Direction(str, Enum):
    """The side of its limit on which a KPI is bad."""

    ABOVE = "above"
    BELOW = "below"
    BOTH = "both"


class Scale(str, Enum):
    """The scale on which a KPI is compared: its values, or their logarithms (factors)."""

    LINEAR = "linear"
    LOG = "log"


class Method(str, Enum):
    """How the baseline of a KPI is found."""

    STATIC = "static"
    MEAN = "mean"
    MEAN_STD = "mean_std"
    MEDIAN_MAD = "median_mad"
    MEDIAN_IQR = "median_iqr"
    QUANTILE = "quantile"

    @property
    def has_spread(self) -> bool:
        """Whether it also finds a spread: how far values usually are from the baseline."""
        return self in (Method.MEAN_STD, Method.MEDIAN_MAD, Method.MEDIAN_IQR)

    @property
    def words(self) -> str:
        """The name of the baseline in sentences; a quantile is named with its share."""
        return {Method.MEAN: "mean", Method.MEAN_STD: "mean"}.get(self, "median")


# In a normal distribution the quartiles lie 1.349 standard deviations apart, and half of the values
# within a distance of 1 / 1.4826 standard deviations from the median.
IQR_OF_NORMAL = 1.349
MAD_OF_NORMAL = 1.4826
