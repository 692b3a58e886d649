"""Packages that the extras of this one install: which are missing, and how to get them."""

from collections.abc import Iterable
from importlib import import_module


def missing(packages: Iterable[str], extras: str) -> list[str]:
    """A problem if one of the packages, which come with these extras, cannot be imported."""
    try:
        for package in packages:
            import_module(package)
    except ImportError as error:
        return [f"needs packages that are not installed: {installing(extras)} ({error})"]
    return []


def installing(extras: str) -> str:
    """The command that installs extras."""
    return f"pip install 'cell-tower-anomaly[{extras}]'"
