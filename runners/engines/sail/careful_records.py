"""The rows of a text that the careful parser reads, with what is malformed among them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from runners.engines.open_quotes import MOST_CHARACTERS
from runners.engines.sail.careful_csv import CarefulParser, Record
from runners.engines.sail.quote_rule import broken_by_quotes, never_closes

# A line without a field is no row. To Java the end of a text may stand before such a line break.
BLANK = re.compile("[\0-\x20]*(?:\r\n|[\n\r\x85\u2028\u2029])?")
LINE_END = re.compile("(?:\r\n|[\n\f])\\Z")


@dataclass
class Rows:
    """Rows column by column: their values, numbers, and which are malformed, with their texts.

    `count` is how many there were, with those that are none because they are blank.
    """

    values: list[list[str | None]]
    numbers: list[int] = field(default_factory=list)
    malformed: list[bool] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    count: int = 0

    def arrays(self, first: int) -> list[pa.Array]:
        """The columns; rows are numbered from `first` on."""
        return [
            *(pa.array(column, pa.string()) for column in self.values),
            pa.array([first + number for number in self.numbers], pa.int64()),
            pa.array(self.malformed, pa.bool_()),
            pa.array(self.texts, pa.string()),
        ]


class CarefulReader:
    """Reads texts of one file, whose columns at `positions` are wanted of so many as `width`."""

    def __init__(self, width: int, delimiter: str, positions: Sequence[int], uri: str) -> None:
        self.width = width
        self.delimiter = delimiter
        self.positions = positions
        self.uri = uri
        self.is_broken = broken_by_quotes(width, positions, delimiter, uri)

    def header_end(self, text: str, is_last: bool) -> int | None:
        """Where the first record ends; None where that goes on behind the text."""
        header = next(CarefulParser(text, self.delimiter, is_last).records(), None)
        return None if header is None else header.end

    def rows(self, text: str, is_last: bool) -> tuple[Rows, str]:
        """The rows of a text, and its end from the record on that goes on behind the text.

        Raises InputError where a field holds other rows, or is longer than any is.
        """
        rows, end = Rows([[] for _ in self.positions]), 0
        for record in CarefulParser(text, self.delimiter, is_last).records():
            self._add(rows, record, text)
            end = record.end
        rest = text[end:].lstrip("\n")
        if len(rest) > MOST_CHARACTERS:
            raise never_closes(self.uri)
        return rows, rest

    def _add(self, rows: Rows, record: Record, text: str) -> None:
        fields, rows.count = record.fields, rows.count + 1
        is_malformed, told = len(fields) != self.width, None
        if is_malformed:
            told = LINE_END.sub("", text[record.start : record.end])
            if BLANK.fullmatch(told):
                return
            fields = [*fields, *[None] * (self.width - len(fields))][: self.width]
        if "\n" in text[record.start : record.stop]:
            if any(len(value or "") > MOST_CHARACTERS for value in fields):
                raise never_closes(self.uri)
            is_malformed = self.is_broken(fields, is_malformed)
        for column, position in zip(rows.values, self.positions, strict=True):
            column.append(fields[position])
        rows.numbers.append(rows.count - 1)
        rows.malformed.append(is_malformed)
        rows.texts.append(told)
