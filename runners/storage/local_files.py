"""Files on this machine, read without Spark: sooner than a job of it would start."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from anomaly.errors import InputError
from runners.storage.files import File

# Of a text file; no header is longer.
START_BYTES = 1 << 20


def bytes_below(paths: Iterable[str]) -> int:
    """The size of the files at paths of this machine, and below them."""
    return sum(file.size for path in paths for file in LocalFiles().files(path))


class LocalFiles:
    """The file system of this machine."""

    def files(self, path: str) -> list[File]:
        """The file at a path, or all files below it."""
        root = Path(path)
        found = [root] if root.is_file() else root.rglob("*")
        return [
            File(
                str(file),
                file.stat().st_size,
                file.relative_to(root).parts[:-1],
                str(file.stat().st_mtime_ns),
            )
            for file in found
            if file.is_file()
        ]

    def start(self, file: File) -> bytes:
        """The first bytes of a file. Raises InputError where it cannot be read."""
        try:
            with Path(file.address).open("rb") as content:
                return content.read(START_BYTES)
        except OSError as error:
            raise InputError(f"{file}: cannot be read: {error}") from error

    def has_rows(self, file: File) -> bool:
        """Whether a text file has more than its first line."""
        with Path(file.address).open("rb") as content:
            content.readline()
            return any(line.strip(b"\0 \t\r\n") for line in content)

    def digest(self, file: File) -> str:
        """The SHA-256 of a file."""
        with Path(file.address).open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
