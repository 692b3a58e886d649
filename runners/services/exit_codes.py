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
# As shells have it: of Ctrl-C 130, and where nobody reads on (`show DIR | head -1`) 141.
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
            # Asked to stop, it ends with any error: that Java is gone, for instance. What became of
            # a batch says more than that nothing was published here.
            is_stopped = stopping.asked_by or isinstance(error, KeyboardInterrupt)
            if not is_stopped or isinstance(error, BatchCancelled):
                return _told(error)
            _say(stopping.words)
            remove_log()
            return STOPPED_BY + (stopping.asked_by or signal.SIGINT)
    remove_log()
    fault = _fault_of(sys.stdout)
    return _told_of_screen(fault) if fault else DONE


def _told(error: BaseException) -> int:
    """Tell an error; what nobody thought of with the place of its traceback."""
    # One more line shows whether it is the screen that fails, and not the way to Java.
    probe = "\n" if isinstance(error, OSError) and not error.filename else ""
    if fault := _fault_of(sys.stdout, probe):
        remove_log()
        return _told_of_screen(fault)
    if isinstance(error, AnomalyError):
        _say(f"error: {error}")
        remove_log()
        return code_of(error)
    with command_log().open("a", encoding="utf-8") as log:
        traceback.print_exception(error, file=log)
    # Not its message, which may hold values of customers.
    _say(f"error: unexpected {type(error).__name__}; details: {command_log()}")
    return UNEXPECTED


def _told_of_screen(fault: OSError) -> int:
    """Tell that what was printed is lost; nobody is told who does not read on."""
    if isinstance(fault, BrokenPipeError):
        return STOPPED_BY + signal.SIGPIPE
    _say(f"error: what is printed cannot be written: {fault.strerror}; what is published stays")
    return OUTPUT_FAILED


def _say(words: str) -> None:
    """Words for the error stream, which may be a file on a disk that is full."""
    try:
        print(words, file=sys.stderr)
    except OSError:
        _fault_of(sys.stderr)


def _fault_of(stream: TextIO | None, probe: str = "") -> OSError | None:
    """Why a stream cannot be written, if so; Python then does not try again at its own end."""
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
