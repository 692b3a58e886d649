"""Cell tower anomaly detection: DataFrames in, DataFrames out.

from anomaly import Run, detect, load_profile
results = detect(customers, samples, calls, load_profile("default"), Run(date.today(), "try"))
results.cell_tower_performance_data.show()
"""

from anomaly.errors import AnomalyError, ConfigurationError, InputError, OutputError
from anomaly.pipeline.detection import Results, detect
from anomaly.pipeline.nodes import AlarmRequest
from anomaly.profile.model import Profile
from anomaly.profile.reader import load_profile, parse_profile
from anomaly.run import Run

__all__ = [
    "AlarmRequest",
    "AnomalyError",
    "ConfigurationError",
    "InputError",
    "OutputError",
    "Profile",
    "Results",
    "Run",
    "detect",
    "load_profile",
    "parse_profile",
]
