"""Whole commands in this process, one after the other in one Java, with all that they print."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from runners.cli.main import main

UNCAUGHT = 99


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, and all that it wrote."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str


def ended(arguments: Sequence[str], folder: Path) -> Ended:
    """Run a command in a folder; an error that it lets through has a code of its own."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        with (
            _in(folder),
            _written_to("stdout", 1, out.fileno()),
            _written_to("stderr", 2, err.fileno()),
        ):
            try:
                code = main(arguments)
            except SystemExit as stop:
                code = stop.code if isinstance(stop.code, int) else UNCAUGHT
            except BaseException as error:
                print(f"Traceback: {type(error).__name__}: {error}", file=sys.stderr)
                code = UNCAUGHT
        texts = []
        for file in (out, err):
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace"))
    return Ended(tuple(arguments), code, *texts)


@contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def _written_to(name: str, descriptor: int, file: int) -> Iterator[None]:
    """Java writes to the descriptor; Python to what it has for it, which pytest may replace."""
    before, stream = os.dup(descriptor), getattr(sys, name)
    stream.flush()
    os.dup2(file, descriptor)
    with os.fdopen(os.dup(file), "w", encoding="utf-8", errors="backslashreplace") as own:
        setattr(sys, name, own)
        try:
            yield
        finally:
            setattr(sys, name, stream)
    os.dup2(before, descriptor)
    os.close(before)
