"""Encodings of texts, named, marked or neither."""

import csv
from pathlib import Path

from tests.campaign.case import Case, Input, packed
from tests.campaign.mutations.kinds import add_column, of_kind, write

MARKED = ("utf-8-sig", "utf-16", "utf-32")


@of_kind("encodings")
def marked_by_its_first_bytes(case: Case) -> None:
    _, one = case.any_input()
    one.encoding = case.source.choice(MARKED)
    one.quoting = case.source.choice((csv.QUOTE_MINIMAL, csv.QUOTE_ALL))


@of_kind("encodings")
def one_file_of_another_encoding(case: Case) -> None:
    one, encoding = case.samples, case.source.choice(MARKED)

    def recode(folder: Path) -> None:
        write(folder / "more.csv", one.text(one.rows[-3:]).encode(encoding))

    # Its rows are there twice: those of the other file are told to be the duplicates.
    one.folder_edits.append(recode)
    case.more_rows["samples"] += 3
    case.spoilt_rows["samples"] += 3


@of_kind("encodings")
def named_in_the_profile(case: Case) -> None:
    source, one = case.any_input()
    spellings = {
        "latin-1": ("latin_1", "ISO-8859-1", "iso8859_1", "L1"),
        "cp1252": ("windows-1252", "cp1252", "Cp1252"),
        "utf-16-le": ("UTF-16LE", "utf_16_le", "utf-16"),
        "utf-16-be": ("UTF-16BE", "utf-16"),
        "mac-roman": ("macroman", "mac_roman"),
        "cp850": ("cp850", "IBM850"),
        "utf-8": ("utf8", "UTF8", "utf_8", "U8", "utf-8-sig", "UTF-8"),
        "gb18030": ("gb18030",),
    }
    one.encoding = case.source.choice([*spellings])
    case.set(source, f'encoding = "{case.source.choice(spellings[one.encoding])}"')


@of_kind("encodings")
def not_named_in_the_profile(case: Case) -> None:
    source, one = case.any_input()
    one.encoding = case.source.choice(("latin-1", "cp1252", "utf-16-le", "utf-16-be", "cp850"))
    if source != "calls" or one.encoding.startswith("utf-16"):
        case.refuse(must=True)


@of_kind("encodings")
def unknown_to_anyone(case: Case) -> None:
    source, _ = case.any_input()
    name = case.source.choice(("utf8mb4", "ansi", "UTF-7", "", "latin 1 ", "base64", "punycode"))
    case.set(source, f'encoding = "{name}"')
    case.refuse(must=name not in ("latin 1 ", "", "ansi"))
    case.is_judged = False


@of_kind("encodings")
def broken_bytes_in_a_row(case: Case) -> None:
    """Bytes that UTF-8 does not have, in a name or beside it."""
    one = case.samples
    column = case.source.choice(("CellName", "Note", "load"))
    place, mark = one.place(column), "\ue001"
    one.rows[5][place] += mark
    broken = case.source.choice((b"\xff", b"\xc3", b"\xe2\x82", b"\x00", b"\xed\xa0\x80"))

    def replace(folder: Path) -> None:
        for file in folder.rglob("*.csv"):
            file.write_bytes(file.read_bytes().replace(mark.encode(), broken))

    one.folder_edits.append(replace)
    case.spoilt_rows["samples"] += 1
    case.spoilt_values["samples"] += 1


@of_kind("encodings")
def torn_character_at_the_end(case: Case) -> None:
    """UTF-16 that ends within a character."""
    one = case.samples
    one.encoding = "utf-16"
    one.folder_edits.append(
        lambda folder: write(
            folder / one.names[-1], packed(one.names[-1], _last(one).encode("utf-16")[:-3])
        )
    )
    case.spoilt_rows["samples"] += 1
    case.spoilt_values["samples"] += 1


@of_kind("encodings")
def column_of_other_letters(case: Case) -> None:
    _, one = case.any_input()
    add_column(one, case.source.choice(("Größe", "名前", "", " ", "Ω\u200b", "a\tb")), "é")


def _last(one: Input) -> str:
    each = -(-len(one.rows) // len(one.names))
    return one.text(one.rows[(len(one.names) - 1) * each :])
