"""The names of cells: texts that people see as the same name are the same name.

Systems write a name with other blanks, with characters that nobody sees, in full width, or with an
accent as a character of its own. What follows makes one text of them: blanks within a name become
one space, what is not seen is removed, full width becomes usual, and letters are composed with
their accents (the Unicode form NFC, of the letters that are usual in Europe).
"""

import unicodedata
from collections import defaultdict

from pyspark.sql import DataFrame

from anomaly.cleaning.values import BLANK_CHARACTERS, INVISIBLE_CHARACTERS, trimmed, value_text
from anomaly.expressions.sql import quoted, text
from anomaly.profile.sections import InputRules

FULL_WIDTH = range(0xFF01, 0xFF5F)
FROM_FULL_TO_USUAL = 0xFEE0
# Latin, Greek and Cyrillic, with what Unicode added to them.
LETTERS = range(0xC0, 0x2000)
# Letters of other alphabets, Cyrillic and Greek, and the Latin ones that look the same.
LOOK_ALIKES = "АВЕКМНОРСТХУІЈЅаеорсхуіјѕ" + "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο"
LATIN = "ABEKMHOPCTXYIJSaeopcxyijs" + "ABEZHIKMNOPTYXo"
# Hyphens, dashes and the minus sign that writing programs put in place of the one on keyboards.
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"


def with_name(raw: DataFrame, column: str, name: str, rules: InputRules) -> DataFrame:
    """Adds the names that a column holds, under another `name`; NULL where a text is no value."""
    plain = f"{name} as written"
    # Step by step, so that each text is looked at once although it is used several times.
    return raw.selectExpr(
        "*", f"{trimmed(_as_seen(f'CAST({quoted(column)} AS string)'))} AS {quoted(plain)}"
    ).selectExpr("*", f"{value_text(quoted(plain), rules)} AS {quoted(name)}")


def alike(name: str) -> str:
    """The SQL of the same text for names (their SQL) that people may take for one.

    In capitals, with Latin letters in place of others that look the same, and one kind of dash.
    """
    usual = LATIN + "-" * len(DASHES)
    return f"upper(translate({name}, {text(LOOK_ALIKES + DASHES)}, {text(usual)}))"


def _as_seen(found: str) -> str:
    """The SQL of a text (its SQL) as people see it; most texts have nothing to change."""
    is_plain = f"octet_length({found}) = length({found})"
    has_blanks = f"contains({found}, '  ') OR contains({found}, {text(chr(9))})"
    usual = "".join(chr(character - FROM_FULL_TO_USUAL) for character in FULL_WIDTH)
    taken = "".join(map(chr, FULL_WIDTH)) + BLANK_CHARACTERS
    replaced = f"translate({found}, {text(taken + INVISIBLE_CHARACTERS)}, "
    replaced += f"{text(usual + ' ' * len(BLANK_CHARACTERS))})"
    seen = f"regexp_replace({replaced}, ' +', ' ')"
    composed = f"CASE WHEN {found} RLIKE {text(chr(92) + 'p{M}')} THEN {_composed(seen)} "
    composed += f"ELSE {seen} END"
    return f"CASE WHEN {is_plain} AND NOT ({has_blanks}) THEN {found} ELSE {composed} END"


def _composed(found: str) -> str:
    """The SQL of a text (its SQL) with each accent put together with the letter before it."""
    cases = " ".join(
        f"WHEN {text(mark)} THEN translate(right(done, 1), {text(letters)}, {text(together)})"
        for mark, (letters, together) in _compositions().items()
    )
    # One that has no letter with this accent stays as it is.
    with_mark = (
        "CASE WHEN letter IS NULL OR letter = right(done, 1) THEN concat(done, mark) "
        "ELSE concat(substring(done, 1, length(done) - 1), letter) END"
    )
    step = f"get(transform(array(CASE mark {cases} END), letter -> {with_mark}), 0)"
    characters = f"regexp_extract_all({found}, '(?s).', 0)"
    return f"aggregate({characters}, '', (done, mark) -> {step})"


def _compositions() -> dict[str, tuple[str, str]]:
    """For each accent the letters that take it, and what they are together."""
    found: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for together in map(chr, LETTERS):
        parts = unicodedata.decomposition(together).split()
        if len(parts) != 2 or not all(len(part) == 4 for part in parts):
            continue
        letter, mark = (chr(int(part, 16)) for part in parts)
        if unicodedata.normalize("NFC", letter + mark) == together:
            found[mark][0].append(letter)
            found[mark][1].append(together)
    return {mark: ("".join(one), "".join(other)) for mark, (one, other) in found.items()}
