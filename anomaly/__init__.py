"""Cell tower anomaly detection: DataFrames in, DataFrames out.

    from anomaly import Profile, detect
    results = detect(samples, customers=customers, calls=calls, profile=Profile.load("default"))
    results.cells.show()
    results.explain("4CLTE").show()

Each step alone, on a frame of your own:

    from anomaly import above, flag_outliers, median_iqr
    frame.transform(flag_outliers, kpis={"load": above(median_iqr(k=2))}, by=["vendor"]).show()
"""

from importlib import import_module
from typing import TYPE_CHECKING

from anomaly.errors import AnomalyError, ConfigurationError, InputError, OutputError
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

__version__ = "1.0.0"

# What needs PySpark is imported when it is first asked for: profiles are read without it.
if TYPE_CHECKING:
    from anomaly.pipeline.detection import detect, raise_alarms
    from anomaly.pipeline.nodes import AlarmRequest
    from anomaly.pipeline.results import AlarmResults, Results
    from anomaly.run import Run
    from anomaly.steps import (
        average_kpis,
        clean_samples,
        explain_flags,
        flag_outliers,
        peer_baselines,
    )
else:
    WITH_PYSPARK = {
        "AlarmRequest": "anomaly.pipeline.nodes",
        "AlarmResults": "anomaly.pipeline.results",
        "Results": "anomaly.pipeline.results",
        "Run": "anomaly.run",
        "average_kpis": "anomaly.steps",
        "clean_samples": "anomaly.steps",
        "detect": "anomaly.pipeline.detection",
        "explain_flags": "anomaly.steps",
        "flag_outliers": "anomaly.steps",
        "peer_baselines": "anomaly.steps",
        "raise_alarms": "anomaly.pipeline.detection",
    }

    def __getattr__(name):
        if name not in WITH_PYSPARK:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(WITH_PYSPARK[name]), name)

    def __dir__():
        return __all__


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
    "average_kpis",
    "below",
    "by_factor",
    "clean_samples",
    "detect",
    "either_side",
    "explain_flags",
    "flag_outliers",
    "load_profile",
    "mean",
    "mean_std",
    "median_iqr",
    "median_mad",
    "parse_profile",
    "peer_baselines",
    "quantile",
    "raise_alarms",
    "static",
]
