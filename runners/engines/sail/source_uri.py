"""The address of a file as Spark gives it for each of its rows."""

import re
import unicodedata
from urllib.parse import quote

# What java.net.URI leaves as it is in a path, beside letters and digits.
KEPT = "/_-!.~'()*:@&=+$,;"
BLANK_OR_CONTROL = ("Zs", "Zl", "Zp", "Cc")
OTHER = re.compile("[^\0-\x7f]+")


def source_uri(path: str) -> str:
    """file:///... of an absolute path, with the characters escaped that Java escapes.

    Java keeps letters of other alphabets, and escapes blanks and controls of theirs.
    """
    kept = "".join(
        character
        for character in set("".join(OTHER.findall(path)))
        if unicodedata.category(character) not in BLANK_OR_CONTROL
    )
    if not kept:
        return f"file://{quote(path, safe=KEPT)}"
    parts = re.split(f"([{re.escape(kept)}]+)", path)
    return "file://" + "".join(
        part if number % 2 else quote(part, safe=KEPT) for number, part in enumerate(parts)
    )
