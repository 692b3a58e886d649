"""The errors of this library, in one family.

Each message names the file, column, row or setting, and says what to do.
"""

from collections.abc import Sequence


class AnomalyError(Exception):
    """Base class of all errors that this library raises on purpose."""


class ConfigurationError(AnomalyError):
    """A profile, a setting or an argument is wrong; `problems` lists everything that is."""

    def __init__(self, subject: str, problems: Sequence[str]) -> None:
        self.subject = subject
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in self.problems)
        number = len(self.problems)
        super().__init__(f"{subject}: {number} problem{'s' * (number != 1)}\n{listed}")


class InputError(AnomalyError):
    """An input cannot be used: unreadable, a column missing, no usable row, a limit exceeded."""


class OutputError(AnomalyError):
    """The results could not be written or published; the message says what was left behind."""


class BatchError(AnomalyError):
    """A batch could not be started or followed, or has failed."""


class BatchCancelled(BatchError):
    """A batch was cancelled, by hand or by Ctrl-C."""


class BatchTimedOut(BatchError):
    """A batch was stopped because it ran longer than its ttl."""
