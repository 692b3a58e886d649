"""The one family of errors that this library raises.

Each message names the file, column, row or setting that is at fault and says what to do.
"""

from collections.abc import Sequence


class AnomalyError(Exception):
    """Root of every error this library raises on purpose."""


class ConfigurationError(AnomalyError):
    """A profile, a setting or an argument is wrong; holds every problem found."""

    def __init__(self, subject: str, problems: Sequence[str]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        number = len(self.problems)
        super().__init__(f"{subject}: {number} problem{'s' * (number != 1)}\n{listed}")


class InputError(AnomalyError):
    """An input cannot be used: unreadable, a column is missing, no usable row, over a limit."""


class OutputError(AnomalyError):
    """The results could not be written or published; says what was left behind."""


class BatchError(AnomalyError):
    """A batch on a cluster could not be started or followed, or has failed."""


class BatchCancelled(BatchError):
    """A batch was stopped before its end, by hand or by Ctrl-C."""


class BatchTimedOut(BatchError):
    """A batch was stopped because it ran longer than its ttl."""
