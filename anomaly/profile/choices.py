"""The settings of a profile that are a choice of a few words."""

from enum import Enum


class Formula(str, Enum):
    """The formula of a derived KPI."""

    RATIO = "ratio"
    DIFFERENCE = "difference"
    SHORTFALL = "shortfall"


class SilentCells(str, Enum):
    """The verdict of a cell that has customers and sends no samples while other cells do."""

    NO_VERDICT = "no_verdict"
    REQUIRED = "required"
    JUDGED_BY_CALLS = "judged_by_calls"


class StandingAlarms(str, Enum):
    """Which alarms make a cell Required if they are active at the end of the judged time."""

    NONE = "none"
    CRIT = "CRIT"
    WARN = "WARN"


class MissingPolicy(str, Enum):
    """What a missing KPI average counts as."""

    NO_DATA = "no_data"
    ZERO_BEFORE_BASELINE = "zero_before_baseline"
    HEALTHY = "healthy"
