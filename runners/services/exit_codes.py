"""How a command ends: an exit code for each kind of error, and never a bare traceback."""

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable
from typing import TextIO

from anomaly.errors import (
    AnomalyError,
    BatchCancelled,
    BatchError,
    BatchTimedOut,
    ConfigurationError,
    InputError,
    OutputError,
)
from runners.engines.command_log import command_log, modules_in_log, remove_log
from runners.services.stopping import stoppable

DONE, UNEXPECTED, BAD_CONFIGURATION, INPUT_REFUSED, OUTPUT_FAILED = 0, 1, 2, 3, 4
BATCH_FAILED, BATCH_CANCELLED, BATCH_TIMED_OUT = 5, 6, 7
# As in shells: 130 after Ctrl-C, 141 when the reader is gone (`show DIR | head -1`).
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
    """Run a command and return its exit code; errors are printed to stderr."""
    for stream in (sys.stdout, sys.stderr):
        # A console that cannot show a letter of a cell's name shows its code instead.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    with modules_in_log(), stoppable() as stopping:
        try:
            command()
        except (Exception, KeyboardInterrupt) as error:
            # A command that is asked to stop may end with any error: Java is gone, for instance.
            # A cancelled batch has a message of its own, which says more than ours.
            is_stopped = stopping.asked_by or isinstance(error, KeyboardInterrupt)
            if not is_stopped or isinstance(error, BatchCancelled):
                return _report(error)
            _print(stopping.words)
            remove_log()
            return STOPPED_BY + (stopping.asked_by or signal.SIGINT)
    remove_log()
    failure = _write_error(sys.stdout)
    return _report_write_error(failure) if failure else DONE


def _report(error: BaseException) -> int:
    """Print an error and return its exit code; the traceback of an unexpected one is logged."""
    # Writing one more line shows whether it was stdout that failed, or the connection to Java.
    probe = "\n" if isinstance(error, OSError) and not error.filename else ""
    if failure := _write_error(sys.stdout, probe):
        remove_log()
        return _report_write_error(failure)
    if isinstance(error, AnomalyError):
        _print(f"error: {error}")
        remove_log()
        return code_of(error)
    # Not its message, which may contain values of customers.
    _print(f"error: unexpected {type(error).__name__}; details: {_logged(error)}")
    return UNEXPECTED


def _logged(error: BaseException) -> str:
    """Where the traceback of an error is, or why it is nowhere."""
    try:
        with command_log().open("a", encoding="utf-8") as log:
            traceback.print_exception(error, file=log)
    except OSError as failure:
        return f"lost, its log cannot be written: {failure.strerror}"
    return str(command_log())


def _report_write_error(failure: OSError) -> int:
    """Say that the output was lost; silently if its reader is gone."""
    if isinstance(failure, BrokenPipeError):
        return STOPPED_BY + signal.SIGPIPE
    _print(f"error: cannot write the output: {failure.strerror}; published tables stay")
    return OUTPUT_FAILED


def _print(words: str) -> None:
    """Print to stderr, which may be a file on a full disk."""
    try:
        print(words, file=sys.stderr)
    except OSError:
        _write_error(sys.stderr)


def _write_error(stream: TextIO | None, probe: str = "") -> OSError | None:
    """The error of writing to a stream, if any; the stream then leads to /dev/null.

    Otherwise Python would try to write to it again when it exits.
    """
    if stream is None:
        return None
    try:
        stream.write(probe)
        stream.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        return error
    return None
