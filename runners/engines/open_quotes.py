"""The rule of quotes that never close: to a CSV parser the rows after them are one long field.

Line breaks inside quotes stay possible. The rows inside a field cannot be counted, so that the file
is refused where a field holds some; a row is malformed where a line break breaks a value in two.
"""

import re
from dataclasses import dataclass

# A longer field is refused: else the rest of a file has to fit in memory, twice.
MOST_CHARACTERS = 1 << 24
# What is said of a refused file, up to the end of the line.
REFUSAL = "holds rows inside quotes"
REFUSAL_IN_FULL = (
    f"{REFUSAL}: a quote does not close, or only some rows later. It is in one of the lines that "
    "`awk -F'\"' 'NF % 2 == 0'` prints"
)
# Between fields that are looked at together, where texts have none.
END = "\x1f"


@dataclass(frozen=True)
class QuotePatterns:
    """What is looked for in the fields of a row, joined by END, for Java and for Python.

    A field holds rows if all fields have has_a_row or is_open, or the values that are read have
    goes_on; of a malformed row, if any field has goes_on. breaks_a_value: a line break inside one.
    """

    has_a_row: str
    is_open: str
    goes_on: str
    breaks_a_value: str

    @classmethod
    def of(cls, width: int, delimiter: str) -> "QuotePatterns":
        """The patterns of files with so many columns."""
        mark = re.escape(delimiter)
        return cls(
            # A line inside a field that has as many delimiters as a row.
            has_a_row=f"\n(?:[^\n{END}{mark}]*{mark}){{{max(1, width - 1)}}}",
            # A quote that is left at the beginning was closed by none.
            is_open=f'(?:^|{END})"[^{END}]*\n',
            goes_on=f'\n[^{END}]*["{mark}]',
            breaks_a_value=f"\n[^{END}]*[^ \t\n\x0b\f\r{END}]",
        )
