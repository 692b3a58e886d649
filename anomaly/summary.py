"""The account of a run: every row in, what became of it, and what was found.

One table of figures in long form (contracts.SUMMARY_COLUMNS), small whatever the inputs' size.
"""

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.compare import SEVERITY_OF_EVIDENCE, defects
from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL, SOURCE_FILE, SUMMARY_COLUMNS
from anomaly.verdict import REQUIRED

# Of keys without a partner, and of towers that need maintenance, the table names this many.
LARGEST_KEYS = 50
REASONS_SHOWN = 3


def input_figures(checked: Mapping[str, DataFrame]) -> DataFrame:
    """Per input file the rows read, clean and rejected, and per reason rows and values left out."""
    found = reduce(
        DataFrame.unionByName, (_outcomes(frame, source) for source, frame in checked.items())
    )

    def of_file(item: str, condition: str) -> str:
        value = f"CASE WHEN {condition} THEN row_count ELSE 0 END"
        return figure("'input'", "source", f"'{item}'", value, SOURCE_FILE)

    rejected = figure("'rejected'", "source", "row_reason", "row_count")
    left_out = figure("'missing_value'", "source", "fault", "row_count")
    return added_up(
        found,
        "concat(array("
        + ", ".join(
            (
                of_file("rows in", "TRUE"),
                of_file("rows clean", "row_reason IS NULL"),
                of_file("rows rejected", "row_reason IS NOT NULL"),
            )
        )
        + f"), CASE WHEN row_reason IS NOT NULL THEN array({rejected}) "
        f"ELSE transform(faults, fault -> {left_out}) END)",
    )


def join_figures(joined: DataFrame, unknown_callers: DataFrame) -> DataFrame:
    """Per join the matched and unmatched rows, and the unmatched keys with the most rows."""
    kinds = joined.selectExpr(
        "customerID IS NOT NULL AS is_customer",
        "sample_count IS NOT NULL AS has_samples",
        "call_row_count IS NOT NULL AS has_calls",
    )
    counted = {
        ("customers to samples", "matched customers"): "is_customer AND has_samples",
        ("customers to samples", "unmatched customers"): "is_customer AND NOT has_samples",
        ("customers to samples", "cells without customers"): "NOT is_customer",
        ("customers to calls", "matched customers"): "is_customer AND has_calls",
        ("customers to calls", "unmatched customers"): "is_customer AND NOT has_calls",
        ("all inputs", "matched customers"): "is_customer AND has_calls AND has_samples",
        ("all inputs", "customers"): "is_customer",
    }
    figures = (
        figure("'join'", f"'{join}'", f"'{item}'", f"CASE WHEN {condition} THEN 1 ELSE 0 END")
        for (join, item), condition in counted.items()
    )
    unmatched = _unmatched(joined).unionByName(
        unknown_callers.selectExpr(
            "'callers that are no customer' AS kind",
            "CAST(customerID AS string) AS key",
            "call_row_count AS size",
        )
    )
    return reduce(
        DataFrame.unionByName,
        (added_up(kinds, f"array({', '.join(figures)})"), *_of_unmatched(unmatched)),
    )


def result_figures(customers: DataFrame, cells: DataFrame) -> DataFrame:
    """Rows published, KPIs evaluated and flagged per level, verdicts, and the worst towers."""
    tables = ((customers, CUSTOMER_LEVEL, "NULL"), (cells, CELL_LEVEL, "Maintainence_Required"))
    published = reduce(
        DataFrame.unionByName,
        (
            table.selectExpr(
                f"'{level}' AS level", f"CAST({verdict} AS string) AS verdict", "evidence"
            )
            for table, level, verdict in tables
        ),
    )
    of_kpis = (
        published.selectExpr("level", "explode(evidence) AS kpi")
        .groupBy("level", "kpi.kpi")
        .agg(F.expr("count(kpi.flag) AS evaluated"), F.expr("sum(kpi.flag) AS flagged"))
    )
    evaluated = figure("'kpi'", "level", "concat(kpi, ' evaluated')", "evaluated")
    flagged = figure("'kpi'", "level", "concat(kpi, ' flagged')", "coalesce(flagged, 0)")
    is_cell = f"level = '{CELL_LEVEL}'"
    counts = added_up(of_kpis, f"array({evaluated}, {flagged})")
    verdicts = added_up(
        published, f"CASE WHEN {is_cell} THEN array({ROWS}, {VERDICTS}) ELSE array({ROWS}) END"
    )
    return counts.unionByName(verdicts).unionByName(_worst(cells))


