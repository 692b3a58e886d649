"""The known name that a misspelled one probably stands for."""

from collections.abc import Iterable
from difflib import get_close_matches

# rnu and run are 0.67 alike.
SMALLEST_LIKENESS = 0.66


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that is most like this one, whatever their case; None if no name is."""
    by_lower = {one.lower(): one for one in known}
    found = get_close_matches(name.lower(), by_lower, n=1, cutoff=SMALLEST_LIKENESS)
    return by_lower[found[0]] if found else None


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """The end of a message about an unknown name; empty if no known name is like it."""
    found = closest(name, known) if isinstance(name, str) else None
    return f"; did you mean {found!r}?" if found and found != name else ""
