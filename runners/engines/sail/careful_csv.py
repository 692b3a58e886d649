"""Parses CSV as Spark does, whatever its quotes are like: record by record, in Python.

What Spark makes of broken quotes is its parser's (univocity's) own, and followed here to the
letter: a text behind a closing quote belongs to the value, which then keeps its quotes.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

# What Spark takes for blank: it is left out behind a value.
BLANKS = "".join(map(chr, range(33)))
BLANKS_IN_LINE = re.compile("[\0-\x09\x0b-\x20]+")
UP_TO_QUOTE = re.compile('[^"]*')


class Record(NamedTuple):
    """The fields of a record, NULL where they are empty, and where it stands in its text."""

    fields: list[str | None]
    start: int
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

    @cached_property
    def _rest_of_field(self) -> re.Pattern[str]:
        return re.compile(f"[^\n{re.escape(self.delimiter)}]*")

    def records(self, start: int = 0) -> Iterator[Record]:
        """The records that end in the text, from a position on; empty lines are none."""
        text, delimiter, size = self.text, self.delimiter, len(self.text)
        while start < size:
            end = text.find("\n", start)
            end = size if end < 0 else end
            if end == start:
                start += 1
                continue
            if text.find('"', start, end) < 0:
                fields = [part.rstrip(BLANKS) or None for part in text[start:end].split(delimiter)]
                end = min(end + 1, size)
            else:
                try:
                    fields, end = self._with_quotes(start)
                except CutError:
                    return
            yield Record(fields, start, end)
            start = end

    def _with_quotes(self, at: int) -> tuple[list[str | None], int]:
        """The fields of a record that begins at a position, and where the next one begins."""
        text, size, fields = self.text, len(self.text), list[str | None]()
        while True:
            if at < size and text[at] == '"':
                value, at = self._quoted(at + 1)
            else:
                end = self._end_of_field(at)
                value, at = text[at:end].rstrip(BLANKS), end
            fields.append(value or None)
            if at >= size or text[at] == "\n":
                return fields, min(at + 1, size)
            at += 1

    def _end_of_field(self, at: int) -> int:
        matched = self._rest_of_field.match(self.text, at)
        return matched.end() if matched else at

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
        text, size = self.text, len(self.text)
        if text[at] in ("\n", self.delimiter):
            return content, at
        blanks = BLANKS_IN_LINE.match(text, at)
        behind = blanks.end() if blanks else at
        if blanks and (behind >= size or text[behind] in ("\n", self.delimiter)):
            # Blanks behind a closing quote are none of the value.
            return content, behind
        end = self._end_of_field(behind + 1)
        value = f'"{content}"{text[at:end]}'
        if end >= size and blanks and text[behind] != '"' and text.startswith('"', behind + 1):
            # Spark's parser adds a quote that is not there, at the end of a file.
            value += '"'
        return value.rstrip(BLANKS), end
