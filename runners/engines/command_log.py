"""The log of a command: what Spark and Java print, and tracebacks. The terminal has our words."""

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Names the file to add to; it then stays, whatever becomes of the command.
VARIABLE = "CELL_TOWER_LOG"
LINES_TOLD = 3
_made: list[Path] = []


def command_log() -> Path:
    """The file, which is made where it is not there yet."""
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if not _made:
        descriptor, name = tempfile.mkstemp(prefix="cell-tower-anomaly-", suffix=".log")
        os.close(descriptor)
        _made.append(Path(name))
    return _made[0]


class FileLog(logging.Handler):
    """Keeps what Python's modules log, such as py4j of a Java that is gone."""

    def emit(self, record: logging.LogRecord) -> None:
        """Append a record to the log."""
        with command_log().open("a", encoding="utf-8") as log:
            log.write(f"{self.format(record)}\n")


@contextmanager
def modules_in_log() -> Iterator[None]:
    """What modules log goes to the file in this block, and our own warnings to the terminal too."""
    handlers = {"": FileLog(), "runners": logging.StreamHandler(sys.stderr)}
    for name, handler in handlers.items():
        logging.getLogger(name).addHandler(handler)
    try:
        yield
    finally:
        for name, handler in handlers.items():
            logging.getLogger(name).removeHandler(handler)


def remove_log() -> None:
    """Remove the file of a command of which all was told, unless the user has named it."""
    while _made:
        with suppress(OSError):
            _made.pop().unlink()


def last_lines() -> str:
    """The last lines of the log, as one, without the places in Java's code."""
    lines = map(str.strip, command_log().read_text("utf-8", "replace").split("\n"))
    return ": ".join([line for line in lines if line and line[:3] != "at "][-LINES_TOLD:])
