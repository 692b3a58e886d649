"""Cell tower anomaly detection: DataFrames in, DataFrames out.

from anomaly import Profile, detect
results = detect(samples, customers=customers, calls=calls, profile=Profile.load("default"))
results.cells.show()
results.explain("4CLTE").show()
"""

from anomaly.errors import AnomalyError, ConfigurationError, InputError, OutputError
from anomaly.pipeline.detection import detect, raise_alarms
from anomaly.pipeline.nodes import AlarmRequest
from anomaly.pipeline.results import AlarmResults, Results
from anomaly.profile.methods import Direction, Method
from anomaly.profile.model import Profile
from anomaly.profile.reader import load_profile, parse_profile
from anomaly.profile.sections import DerivedKpi, Kpi, Rule, VerdictRule
from anomaly.profile.thresholds import (
    above,
    below,
    by_factor,
    either_side,
    mean,
    mean_std,
    median_iqr,
    median_mad,
    quantile,
    static,
)
from anomaly.run import Run

__all__ = [
    "AlarmRequest",
    "AlarmResults",
    "AnomalyError",
    "ConfigurationError",
    "DerivedKpi",
    "Direction",
    "InputError",
    "Kpi",
    "Method",
    "OutputError",
    "Profile",
    "Results",
    "Rule",
    "Run",
    "VerdictRule",
    "above",
    "below",
    "by_factor",
    "detect",
    "either_side",
    "load_profile",
    "mean",
    "mean_std",
    "median_iqr",
    "median_mad",
    "parse_profile",
    "quantile",
    "raise_alarms",
    "static",
]
