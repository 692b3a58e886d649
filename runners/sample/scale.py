"""The size of sample data, in units of the size of the real data."""

from anomaly.errors import ConfigurationError


def checked_scale(scale: int) -> int:
    """Return the scale (units); raise ConfigurationError if it is below one."""
    if scale < 1:
        raise ConfigurationError("sample", [f"scale is {scale}; it must be 1 or more"])
    return scale


def parts(scale: int, per_unit: float, at_least: int) -> int:
    """Return the number of partitions (and files) of a table at this scale (units)."""
    return max(at_least, round(scale * per_unit))
