"""How a CSV file is written: encoding, delimiter and decimal mark, each with the evidence."""

import codecs
import csv
import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from anomaly.profile.encodings import charset_of, codec_of
from runners.storage.files import BYTE_ORDER_MARKS, encoding_of
from runners.storage.local_files import START_BYTES

DELIMITERS = (",", ";", "\t", "|")
FRACTION = r"[+-]?\d*{mark}\d+([eE][+-]?\d+)?"
# 1,234 may be a thousand or a fraction.
THOUSANDS = r"[+-]?[1-9]\d{0,2}[.,]\d{3}"
# Encodings of one byte for a letter, the most common first: Western and Central Europe, Cyrillic
# and Greek.
OF_ONE_BYTE = ("windows-1252", "windows-1250", "windows-1251", "windows-1253")
# Letters side by side, ASCII or not, and what some encoding may have for a letter.
WORD = re.compile(r"[^\s\x00-@\[-`{-\x7f]{2,}")
LATIN_UNTIL = "\u024f"
WORDS_SHOWN = 3


class Finding(NamedTuple):
    """A setting and what it was found by; `doubt` says why it may be another, empty for none."""

    value: str
    evidence: str
    doubt: str = ""

    def __str__(self) -> str:
        doubt = f"cannot tell for sure: {self.doubt}; " if self.doubt else ""
        return doubt + self.evidence


def find_encoding(start: bytes, known: Sequence[str] = ()) -> Finding:
    """The encoding of a text file, from its first bytes; of several that fit, a known one."""
    for mark, name in BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return Finding(name, "by its byte order mark")
    if b"\0" in start:
        return Finding("UTF-16", "every other byte is zero")
    like_ascii = [name for name in known if b"ab".decode(codec_of(name), "replace") == "ab"]
    if start.isascii():
        evidence = "all letters are ASCII, which nearly every encoding shares"
        return Finding([*like_ascii, "UTF-8"][0], evidence)
    try:
        # The last letter may be cut off.
        text = codecs.getincrementaldecoder("utf-8")().decode(start)
    except UnicodeDecodeError:
        return _of_one_byte(start, like_ascii)
    return Finding("UTF-8", f"{sum(not letter.isascii() for letter in text):,} letters are valid")


def _of_one_byte(start: bytes, known: Sequence[str]) -> Finding:
    """The encoding in which words look least like those of another one."""
    charsets = {charset_of(name) for name in known}
    names = [*known, *(name for name in OF_ONE_BYTE if name not in charsets)]
    words = {
        name: dict.fromkeys(WORD.findall(start.decode(codec_of(name), "replace"))) for name in names
    }
    garbled = {name: sum(map(_signs_of_garbling, words[name])) for name in names}
    best, *others = (name for name in names if garbled[name] == min(garbled.values()))
    shown = [repr(word) for word in words[best] if not word.isascii()][:WORDS_SHOWN]
    evidence = f"not UTF-8; in this encoding it reads {', '.join(shown)}"
    return Finding(best, evidence, f"it may be {' or '.join(others)}" if others else "")


def _signs_of_garbling(word: str) -> int:
    """How often letters of a word are none, stand where none do, or are of several scripts."""
    letters = [letter for letter in word if letter.isalpha()]
    are_latin = {letter <= LATIN_UNTIL for letter in letters}
    return (
        sum(not letter.isalpha() for letter in word if not letter.isascii())
        + sum(one.islower() and next_.isupper() for one, next_ in pairwise(word))
        + (len(are_latin) > 1)
        # No Latin language has words of accented letters alone.
        + (len(letters) > 3 and are_latin == {True} and not any(map(str.isascii, letters)))
    )


def text_of(start: bytes, encoding: str) -> str:
    """The first whole lines of a file."""
    text = start.decode(codec_of(encoding_of(start, encoding)), errors="replace")
    text = text.removeprefix("\ufeff")
    # Where more follows, the last line is cut off.
    return text if len(start) < START_BYTES else text[: text.rfind("\n") + 1]


def find_delimiter(text: str, known: Sequence[str] = ()) -> Finding:
    """The delimiter that gives rows as many fields as the header, in the most rows."""
    found = []
    for mark in dict.fromkeys((*known, *DELIMITERS)):
        rows = records(text, mark)
        fields = len(rows[0]) if rows else 0
        alike = sum(len(row) == fields for row in rows[1:])
        share = alike / max(len(rows) - 1, 1)
        if fields > 1:
            words = f"{fields} fields in the header and in {alike:,} of {len(rows) - 1:,} rows"
            found.append((share, mark in known, fields, mark, words))
    if not found:
        return Finding(",", "there is one column whatever the delimiter")
    share, *_, best, words = max(found)
    rivals = [one for one in found if one[0] == share and one[-2] != best]
    others = [f"{mark!r} gives {told}" for *_, mark, told in rivals]
    return Finding(best, words, " and ".join(others))


def records(text: str, delimiter: str) -> list[list[str]]:
    """The rows of a text, the header first, without empty lines."""
    reader = csv.reader(text.splitlines(keepends=True), delimiter=delimiter)
    return [row for row in reader if row]


def find_decimal(fields: Iterable[str], delimiter: str, known: Sequence[str] = ()) -> Finding:
    """The decimal mark, by the fields that are numbers with one mark in them."""
    texts = [field.strip() for field in fields]
    of = {mark: _with_mark(texts, mark) for mark in ".,"}
    counts = {mark: len(found) for mark, found in of.items()}
    if not any(counts.values()):
        mark = "," if "," in known and delimiter != "," else "."
        return Finding(mark, "no number has a fraction")
    best = max(counts, key=lambda mark: counts[mark])
    other = "," if best == "." else "."
    evidence = f"as in {of[best][0]}; {counts[best]:,} numbers have it, {counts[other]:,} {other!r}"
    doubts = []
    if all(re.fullmatch(THOUSANDS, one) for one in of[best]):
        doubts.append(f"{of[best][0]} may also be a whole number with a mark between thousands")
    if counts[other]:
        doubts.append(f"some have the other mark, such as {of[other][0]}")
    if best == delimiter:
        return Finding(other, evidence, f"{best!r} cannot be both delimiter and decimal mark")
    return Finding(best, evidence, " and ".join(doubts))


def _with_mark(texts: Sequence[str], mark: str) -> list[str]:
    fraction = re.compile(FRACTION.format(mark=re.escape(mark)))
    return [text for text in texts if fraction.fullmatch(text)]
