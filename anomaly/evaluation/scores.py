"""How good alarms are against known events: recall, precision, false alarms and delay.

An alarm belongs to an event of its cell if it was raised between the start of the event and a while
after its end (`Margins.aftermath`): what a fault leaves behind is not a second fault. It finds the
event if it was raised sooner than that (`Margins.found_within`); later it is of no use. An alarm
that belongs to no event is false, also one that was raised before an event began and still stands.
So it only counts when alarms are raised.

Counted are the events that began, and the alarms that were raised, in the time that was judged. An
event that began before may still be what an alarm in that time belongs to.
"""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.evaluation.margins import USUAL, Margins
from anomaly.expressions.arithmetic import ratio
from anomaly.expressions.frames import union
from anomaly.expressions.timestamps import instant, utc_text

QUARTER_HOUR_MICROSECONDS = 900_000_000
CELLS_NAMED = 10
FIGURE_TYPE = "struct<subject:string,item:string,value:double,detail:string>"

# Subjects of the figures; a kind of event comes behind its prefix.
ALL, JUDGED, LEFT_OUT, NOTED = "all", "judged", "left out", "noted"
OF_KIND, WITHOUT_KIND = "kind: ", "no kind"

Figures = Mapping[str, Column]


def judged_time(summary: DataFrame) -> DataFrame:
    """From the figures of runs for alarms (tables.SUMMARY_COLUMNS) what they judged: one row.

    judged_from, judged_until (the first instant that was not judged) and cell_days (quarter hours
    of all cells / 96); NULL where the figures do not tell.
    """
    item = F.col("item")
    time = instant(F.col("detail"))
    is_judged = (F.col("section") == "alarms") & (F.col("subject") == "judged")
    return summary.where(is_judged).agg(
        F.min(F.when(item == "from", time)).alias("judged_from"),
        F.max(F.when(item == "until", time)).alias("judged_until"),
        F.sum(F.when(item == "cell days", F.col("value"))).alias("cell_days"),
    )


def evaluate(
    alarms: DataFrame,
    events: DataFrame,
    judged: DataFrame,
    cells: DataFrame,
    margins: Margins = USUAL,
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
        .select(
            F.inline(
                F.when(F.col("subject") == ALL, F.array(*_figures_of_all())).otherwise(
                    F.array(*_figures(F.col("subject"), _of_events()))
                )
            )
        )
    )


def _cells(alarms: DataFrame, events: DataFrame, judged: DataFrame, cells: DataFrame) -> DataFrame:
    """A row per cell with all that is known of it, and one without a name, so that there is one.

    CellName, raised (when alarms were raised), events (array of started_at, ended_at and kind, in
    this order) and is_known (whether an alarm or `cells` name it).
    """
    is_known = F.lit(True).alias("is_known")
    named = (
        judged.select(F.lit(None).cast("string").alias("CellName")),
        alarms.select("CellName", "raised_at", is_known),
        events.select("CellName", F.struct("started_at", "ended_at", "kind").alias("event")),
        cells.select("CellName", is_known),
    )
    return (
        union(named, allow_missing=True)
        .groupBy("CellName")
        .agg(
            F.sort_array(F.collect_list("raised_at")).alias("raised"),
            F.sort_array(F.collect_list("event")).alias("events"),
            F.coalesce(F.bool_or("is_known"), F.lit(False)).alias("is_known"),
        )
    )


def _compared(cells: DataFrame, margins: Margins) -> DataFrame:
    """Adds to cells in the judged time how many alarms they had, and what became of each event.

    alarms and true_alarms (within the judged time), alarms_outside; compared: array of the events
    with kind, is_open, is_overlapping, place (`before`, `within` or `after` the judged time) and
    delay (microseconds until the alarm that found it; NULL where none did or it is not counted).
    """
    judged_from, judged_until = F.col("judged_from"), F.col("judged_until")
    raised, events, raised_within = (F.col(name) for name in ("raised", "events", "raised_within"))

    def is_true(moment: Column) -> Column:
        return F.exists(events, lambda event: _belongs(moment, event, margins.aftermath))

    def compared(event: Column, before: Column) -> Column:
        started = event["started_at"]
        place = (
            F.when(started < judged_from, "before")
            .when(started < judged_until, "within")
            .otherwise("after")
        )
        # Events are in the order of their start.
        is_overlapping = F.exists(
            F.slice(events, F.lit(1), before),
            lambda earlier: earlier["ended_at"].isNull() | (earlier["ended_at"] > started),
        )
        finding = F.filter(raised, lambda moment: _belongs(moment, event, margins.found_within))
        return F.struct(
            event["kind"].alias("kind"),
            place.alias("place"),
            event["ended_at"].isNull().alias("is_open"),
            is_overlapping.alias("is_overlapping"),
            (F.unix_micros(F.array_min(finding)) - F.unix_micros(started)).alias("delay"),
        )

    within = F.filter(raised, lambda moment: (moment >= judged_from) & (moment < judged_until))
    return (
        cells.withColumn("raised_within", within)
        .withColumns(
            {
                "alarms": F.array_size(raised_within),
                "true_alarms": F.array_size(F.filter(raised_within, is_true)),
                "alarms_outside": F.array_size(raised) - F.array_size(raised_within),
                "compared": F.transform(events, compared),
            }
        )
        .drop("raised", "raised_within", "events")
    )


