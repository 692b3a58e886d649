"""The CSV file that a command writes where --out asks for it, whole or not at all."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from anomaly.errors import OutputError
from runners.storage.files import Place
from runners.storage.places import keep_apart, on_this_machine, storage_of


def faults_of_file(out: str | None) -> list[str]:
    """What is wrong with the name of the file."""
    is_here = not out or on_this_machine(storage_of(out))
    return [] if is_here else ["--out: give a file of this machine"]


def check_file(out: str | None, read: Mapping[str, Place]) -> None:
    """Raises AnomalyError where the file would lie among what is read, or in no folder."""
    if out:
        keep_apart(read, storage_of(out))
        if not Path(out).parent.is_dir():
            raise OutputError(f"{out}: its folder is not there; make it first")


def write_file(out: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write the rows; what is NULL is empty. Raises OutputError with the file as it was."""
    target = Path(out)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with unfinished.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(header)
            writer.writerows(rows)
        unfinished.replace(target)
    except OSError as error:
        raise OutputError(f"{target}: cannot be written: {error}") from error
    finally:
        unfinished.unlink(missing_ok=True)
