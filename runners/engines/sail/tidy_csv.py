"""Parses lines without anything unusual by Arrow, which is fast: by several threads in C++."""

from collections.abc import Sequence

import pyarrow as pa
from pyarrow import compute, csv

from runners.engines.sail.careful_csv import BLANKS
from runners.engines.sail.tidy_lines import has_blanks_behind_values, is_tidy

# Of the parts that threads parse.
PART_BYTES = 1 << 20


class TidyReader:
    """Reads lines of one file, whose columns at `positions` are wanted of so many as `width`."""

    def __init__(self, width: int, delimiter: str, positions: Sequence[int]) -> None:
        self.delimiter = delimiter.encode()
        # Of one column an empty line is a row at times; Arrow knows delimiters of one byte alone.
        self.knows = width > 1 and len(self.delimiter) == 1 and self._is_seen(delimiter)
        # Arrow takes no column for all columns.
        self.names = [str(position) for position in positions or (0,)]
        self.positions = positions
        self.reading = csv.ReadOptions(
            block_size=PART_BYTES, column_names=[str(position) for position in range(width)]
        )
        if self.knows:
            self.parsing = csv.ParseOptions(delimiter=delimiter, quote_char='"', double_quote=True)
        self.converting = csv.ConvertOptions(
            include_columns=self.names,
            column_types=dict.fromkeys(self.names, pa.string()),
            null_values=[""],
            strings_can_be_null=True,
            # It is: see `text_blocks`.
            check_utf8=False,
        )

    def values(self, data: bytes) -> tuple[list[pa.ChunkedArray], int] | None:
        """The values of the wanted columns, and how many rows there are.

        None where a line is no row to Arrow, or another one than to Spark.
        """
        if not self.knows or not is_tidy(data, self.delimiter):
            return None
        has_blanks = has_blanks_behind_values(data, self.delimiter)
        # Arrow does not tell which values were quoted, and keep their blanks.
        if has_blanks and b'"' in data:
            return None
        try:
            self.reading.use_threads = len(data) > PART_BYTES
            table = csv.read_csv(pa.BufferReader(data), self.reading, self.parsing, self.converting)
        except pa.ArrowInvalid:
            return None
        columns = table.columns[: len(self.positions)]
        return [_without_blanks(one) if has_blanks else one for one in columns], table.num_rows

    @staticmethod
    def _is_seen(delimiter: str) -> bool:
        return delimiter == "\t" or (delimiter not in BLANKS and delimiter != '"')


def _without_blanks(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    found = compute.ascii_rtrim(texts, characters=BLANKS.replace("\0", ""))
    return compute.if_else(compute.equal(found, ""), pa.scalar(None, pa.string()), found)
