"""Whether the lines of a block are such that Arrow, which is fast, parses them as Spark does."""

import codecs

import numpy as np

QUOTE, BLANK, LINE_END, RETURN = b'" \n\r'


def is_tidy(data: bytes, delimiter: bytes) -> bool:
    """Whether each line is a record, and quotes are around whole fields, or doubled in such ones.

    To Arrow a CR alone ends a line as well, it may take NUL for the end of a text, and leaves out a
    byte order mark wherever it begins to read.
    """
    return (
        b"\0" not in data
        and not data.startswith(codecs.BOM_UTF8)
        and (b"\r" not in data or _ends_lines_alike(data))
        and (b'"' not in data or _closes_its_quotes(data, delimiter))
    )


def has_blanks_behind_values(data: bytes, delimiter: bytes) -> bool:
    """Whether there are blanks before the end of a field of tidy lines; Spark leaves them out."""
    characters = np.frombuffer(data, np.uint8)
    places = np.flatnonzero(characters <= BLANK)
    places = places[~np.isin(characters[places], [*b"\r\n", *delimiter])]
    behind = characters[np.minimum(places + 1, len(data) - 1)]
    # A file may end without the end of a line.
    ends = np.isin(behind, [*b"\r\n", *delimiter]) | (places == len(data) - 1)
    return bool(ends.any())


def _ends_lines_alike(data: bytes) -> bool:
    """Whether each CR is before an LF, and there is no line of a CR alone.

    That is a row to Spark, of which the runner makes none but which counts where rows are numbered.
    """
    return (
        data.count(b"\r") == data.count(b"\r\n")
        and not data.startswith(b"\r\n")
        and b"\n\r\n" not in data
    )


def _closes_its_quotes(data: bytes, delimiter: bytes) -> bool:
    characters = np.frombuffer(data, np.uint8)
    quotes = np.flatnonzero(characters == QUOTE)
    if len(quotes) % 2:
        return False
    # Of a doubled quote the first one closes, and the second one opens again.
    opening, closing = quotes[::2], quotes[1::2]
    before = characters[opening - 1]
    opens = (before == ord(delimiter)) | (before == LINE_END) | (before == QUOTE)
    opens[0] |= opening[0] == 0
    behind = characters[np.minimum(closing + 1, len(data) - 1)]
    closes = (behind == ord(delimiter)) | (behind == LINE_END) | (behind == QUOTE)
    closes |= behind == RETURN
    closes[-1] |= closing[-1] == len(data) - 1
    lines = np.flatnonzero(characters == LINE_END)
    is_outside = np.searchsorted(quotes, lines) % 2 == 0
    return bool(opens.all() and closes.all() and is_outside.all())
