"""The rule of quotes that never close, as a column."""

from collections.abc import Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.expressions.sql import quoted
from runners.engines.open_quotes import END, REFUSAL_IN_FULL, QuotePatterns


def is_broken(
    is_malformed: Column, file: Column, fields: Sequence[str], read: Sequence[str], delimiter: str
) -> Column:
    """Whether a row is malformed, or a line break is inside one of the values that are `read`.

    Its job fails where a field holds other rows.
    """
    everything, values = _joined(fields), _joined(read)
    patterns = QuotePatterns.of(len(fields), delimiter)
    holds_rows = (
        everything.rlike(patterns.has_a_row)
        | everything.rlike(patterns.is_open)
        | values.rlike(patterns.goes_on)
        | (is_malformed & everything.rlike(patterns.goes_on))
    )
    refusal = F.concat(file, F.lit(f": {REFUSAL_IN_FULL}"))
    told = (
        F.when(~everything.contains("\n"), is_malformed)
        .when(holds_rows, F.raise_error(refusal))
        .otherwise(is_malformed | values.rlike(patterns.breaks_a_value))
    )
    # What fails is NULL to Spark, and the column then another one than of files without quotes.
    return F.coalesce(told, F.lit(False))


def _joined(fields: Sequence[str]) -> Column:
    return F.concat_ws(END, *(F.col(quoted(name)) for name in fields))
