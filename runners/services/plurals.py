"""Numbers with their nouns, in the singular or the plural: "1 row", "2,000 rows"."""


def counted(number: float, noun: str, plural: str | None = None) -> str:
    """A count with its noun.

    number: a whole number, as int or as double.
    noun: the singular, such as "row".
    plural: where it is irregular; by default the noun and an s.
    """
    word = noun if number == 1 else plural or f"{noun}s"
    return f"{number:,.0f} {word}"
