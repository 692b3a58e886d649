"""The address of a file as Spark gives it for each of its rows.

The runner asks for it in one way where rows are of CSV, in the other where they are of Parquet.
"""

import re
import unicodedata
from urllib.parse import quote

# What java.net.URI leaves as it is in a path, beside letters and digits.
KEPT = "/_-!.~'()*:@&=+$,;"
BLANK_OR_CONTROL = ("Zs", "Zl", "Zp", "Cc")
OTHER = re.compile("[^\0-\x7f]+")


def source_uri(path: str) -> str:
    """The address of a file that input_file_name() gives: file:///... of an absolute path."""
    return f"file://{_escaped(path)}"


def metadata_uri(path: str) -> str:
    """The address of the same file that _metadata.file_path gives: file:/..."""
    return f"file:{_escaped(path)}"


def _escaped(path: str) -> str:
    """A path with the characters escaped that Java escapes.

    It keeps letters of other alphabets, and escapes blanks and controls of theirs.
    """
    kept = "".join(
        character
        for character in set("".join(OTHER.findall(path)))
        if unicodedata.category(character) not in BLANK_OR_CONTROL
    )
    if not kept:
        return quote(path, safe=KEPT)
    parts = re.split(f"([{re.escape(kept)}]+)", path)
    return "".join(
        part if number % 2 else quote(part, safe=KEPT) for number, part in enumerate(parts)
    )
