"""The files of an input: which there are, how they are encoded, and what their headers say."""

import codecs
import csv
import io
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from anomaly.errors import InputError

# The longer marks first: that of UTF-32 begins like that of UTF-16.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32LE",
    codecs.BOM_UTF32_BE: "UTF-32BE",
    codecs.BOM_UTF8: "UTF-8",
    codecs.BOM_UTF16_LE: "UTF-16LE",
    codecs.BOM_UTF16_BE: "UTF-16BE",
}
PARTITION = re.compile(r"([^=/]+)=([^/]*)")
KINDS = (".csv", ".parquet")
# Where an input lies: a file or a folder, or several of them.
Place = str | Sequence[str]


@dataclass(frozen=True)
class File:
    """A file: address, size in bytes, folders between it and the input's path, last change."""

    address: str
    size: int
    folders: tuple[str, ...] = ()
    modified: str = ""

    def __str__(self) -> str:
        return self.address

    @property
    def kind(self) -> str:
        """The end of its name, such as .csv."""
        return self.address[self.address.rfind(".") :]


class FileSystem(Protocol):
    """Where files lie: on this machine, or anywhere that Spark reads from."""

    def files(self, path: str) -> list[File]:
        """The file at a path, or all files below it, hidden ones too; none where nothing is."""

    def start(self, file: File) -> bytes:
        """The first bytes of a text file, enough for its header."""

    def has_rows(self, file: File) -> bool:
        """Whether a CSV file has more than its first line, in whatever encoding."""

    def digest(self, file: File) -> str:
        """The same text for files of the same content alone."""


def paths_of(place: Place) -> list[str]:
    """The files and folders that an input consists of."""
    return [place] if isinstance(place, str) else [*place]


def all_paths(inputs: Mapping[str, Place]) -> list[str]:
    """The files and folders of all inputs."""
    return [path for place in inputs.values() for path in paths_of(place)]


def listed_files(system: FileSystem, place: Place) -> list[File]:
    """The .csv and .parquet files of an input, in the order of their names."""
    return sorted(
        (
            file
            for path in paths_of(place)
            for file in system.files(path)
            if file.kind in KINDS and not _is_hidden(file.address, file.folders)
        ),
        key=lambda file: (*file.folders, file.address),
    )


def input_files(system: FileSystem, place: Place, source: str) -> list[File]:
    """The same; raises InputError where there is none, of two kinds, or one of them twice."""
    files, told = listed_files(system, place), ", ".join(paths_of(place))
    if not files:
        raise InputError(f"{source}: no .csv or .parquet file at {told}; give a file or a folder")
    if len({file.kind for file in files}) > 1:
        raise InputError(f"{source}: {told} mixes .csv and .parquet files; keep one kind")
    _refuse_copies(system, files, source)
    return files


def encoding_of(start: bytes, declared: str) -> str:
    """The encoding of a text file from its first bytes: as its mark says, or else as declared."""
    marked = (name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark))
    return next(marked, declared)


def header_of(file: File, start: bytes, encoding: str, delimiter: str) -> tuple[str, ...]:
    """The names in the first line of a CSV file, from its first bytes.

    Raises InputError where the file is empty or cannot be read in this encoding.
    """
    try:
        # What the rows hold is judged row by row.
        lines = io.StringIO(start.decode(encoding, errors="replace"), newline="")
        ends_with_cr = lines.readline().endswith("\r")
        lines.seek(0)
        names = next(csv.reader(lines, delimiter=delimiter), [])
    except (UnicodeError, LookupError, csv.Error) as error:
        raise InputError(f"{file}: cannot be read as {encoding}: {error}") from error
    if ends_with_cr:
        raise InputError(f"{file}: its lines end with CR alone; end them with LF or CR LF")
    if any("\ufffd" in name for name in names):
        raise InputError(f"{file}: its header is not {encoding}; set `encoding` in the profile")
    if not any(name.strip() for name in names):
        raise InputError(f"{file}: is empty; a CSV file begins with the names of its columns")
    return (names[0].removeprefix("\ufeff"), *names[1:])


def partition_columns(files: Sequence[File]) -> list[str]:
    """The columns that folders such as `CellName=007` add, in the order of the folders."""
    names: dict[str, None] = {}
    for folders in sorted({file.folders for file in files}):
        matched = (PARTITION.fullmatch(folder) for folder in folders)
        names |= dict.fromkeys(one.group(1) for one in matched if one)
    return [*names]


def _is_hidden(address: str, folders: Sequence[str]) -> bool:
    name = address.rsplit("/", 1)[-1]
    return any(part.startswith(("_", ".")) for part in (*folders, name))


def _refuse_copies(system: FileSystem, files: Sequence[File], source: str) -> None:
    """A file that is delivered twice would count twice; hours without rows may well be alike."""
    by_size = defaultdict(list)
    for file in files:
        by_size[file.size].append(file)
    for alike in by_size.values():
        first_of: dict[str, File] = {}
        for file in alike if len(alike) > 1 else []:
            if file.kind == ".csv" and not system.has_rows(file):
                continue
            first = first_of.setdefault(system.digest(file), file)
            if first is not file:
                raise InputError(f"{source}: {file} is a copy of {first}; remove one of them")
