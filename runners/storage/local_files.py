"""Files on this machine, read without Spark: sooner than a job of it would start."""

import bz2
import gzip
import hashlib
import os
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from anomaly.errors import InputError
from runners.engines.engine import InputFile
from runners.storage.files import File

# Of a text file; no header is longer.
START_BYTES = 1 << 20
UNPACKED: dict[str, Callable[..., Any]] = {"": open, ".gz": gzip.open, ".bz2": bz2.open}


def bytes_below(paths: Iterable[str]) -> int:
    """The size of the files at paths of this machine, and below them."""
    return sum(file.size for path in paths for file in LocalFiles().files(path) or ())


def absolute(path: str) -> str:
    """A path that Spark takes as this machine does: Spark removes `..` before it follows links.

    And it takes what stands before a first colon, or after two slashes, for the name of a service.
    """
    whole = Path(path).absolute()
    whole = whole.resolve() if ".." in whole.parts else whole
    return f"/{str(whole).lstrip('/')}"


class LocalFiles:
    """The file system of this machine."""

    def files(self, path: str) -> list[File] | None:
        """The file at a path, or all files below it; None where the path does not exist."""
        root = absolute(path)
        if not os.path.lexists(root):
            return None
        return [*_below(root, (), frozenset())] if os.path.isdir(root) else [_file(root, ())]

    def start(self, file: File) -> bytes:
        """The first bytes of a file, unpacked. Raises InputError where it cannot be read."""
        with _unpacked(file) as content:
            return content.read(START_BYTES)

    def has_rows(self, file: File) -> bool:
        """Whether a text file has more than its first line."""
        with _unpacked(file) as content:
            content.readline()
            return any(line.strip(b"\0 \t\r\n") for line in content)

    def may_run_on(self, file: InputFile, delimiter: str) -> bool:
        """Whether a line of a text file does not close each of its quotes."""
        with _unpacked(file) as content:
            return any(_is_open(line, delimiter.encode()) for line in content if b'"' in line)

    def digest(self, file: File) -> str:
        """The SHA-256 of a file, unpacked."""
        with _unpacked(file) as content:
            digest = hashlib.sha256()
            while part := content.read(START_BYTES):
                digest.update(part)
            return digest.hexdigest()


def _is_open(line: bytes, delimiter: bytes) -> bool:
    """Whether a line has quotes other than those around whole fields, and doubled ones in them.

    What is said of bytes holds of no text with zeros, as UTF-16 has them.
    """
    outside = line.rstrip(b"\r\n").split(b'"')
    if b"\0" in line or len(outside) % 2 == 0:
        return True
    outside = outside[::2]
    opens = all(part.endswith(delimiter) for part in outside[:-1] if part)
    return not (opens and all(part.startswith(delimiter) for part in outside[1:] if part))


def _below(
    folder: str, folders: tuple[str, ...], above: frozenset[tuple[int, int]]
) -> Iterator[File]:
    """All files below a folder; `above` are the folders that it is in, and `folders` their names.

    Links are followed, as Spark does.
    """
    try:
        found = os.stat(folder)
        this = found.st_dev, found.st_ino
        if this in above:
            yield File(folder, 0, folders[:-1], fault="leads back to a folder that it is in")
            return
        names = sorted(os.listdir(folder))
    except OSError as error:
        yield File(folder, 0, folders[:-1], fault=f"cannot be listed: {error.strerror}")
        return
    for name in names:
        path = f"{folder}/{name}"
        if os.path.isdir(path):
            yield from _below(path, (*folders, name), above | {this})
        else:
            yield _file(path, folders)


def _file(path: str, folders: tuple[str, ...]) -> File:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return File(path, 0, folders, fault="a link that leads nowhere")
    except OSError as error:
        return File(path, 0, folders, fault=str(error.strerror))
    fault = "" if os.path.isfile(path) else "neither a file nor a folder"
    if not fault and not os.access(path, os.R_OK):
        fault = "permission denied"
    return File(path, found.st_size, folders, str(found.st_mtime_ns), fault)


@contextmanager
def _unpacked(file: InputFile) -> Iterator[IO[bytes]]:
    """What is in a file. Raises InputError where it cannot be read."""
    try:
        with UNPACKED[file.packing.lower()](file.address, "rb") as content:
            yield content
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: cannot be read: {error}") from error
