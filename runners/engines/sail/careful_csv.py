"""Parses CSV as Spark does, whatever its quotes are like: record by record, in Python.

What Spark makes of broken quotes is its parser's (univocity's) own, and followed here to the
letter: a text behind a closing quote belongs to the value, which then keeps its quotes.
"""

from collections.abc import Iterator
from typing import NamedTuple

# What Spark takes for blank: it is left out behind a value.
BLANKS = "".join(map(chr, range(33)))


class Record(NamedTuple):
    """The fields of a record, NULL where they are empty, and where it stands in its text.

    `stop` is where its line end begins, and `end` where that ends.
    """

    fields: list[str | None]
    start: int
    stop: int
    end: int


class CutError(Exception):
    """The text ends inside quotes, and its file goes on."""


class CarefulParser:
    """The records of a text with a delimiter.

    `is_last`: whether its file ends with the text, which otherwise ends with a line.
    """

    def __init__(self, text: str, delimiter: str, is_last: bool) -> None:
        self.text = text
        self.delimiter = delimiter
        self.is_last = is_last

    def records(self, start: int = 0) -> Iterator[Record]:
        """The records that end in the text, from a position on; empty lines are none."""
        text, size = self.text, len(self.text)
        while start < size:
            stop = self._line_end(start)
            if stop == start:
                start += 1
                continue
            if text.find('"', start, stop) < 0:
                fields = self._unquoted(start, stop)
            else:
                try:
                    fields, stop = self._with_quotes(start)
                except CutError:
                    return
            end = min(stop + 1, size)
            yield Record(fields, start, stop, end)
            start = end

    def _with_quotes(self, at: int) -> tuple[list[str | None], int]:
        """The fields of a record that begins at a position, and where its line ends."""
        text, size, fields = self.text, len(self.text), list[str | None]()
        while True:
            if text.startswith('"', at):
                value, at = self._quoted(at + 1)
                fields.append(value or None)
            else:
                # All fields up to the next one in quotes.
                stop = self._line_end(at)
                behind = text.find(self.delimiter + '"', at, stop)
                stop = stop if behind < 0 else behind
                fields += self._unquoted(at, stop)
                at = stop
            if at >= size or text[at] == "\n":
                return fields, at
            at += 1

    def _unquoted(self, at: int, stop: int) -> list[str | None]:
        fields = self.text[at:stop].split(self.delimiter)
        return [field.rstrip(BLANKS) or None for field in fields]

    def _line_end(self, at: int) -> int:
        end = self.text.find("\n", at)
        return len(self.text) if end < 0 else end

    def _end_of_field(self, at: int) -> int:
        end = self._line_end(at)
        stop = self.text.find(self.delimiter, at, end)
        return end if stop < 0 else stop

    def _quoted(self, at: int) -> tuple[str, int]:
        """The value whose quote opens before a position, and where its delimiter stands."""
        text, size, opening = self.text, len(self.text), at
        parts: list[str] = []
        while True:
            end = text.find('"', at)
            if end < 0:
                return self._open_to_the_end(parts, at, opening)
            parts.append(text[at:end])
            at = end + 1
            if at < size and text[at] == '"':
                parts.append('"')
                at += 1
                continue
            content = "".join(parts)
            if at >= size:
                return content.replace("\0", ""), at
            # NUL characters stay in plain texts alone: between quotes right at both delimiters.
            is_plain = len(parts) == 1 and text[at] in ("\n", self.delimiter)
            return self._behind_quotes(content if is_plain else content.replace("\0", ""), at)

    def _open_to_the_end(self, parts: list[str], at: int, opening: int) -> tuple[str, int]:
        if not self.is_last:
            raise CutError
        if opening == len(self.text):
            return '"', opening
        return "".join((*parts, self.text[at:])).replace("\0", ""), len(self.text)

    def _behind_quotes(self, content: str, at: int) -> tuple[str, int]:
        """The value of a content whose closing quote stands before a position."""
        text, size, ends = self.text, len(self.text), ("\n", self.delimiter)
        if text[at] in ends:
            return content, at
        behind = at
        while behind < size and text[behind] <= " " and text[behind] not in ends:
            behind += 1
        if behind > at and (behind >= size or text[behind] in ends):
            # Blanks behind a closing quote are none of the value.
            return content, behind
        end = self._end_of_field(behind + 1)
        value = f'"{content}"{text[at:end]}'
        if end >= size and behind > at and text[behind] != '"' and text.startswith('"', behind + 1):
            # Spark's parser adds a quote that is not there, at the end of a file.
            value += '"'
        return value.rstrip(BLANKS), end
