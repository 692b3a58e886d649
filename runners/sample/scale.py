"""The size of a sample: whole units, each as large as the real data."""

from anomaly.errors import ConfigurationError


def checked_scale(scale: int) -> int:
    """Return the scale (units); raise ConfigurationError where it is below one."""
    if scale < 1:
        raise ConfigurationError("sample", [f"scale is {scale}: give a whole number from 1 on"])
    return scale


def parts(scale: int, per_unit: float, at_least: int) -> int:
    """Return the number of parts (and files) that a table of this scale (units) is made in."""
    return max(at_least, round(scale * per_unit))
