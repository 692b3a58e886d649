"""The rejected rows of a refused run: its messages name the most common ones, and all are kept."""

import re
from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from anomaly.cleaning.duplicates import BEYOND_LIMIT
from anomaly.errors import OutputError
from anomaly.pipeline.pseudonyms import withheld_texts
from anomaly.schema.inputs import SOURCE_FILE
from anomaly.schema.reasons import REASONS
from anomaly.schema.tables import REJECTED_TABLE
from runners.engines.errors import reading_and_writing
from runners.services.plurals import counted
from runners.storage.destination import Storage

KINDS_NAMED, LONGEST_TEXT = 3, 120
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
DECIMAL_POINT = re.compile(r"[+-]?\d+\.\d+")
WITH_UNIT = re.compile(r"[+-]?\d+([.,]\d+)?\s*[^\d\s.,;:+-][^\d]*")


class Rejections:
    """The staged rejected rows of a run (tables.REJECTED_COLUMNS).

    Counting them takes a job, so only a run that is refused does it. Texts of customers and their
    calls are withheld unless `tells_persons`.
    """

    def __init__(self, rejected: DataFrame, tells_persons: bool) -> None:
        self._rejected, self.tells_persons = rejected, tells_persons

    def commonest_rows(self, source: str) -> str:
        """The most common reasons for which rows of an input were rejected, in words."""
        found = self._commonest(_of(source, "row"), ["reason", "column"], "raw_row")
        return "; ".join(
            f"{counted(row.row_count, 'row')}: {row.reason}"
            f"{f' in column {row.column}' if row.column else ''} "
            f"({REASONS[row.reason].meaning}), first {_place(row)}"
            for row in found
        )

    def commonest_values(self, source: str, column: str) -> tuple[str, list[str]]:
        """The most common rejected texts of a column, in words and verbatim."""
        bad_values = [code for code, reason in REASONS.items() if reason.is_fault]
        is_wanted = _of(source, "value") & (F.col("column") == column)
        found = self._commonest(
            is_wanted & F.col("reason").isin(bad_values), ["reason", "raw_value"], "raw_value"
        )
        words = (
            f"{counted(row.row_count, 'time')} {row.reason}, first {_place(row)}" for row in found
        )
        return "; ".join(words), [row.first.text for row in found if row.first.text is not None]

    def keep(self, out: Storage) -> str:
        """Write them beside the output, and say where; an empty text if there are none."""
        if self._rejected.isEmpty():
            return ""
        if out.folder is None:
            return "; the rejected rows are kept where the output is a folder or gs://"
        target = f"{out.folder}-refused/{REJECTED_TABLE}"
        try:
            with reading_and_writing(target):
                self._rejected.write.mode("overwrite").parquet(target)
        except OutputError as error:
            return f"; the rejected rows could not be kept: {error}"
        return f"; the rejected rows are in {target}"

    def _commonest(self, is_wanted: Column, alike: Sequence[str], text: str) -> list[Row]:
        """The most frequent kinds of rejection, each with the first place where it occurs."""
        first = F.min(F.struct(SOURCE_FILE, "source_row", F.col(text).alias("text")))
        wanted = self._rejected.where(is_wanted)
        if not self.tells_persons:
            wanted = withheld_texts(wanted)
        kinds = wanted.groupBy(*alike).agg(
            F.count(F.lit(1)).alias("row_count"), first.alias("first")
        )
        with reading_and_writing(REJECTED_TABLE):
            return kinds.orderBy(F.desc("row_count"), "first").limit(KINDS_NAMED).collect()


def cure(texts: Sequence[str], source: str) -> str:
    """The likely remedy, from texts that are not numbers."""
    section = f"[inputs.{source}]"
    if any(DECIMAL_COMMA.fullmatch(text) for text in texts):
        return f'decimal commas? Set decimal = "," in {section}'
    if any(DECIMAL_POINT.fullmatch(text) for text in texts):
        return f'decimal points? Set decimal = "." in {section}'
    if any(WITH_UNIT.fullmatch(text) for text in texts):
        return "a unit in the values? Write only the number"
    if any(text.lower() == "nan" for text in texts):
        return f'NaN for no value? Add "nan" to missing_texts in {section}'
    return "correct the values, or the KPI's range in the profile"


def _of(source: str, scope: str) -> Column:
    return (F.col("source") == source) & (F.col("scope") == scope)


def _place(row: Row) -> str:
    """The first place where a rejection occurs, with its text."""
    first = row.first
    text = "(text withheld)" if first.text is None else repr(_shortened(first.text))
    shown = "" if row.reason == BEYOND_LIMIT else f"{text} "
    return f"{shown}in {first.source_file or '(no file)'}, row {first.source_row}"


def _shortened(text: str) -> str:
    """Both ends of a long text, because the keys of a row are there."""
    half = LONGEST_TEXT // 2
    return text if len(text) <= LONGEST_TEXT else f"{text[:half]}...{text[-half:]}"
