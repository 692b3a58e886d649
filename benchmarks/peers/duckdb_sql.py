"""The work of the lab in DuckDB's SQL: python -m benchmarks.peers.duckdb_sql INPUTS OUT."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb

from benchmarks.commands import CORES
from benchmarks.peers.lab import (
    CELL_TABLE,
    CUSTOMER_KEYS,
    CUSTOMER_TABLE,
    LARGEST_UNUSED_NUMBER,
    NUMBER_LENGTH,
    NUMBER_START,
    Derived,
    Lab,
    Rule,
    read_lab,
)


def main() -> None:
    """Read the inputs below the first argument, write the tables below the second."""
    inputs, out = Path(sys.argv[1]), Path(sys.argv[2])
    lab = read_lab()
    database = duckdb.connect(config={"threads": CORES})
    for view, query in queries(lab, inputs).items():
        # A table each, because more than one of the later ones reads it.
        database.execute(f"CREATE TABLE {view} AS {query}")
    for table, columns in lab.columns.items():
        (out / table).mkdir(parents=True)
        names = ", ".join(columns)
        database.execute(f"COPY (SELECT {names} FROM {table}) TO '{out / table / 'all.parquet'}'")


def queries(lab: Lab, inputs: Path) -> dict[str, str]:
    """The queries by the names of their results; each reads the inputs and results before it."""
    return {
        "samples": averages(
            rows(inputs / "samples"), "CellName", lab.sample_kpis, lab.rows_per_cell
        ),
        "calls": averages(
            numbered_calls(inputs), "customerID", lab.call_kpis, lab.rows_per_customer
        ),
        "customer_averages": customer_averages(inputs / "customers", lab),
        "customer_metrics": filled(with_derived("customer_averages", lab.customer_derived), lab),
        CUSTOMER_TABLE: judged("customer_metrics", lab.rules),
        "cell_metrics": with_derived(f"({cell_averages(lab)})", lab.cell_derived),
        "judged_cells": judged("cell_metrics", lab.rules),
        CELL_TABLE: f"""
            SELECT *, CASE WHEN defected_count >= {lab.minimum_defects}
                THEN 'Required' ELSE 'Not Required' END AS Maintainence_Required
            FROM ({filled("SELECT * FROM judged_cells", lab)})""",
    }


def rows(folder: Path) -> str:
    """The rows of an input, each with its file and its place there."""
    files = f"'{folder}/*.parquet'"
    return f"SELECT * FROM read_parquet({files}, filename = true, file_row_number = true)"


def numbered_calls(inputs: Path) -> str:
    """The call statistics with the customer number of each row."""
    text = f"substr(CAST(Customer_ID AS VARCHAR), {NUMBER_START}, {NUMBER_LENGTH})"
    return f"""
        SELECT *, CAST({text} AS BIGINT) AS customerID
        FROM ({rows(inputs / "call_statistics")}) WHERE customerID > {LARGEST_UNUSED_NUMBER}"""


def averages(rows_of_keys: str, key: str, kpis: Mapping[str, str], limit: int) -> str:
    """The average of each KPI over the first rows of a key, in the order of files and rows."""
    means = ", ".join(f'avg("{column}") AS {average}' for column, average in kpis.items())
    return f"""
        SELECT {key}, {means} FROM (
            SELECT *, row_number() OVER (
                PARTITION BY {key} ORDER BY filename, file_row_number
            ) AS position
            FROM ({rows_of_keys})
        ) WHERE position <= {limit} GROUP BY {key}"""


def customer_averages(folder: Path, lab: Lab) -> str:
    """A row per customer with a phone, samples of the cell, and call statistics."""
    return f"""
        SELECT {", ".join((*CUSTOMER_KEYS, *lab.averages))}
        FROM (
            SELECT * REPLACE (Index AS customerID), CellTower AS CellName
            FROM '{folder}/*.parquet'
            WHERE Index > {LARGEST_UNUSED_NUMBER} AND PhoneService = 'Yes'
        ) JOIN samples USING (CellName) JOIN calls USING (customerID)"""


def cell_averages(lab: Lab) -> str:
    """A row per cell: the means over its customers."""
    means = ", ".join(f"avg({average}) AS {average}" for average in lab.averages)
    return f"""
        SELECT CellName, count(*) AS customerID_count, {means}
        FROM customer_averages GROUP BY CellName"""


def with_derived(metrics: str, derived: Iterable[Derived]) -> str:
    """The metrics and the KPIs that are derived from them."""
    formulas = ", ".join(
        f"{kpi.first} / nullif({kpi.second}, 0) AS {kpi.name}"
        if kpi.is_ratio
        else f"{kpi.first} - {kpi.second} AS {kpi.name}"
        for kpi in derived
    )
    return f"SELECT *, {formulas} FROM {metrics}"


def filled(metrics: str, lab: Lab) -> str:
    """The metrics, 0 standing for a missing one."""
    kpis = (*lab.averages, *(kpi.name for kpi in lab.customer_derived))
    values = ", ".join(f"coalesce({kpi}, 0) AS {kpi}" for kpi in kpis)
    return f"SELECT * REPLACE ({values}) FROM ({metrics})"


def judged(metrics: str, rules: Iterable[Rule]) -> str:
    """The metrics, a flag for each rule, and the number of flags; what is missing has none."""
    means = ", ".join(f"avg({rule.kpi}) AS {rule.kpi}" for rule in rules)
    flags = {
        rule.flag: f"coalesce(CAST(metrics.{rule.kpi} {'>' if rule.is_bad_above else '<'} "
        f"means.{rule.kpi} AS INTEGER), 0)"
        for rule in rules
    }
    columns = ", ".join(f"{condition} AS {flag}" for flag, condition in flags.items())
    return f"""
        SELECT *, CAST({" + ".join(flags)} AS INTEGER) AS defected_count FROM (
            SELECT metrics.*, {columns}
            FROM {metrics} AS metrics, (SELECT {means} FROM {metrics}) AS means
        )"""


if __name__ == "__main__":
    main()
