"""Makes Parquet of CSV files, with the rows and values that Spark would read of them.

Lines without anything unusual are parsed by Arrow, all others by a parser of our own: an unusual
line slows down its neighbours, and no more of its file.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from anomaly.schema.inputs import MALFORMED_LINE, MALFORMED_TEXT, SOURCE_FILE, SOURCE_ROW_ID
from runners.engines.sail.careful_records import CarefulReader
from runners.engines.sail.parquet_files import the_same, writing
from runners.engines.sail.source_uri import source_uri
from runners.engines.sail.text_blocks import Block, blocks_of
from runners.engines.sail.tidy_csv import TidyReader

# What Arrow cannot parse is parsed in so many parts, down to this size.
PARTS, SMALLEST_PART = 32, 1 << 15
# Of each some parts are in memory.
FILES_AT_ONCE = 2


@dataclass(frozen=True)
class CsvFile:
    """A CSV file of this machine, and how it is packed: .gz, .bz2, or nothing if it is not."""

    address: str
    packing: str = ""


def columns_read(header: Sequence[str], wanted: Collection[str]) -> list[str]:
    """The names of a header that are wanted, in its order: what `csv_to_parquet` writes."""
    return [header[position] for position in _positions(header, wanted)]


def csv_to_parquet(
    files: Sequence[CsvFile],
    header: Sequence[str],
    encoding: str,
    delimiter: str,
    wanted: Collection[str],
    folder: Path,
) -> None:
    """Writes a Parquet file into a folder for each of some CSV files of one header and encoding.

    Its columns are those of `columns_read`, which are named by their positions in the header
    because names may be there twice, and then the provenance. Names are matched whatever their
    case, and the blanks around them. Raises InputError, which names the file, where a file cannot
    be read or a quote in it does not close.
    """
    positions = _positions(header, wanted)

    def convert(number: int, file: CsvFile) -> None:
        reader = _Reader(len(header), delimiter, positions, source_uri(file.address))
        blocks = blocks_of(file.address, file.packing, encoding)
        with writing(folder / f"{number}.parquet", reader.schema) as add:
            for table in reader.tables(blocks):
                add(table)

    with ThreadPoolExecutor(FILES_AT_ONCE) as threads:
        # In their order, so that the first one at fault is told.
        deque(threads.map(convert, range(len(files)), files), maxlen=0)


def _positions(header: Sequence[str], wanted: Collection[str]) -> tuple[int, ...]:
    names = {name.strip().lower() for name in wanted}
    return tuple(at for at, name in enumerate(header) if name.strip().lower() in names)


def _schema(positions: Sequence[int]) -> pa.Schema:
    texts = [(str(position), pa.string()) for position in positions]
    provenance = [
        (SOURCE_FILE, pa.dictionary(pa.int8(), pa.string())),
        (SOURCE_ROW_ID, pa.int64()),
        (MALFORMED_LINE, pa.bool_()),
        (MALFORMED_TEXT, pa.string()),
    ]
    return pa.schema([*texts, *provenance])


class _Reader:
    """Reads the rows of one file: by Arrow what is tidy, and carefully what is not."""

    def __init__(self, width: int, delimiter: str, positions: Sequence[int], uri: str) -> None:
        self.tidy = TidyReader(width, delimiter, positions)
        self.careful = CarefulReader(width, delimiter, positions, uri)
        self.uri = uri
        self.schema = _schema(positions)
        self.rows = 0
        # A record that goes on in the next part.
        self.rest = ""

    def tables(self, blocks: Iterable[Block]) -> Iterator[pa.Table]:
        """The rows of some blocks, part by part; the header is none."""
        is_header = True
        for data, is_last in blocks:
            if is_header:
                text = self.rest + data.decode()
                end = self.careful.header_end(text, is_last)
                self.rest = text if end is None else ""
                if end is None:
                    continue
                is_header, data = False, text[end:].encode()
            yield from self._parsed(data, is_last)

    def _parsed(self, data: bytes, is_last: bool) -> Iterator[pa.Table]:
        read = None if self.rest else self.tidy.values(data)
        parts = [] if read or len(data) <= SMALLEST_PART else [*_parts(data)]
        if read:
            yield self._table(*read)
        elif len(parts) > 1 and not self.rest:
            for part in parts[:-1]:
                yield from self._parsed(part, False)
            yield from self._parsed(parts[-1], is_last)
        elif data or self.rest:
            yield self._read_carefully(data, is_last)

    def _table(self, values: Sequence[pa.ChunkedArray], rows: int) -> pa.Table:
        """Rows none of which is malformed."""
        first, self.rows = self.rows, self.rows + rows
        provenance = [
            the_same(self.uri, rows),
            pa.array(np.arange(first, first + rows)),
            pa.repeat(pa.scalar(False), rows),
            pa.nulls(rows, pa.string()),
        ]
        return pa.table([*values, *provenance], schema=self.schema)

    def _read_carefully(self, data: bytes, is_last: bool) -> pa.Table:
        read, self.rest = self.careful.rows(self.rest + data.decode(), is_last)
        first, self.rows = self.rows, self.rows + read.count
        *values, numbers, malformed, texts = read.arrays(first)
        uris = the_same(self.uri, len(numbers))
        return pa.table([*values, uris, numbers, malformed, texts], schema=self.schema)


def _parts(data: bytes) -> Iterator[bytes]:
    """The lines of a text in several parts."""
    start, size = 0, len(data) // PARTS + 1
    while start < len(data):
        end = data.find(b"\n", start + size) + 1 or len(data)
        yield data[start:end]
        start = end