def _belongs(moment: Column, event: Column, minutes: int) -> Column:
    """Whether a moment lies between the start of an event and so long after its end.

    The end is the first time that is well again, so it does not belong to the event itself.
    """
    until = event["ended_at"] + F.make_dt_interval(mins=F.lit(minutes))
    return (moment >= event["started_at"]) & (event["ended_at"].isNull() | (moment < until))


def _counted(compared: DataFrame, judged_columns: Sequence[str]) -> DataFrame:
    """A row for all events and alarms, and one per kind of event that began in the judged time."""
    event, is_known = F.col("event"), F.col("is_known")
    place = event["place"]
    kind = F.coalesce(F.concat(F.lit(OF_KIND), event["kind"]), F.lit(WITHOUT_KIND))
    is_counted = place == "within"
    counts = {
        "events": is_counted,
        "events_before": place == "before",
        "events_after": place == "after",
        "open_events": is_counted & event["is_open"],
        "overlapping_events": is_counted & event["is_overlapping"],
        "events_of_unknown_cells": is_counted & ~is_known,
    }
    # The alarms of a cell stand in the row of its first event, or in its only one.
    is_first = F.coalesce("position", F.lit(0)) == 0
    of_cell = ("alarms", "true_alarms", "alarms_outside")
    unknown = F.when(is_counted & ~is_known, F.col("CellName"))
    delay = F.when(is_counted, event["delay"])
    of_all = F.array(F.lit(ALL))
    subjects = F.when(is_counted, F.concat(of_all, F.array(kind))).otherwise(of_all)
    return (
        compared.select("*", F.posexplode_outer("compared").alias("position", "event"))
        .withColumn("subject", F.explode(subjects))
        .groupBy("subject", *judged_columns)
        .agg(
            *(F.count_if(holds).alias(name) for name, holds in counts.items()),
            *(F.sum(F.when(is_first, F.col(name))).alias(name) for name in of_cell),
            F.array_sort(F.collect_set(unknown)).alias("unknown_cells"),
            F.count(delay).alias("found"),
            *(
                F.percentile(delay, share).alias(name)
                for name, share in (("median_delay", 0.5), ("long_delay", 0.9))
            ),
        )
    )


def _with_shares(counted: DataFrame) -> DataFrame:
    """Adds recall and precision, and turns delays into quarter hours."""
    return counted.withColumns(
        {
            "recall": _share("found", "events"),
            "precision": _share("true_alarms", "alarms"),
            **{
                name: F.col(name) / QUARTER_HOUR_MICROSECONDS
                for name in ("median_delay", "long_delay")
            },
        }
    )


def _share(part: str, whole: str) -> Column:
    return ratio(F.col(part), F.col(whole))


def _of_events() -> Figures:
    return {
        "events": F.col("events"),
        "found events": F.col("found"),
        "recall": F.col("recall"),
        "median delay in quarter hours": F.col("median_delay"),
        "90 % delay in quarter hours": F.col("long_delay"),
    }


def _of_alarms() -> Figures:
    alarms, true_alarms, recall, precision = (
        F.col(name) for name in ("alarms", "true_alarms", "recall", "precision")
    )
    both = recall + precision
    return {
        "alarms": alarms,
        "true alarms": true_alarms,
        "false alarms": alarms - true_alarms,
        "precision": precision,
        # The worst there is, where neither is more than nothing.
        "F1": F.coalesce(ratio(2 * recall * precision, both), both),
        "false alarms per cell and day": ratio(alarms - true_alarms, F.col("cell_days")),
    }


def _left_out() -> Figures:
    return {
        "events before the judged time": F.col("events_before"),
        "events after the judged time": F.col("events_after"),
        "alarms outside of the judged time": F.col("alarms_outside"),
    }


def _noted() -> Figures:
    return {
        "events that have not ended": F.col("open_events"),
        "events that begin while another of their cell lasts": F.col("overlapping_events"),
        "events of unknown cells": F.col("events_of_unknown_cells"),
    }


def _figures_of_all() -> list[Column]:
    cells = F.col("unknown_cells")
    names = F.concat(
        F.array_join(F.slice(cells, 1, CELLS_NAMED), ", "),
        F.when(F.array_size(cells) > CELLS_NAMED, ", ...").otherwise(""),
    )
    times = {"from": F.col("judged_from"), "until": F.col("judged_until")}
    return [
        *_figures(F.lit(ALL), {**_of_events(), **_of_alarms()}),
        *(
            _figure(F.lit(JUDGED), item, F.lit(None), utc_text(time))
            for item, time in times.items()
        ),
        *_figures(F.lit(JUDGED), {"cell days": F.col("cell_days")}),
        *_figures(F.lit(LEFT_OUT), _left_out()),
        *_figures(F.lit(NOTED), _noted()),
        _figure(F.lit(NOTED), "unknown cells", F.array_size(cells), names),
    ]


def _figures(subject: Column, items: Figures) -> list[Column]:
    return [_figure(subject, item, value) for item, value in items.items()]


def _figure(subject: Column, item: str, value: Column, detail: Column | None = None) -> Column:
    return F.struct(subject, F.lit(item), value, F.lit(detail)).cast(FIGURE_TYPE)
