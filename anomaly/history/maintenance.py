"""From the verdicts of days to the maintenance history: what is new, what lasts, what is over."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.arrays import let, struct_of
from anomaly.profile.sections import HistoryRules
from anomaly.schema.tables import DEFECT_COUNT, HISTORY_COLUMNS, RECENT_TYPE, RUN_COLUMNS, VERDICT
from anomaly.thresholds.verdict import NOT_REQUIRED, REQUIRED

HEALTHY, WATCHED, NEW, PERSISTING = "HEALTHY", "WATCHED", "NEW", "PERSISTING"
FLAPPING, RECOVERED, NO_DATA = "FLAPPING", "RECOVERED", "NO_DATA"

# What the history takes from the cell table of a day.
OF_CELLS = (VERDICT.name, "severity_rank", DEFECT_COUNT.name, "evaluated_kpis")
OWN_COLUMNS = tuple(column for column in HISTORY_COLUMNS if column not in RUN_COLUMNS)
# A row of the history without its cell.
ENTRY_TYPE = (
    f"struct<{', '.join(f'{column.name}: {column.type}' for column in OWN_COLUMNS[1:])}, "
    "run_date: date>"
)


def maintenance_history(
    cells: DataFrame, days: Sequence[date], before: DataFrame | None, rules: HistoryRules
) -> DataFrame:
    """A row per cell and day (tables.HISTORY_COLUMNS, without run_id and profile).

    `cells`: the published cell table of `days`, which are in order. `before`: the history of the
    day before them, None where there is none. A cell that is missing on a day has NO_DATA there.
    The state of a day follows from its verdict and from the row of the day before, so a day at a
    time gives the same rows as all at once.
    """
    found = cells.groupBy("CellName").agg(
        F.map_from_entries(F.collect_list(F.struct("run_date", F.struct(*OF_CELLS)))).alias("found")
    )
    last = F.lit(None).cast(ENTRY_TYPE)
    if before is not None:
        entry = F.struct(*(column.name for column in OWN_COLUMNS[1:]), "run_date")
        # The type of the other entries, in which every field may be NULL, or Sail refuses them.
        entries = before.select("CellName", entry.cast(ENTRY_TYPE).alias("last"))
        # One cell to at most one row of the day before, and the other way round.
        found, last = found.join(entries, on="CellName", how="full"), F.col("last")
    folded = F.aggregate(
        F.array(*(F.lit(str(day)).cast("date") for day in days)),
        F.array(last),
        lambda done, day: F.concat(done, F.array(_entry_of_day(done, day, rules))),
    )
    return (
        # The first is that of the day before.
        found.select("CellName", F.explode(F.slice(folded, 2, len(days))).alias("entry"))
        .where(F.col("entry").isNotNull())
        .select("CellName", "entry.*")
    )


def _entry_of_day(done: Column, day: Column, rules: HistoryRules) -> Column:
    """The entry of a day, from those before it (`done`) and from what was `found`.

    NULL for a cell that has not been seen so far, or not for so long that it is forgotten.
    """
    before = F.get(done, F.array_size(done) - 1)
    today = F.try_element_at(F.col("found"), day)
    both = struct_of({"before": before, "today": today})
    return let(both, lambda seen: _entry_of_seen(seen, day, rules))


def _entry_of_seen(seen: Column, day: Column, rules: HistoryRules) -> Column:
    before, today = seen["before"], seen["today"]
    is_forgotten = today.isNull() & (
        before.isNull()
        | (
            (before["state"] == NO_DATA)
            & (F.datediff(day, before["since"]) >= rules.forgotten_days)
        )
    )
    verdict = F.struct(day.alias("run_date"), today[VERDICT.name].alias("verdict"))
    # The newest first. One type for all, in which every field may be NULL, or Sail refuses them.
    known = (F.array(verdict), F.coalesce(before["recent"], F.array().cast(RECENT_TYPE)))
    all_known = F.concat(*(one.cast(RECENT_TYPE) for one in known))
    recent = F.slice(all_known, 1, max(rules.raise_within, rules.clear_days))

    def entry(recent: Column) -> Column:
        return let(
            _is_due(seen, recent, rules), lambda is_due: _entry(seen, recent, is_due, day, rules)
        )

    return F.when(~is_forgotten, let(recent, entry))


def _is_due(seen: Column, recent: Column, rules: HistoryRules) -> Column:
    """Whether maintenance is due, from the verdicts of the last days and from the day before."""
    required = F.filter(
        F.slice(recent, 1, rules.raise_within), lambda one: one["verdict"] == REQUIRED
    )
    is_clear = (F.array_size(recent) >= rules.clear_days) & F.forall(
        F.slice(recent, 1, rules.clear_days),
        lambda one: F.coalesce(one["verdict"] == NOT_REQUIRED, F.lit(False)),
    )
    is_required = F.coalesce(seen["today"][VERDICT.name] == REQUIRED, F.lit(False))
    was_due = seen["before"]["raised_on"].isNotNull()
    return (is_required & (F.array_size(required) >= rules.raise_days)) | (was_due & ~is_clear)


def _entry(
    seen: Column, recent: Column, is_due: Column, day: Column, rules: HistoryRules
) -> Column:
    before, today = seen["before"], seen["today"]
    was_due = before["raised_on"].isNotNull()
    raised_on = F.when(is_due, F.coalesce(before["raised_on"], day))
    cleared_on = F.when(was_due & ~is_due, day).otherwise(before["cleared_on"])
    came_back = F.datediff(raised_on, cleared_on) <= rules.flapping_days
    state = (
        F.when(today[VERDICT.name].isNull(), NO_DATA)
        .when(is_due & came_back, FLAPPING)
        .when(is_due & was_due, PERSISTING)
        .when(is_due, NEW)
        .when(was_due, RECOVERED)
        .when(today[VERDICT.name] == REQUIRED, WATCHED)
        .otherwise(HEALTHY)
    )

    def entry(state: Column) -> Column:
        since = (
            F.when(state.isin(NEW, PERSISTING, FLAPPING), raised_on)
            .when(state == before["state"], before["since"])
            .otherwise(day)
        )
        of_cells = (today[name] for name in OF_CELLS)
        values = (state, since, raised_on, cleared_on, *of_cells, recent, day)
        names = (*(column.name for column in OWN_COLUMNS[1:]), "run_date")
        return struct_of(dict(zip(names, values, strict=True))).cast(ENTRY_TYPE)

    return let(state, entry)
