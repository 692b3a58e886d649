"""How a CSV file is written: what is found, with the evidence, and what cannot be told."""

import codecs

import pytest

from runners.inspection.dialect import find_decimal, find_delimiter, find_encoding, text_of

TEXT = "Zelle;Straße\n1A;Köln\n"


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "UTF-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "UTF-8"),
        (TEXT.encode("utf-16"), "UTF-16LE"),
        (TEXT.encode("utf-16-be"), "UTF-16"),
        (TEXT.encode("cp1252"), "windows-1252"),
        # Cut off in the middle of a letter.
        ("Zelle;Straß".encode()[:-1], "UTF-8"),
    ],
)
def test_the_encoding_is_found_and_reads_the_text(content, encoding):
    found = find_encoding(content)
    assert found.value == encoding
    assert text_of(content, encoding).startswith("Zelle;Straße"[: len(content) // 4])


def test_encodings_that_differ_in_few_letters_are_a_doubt_with_a_word_to_check():
    found = str(find_encoding(TEXT.encode("cp1252")))
    assert found.startswith("cannot tell for sure: it may be windows-1250")
    assert "'Straße', 'Köln'" in found
    assert not find_encoding(TEXT.encode()).doubt


@pytest.mark.parametrize(
    ("text", "encoding", "others"),
    [
        ("Komórka;Zajętość PRB DL [%];Śr. przepływność DL\n", "windows-1250", []),
        ("Nr abonenta;Usługa głosowa;Głos zakończone\n", "windows-1250", []),
        ("N° client;Ancienneté;Débit moyen DL\n", "windows-1252", ["windows-1250"]),
        ("Сота;Количество абонентов;Скорость\n", "windows-1251", ["windows-1253"]),
        ("Комірка;Кількість абонентів;Швидкість\n", "windows-1251", []),
        ("Κυψέλη;Χρήστες;Ταχύτητα\n", "windows-1253", []),
    ],
)
def test_of_encodings_with_a_byte_for_a_letter_the_one_is_taken_that_garbles_no_word(
    text, encoding, others
):
    found = find_encoding(text.encode(encoding))
    assert found.value == encoding
    assert [name for name in others if name in found.doubt] == others
    assert bool(found.doubt) == bool(others)


@pytest.mark.parametrize(
    ("text", "known", "encoding"),
    [
        ("Zelle;Köln\n", ["cp1250"], "cp1250"),
        ("Zelle;Köln\n", ["cp1251"], "windows-1252"),
        ("Zelle;Koeln\n", ["cp1252"], "cp1252"),
        ("Zelle;Koeln\n", ["UTF-16"], "UTF-8"),
        ("Début;Débit\n", ["mac-roman"], "mac-roman"),
    ],
)
def test_of_encodings_that_read_a_file_as_well_the_known_one_is_taken(text, known, encoding):
    assert find_encoding(text.encode(encoding), known).value == encoding


def test_of_delimiters_and_decimal_marks_that_fit_as_well_the_known_one_is_taken():
    both = "a,b;c,d\n1,2;3,4\n5,6;7,8\n"
    assert find_delimiter(both).value == ","
    assert find_delimiter(both, [";"]).value == ";"
    assert find_delimiter("a^b\n1^2\n", ["^"]).value == "^"
    assert find_decimal(["1", "2"], ";", [","]).value == ","
    assert find_decimal(["1", "2"], ",", [","]).value == "."
    assert find_decimal(["1.5", "2"], ";", [","]).value == "."


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a;b;c\n1,5;2,5;3,5\n1,5;2;3,5\n", ";"),
        ("a,b\n1,2\n", ","),
        ("a\tb\n1,2\t3;4\n", "\t"),
        ('a|b\n"x|y"|2\n', "|"),
        # Each row has the same number of commas, but the header has none.
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        # A comma in a text of each row, the header included.
        ('"a, in %";b\n1;"x, y"\n', ";"),
    ],
)
def test_the_delimiter_gives_rows_as_many_fields_as_the_header(text, delimiter):
    found = find_delimiter(text)
    assert (found.value, found.doubt) == (delimiter, "")


def test_two_delimiters_that_fit_alike_are_a_doubt():
    found = find_delimiter("a,b;c\n1,2;3\n4,5;6\n")
    assert "2 fields in the header and in 2 of 2 rows" in found.doubt


@pytest.mark.parametrize(
    ("fields", "decimal", "doubt"),
    [
        (["1,5", "-0,25", "abc", "2026-01-01", "3"], ",", ""),
        (["1.5", "1e3", "2.5E-3"], ".", ""),
        (["1", "2"], ".", ""),
        (["1,234", "12,345"], ",", "1,234 may also be a whole number"),
        (["1,5", "2,5", "3.5"], ",", "some have the other mark, such as 3.5"),
    ],
)
def test_the_decimal_mark_is_that_of_the_numbers(fields, decimal, doubt):
    found = find_decimal(fields, ";")
    assert found.value == decimal
    assert doubt in found.doubt
    assert bool(found.doubt) == bool(doubt)


def test_no_mark_is_delimiter_and_decimal_mark_at_once():
    found = find_decimal(["1,5", "2,25"], ",")
    assert (found.value, "cannot be both" in found.doubt) == (".", True)
