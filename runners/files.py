"""The files of an input: which there are, how they are encoded, and what their headers say."""

import codecs
import csv
import hashlib
import re
from collections import defaultdict
from pathlib import Path

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


def input_files(path: str, source: str) -> list[Path]:
    """The .csv or .parquet files of an input, in the order of their names.

    Raises InputError where there is none, where both kinds are there, or the same file twice.
    """
    root = Path(path)
    found = [root] if root.is_file() else sorted(root.rglob("*"))
    files = [
        file
        for file in found
        if file.suffix in (".csv", ".parquet")
        and file.is_file()
        and not any(part.startswith(("_", ".")) for part in file.relative_to(root).parts)
    ]
    if not files:
        raise InputError(f"{source}: no .csv or .parquet file at {path}; give a file or a folder")
    if len({file.suffix for file in files}) > 1:
        raise InputError(f"{source}: {path} mixes .csv and .parquet files; keep one kind")
    _refuse_copies(files, source)
    return files


def encoding_of(file: Path, declared: str) -> str:
    """The encoding of a text file: as its byte order mark says, or else as declared.

    Raises InputError where the file cannot be read.
    """
    try:
        with file.open("rb") as content:
            start = content.read(4)
    except OSError as error:
        raise InputError(f"{file}: cannot be read: {error}") from error
    marked = (name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark))
    return next(marked, declared)


def header_of(file: Path, encoding: str, delimiter: str) -> tuple[str, ...]:
    """The names in the first line of a CSV file.

    Raises InputError where the file is empty or cannot be read in this encoding.
    """
    try:
        # What the rows hold is judged row by row.
        with file.open(encoding=encoding, errors="replace", newline="") as lines:
            ends_with_cr = lines.readline().endswith("\r")
            lines.seek(0)
            names = next(csv.reader(lines, delimiter=delimiter), [])
    except (OSError, UnicodeError, LookupError, csv.Error) as error:
        raise InputError(f"{file}: cannot be read as {encoding}: {error}") from error
    if ends_with_cr:
        raise InputError(f"{file}: its lines end with CR alone; end them with LF or CR LF")
    if any("\ufffd" in name for name in names):
        raise InputError(f"{file}: its header is not {encoding}; set `encoding` in the profile")
    if not any(name.strip() for name in names):
        raise InputError(f"{file}: is empty; a CSV file begins with the names of its columns")
    return (names[0].removeprefix("\ufeff"), *names[1:])


def partition_columns(files: list[Path], path: str) -> list[str]:
    """The columns that folders such as `CellName=007` add, in the order of the folders."""
    root = Path(path)
    folders = {file.relative_to(root).parent for file in files} if root.is_dir() else set()
    names: dict[str, None] = {}
    for folder in sorted(folders):
        matched = (PARTITION.fullmatch(part) for part in folder.parts)
        names |= dict.fromkeys(one.group(1) for one in matched if one)
    return [*names]


def _refuse_copies(files: list[Path], source: str) -> None:
    """A file that is delivered twice would count twice; hours without rows may well be alike."""
    by_size = defaultdict(list)
    for file in files:
        if file.suffix != ".csv" or _has_rows(file):
            by_size[file.stat().st_size].append(file)
    for alike in by_size.values():
        first_of: dict[str, Path] = {}
        for file in alike if len(alike) > 1 else []:
            first = first_of.setdefault(_digest(file), file)
            if first is not file:
                raise InputError(f"{source}: {file} is a copy of {first}; remove one of them")


def _has_rows(file: Path) -> bool:
    """Whether a CSV file has more than its first line, in whatever encoding."""
    with file.open("rb") as content:
        content.readline()
        return any(line.strip(b"\0 \t\r\n") for line in content)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
