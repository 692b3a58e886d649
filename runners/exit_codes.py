"""How a command ends: an exit code for each kind of error, and never a bare traceback."""

import io
import signal
import sys
import traceback
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
from runners.command_log import command_log, modules_in_log, remove_log
from runners.stopping import stoppable

DONE, UNEXPECTED, BAD_CONFIGURATION, INPUT_REFUSED, OUTPUT_FAILED = 0, 1, 2, 3, 4
BATCH_FAILED, BATCH_CANCELLED, BATCH_TIMED_OUT = 5, 6, 7
# As shells have it: of Ctrl-C 130.
STOPPED_BY = 128
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
    for stream in (sys.stdout, sys.stderr):
        # A console that lacks a letter of a cell's name shows its number.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with modules_in_log(), stoppable() as stopping:
        try:
            command()
        except (Exception, KeyboardInterrupt) as error:
            # Asked to stop, it ends with any error: that Java is gone, for instance.
            if not stopping.asked_by and not isinstance(error, KeyboardInterrupt):
                return _told(error)
            print(stopping.words, file=sys.stderr)
            remove_log()
            return STOPPED_BY + (stopping.asked_by or signal.SIGINT)
    remove_log()
    return DONE


def _told(error: Exception) -> int:
    """Tell an error; what nobody thought of with the place of its traceback."""
    if isinstance(error, AnomalyError):
        print(f"error: {error}", file=sys.stderr)
        remove_log()
        return code_of(error)
    with command_log().open("a", encoding="utf-8") as log:
        traceback.print_exception(error, file=log)
    # Not its message, which may hold values of customers.
    print(f"error: unexpected {type(error).__name__}; details: {command_log()}", file=sys.stderr)
    return UNEXPECTED
