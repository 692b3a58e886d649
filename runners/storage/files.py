"""The files of an input: which there are, how they are encoded, and what their headers say."""

import codecs
import csv
import io
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from glob import escape
from typing import Protocol

from anomaly.errors import InputError
from anomaly.profile.encodings import charset_of, codec_of
from runners.engines.engine import InputFile
from runners.storage.addresses import FILE, address_of

# The longer marks first: that of UTF-32 begins like that of UTF-16.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32LE",
    codecs.BOM_UTF32_BE: "UTF-32BE",
    codecs.BOM_UTF8: "UTF-8",
    codecs.BOM_UTF16_LE: "UTF-16LE",
    codecs.BOM_UTF16_BE: "UTF-16BE",
}
# What other files than texts begin with.
MARKS_OF_OTHERS = {
    b"\x1f\x8b": "is packed by gzip: let its name end with .csv.gz",
    b"BZh": "is packed by bzip2: let its name end with .csv.bz2",
    b"PK\x03\x04": "is no text but a spreadsheet or a zip file",
    b"PAR1": "is no text but Parquet: let its name end with .parquet",
}
PARTITION = re.compile(r"([^=/]+)=([^/]*)")
# In any case: b.CSV, b.Csv.gz.
NAME = re.compile(
    r"(?P<stem>.*)(?P<kind>\.csv|\.parquet)(?P<packing>(?<=csv)\.(gz|bz2))?", re.I | re.S
)
# What Spark and its kin write beside rows; other names that begin with _ may be anybody's files.
SPARKS_OWN = re.compile(
    r"_(SUCCESS|(common_|spark_)?metadata|temporary|delta_log|change_data|(started|committed)_.*)"
)
UNREADABLE_NAMED = 5
# What no decoder knows, and control characters that some take for letters of others.
NOT_OF_ENCODING = re.compile("[\ufffd\x80-\x9f]")
OPEN_HEADER = "a quote in its header does not close"
# Of a column, with line breaks in it.
LONGEST_NAME = 300
# Where an input lies: a file or a folder, or several of them.
Place = str | Sequence[str]


@dataclass(frozen=True)
class File:
    """A file: address, size in bytes, folders between it and the input's path, last change.

    fault: why it is none that can be read, such as a link that leads nowhere.
    """

    address: str
    size: int
    folders: tuple[str, ...] = ()
    modified: str = ""
    fault: str = ""

    def __str__(self) -> str:
        return self.address

    @property
    def name(self) -> str:
        """The last part of its address."""
        return self.address.rsplit("/", 1)[-1]

    @property
    def kind(self) -> str:
        """.csv or .parquet; nothing where it is neither."""
        matched = NAME.fullmatch(self.name)
        return matched["kind"].lower() if matched else ""

    @property
    def is_left_out(self) -> bool:
        """Whether Spark leaves it out without a word, because of its name or that of a folder."""
        return any(part.startswith("_") and "=" not in part for part in (*self.folders, self.name))

    @property
    def packing(self) -> str:
        """.gz or .bz2 as its name has it; nothing where it is not packed."""
        matched = NAME.fullmatch(self.name)
        return (matched["packing"] or "") if matched else ""


class FileSystem(Protocol):
    """Where files lie: on this machine, or anywhere that Spark reads from."""

    def files(self, path: str) -> list[File] | None:
        """The file at a path, or all files below it; None where the path does not exist.

        Also what cannot be read, with its fault: whatever is there is read or told.
        """

    def start(self, file: File) -> bytes:
        """The first bytes of a text file, unpacked, enough for its header."""

    def has_rows(self, file: File) -> bool:
        """Whether a CSV file has more than its first line, in whatever encoding."""

    def may_run_on(self, file: InputFile, delimiter: str) -> bool:
        """Whether a field of a CSV file may go on to the next line.

        True also where finding that out would take a job of its own.
        """

    def digest(self, file: File) -> str:
        """The same text for files of the same content alone."""


