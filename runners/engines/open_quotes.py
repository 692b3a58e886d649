"""Finds quotes that never close: to a CSV parser the rows after them are one long field.

Line breaks inside quotes stay possible. The rows inside a field cannot be counted, so that the file
is refused where a field holds some; a row is rejected where a line break breaks a value in two.
"""

import re
from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.expressions.sql import quoted

# A longer field ends the job: else the rest of a file has to fit in memory, twice.
MOST_CHARACTERS = 1 << 24
# What a job says that ends for it, up to the end of the line.
REFUSAL = "holds rows inside quotes"
# Between fields, where texts have none.
END = "\\x1f"


def is_broken(
    is_malformed: Column, file: Column, fields: Sequence[str], read: Sequence[str], delimiter: str
) -> Column:
    """Whether a row is malformed, or a line break is inside one of the values that are `read`.

    Its job fails where a field holds other rows.
    """
    everything, values = _joined(fields), _joined(read)
    mark = re.escape(delimiter)
    # A line inside a field that has as many delimiters as a row.
    has_a_row = everything.rlike(f"\n(?:[^\n{END}{mark}]*{mark}){{{max(1, len(fields) - 1)}}}")
    # A quote that is left at the beginning was closed by none.
    is_open = everything.rlike(f'(?:^|{END})"[^{END}]*\n')
    goes_on = f'\n[^{END}]*["{mark}]'
    holds_rows = (
        has_a_row | is_open | values.rlike(goes_on) | (is_malformed & everything.rlike(goes_on))
    )
    refusal = F.concat(
        file,
        F.lit(
            f": {REFUSAL}: a quote does not close, or only some rows later. It is in one of the "
            f"lines that `awk -F'\"' 'NF % 2 == 0'` prints"
        ),
    )
    told = (
        F.when(~everything.contains("\n"), is_malformed)
        .when(holds_rows, F.raise_error(refusal))
        .otherwise(is_malformed | values.rlike(f"\n[^{END}]*[^\\s{END}]"))
    )
    # What fails is NULL to Spark, and the column then another one than of files without quotes.
    return F.coalesce(told, F.lit(False))


def _joined(fields: Sequence[str]) -> Column:
    return F.concat_ws("\x1f", *(F.col(quoted(name)) for name in fields))
