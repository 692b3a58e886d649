"""CSV that a command writes: to a file, whole or not at all, or to its output."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from anomaly.errors import OutputError
from runners.storage.files import Place
from runners.storage.places import keep_apart, on_this_machine, storage_of


def problems_of_file(out: str | None) -> list[str]:
    """The problems of the path, if any."""
    is_here = not out or on_this_machine(storage_of(out))
    return [] if is_here else ["--out: give a file on this machine"]


def check_file(out: str | None, read: Mapping[str, Place]) -> None:
    """Raises AnomalyError if the file is among the inputs, or its folder does not exist."""
    if out:
        keep_apart(read, storage_of(out))
        if not Path(out).parent.is_dir():
            raise OutputError(f"{out}: its folder does not exist; create it first")


def write_rows(file: TextIO, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a header and rows as CSV, NULL as empty."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)


def write_file(out: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the rows, NULL as empty. Raises OutputError, and then leaves the file as it was."""
    target = Path(out)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            write_rows(file, header, rows)
        unfinished.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