def paths_of(place: Place) -> list[str]:
    """The files and folders that an input consists of."""
    return [place] if isinstance(place, str) else [*place]


def has_files(system: FileSystem, path: str) -> bool:
    """Whether anything that is not hidden lies at a path or below it."""
    return any(not _is_hidden(file) for file in system.files(path) or ())


def listed_files(
    system: FileSystem, place: Place, source: str, ignore: Collection[str] = ()
) -> list[File]:
    """The files of an input, in the order of their names.

    Hidden ones aside, and those that `ignore` names. Raises InputError with the names of what is
    there and cannot be read.
    """
    found: list[File] = []
    for path in paths_of(place):
        below = system.files(path)
        if below is None:
            raise InputError(f"{source}: {path} does not exist")
        found += below
    files = [file for file in found if not (_is_hidden(file) or _is_ignored(file, ignore))]
    _refuse_unreadable(files, source)
    return sorted(files, key=lambda file: (file.folders, file.address))


def input_files(
    system: FileSystem,
    place: Place,
    source: str,
    ignore: Collection[str] = (),
    columns: Collection[str] = (),
) -> list[File]:
    """The same; raises InputError where there is none, of two kinds, or one of them twice.

    `columns` are those that are read: a folder CellName=007 makes the content another one.
    """
    files, told = listed_files(system, place, source, ignore), ", ".join(paths_of(place))
    if not files:
        raise InputError(
            f"{source}: no .csv or .parquet file at {told}; give a file or a folder (hidden ones, "
            "whose names begin with a point, are left out)"
        )
    if len({file.kind for file in files}) > 1:
        raise InputError(f"{source}: {told} mixes .csv and .parquet files; keep one kind")
    _refuse_copies(system, files, source, columns)
    return files


def encoding_of(start: bytes, declared: str) -> str:
    """What Java calls the encoding of a text file: as its mark says, or else as declared.

    Without a mark the first byte of a header tells the order of the bytes, which Python and Java
    would assume differently.
    """
    marked = (name for mark, name in BYTE_ORDER_MARKS.items() if start.startswith(mark))
    charset = charset_of(declared) or declared
    if charset in ("UTF-16", "UTF-32"):
        charset += "BE" if start.startswith(b"\0") else "LE"
    return next(marked, charset)


def header_of(file: File, start: bytes, encoding: str, delimiter: str) -> tuple[str, ...]:
    """The names in the first line of a CSV file, from its first bytes.

    Raises InputError where the file is empty or cannot be read in this encoding.
    """
    for mark, told in MARKS_OF_OTHERS.items():
        if start.startswith(mark):
            raise InputError(f"{file}: {told}")
    try:
        # What the rows hold is judged row by row.
        text = start.decode(codec_of(encoding), errors="replace").removeprefix("\ufeff")
        lines = io.StringIO(text, newline="")
        ends_with_cr = lines.readline().endswith("\r")
        lines.seek(0)
        names = next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error as error:
        raise InputError(f"{file}: {OPEN_HEADER} ({error})") from error
    except (UnicodeError, LookupError) as error:
        raise InputError(f"{file}: cannot be read as {encoding}: {error}") from error
    if ends_with_cr:
        raise InputError(f"{file}: its lines end with CR alone; end them with LF or CR LF")
    if any(_runs_on(name, delimiter) for name in names):
        raise InputError(f"{file}: {OPEN_HEADER}")
    if any(NOT_OF_ENCODING.search(name) for name in names):
        raise InputError(
            f"{file}: its header is not {encoding}; set `encoding` in the profile (the command "
            "`inspect` looks for it)"
        )
    if not any(name.strip() for name in names):
        raise InputError(f"{file}: is empty; a CSV file begins with the names of its columns")
    return tuple(names)


