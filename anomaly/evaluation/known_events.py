"""Known events of cells, such as trouble tickets, which alarms are compared with.

Each row is checked; one with a fault is told with its row and column, and never left out silently.
"""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from anomaly.cleaning.checks import NOT_DECODED
from anomaly.cleaning.columns import select_expected_columns
from anomaly.cleaning.names import with_name
from anomaly.cleaning.values import text_of
from anomaly.expressions.timestamps import instant
from anomaly.profile.sections import InputRules
from anomaly.schema.inputs import MALFORMED_LINE, SOURCE_FILE, SOURCE_ROW_ID

TRUTH = "truth"
# Whether each column must be there.
EVENT_COLUMNS = {"CellName": True, "start": True, "end": True, "kind": False}
EVENT_TIMES = ("start", "end")
# Which texts stand for no value.
RULES = InputRules()
SHOWN_CHARACTERS = 60


def conform_events(raw: DataFrame, origin: str = "") -> DataFrame:
    """The columns of known events by their names, and where rows come from.

    `origin` (a file or folder) stands in messages. Raises InputError for a column that is missing,
    there twice or of a type that holds neither text nor time.
    """
    where = f"{TRUTH} ({origin})" if origin else TRUTH
    return select_expected_columns(raw, EVENT_COLUMNS, where, EVENT_TIMES)


def check_events(raw: DataFrame) -> DataFrame:
    """Checked events, a row per raw row.

    CellName, kind (NULL where none is told), started_at, ended_at (the first time that is well
    again, NULL while the event lasts), source_file, source_row (the first after a header is 1) and
    problems (array of texts, empty where the row has no fault). Raises InputError as
    `conform_events` does.
    """
    raw = conform_events(raw)
    in_file = Window.partitionBy(SOURCE_FILE)
    # The names of cells are those of the samples, whoever wrote them.
    return (
        raw.transform(with_name, "CellName", "CellName text", RULES)
        .withColumns({f"{name} text": _text(raw, name) for name in ("start", "end", "kind")})
        .withColumns(
            {
                "started_at": _time(raw, "start"),
                "ended_at": _time(raw, "end"),
                "source_row": F.col(SOURCE_ROW_ID) - F.min(SOURCE_ROW_ID).over(in_file) + 1,
            }
        )
        .select(
            F.col("CellName text").alias("CellName"),
            F.col("kind text").alias("kind"),
            "started_at",
            "ended_at",
            SOURCE_FILE,
            "source_row",
            _problems().alias("problems"),
        )
    )


def clean_events(checked: DataFrame) -> DataFrame:
    """The events without a fault: CellName, kind, started_at, ended_at."""
    return checked.where(F.array_size("problems") == 0).select(
        "CellName", "kind", "started_at", "ended_at"
    )


def faulty_events(checked: DataFrame) -> DataFrame:
    """The events with a fault: source_file, source_row and problems."""
    return checked.where(F.array_size("problems") > 0).select(SOURCE_FILE, "source_row", "problems")


def _text(raw: DataFrame, name: str) -> Column:
    return text_of(name, RULES) if name in raw.columns else F.lit(None).cast("string")


def _time(raw: DataFrame, name: str) -> Column:
    """The instant that a column tells; a time without a zone is in UTC."""
    if isinstance(raw.schema[name].dataType, T.TimestampType):
        return F.col(name)
    return instant(F.col(f"{name} text"))


def _problems() -> Column:
    """What is wrong with a row; of a broken line only that it is one."""
    cell, start, end = (F.col(f"{name} text") for name in ("CellName", "start", "end"))
    no_time = (
        " is no date with a time; write it as 2026-03-01 14:15, with +01:00 or Z behind it where "
        "it is not UTC"
    )
    found = (
        _problem(cell.isNull(), "CellName", F.lit("is empty")),
        _problem(cell.contains(NOT_DECODED), "CellName", F.lit("has bytes that are not UTF-8")),
        _problem(start.isNull(), "start", F.lit("is empty; when did the event begin?")),
        *(
            _problem(
                text.isNotNull() & F.col(time).isNull(),
                name,
                F.concat(_shown(text), F.lit(no_time)),
            )
            for name, text, time in (("start", start, "started_at"), ("end", end, "ended_at"))
        ),
        _problem(
            F.col("ended_at") < F.col("started_at"),
            "end",
            F.concat(_shown(end), F.lit(" is before the start, "), _shown(start)),
        ),
    )
    broken = F.array(F.lit("has more or fewer fields than the header"))
    return F.when(F.col(MALFORMED_LINE), broken).otherwise(F.array_compact(F.array(*found)))


def _problem(condition: Column, column: str, words: Column) -> Column:
    return F.when(condition, F.concat(F.lit(f"column {column}: "), words))


def _shown(text: Column) -> Column:
    return F.left(text, F.lit(SHOWN_CHARACTERS))
