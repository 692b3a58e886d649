"""The work of the lab in Polars: python -m benchmarks.peers.polars_frames INPUTS OUT."""

import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import polars as pl

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
    averages = customer_averages(inputs, lab).collect()
    tables = {CUSTOMER_TABLE: customer_table(averages, lab), CELL_TABLE: cell_table(averages, lab)}
    for name, columns in lab.columns.items():
        (out / name).mkdir(parents=True)
        tables[name].select(columns).write_parquet(out / name / "all.parquet")


def customer_averages(inputs: Path, lab: Lab) -> pl.LazyFrame:
    """A row per customer with a phone, samples of the cell, and call statistics."""
    text = pl.col("Customer_ID").cast(pl.String).str.slice(NUMBER_START - 1, NUMBER_LENGTH)
    calls = read(inputs / "call_statistics").with_columns(customerID=text.cast(pl.Int64))
    callers = calls.filter(pl.col("customerID") > LARGEST_UNUSED_NUMBER)
    has_phone = pl.col("PhoneService") == "Yes"
    customers = (
        read(inputs / "customers")
        .with_columns(customerID="Index", CellName="CellTower")
        .filter(pl.col("customerID") > LARGEST_UNUSED_NUMBER, has_phone)
        .select(CUSTOMER_KEYS)
    )
    of_cells = first_rows(read(inputs / "samples"), "CellName", lab.sample_kpis, lab.rows_per_cell)
    of_callers = first_rows(callers, "customerID", lab.call_kpis, lab.rows_per_customer)
    return customers.join(of_cells, on="CellName").join(of_callers, on="customerID")


def customer_table(averages: pl.DataFrame, lab: Lab) -> pl.DataFrame:
    """The customers: 0 stands for a missing KPI before the means are taken."""
    return judged(filled(with_derived(averages, lab.customer_derived)), lab.rules)


def cell_table(averages: pl.DataFrame, lab: Lab) -> pl.DataFrame:
    """The cells: 0 stands for a missing KPI after the means are taken."""
    cells = averages.group_by("CellName").agg(
        pl.len().cast(pl.Int64).alias("customerID_count"), pl.col(lab.averages).mean()
    )
    found = filled(judged(with_derived(cells, lab.cell_derived), lab.rules))
    is_required = pl.col("defected_count") >= lab.minimum_defects
    verdict = pl.when(is_required).then(pl.lit("Required")).otherwise(pl.lit("Not Required"))
    return found.with_columns(Maintainence_Required=verdict)


def read(folder: Path) -> pl.LazyFrame:
    """The rows of an input, in the order of files and rows."""
    return pl.scan_parquet(sorted(folder.glob("*.parquet")))


def first_rows(rows: pl.LazyFrame, key: str, kpis: Mapping[str, str], limit: int) -> pl.LazyFrame:
    """The average of each KPI over the first rows of a key; groups keep the order of their rows."""
    return rows.group_by(key).agg(
        pl.col(column).head(limit).mean().alias(average) for column, average in kpis.items()
    )


def with_derived(metrics: pl.DataFrame, derived: Iterable[Derived]) -> pl.DataFrame:
    """The metrics and the KPIs that are derived from them."""

    def formula(kpi: Derived) -> pl.Expr:
        first, second = pl.col(kpi.first), pl.col(kpi.second)
        return first / pl.when(second != 0).then(second) if kpi.is_ratio else first - second

    return metrics.with_columns(formula(kpi).alias(kpi.name) for kpi in derived)


def filled(metrics: pl.DataFrame) -> pl.DataFrame:
    """The metrics, 0 standing for a missing one."""
    return metrics.with_columns(pl.col(pl.Float64).fill_null(0))


def judged(metrics: pl.DataFrame, rules: tuple[Rule, ...]) -> pl.DataFrame:
    """The metrics, a flag for each rule, and the number of flags; what is missing has none."""

    def is_bad(rule: Rule) -> pl.Expr:
        kpi = pl.col(rule.kpi)
        return kpi > kpi.mean() if rule.is_bad_above else kpi < kpi.mean()

    flagged = metrics.with_columns(
        is_bad(rule).cast(pl.Int32).fill_null(0).alias(rule.flag) for rule in rules
    )
    count = pl.sum_horizontal(rule.flag for rule in rules)
    return flagged.with_columns(defected_count=count.cast(pl.Int32))


if __name__ == "__main__":
    main()
