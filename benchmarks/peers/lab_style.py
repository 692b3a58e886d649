"""The work of the lab in its own style: python -m benchmarks.peers.lab_style INPUTS OUT.

Four programs one after another, each with a session of its own and Spark's default settings; each
flag fetches its mean into the driver and adds a column. In one point it differs: "the first rows"
are those in the order of files and rows, where the lab leaves the order to chance.
"""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F

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

WITH_SAMPLES, WITH_CALLS = "customers_with_samples", "customers_with_call_statistics"


def customers_with_samples(spark: SparkSession, lab: Lab, inputs: Path, out: Path) -> None:
    """The first program: customers, each with the first samples of the cell."""
    customers = (
        spark.read.parquet(str(inputs / "customers"))
        .withColumn("customerID", F.col("Index"))
        .where(F.col("customerID") > LARGEST_UNUSED_NUMBER)
        .withColumnRenamed("CellTower", "CellName")
        .select(*CUSTOMER_KEYS)
    )
    samples = spark.read.parquet(str(inputs / "samples"))
    first = first_rows(samples, "CellName", lab.rows_per_cell)
    kpis = first.select("CellName", *(F.col(f"`{name}`") for name in lab.sample_kpis))
    customers.join(kpis, on="CellName").write.parquet(str(out / WITH_SAMPLES))


def customers_with_calls(spark: SparkSession, lab: Lab, inputs: Path, out: Path) -> None:
    """The second program: those rows, each with the first call statistics of the customer."""
    number = F.col("Customer_ID").cast("string").substr(NUMBER_START, NUMBER_LENGTH)
    calls = spark.read.parquet(str(inputs / "call_statistics"))
    known = calls.withColumn("customerID", number.cast("bigint")).where(
        F.col("customerID") > LARGEST_UNUSED_NUMBER
    )
    kpis = first_rows(known, "customerID", lab.rows_per_customer).select(
        "customerID", *lab.call_kpis
    )
    customers = spark.read.parquet(str(out / WITH_SAMPLES))
    customers.join(kpis, on="customerID").write.parquet(str(out / WITH_CALLS))


def customer_metrics(spark: SparkSession, lab: Lab, inputs: Path, out: Path) -> None:
    """The third program: metrics and flags of the customers."""
    metrics = with_derived(customer_averages(spark, lab, out), lab.customer_derived).fillna(0)
    for rule in lab.rules:
        metrics = with_flag(metrics, rule, mean_of(metrics, rule.kpi))
    metrics = with_count(metrics, lab)
    metrics.select(*lab.columns[CUSTOMER_TABLE]).write.parquet(str(out / CUSTOMER_TABLE))


def cell_metrics(spark: SparkSession, lab: Lab, inputs: Path, out: Path) -> None:
    """The fourth program: metrics, flags and verdicts of the cells."""
    cells = (
        customer_averages(spark, lab, out)
        .groupBy("CellName")
        .agg(
            F.count("customerID").alias("customerID_count"),
            *(F.avg(average).alias(average) for average in lab.averages),
        )
    )
    metrics = with_derived(cells, lab.cell_derived)
    for rule in lab.rules:
        metrics = with_flag(metrics, rule, mean_of(metrics, rule.kpi))
    verdict = F.when(F.col("defected_count") >= lab.minimum_defects, "Required")
    metrics = (
        with_count(metrics, lab)
        .fillna(0)
        .withColumn("Maintainence_Required", verdict.otherwise("Not Required"))
    )
    metrics.select(*lab.columns[CELL_TABLE]).write.parquet(str(out / CELL_TABLE))


Program = Callable[[SparkSession, Lab, Path, Path], None]
PROGRAMS: dict[str, Program] = {
    program.__name__: program
    for program in (customers_with_samples, customers_with_calls, customer_metrics, cell_metrics)
}


def first_rows(rows: DataFrame, key: str, limit: int) -> DataFrame:
    """The first rows of each key."""
    in_order = Window.partitionBy(key).orderBy("file_path", "row_index")
    return (
        rows.select("*", "_metadata.file_path", "_metadata.row_index")
        .withColumn("position", F.row_number().over(in_order))
        .where(F.col("position") <= limit)
    )


def customer_averages(spark: SparkSession, lab: Lab, out: Path) -> DataFrame:
    """The averages of each customer with a phone."""
    columns = lab.sample_kpis | lab.call_kpis
    return (
        spark.read.parquet(str(out / WITH_CALLS))
        .where(F.col("PhoneService") == "Yes")
        .groupBy(*CUSTOMER_KEYS)
        .agg(*(F.avg(f"`{column}`").alias(average) for column, average in columns.items()))
    )


def with_derived(metrics: DataFrame, derived: Iterable[Derived]) -> DataFrame:
    """The metrics and the KPIs that are derived from them."""
    for kpi in derived:
        first, second = F.col(kpi.first), F.col(kpi.second)
        formula = first / second if kpi.is_ratio else first - second
        metrics = metrics.withColumn(kpi.name, formula)
    return metrics


def mean_of(metrics: DataFrame, kpi: str) -> float:
    """The mean of a KPI, fetched into the driver."""
    return float(metrics.select(F.avg(kpi)).collect()[0][0])


def with_flag(metrics: DataFrame, rule: Rule, mean: float) -> DataFrame:
    """The metrics and the flag of a KPI; what is missing has none."""
    kpi = F.col(rule.kpi)
    is_bad = kpi > mean if rule.is_bad_above else kpi < mean
    return metrics.withColumn(rule.flag, F.when(is_bad, 1).otherwise(0))


def with_count(metrics: DataFrame, lab: Lab) -> DataFrame:
    """The metrics and the number of their flags."""
    return metrics.withColumn("defected_count", F.expr(" + ".join(rule.flag for rule in lab.rules)))


def main() -> None:
    """Run the program that is named third, or all of them, each in a process of its own."""
    inputs, out, *name = sys.argv[1:]
    if not name:
        for program in PROGRAMS:
            command = [sys.executable, "-m", "benchmarks.peers.lab_style", inputs, out, program]
            subprocess.run(command, check=True)
        return
    spark = SparkSession.builder.master(f"local[{CORES}]").appName(name[0]).getOrCreate()
    PROGRAMS[name[0]](spark, read_lab(), Path(inputs), Path(out))


if __name__ == "__main__":
    main()
