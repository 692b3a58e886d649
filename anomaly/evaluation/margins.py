"""How late an alarm may be. Apart from the scores, because arguments need no PySpark."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Margins:
    """How long after the end of an event an alarm still finds it, and belongs to it, in minutes."""

    found_within: int = 30
    aftermath: int = 60


USUAL = Margins()
