"""On which side a KPI is bad, on which scale, and how what it is compared with is found."""

from enum import Enum


class Direction(str, Enum):
    """On which side of its bound a KPI is bad."""

    ABOVE = "above"
    BELOW = "below"
    BOTH = "both"


class Scale(str, Enum):
    """In which a KPI is compared: as it is, or by its logarithm, so that factors count."""

    LINEAR = "linear"
    LOG = "log"


class Method(str, Enum):
    """How the number that a KPI is compared with is found."""

    STATIC = "static"
    MEAN = "mean"
    MEAN_STD = "mean_std"
    MEDIAN_MAD = "median_mad"
    MEDIAN_IQR = "median_iqr"
    QUANTILE = "quantile"

    @property
    def has_spread(self) -> bool:
        """Whether it measures, too, how far values usually lie from that number."""
        return self in (Method.MEAN_STD, Method.MEDIAN_MAD, Method.MEDIAN_IQR)

    @property
    def words(self) -> str:
        """What sentences call that number; a quantile is named with its share."""
        return {Method.MEAN: "mean", Method.MEAN_STD: "mean"}.get(self, "median")


# In a normal distribution the quartiles lie 1.349 standard deviations apart, and half of the values
# within a distance of 1 / 1.4826 standard deviations from the median.
IQR_OF_NORMAL = 1.349
MAD_OF_NORMAL = 1.4826
