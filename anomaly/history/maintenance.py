"""From the verdicts of days to the maintenance history: what is new, what lasts, what is over."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

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
    of_day = f"struct(run_date, struct({', '.join(OF_CELLS)}))"
    found = cells.groupBy("CellName").agg(
        F.expr(f"map_from_entries(collect_list({of_day}))").alias("found")
    )
    last = f"CAST(NULL AS {ENTRY_TYPE})"
    if before is not None:
        entry = ", ".join(column.name for column in OWN_COLUMNS[1:])
        entries = before.selectExpr("CellName", f"struct({entry}, run_date) AS last")
        # One cell to at most one row of the day before, and the other way round.
        found, last = found.join(entries, on="CellName", how="full"), "last"
    listed = ", ".join(f"DATE '{day}'" for day in days)
    folded = (
        f"aggregate(array({listed}), array({last}), "
        f"(done, day) -> concat(done, array({_entry_of_day(rules)})))"
    )
    return (
        # The first is that of the day before.
        found.selectExpr("CellName", f"explode(slice({folded}, 2, {len(days)})) AS entry")
        .where("entry IS NOT NULL")
        .selectExpr("CellName", "entry.*")
    )


def _entry_of_day(rules: HistoryRules) -> str:
    """The SQL of the entry of a `day` from those before it (`done`) and from what was `found`.

    NULL for a cell that has not been seen so far, or not for so long that it is forgotten.
    """
    seen = "named_struct('before', get(done, size(done) - 1), 'today', try_element_at(found, day))"
    is_forgotten = (
        "seen.today IS NULL AND (seen.before IS NULL OR "
        f"(seen.before.state = '{NO_DATA}' AND "
        f"datediff(day, seen.before.since) >= {rules.forgotten_days}))"
    )
    verdict = f"seen.today.{VERDICT.name}"
    kept_days = max(rules.raise_within, rules.clear_days)
    # The newest first.
    recent = (
        f"slice(concat(array(named_struct('run_date', day, 'verdict', {verdict})), "
        f"coalesce(seen.before.recent, CAST(array() AS {RECENT_TYPE}))), 1, {kept_days})"
    )
    required = (
        f"size(filter(slice(recent, 1, {rules.raise_within}), one -> one.verdict = '{REQUIRED}'))"
    )
    is_clear = (
        f"size(recent) >= {rules.clear_days} AND forall(slice(recent, 1, {rules.clear_days}), "
        f"one -> coalesce(one.verdict = '{NOT_REQUIRED}', FALSE))"
    )
    is_due = (
        f"coalesce({verdict} = '{REQUIRED}', FALSE) AND {required} >= {rules.raise_days} "
        f"OR seen.before.raised_on IS NOT NULL AND NOT ({is_clear})"
    )
    entry = _let("recent", recent, _let("is_due", is_due, _entry(rules)))
    return _let("seen", seen, f"CASE WHEN NOT ({is_forgotten}) THEN {entry} END")


def _entry(rules: HistoryRules) -> str:
    """The SQL of an entry from `day`, `seen`, `recent` and `is_due`."""
    was_due = "seen.before.raised_on IS NOT NULL"
    raised_on = "CASE WHEN is_due THEN coalesce(seen.before.raised_on, day) END"
    cleared_on = f"CASE WHEN {was_due} AND NOT is_due THEN day ELSE seen.before.cleared_on END"
    came_back = f"datediff({raised_on}, {cleared_on}) <= {rules.flapping_days}"
    state = (
        f"CASE WHEN seen.today.{VERDICT.name} IS NULL THEN '{NO_DATA}' "
        f"WHEN is_due AND {came_back} THEN '{FLAPPING}' "
        f"WHEN is_due AND {was_due} THEN '{PERSISTING}' "
        f"WHEN is_due THEN '{NEW}' "
        f"WHEN {was_due} THEN '{RECOVERED}' "
        f"WHEN seen.today.{VERDICT.name} = '{REQUIRED}' THEN '{WATCHED}' "
        f"ELSE '{HEALTHY}' END"
    )
    since = (
        f"CASE WHEN state IN ('{NEW}', '{PERSISTING}', '{FLAPPING}') THEN {raised_on} "
        "WHEN state = seen.before.state THEN seen.before.since ELSE day END"
    )
    of_cells = ", ".join(f"seen.today.{name}" for name in OF_CELLS)
    return _let(
        "state",
        state,
        f"CAST(struct(state, {since}, {raised_on}, {cleared_on}, {of_cells}, recent, day) "
        f"AS {ENTRY_TYPE})",
    )


def _let(name: str, value: str, expression: str) -> str:
    """The SQL of an expression in which a name stands for a value, computed once."""
    return f"get(transform(array({value}), {name} -> {expression}), 0)"
