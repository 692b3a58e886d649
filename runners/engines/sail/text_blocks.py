"""The text of a file in blocks of whole lines, as UTF-8, whatever its packing and encoding."""

import bz2
import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Any, NamedTuple

from anomaly.errors import InputError
from anomaly.profile.encodings import codec_of

# Large enough for several threads, and small enough for memory.
BLOCK_BYTES = 1 << 24
OPENED: dict[str, Callable[..., Any]] = {"": open, ".gz": gzip.open, ".bz2": bz2.open}
# Half of a pair of UTF-16, in UTF-8: to Java it is one bad character, to Python each byte is.
SURROGATE = re.compile(b"\xed[\xa0-\xbf][\x80-\xbf]?")
BAD = b"\xff"


class Block(NamedTuple):
    """Lines of a file as UTF-8; `is_last`: whether the file ends here, maybe inside a line."""

    data: bytes
    is_last: bool


def blocks_of(address: str, packing: str, encoding: str) -> Iterator[Block]:
    """The blocks of a text file of this machine, without its byte order mark.

    `encoding` is Java's name of it. Bytes that are none of its characters become U+FFFD. Raises
    InputError where the file cannot be read.
    """
    try:
        with OPENED[packing.lower()](address, "rb") as content:
            yield from _without_mark(_of_whole_lines(_decoded(content, encoding)))
    except LookupError as error:
        raise InputError(f"{address}: cannot be read as {encoding}: {error}") from error
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{address}: cannot be read: {error}") from error


def _decoded(content: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The content as UTF-8, of which the last character of each part may be cut."""
    codec = codecs.lookup(codec_of(encoding))
    if codec.name == "utf-8":
        while part := content.read(BLOCK_BYTES):
            yield part
        return
    decoder = codec.incrementaldecoder(errors="replace")
    while part := content.read(BLOCK_BYTES):
        yield decoder.decode(part).encode()
    yield decoder.decode(b"", final=True).encode()


def _of_whole_lines(parts: Iterator[bytes]) -> Iterator[Block]:
    """The same, cut where lines end."""
    rest: list[bytes] = []
    for part in parts:
        end = part.rfind(b"\n") + 1
        if end:
            yield Block(valid_utf8(b"".join((*rest, part[:end]))), False)
            rest = []
        rest.append(part[end:])
    yield Block(valid_utf8(b"".join(rest)), True)


def _without_mark(blocks: Iterator[Block]) -> Iterator[Block]:
    first = next(blocks)
    yield first._replace(data=first.data.removeprefix(codecs.BOM_UTF8))
    yield from blocks


def valid_utf8(data: bytes) -> bytes:
    """The same bytes where they are UTF-8; else with U+FFFD as Java has it in their place."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return SURROGATE.sub(BAD, data).decode(errors="replace").encode()
    return data
