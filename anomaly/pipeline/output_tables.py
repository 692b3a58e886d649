"""The columns of each table of a run under a profile: names, types, units and meanings."""

from collections.abc import Iterable

from anomaly.profile.model import Profile
from anomaly.schema.inputs import Column
from anomaly.schema.tables import (
    ADDED_COLUMNS,
    ALARMS_COLUMNS,
    ALARMS_TABLE,
    ANOMALIES_COLUMNS,
    ANOMALIES_TABLE,
    CELL_KEYS,
    CELL_LEVEL,
    CELL_TABLE,
    CUSTOMER_KEYS,
    CUSTOMER_LEVEL,
    CUSTOMER_TABLE,
    DEFECT_COUNT,
    HASHED_CUSTOMER,
    HASHED_KEY,
    HISTORY_COLUMNS,
    HISTORY_TABLE,
    REJECTED_COLUMNS,
    REJECTED_TABLE,
    SUMMARY_COLUMNS,
    SUMMARY_TABLE,
    VERDICT,
    VERDICT_COLUMNS,
    WITHHELD_TEXTS,
)

TABLE_MEANINGS = {
    CUSTOMER_TABLE: "Per customer and cell: KPI averages, a flag for each KPI, and its evidence",
    CELL_TABLE: "Per cell: KPI averages, a flag for each KPI, its evidence, and the verdict",
    REJECTED_TABLE: "Rows and values of the inputs that were left out, each with its reason",
    SUMMARY_TABLE: "What became of every input row, and what was found, as figures in long form",
    HISTORY_TABLE: "Per cell and day: the verdict, and what of it is new, lasts, or is over",
    ALARMS_TABLE: "Per alarm of a cell: when it was raised and cleared, its KPIs, and why",
    ANOMALIES_TABLE: "Per cell, quarter hour and anomalous KPI: value, baseline and limit",
}
# Every run has the first; a run on dated samples also has the others.
TABLES_OF_A_RUN = (CUSTOMER_TABLE, CELL_TABLE, REJECTED_TABLE, SUMMARY_TABLE, HISTORY_TABLE)
TABLES_OF_ALARMS = (ALARMS_TABLE, ANOMALIES_TABLE)


def table_columns(
    profile: Profile, tables: Iterable[str] = TABLES_OF_A_RUN, hash_customers: bool = False
) -> dict[str, tuple[Column, ...]]:
    """The columns of these tables, by table name, in the order in which they are published.

    hash_customers: customer numbers are published as keyed hashes.
    """
    columns = {
        CUSTOMER_TABLE: level_columns(CUSTOMER_LEVEL, profile),
        CELL_TABLE: level_columns(CELL_LEVEL, profile),
        REJECTED_TABLE: REJECTED_COLUMNS,
        SUMMARY_TABLE: SUMMARY_COLUMNS,
        HISTORY_TABLE: HISTORY_COLUMNS,
        ALARMS_TABLE: ALARMS_COLUMNS,
        ANOMALIES_TABLE: ANOMALIES_COLUMNS,
    }
    if hash_customers:
        columns[CUSTOMER_TABLE] = _with(columns[CUSTOMER_TABLE], HASHED_CUSTOMER)
        columns[REJECTED_TABLE] = _with(columns[REJECTED_TABLE], *WITHHELD_TEXTS)
        columns[SUMMARY_TABLE] = _with(columns[SUMMARY_TABLE], HASHED_KEY)
    return {name: columns[name] for name in tables}


def level_columns(level: str, profile: Profile) -> tuple[Column, ...]:
    """The columns of the table of a level: those of the published lab, then those that we add."""
    keys, verdict = {
        CUSTOMER_LEVEL: (CUSTOMER_KEYS, ()),
        CELL_LEVEL: (CELL_KEYS, (VERDICT, *VERDICT_COLUMNS)),
    }[level]
    derived = {kpi.name: kpi for kpi in profile.derived}
    return (
        *keys,
        *(
            Column(kpi.average, "double", f"mean of: {kpi.meaning}", kpi.unit)
            for kpi in profile.kpis
        ),
        *(
            Column(name, "double", derived[name].meaning, derived[name].unit)
            for name in profile.level(level).derived
        ),
        *(
            Column(rule.flag, "int", f"{rule.kpi}: 1 defect, 0 no defect, NULL not judged")
            for rule in profile.rules
        ),
        DEFECT_COUNT,
        *verdict,
        *ADDED_COLUMNS,
    )


def _with(columns: tuple[Column, ...], *others: Column) -> tuple[Column, ...]:
    """The columns, each replaced by the one of `others` with the same name, if any."""
    replaced = {column.name: column for column in others}
    return tuple(replaced.get(column.name, column) for column in columns)
