"""How a command ends: an exit code for each kind of error, and never a bare traceback."""

import sys
from collections.abc import Callable

from anomaly.errors import (
    AnomalyError,
    BatchCancelled,
    BatchError,
    BatchTimedOut,
    ConfigurationError,
    InputError,
    OutputError,
)

DONE, UNEXPECTED, BAD_CONFIGURATION, INPUT_REFUSED, OUTPUT_FAILED = 0, 1, 2, 3, 4
BATCH_FAILED, BATCH_CANCELLED, BATCH_TIMED_OUT = 5, 6, 7
EXIT_CODES = {
    ConfigurationError: BAD_CONFIGURATION,
    InputError: INPUT_REFUSED,
    OutputError: OUTPUT_FAILED,
    BatchError: BATCH_FAILED,
    BatchCancelled: BATCH_CANCELLED,
    BatchTimedOut: BATCH_TIMED_OUT,
}


def code_of(error: AnomalyError) -> int:
    """The exit code of an error."""
    return EXIT_CODES.get(type(error), UNEXPECTED)


def exit_code_of(command: Callable[[], None]) -> int:
    """Run a command and return its exit code; an error is told on the error stream."""
    try:
        command()
    except AnomalyError as error:
        print(f"error: {error}", file=sys.stderr)
        return code_of(error)
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        return UNEXPECTED
    return DONE
