"""The log file of a command: output of Spark and Java, and tracebacks, not for the terminal."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Names the log file, which is then appended to and always kept.
VARIABLE = "CELL_TOWER_LOG"
LINES_SHOWN = 3
_made: list[Path] = []


def command_log() -> Path:
    """The log file, which is created if it does not exist."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if not _made:
        descriptor, name = tempfile.mkstemp(prefix="cell-tower-anomaly-", suffix=".log")
        os.close(descriptor)
        _made.append(Path(name))
    return _made[0]


class FileLog(logging.Handler):
    """Writes what Python modules log, such as py4j about a lost Java, to the log file."""

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record to the log, if its disk is not full."""
        with suppress(OSError), command_log().open("a", encoding="utf-8") as log:
            log.write(f"{self.format(record)}\n")


class ScreenLog(logging.Handler):
    """Prints our own warnings to stderr, as it is then: a live line prints them above itself."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a message, if the terminal can be written to."""
        with suppress(OSError):
            print(self.format(record), file=sys.stderr)


def show_only_errors() -> None:
    """Print no more warnings of the command that is running; its log still has them."""
    for handler in logging.getLogger("runners").handlers:
        if isinstance(handler, ScreenLog):
            handler.setLevel(logging.ERROR)


@contextmanager
def modules_in_log() -> Iterator[None]:
    """In this block, module logs go to the file, and our own warnings also to the terminal."""
    handlers: dict[str, logging.Handler] = {"": FileLog(), "runners": ScreenLog()}
    for name, handler in handlers.items():
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name, handler in handlers.items():
            logging.getLogger(name).removeHandler(handler)


def remove_log() -> None:
    """Remove the log of a command that is no longer needed, unless the user named the file."""
    while _made:
        with suppress(OSError):
            _made.pop().unlink()


def last_lines() -> str:
    """The last lines of the log as one line, without Java stack frames."""
    lines = map(str.strip, command_log().read_text("utf-8", "replace").split("\n"))
    return ": ".join([line for line in lines if line and line[:3] != "at "][-LINES_SHOWN:])