def _runs_on(name: str, delimiter: str) -> bool:
    """Whether the name of a column goes on to the lines after the header."""
    return "\n" in name and (delimiter in name or len(name) > LONGEST_NAME)


def partition_columns(files: Sequence[File]) -> list[str]:
    """The columns that folders such as `CellName=007` add, in the order of the folders."""
    names: dict[str, None] = {}
    for folders in sorted({file.folders for file in files}):
        matched = (PARTITION.fullmatch(folder) for folder in folders)
        names |= dict.fromkeys(one.group(1) for one in matched if one)
    return [*names]


def _is_hidden(file: File) -> bool:
    parts = (*file.folders, file.name)
    return any(part.startswith(".") or SPARKS_OWN.fullmatch(part) for part in parts)


def _is_ignored(file: File, patterns: Collection[str]) -> bool:
    """Whether a pattern of the profile names a file, or a folder that it is in."""
    return any(
        fnmatchcase(part.lower(), pattern.lower())
        for part in (*file.folders, file.name)
        for pattern in patterns
    )


def _refuse_unreadable(files: Sequence[File], source: str) -> None:
    faults = {file: why for file in files if (why := _why_unreadable(file))}
    if faults:
        told = [f"{file} ({why})" for file, why in faults.items()]
        first = json.dumps(escape(next(iter(faults)).name), ensure_ascii=False)
        more = f" and {len(told) - UNREADABLE_NAMED} more" if len(told) > UNREADABLE_NAMED else ""
        raise InputError(
            f"{source}: cannot be read: {', '.join(told[:UNREADABLE_NAMED])}{more}; move it away, "
            f"or name it in the profile: [inputs.{source}] ignore = [{first}]"
        )


def _why_unreadable(file: File) -> str:
    """What keeps Spark from reading a file, as far as its name tells; nothing where it can."""
    if file.fault:
        return file.fault
    if file.is_left_out:
        return "Spark leaves out names that begin with _; rename it"
    if not file.kind:
        return "no .csv, .csv.gz, .csv.bz2 or .parquet"
    if file.packing != file.packing.lower():
        return f"Spark unpacks {file.packing.lower()} in small letters alone; rename it"
    is_on_a_disk = address_of(file.address).scheme in ("", FILE)
    if ":" in file.name and is_on_a_disk:
        return "Spark cannot open a name with a colon; rename it"
    if any("\ud800" <= character <= "\udfff" for character in file.address):
        return "its name is not UTF-8; rename it"
    return ""


def _refuse_copies(
    system: FileSystem, files: Sequence[File], source: str, columns: Collection[str]
) -> None:
    """A file that is delivered twice would count twice; hours without rows may well be alike."""
    first_of: dict[object, File] = {}
    for file in _like_another(files):
        if file.kind == ".csv" and not system.has_rows(file):
            continue
        content = system.digest(file), _values_of_folders(file, columns)
        first = first_of.setdefault(content, file)
        if first is not file:
            raise InputError(f"{source}: {file} is a copy of {first}; remove one of them")


def _like_another(files: Sequence[File]) -> Iterator[File]:
    """The files that may be copies: of one size, or of one name and packed in different ways."""
    alike: dict[int | str, list[File]] = defaultdict(list)
    for file in files:
        alike[file.size].append(file)
        alike[file.name.lower().removesuffix(file.packing.lower())].append(file)
    of_interest = {
        file.address
        for key, group in alike.items()
        if len(group) > 1 and (isinstance(key, int) or len({file.packing for file in group}) > 1)
        for file in group
    }
    return (file for file in files if file.address in of_interest)


def _values_of_folders(file: File, columns: Collection[str]) -> tuple[tuple[str, str], ...]:
    """The columns that are read and the folders of a file add, with their values."""
    read = {column.lower() for column in columns}
    matched = (PARTITION.fullmatch(folder) for folder in file.folders)
    return tuple(
        (one[1].lower(), one[2]) for one in matched if one and one[1].strip().lower() in read
    )
