"""The names of cells: texts that people see as the same name are the same name.

Systems write a name with other blanks, with characters that nobody sees, in full width, or with an
accent as a character of its own. What follows makes one text of them: blanks within a name become
one space, what is not seen is removed, full width becomes usual, and letters are composed with
their accents (the Unicode form NFC, of the letters that are usual in Europe).
"""

import unicodedata

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.cleaning.values import BLANK_CHARACTERS, INVISIBLE_CHARACTERS, trimmed, value_text
from anomaly.expressions.sql import column as named
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
    seen = trimmed(_as_seen(named(column).cast("string")))
    # Step by step, so that each text is looked at once although it is used several times.
    return raw.withColumn(plain, seen).withColumn(name, value_text(F.col(plain), rules))


def alike(name: Column) -> Column:
    """The same text for names that people may take for one.

    In capitals, with Latin letters in place of others that look the same, and one kind of dash.
    """
    usual = LATIN + "-" * len(DASHES)
    return F.upper(F.translate(name, LOOK_ALIKES + DASHES, usual))


def _as_seen(found: Column) -> Column:
    """A text as people see it; most texts have nothing to change."""
    is_plain = F.octet_length(found) == F.length(found)
    has_blanks = found.contains("  ") | found.contains("\t")
    usual = "".join(chr(character - FROM_FULL_TO_USUAL) for character in FULL_WIDTH)
    taken = "".join(map(chr, FULL_WIDTH)) + BLANK_CHARACTERS
    replaced = F.translate(found, taken + INVISIBLE_CHARACTERS, usual + " " * len(BLANK_CHARACTERS))
    seen = F.regexp_replace(replaced, " +", " ")
    composed = F.when(found.rlike(r"\p{M}"), _composed(seen)).otherwise(seen)
    return F.when(is_plain & ~has_blanks, found).otherwise(composed)


def _composed(found: Column) -> Column:
    """A text with each accent put together with the letter before it."""
    compositions = _compositions()
    # A map would be made anew by each pass of an engine over its plan.
    apart, together = f"|{'|'.join(compositions)}|", "".join(compositions.values())

    def put_together(done: Column, mark: Column) -> Column:
        pair = F.concat(F.lit("|"), F.right(done, F.lit(1)), mark, F.lit("|"))
        place = F.position(pair, F.lit(apart))
        letter = F.lit(together).substr(((place + 2) / 3).cast("int"), F.lit(1))
        before = done.substr(F.lit(1), F.length(done) - 1)
        # One that has no letter with this accent stays as it is.
        return F.when(place == 0, F.concat(done, mark)).otherwise(F.concat(before, letter))

    return F.aggregate(F.regexp_extract_all(found, F.lit("(?s)."), 0), F.lit(""), put_together)


def _compositions() -> dict[str, str]:
    """For each letter and the accent behind it what they are together."""
    found = {}
    for together in map(chr, LETTERS):
        parts = unicodedata.decomposition(together).split()
        if len(parts) != 2 or not all(len(part) == 4 for part in parts):
            continue
        apart = "".join(chr(int(part, 16)) for part in parts)
        if unicodedata.normalize("NFC", apart) == together:
            found[apart] = together
    return found