def tower_figures(cells: DataFrame, most: int = LARGEST_KEYS) -> DataFrame:
    """Of a published cell table of one day: its towers, their verdicts, and the worst of them."""
    judged = cells.selectExpr(f"'{CELL_LEVEL}' AS level", "Maintainence_Required AS verdict")
    return added_up(judged, f"array({ROWS}, {VERDICTS})").unionByName(_worst(cells, most))


def summary(figures: Iterable[DataFrame], run: Mapping[str, Column]) -> DataFrame:
    """All figures of a run as one table (contracts.SUMMARY_COLUMNS)."""
    return (
        reduce(DataFrame.unionByName, figures)
        .withColumns({**run})
        .selectExpr(*(column.name for column in SUMMARY_COLUMNS))
    )


def _outcomes(checked: DataFrame, source: str) -> DataFrame:
    """A row per file and outcome of its rows: row_reason, or the faults of values as texts."""
    texts = "transform(faults, fault -> concat_ws(': ', fault.column, fault.reason))"
    return (
        checked.selectExpr(
            f"'{source}' AS source",
            SOURCE_FILE,
            "row_reason",
            f"coalesce({texts}, CAST(array() AS array<string>)) AS faults",
        )
        .groupBy("source", SOURCE_FILE, "row_reason", "faults")
        .agg(F.expr("count(*) AS row_count"))
    )


def _unmatched(joined: DataFrame) -> DataFrame:
    """A row per cell without samples, or without customers: kind, key, size."""
    return (
        joined.where("sample_count IS NULL OR customerID IS NULL")
        .selectExpr(
            "CASE WHEN sample_count IS NULL THEN 'cells without samples' "
            "ELSE 'cells without customers' END AS kind",
            "coalesce(CellName, '(none)') AS key",
            "coalesce(sample_count, 1) AS size",
        )
        .groupBy("kind", "key")
        .agg(F.expr("sum(size) AS size"))
    )


def _of_unmatched(unmatched: DataFrame) -> list[DataFrame]:
    """How many keys found no partner, and the largest of them."""
    largest = first_of_each(unmatched, "kind", "size DESC, key")
    keys = figure("'unmatched_keys'", "kind", "'keys'", "1")
    rows = figure("'unmatched_keys'", "kind", "'rows'", "size")
    return [
        alone(largest, figure("'unmatched'", "kind", "key", "size")),
        added_up(unmatched, f"array({keys}, {rows})"),
    ]


def _worst(cells: DataFrame, most: int = LARGEST_KEYS) -> DataFrame:
    """The towers that need maintenance, worst first, each with its strongest reasons."""
    by_severity = (
        f"array_sort(transform({defects('evidence')}, "
        f"kpi -> struct(-{SEVERITY_OF_EVIDENCE} AS order, kpi.reason AS reason)))"
    )
    reasons = f"transform(slice({by_severity}, 1, {REASONS_SHOWN}), kpi -> kpi.reason)"
    required = cells.where(F.col("Maintainence_Required") == REQUIRED)
    return alone(
        first_of_each(required, "Maintainence_Required", "severity_rank, CellName", most),
        figure(
            "'worst'",
            "CellName",
            "concat_ws(' of ', defected_count, evaluated_kpis)",
            "severity_rank",
            f"array_join({reasons}, '; ')",
        ),
    )


def first_of_each(frame: DataFrame, group: str, order: str, most: int = LARGEST_KEYS) -> DataFrame:
    """The first rows of each group, so many at most.

    By a window, because a sort with a limit would sample the rows in a job of its own.
    """
    position = f"row_number() OVER (PARTITION BY {group} ORDER BY {order})"
    return frame.selectExpr("*", f"{position} AS position").where(f"position <= {most}")


def figure(section: str, subject: str, item: str, value: str, detail: str = "NULL") -> str:
    """The SQL of a row of the summary, without the columns of the run."""
    return (
        f"struct({section} AS section, {subject} AS subject, {item} AS item, "
        f"CAST({value} AS double) AS value, CAST({detail} AS string) AS detail)"
    )


def alone(frame: DataFrame, figure: str) -> DataFrame:
    """The one figure that each row gives."""
    return frame.selectExpr(f"{figure} AS figure").selectExpr("figure.*")


def added_up(frame: DataFrame, figures: str) -> DataFrame:
    """The figures that each row gives, those of the same name added up."""
    return (
        frame.selectExpr(f"explode({figures}) AS figure")
        .selectExpr("figure.*")
        .groupBy("section", "subject", "item", "detail")
        .agg(F.expr("sum(value) AS value"))
    )


ROWS = figure("'kpi'", "level", "'rows'", "1")
VERDICTS = figure("'verdict'", "level", "coalesce(verdict, 'Not judged')", "1")
