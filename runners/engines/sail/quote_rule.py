"""Finds quotes that never close, in records that hold line breaks.

The rule of `runners.storage.open_quotes`, said of one record: rows inside a field cannot be
counted, so that their file is refused; a record is malformed where a line break breaks a value in
two.
"""

import re
from collections.abc import Callable, Sequence

from anomaly.errors import InputError

# Of a field: the rest of a file would have to fit in memory.
MOST_CHARACTERS = 1 << 24
# Between fields, where texts have none.
END = "\x1f"

Fields = Sequence[str | None]


def never_closes(uri: str) -> InputError:
    """The refusal of a file of which a field is longer than any field is."""
    return InputError(f"cannot be read: {uri}: a quote does not close")


def holds_rows(uri: str) -> InputError:
    """The refusal of a file of which a field holds other rows."""
    return InputError(
        f"cannot be read: {uri}: holds rows inside quotes: a quote does not close, or only some "
        "rows later. It is in one of the lines that `awk -F'\"' 'NF % 2 == 0'` prints"
    )


def broken_by_quotes(
    width: int, read: Sequence[int], delimiter: str, uri: str
) -> Callable[[Fields, bool], bool]:
    """A function that tells whether a record with line breaks inside is malformed.

    It is told the fields of the record, of which those at `read` are read, and whether they are
    too many or too few. It raises InputError where one of them holds other rows.
    """
    mark = re.escape(delimiter)
    # A line inside a field that has as many delimiters as a row.
    has_a_row = re.compile(f"\n(?:[^\n{END}{mark}]*{mark}){{{max(1, width - 1)}}}")
    # A quote that is left at the beginning was closed by none.
    is_open = re.compile(f'(?:^|{END})"[^{END}]*\n')
    goes_on = re.compile(f'\n[^{END}]*["{mark}]')
    breaks_a_value = re.compile(f"\n[^{END}]*[^ \t\n\x0b\f\r{END}]")

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
