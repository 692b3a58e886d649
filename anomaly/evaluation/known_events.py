"""Known events of cells, such as trouble tickets, which alarms are compared with.

Each row is checked; one with a fault is told with its row and column, and never left out silently.
"""

from pyspark.sql import DataFrame
from pyspark.sql import types as T

from anomaly.cleaning.checks import NOT_DECODED
from anomaly.cleaning.columns import select_expected_columns
from anomaly.cleaning.names import with_name
from anomaly.cleaning.values import text_of
from anomaly.expressions.sql_text import instant
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
    # The names of cells are those of the samples, whoever wrote them.
    texts = (f"{_text(raw, name)} AS `{name} text`" for name in EVENT_COLUMNS if name != "CellName")
    row = f"{SOURCE_ROW_ID} - min({SOURCE_ROW_ID}) OVER (PARTITION BY {SOURCE_FILE}) + 1"
    return (
        raw.transform(with_name, "CellName", "CellName text", RULES)
        .selectExpr("*", *texts)
        .selectExpr(
            "*",
            f"{_time(raw, 'start')} AS started_at",
            f"{_time(raw, 'end')} AS ended_at",
            f"{row} AS source_row",
        )
        .selectExpr(
            "`CellName text` AS CellName",
            "`kind text` AS kind",
            "started_at",
            "ended_at",
            SOURCE_FILE,
            "source_row",
            f"{_problems()} AS problems",
        )
    )


def clean_events(checked: DataFrame) -> DataFrame:
    """The events without a fault: CellName, kind, started_at, ended_at."""
    return checked.where("size(problems) = 0").select("CellName", "kind", "started_at", "ended_at")


def faulty_events(checked: DataFrame) -> DataFrame:
    """The events with a fault: source_file, source_row and problems."""
    return checked.where("size(problems) > 0").select(SOURCE_FILE, "source_row", "problems")


def _text(raw: DataFrame, name: str) -> str:
    return text_of(name, RULES) if name in raw.columns else "CAST(NULL AS string)"


def _time(raw: DataFrame, name: str) -> str:
    """The SQL of the instant that a column tells; a time without a zone is in UTC."""
    if isinstance(raw.schema[name].dataType, T.TimestampType):
        return f"`{name}`"
    return instant(f"`{name} text`")


def _problems() -> str:
    """The SQL of what is wrong with a row; of a broken line only that it is one."""
    found = (
        _problem("`CellName text` IS NULL", "CellName", "'is empty'"),
        _problem(
            f"`CellName text` LIKE '%{NOT_DECODED}%'", "CellName", "'has bytes that are not UTF-8'"
        ),
        _problem("`start text` IS NULL", "start", "'is empty; when did the event begin?'"),
        *(
            _problem(
                f"`{name} text` IS NOT NULL AND {time} IS NULL",
                name,
                f"concat({_shown(name)}, ' is no date with a time; write it as 2026-03-01 14:15, "
                "with +01:00 or Z behind it where it is not UTC')",
            )
            for name, time in (("start", "started_at"), ("end", "ended_at"))
        ),
        _problem(
            "ended_at < started_at",
            "end",
            f"concat({_shown('end')}, ' is before the start, ', {_shown('start')})",
        ),
    )
    broken = "array('has more or fewer fields than the header')"
    each = f"filter(array({', '.join(found)}), problem -> problem IS NOT NULL)"
    return f"CASE WHEN {MALFORMED_LINE} THEN {broken} ELSE {each} END"


def _problem(condition: str, column: str, told: str) -> str:
    return f"CASE WHEN {condition} THEN concat('column {column}: ', {told}) END"


def _shown(name: str) -> str:
    return f"left(`{name} text`, {SHOWN_CHARACTERS})"
