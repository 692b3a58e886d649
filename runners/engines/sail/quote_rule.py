"""The rule of quotes that never close (runners.engines.open_quotes), said of one record."""

import re
from collections.abc import Callable, Sequence

from anomaly.errors import InputError
from runners.engines.open_quotes import END, REFUSAL_IN_FULL, QuotePatterns

Fields = Sequence[str | None]


def never_closes(uri: str) -> InputError:
    """The refusal of a file of which a field is longer than any field is."""
    return InputError(f"cannot be read: {uri}: a quote does not close")


def holds_rows(uri: str) -> InputError:
    """The refusal of a file of which a field holds other rows."""
    return InputError(f"cannot be read: {uri}: {REFUSAL_IN_FULL}")


def broken_by_quotes(
    width: int, read: Sequence[int], delimiter: str, uri: str
) -> Callable[[Fields, bool], bool]:
    """A function that tells whether a record with line breaks inside is malformed.

    It is told the fields of the record, of which those at `read` are read, and whether they are
    too many or too few. It raises InputError where one of them holds other rows.
    """
    patterns = QuotePatterns.of(width, delimiter)
    has_a_row, is_open = re.compile(patterns.has_a_row), re.compile(patterns.is_open)
    goes_on, breaks_a_value = re.compile(patterns.goes_on), re.compile(patterns.breaks_a_value)

    def is_broken(fields: Fields, is_malformed: bool) -> bool:
        everything = _joined(fields)
        if "\n" not in everything:
            return is_malformed
        values = _joined([fields[position] for position in read])
        if (
            has_a_row.search(everything)
            or is_open.search(everything)
            or goes_on.search(values)
            or (is_malformed and goes_on.search(everything))
        ):
            raise holds_rows(uri)
        return is_malformed or breaks_a_value.search(values) is not None

    return is_broken


def _joined(fields: Fields) -> str:
    return END.join(field for field in fields if field is not None)
