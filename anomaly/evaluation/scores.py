"""How good alarms are against known events: recall, precision, false alarms and delay.

An alarm belongs to an event of its cell if it was raised between the start of the event and a while
after its end (`Margins.aftermath`): what a fault leaves behind is not a second fault. It finds the
event if it was raised sooner than that (`Margins.found_within`); later it is of no use. An alarm
that belongs to no event is false, also one that was raised before an event began and still stands.
So it only counts when alarms are raised.

Counted are the events that began, and the alarms that were raised, in the time that was judged. An
event that began before may still be what an alarm in that time belongs to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.sql_text import instant, utc_text

QUARTER_HOUR_MICROSECONDS = 900_000_000
CELLS_NAMED = 10

# Subjects of the figures; a kind of event comes behind its prefix.
ALL, JUDGED, LEFT_OUT, NOTED = "all", "judged", "left out", "noted"
OF_KIND, WITHOUT_KIND = "kind: ", "no kind"

# item -> SQL, of the columns of `_counted`.
EVENT_ITEMS = {
    "events": "events",
    "found events": "found",
    "recall": "recall",
    "median delay in quarter hours": "delays[0]",
    "90 % delay in quarter hours": "delays[1]",
}
ALARM_ITEMS = {
    "alarms": "alarms",
    "true alarms": "true_alarms",
    "false alarms": "alarms - true_alarms",
    "precision": "precision",
    # The worst there is, where neither is more than nothing.
    "F1": "coalesce(2 * recall * precision / nullif(recall + precision, 0), recall + precision)",
    "false alarms per cell and day": "(alarms - true_alarms) / nullif(cell_days, 0)",
}
LEFT_OUT_ITEMS = {
    "events before the judged time": "events_before",
    "events after the judged time": "events_after",
    "alarms outside of the judged time": "alarms_outside",
}
NOTED_ITEMS = {
    "events that have not ended": "open_events",
    "events that begin while another of their cell lasts": "overlapping_events",
    "events of unknown cells": "events_of_unknown_cells",
}


@dataclass(frozen=True)
class Margins:
    """How long after the end of an event an alarm still finds it, and belongs to it, in minutes."""

    found_within: int = 30
    aftermath: int = 60


def judged_time(summary: DataFrame) -> DataFrame:
    """From the figures of runs for alarms (tables.SUMMARY_COLUMNS) what they judged: one row.

    judged_from, judged_until (the first instant that was not judged) and cell_days (quarter hours
    of all cells / 96); NULL where the figures do not tell.
    """
    return summary.where("section = 'alarms' AND subject = 'judged'").agg(
        F.expr(f"min(CASE WHEN item = 'from' THEN {instant('detail')} END) AS judged_from"),
        F.expr(f"max(CASE WHEN item = 'until' THEN {instant('detail')} END) AS judged_until"),
        F.expr("sum(CASE WHEN item = 'cell days' THEN value END) AS cell_days"),
    )


def evaluate(
    alarms: DataFrame,
    events: DataFrame,
    judged: DataFrame,
    cells: DataFrame,
    margins: Margins = Margins(),
) -> DataFrame:
    """How good alarms are, as figures: subject, item, value (double) and detail.

    alarms: CellName, raised_at. events: known_events.clean_events. judged: `judged_time`. cells:
    the CellName of each cell that is known to have been judged, any number of times.

    The subjects are `all`, a kind of event (`kind: outage`), `judged` (from and until, with their
    UTC text as detail), `left out` and `noted`. A figure that would be divided by nothing is NULL:
    there is no data to tell it from.
    """
    return (
        _cells(alarms, events, judged, cells)
        # Many rows to the one row of the judged time.
        .join(F.broadcast(judged), how="cross")
        .transform(_compared, margins)
        .transform(_counted, judged.columns)
        .transform(_with_shares)
        .selectExpr(
            f"inline(CASE WHEN subject = '{ALL}' THEN array({_figures_of_all()}) "
            f"ELSE array({_figures('subject', EVENT_ITEMS)}) END)"
        )
    )


def _cells(alarms: DataFrame, events: DataFrame, judged: DataFrame, cells: DataFrame) -> DataFrame:
    """A row per cell with all that is known of it, and one without a name, so that there is one.

    CellName, raised (when alarms were raised), events (array of started_at, ended_at and kind, in
    this order) and is_known (whether an alarm or `cells` name it).
    """
    of_event = "struct(started_at, ended_at, kind) AS event"
    named = (
        judged.selectExpr("CAST(NULL AS string) AS CellName"),
        alarms.selectExpr("CellName", "raised_at", "TRUE AS is_known"),
        events.selectExpr("CellName", of_event),
        cells.selectExpr("CellName", "TRUE AS is_known"),
    )
    return (
        reduce(partial(DataFrame.unionByName, allowMissingColumns=True), named)
        .groupBy("CellName")
        .agg(
            F.expr("sort_array(collect_list(raised_at)) AS raised"),
            F.expr("sort_array(collect_list(event)) AS events"),
            F.expr("coalesce(bool_or(is_known), FALSE) AS is_known"),
        )
    )


def _compared(cells: DataFrame, margins: Margins) -> DataFrame:
    """Adds to cells in the judged time how many alarms they had, and what became of each event.

    alarms and true_alarms (within the judged time), alarms_outside; compared: array of the events
    with kind, is_open, is_overlapping, place (`before`, `within` or `after` the judged time) and
    delay (microseconds until the alarm that found it; NULL where none did or it is not counted).
    """
    is_within = "moment >= judged_from AND moment < judged_until"
    belongs = _belongs("moment", margins.aftermath)
    finds = _belongs("moment", margins.found_within)
    place = (
        "CASE WHEN event.started_at < judged_from THEN 'before' "
        "WHEN event.started_at < judged_until THEN 'within' ELSE 'after' END"
    )
    first = f"array_min(filter(raised, moment -> {finds}))"
    delay = f"unix_micros({first}) - unix_micros(event.started_at)"
    # Events are in the order of their start.
    overlaps = (
        "exists(slice(events, 1, before), "
        "earlier -> earlier.ended_at IS NULL OR earlier.ended_at > event.started_at)"
    )
    return (
        cells.withColumn("raised_within", F.expr(f"filter(raised, moment -> {is_within})"))
        .selectExpr(
            "*",
            "size(raised_within) AS alarms",
            f"size(filter(raised_within, moment -> exists(events, event -> {belongs}))) "
            "AS true_alarms",
            "size(raised) - size(raised_within) AS alarms_outside",
            f"transform(events, (event, before) -> struct(event.kind, {place} AS place, "
            f"event.ended_at IS NULL AS is_open, {overlaps} AS is_overlapping, {delay} AS delay)) "
            "AS compared",
        )
        .drop("raised", "raised_within", "events")
    )


def _belongs(moment: str, minutes: int) -> str:
    """The SQL of whether a moment lies between the start of `event` and so long after its end.

    The end is the first time that is well again, so it does not belong to the event itself.
    """
    until = f"event.ended_at + make_dt_interval(0, 0, {minutes})"
    return f"{moment} >= event.started_at AND (event.ended_at IS NULL OR {moment} < {until})"


def _counted(compared: DataFrame, judged_columns: Sequence[str]) -> DataFrame:
    """A row for all events and alarms, and one per kind of event that began in the judged time."""
    kind = f"coalesce(concat('{OF_KIND}', event.kind), '{WITHOUT_KIND}')"
    is_counted = "event.place = 'within'"
    counts = {
        "events": is_counted,
        "events_before": "event.place = 'before'",
        "events_after": "event.place = 'after'",
        "open_events": f"{is_counted} AND event.is_open",
        "overlapping_events": f"{is_counted} AND event.is_overlapping",
        "events_of_unknown_cells": f"{is_counted} AND NOT is_known",
    }
    # The alarms of a cell stand in the row of its first event, or in its only one.
    of_cell = ("alarms", "true_alarms", "alarms_outside")
    unknown = f"CASE WHEN {is_counted} AND NOT is_known THEN CellName END"
    delay = f"CASE WHEN {is_counted} THEN event.delay END"
    return (
        compared.selectExpr("*", "posexplode_outer(compared) AS (position, event)")
        .withColumn(
            "subject",
            F.expr(
                f"explode(CASE WHEN {is_counted} THEN array('{ALL}', {kind}) "
                f"ELSE array('{ALL}') END)"
            ),
        )
        .groupBy("subject", *judged_columns)
        .agg(
            *(F.expr(f"count_if({holds}) AS {name}") for name, holds in counts.items()),
            *(
                F.expr(f"sum(CASE WHEN coalesce(position, 0) = 0 THEN {name} END) AS {name}")
                for name in of_cell
            ),
            F.expr(f"array_sort(collect_set({unknown})) AS unknown_cells"),
            F.expr(f"count({delay}) AS found"),
            F.expr(f"percentile({delay}, array(0.5D, 0.9D)) AS delays"),
        )
    )


def _with_shares(counted: DataFrame) -> DataFrame:
    """Adds recall and precision, and turns delays into quarter hours."""
    return counted.withColumns(
        {
            "recall": F.expr("found / nullif(events, 0)"),
            "precision": F.expr("true_alarms / nullif(alarms, 0)"),
            "delays": F.expr(f"transform(delays, delay -> delay / {QUARTER_HOUR_MICROSECONDS})"),
        }
    )


def _figures_of_all() -> str:
    names = (
        f"concat(array_join(slice(unknown_cells, 1, {CELLS_NAMED}), ', '), "
        f"CASE WHEN size(unknown_cells) > {CELLS_NAMED} THEN ', ...' ELSE '' END)"
    )
    return ", ".join(
        (
            _figures(f"'{ALL}'", EVENT_ITEMS | ALARM_ITEMS),
            _figure(f"'{JUDGED}'", "from", "NULL", utc_text("judged_from")),
            _figure(f"'{JUDGED}'", "until", "NULL", utc_text("judged_until")),
            _figures(f"'{JUDGED}'", {"cell days": "cell_days"}),
            _figures(f"'{LEFT_OUT}'", LEFT_OUT_ITEMS),
            _figures(f"'{NOTED}'", NOTED_ITEMS),
            _figure(f"'{NOTED}'", "unknown cells", "size(unknown_cells)", names),
        )
    )


def _figures(subject: str, items: dict[str, str]) -> str:
    return ", ".join(_figure(subject, item, value) for item, value in items.items())


def _figure(subject: str, item: str, value: str, detail: str = "NULL") -> str:
    return (
        f"struct({subject} AS subject, '{item}' AS item, CAST({value} AS double) AS value, "
        f"CAST({detail} AS string) AS detail)"
    )
