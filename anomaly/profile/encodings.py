"""The encodings of text files, by the names that Python, Java and people use."""

import codecs

# Java's name of each, with Python's if that differs. All but UTF-16 and UTF-32 encode letters and
# line breaks as ASCII does.
_CODECS = {
    **dict.fromkeys(("UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "UTF-32", "UTF-32LE", "UTF-32BE")),
    **dict.fromkeys(f"ISO-8859-{part}" for part in (*range(1, 10), 13, 15, 16)),
    **dict.fromkeys(f"windows-{page}" for page in range(1250, 1259)),
    **dict.fromkeys(f"IBM{page}" for page in (437, 775, 850, 852, 855, 857, 862, 866)),
    **dict.fromkeys(("US-ASCII", "KOI8-R", "KOI8-U", "TIS-620", "Big5", "Big5-HKSCS", "GB2312")),
    **dict.fromkeys(("GBK", "GB18030", "Shift_JIS", "EUC-JP", "EUC-KR")),
    "IBM00858": "cp858",
    "x-IBM737": "cp737",
    "x-windows-874": "cp874",
    "windows-31j": "cp932",
    "x-windows-949": "cp949",
    "x-windows-950": "cp950",
    "x-iso-8859-11": "iso8859-11",
    "x-MacRoman": "mac-roman",
}
_OF_PYTHON = {codecs.lookup(codec or name).name: name for name, codec in _CODECS.items()}
# A byte order mark is detected anyway.
_OF_PYTHON["utf-8-sig"] = "UTF-8"


def charset_of(encoding: str) -> str | None:
    """Java's name of an encoding, however it is spelled: latin_1 is ISO-8859-1.

    None if Java or Python does not know it.
    """
    try:
        return _OF_PYTHON.get(codecs.lookup(encoding).name)
    except (LookupError, ValueError):
        return None


def codec_of(charset: str) -> str:
    """Python's name of an encoding, from Java's."""
    return _CODECS.get(charset) or charset
