"""The account of a run: every row in, what became of it, and what was found.

One table of figures in long form (tables.SUMMARY_COLUMNS), small whatever the inputs' size.
"""

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.cleaning.names import alike
from anomaly.expressions.sql import texts
from anomaly.profile.input_columns import value_columns
from anomaly.profile.model import Profile
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, HISTORY, SAMPLES, SOURCE_FILE
from anomaly.schema.tables import CELL_LEVEL, CUSTOMER_LEVEL, SUMMARY_COLUMNS
from anomaly.summary.figures import (
    FIGURE_COLUMNS,
    LARGEST_KEYS,
    explode_and_sum,
    explode_figures,
    figure,
    figure_per_row,
    sum_figures,
    top_n_per_group,
)
from anomaly.thresholds.compare import OUT_OF_REACH
from anomaly.thresholds.verdict import REQUIRED

UNMATCHED = "'unmatched'"
# The join of all inputs, and two of its counts.
ALL_INPUTS, MATCHED_CUSTOMERS, CUSTOMERS_READ = "all inputs", "matched customers", "customers"
# What is counted of cells without a verdict, in place of one.
NOT_JUDGED = "Not judged"
# The SQL of whether a joined row is a cell without customers.
ALONE = "is_customer IS NULL AND CellName IS NOT NULL"


def input_figures(outcomes: DataFrame, profile: Profile) -> DataFrame:
    """Per input file the rows read, clean and rejected, and per reason rows and values left out.

    And per column of numbers how many usable values it has. `outcomes`: those of
    checks.row_counts_by_outcome.
    """

    def of_file(item: str, condition: str) -> str:
        value = f"CASE WHEN {condition} THEN row_count ELSE 0 END"
        return figure("'input'", "source", f"'{item}'", value, SOURCE_FILE)

    rejected = figure("'rejected'", "source", "row_reason", "row_count")
    left_out = figure("'missing_value'", "source", "fault", "row_count")
    of_rows = explode_and_sum(
        outcomes,
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
    return of_rows.unionByName(_column_figures(outcomes, profile))


def _column_figures(outcomes: DataFrame, profile: Profile) -> DataFrame:
    """A figure for each column of numbers of an input: how many usable values clean rows have."""
    columns = {
        source: value_columns(source, profile)
        for source in (CUSTOMERS, SAMPLES, CALL_STATISTICS, HISTORY)
    }
    named = " ".join(
        f"WHEN '{source}' THEN CAST(array({texts(names)}) AS array<string>)"
        for source, names in columns.items()
    )
    # First added up as they lie side by side: there may be as many outcomes as rows with a fault.
    most = max(map(len, columns.values()))
    added = ", ".join(f"sum(get(usable, {place}))" for place in range(most))
    of_inputs = (
        outcomes.where("row_reason IS NULL")
        .groupBy("source")
        .agg(F.expr(f"CAST(array({added}) AS array<bigint>) AS usable"))
    )
    of_column = figure("'column'", "source", "name", "get(usable, place)")
    return explode_figures(
        of_inputs, f"transform(CASE source {named} END, (name, place) -> {of_column})"
    )


def join_figures(joined: DataFrame, without_partner: DataFrame) -> DataFrame:
    """Per join the matched and unmatched rows, and the unmatched keys with the most rows.

    And the cells whose names are nearly the same.

    `joined`: averages.join_calls, and `without_partner` the rows that averages.without_partner
    makes of it, customer numbers as they may be published.
    """
    counted = {
        ("customers to samples", MATCHED_CUSTOMERS): "is_customer AND sample_count IS NOT NULL",
        ("customers to samples", "unmatched customers"): "is_customer AND sample_count IS NULL",
        ("customers to samples", "cells without customers"): ALONE,
        ("customers to calls", MATCHED_CUSTOMERS): "is_customer AND call_row_count IS NOT NULL",
        ("customers to calls", "unmatched customers"): "is_customer AND call_row_count IS NULL",
        (ALL_INPUTS, MATCHED_CUSTOMERS): "is_customer AND call_row_count IS NOT NULL "
        "AND sample_count IS NOT NULL",
        (ALL_INPUTS, CUSTOMERS_READ): "is_customer",
    }
    of_joins = (
        figure("'join'", f"'{join}'", f"'{item}'", f"CASE WHEN {condition} THEN 1 ELSE 0 END")
        for (join, item), condition in counted.items()
    )
    cell = "coalesce(CellName, '(none)')"
    without_samples = figure(UNMATCHED, "'cells without samples'", cell, "1")
    without_customers = figure(UNMATCHED, "'cells without customers'", cell, "sample_count")
    unmatched = (
        f"CASE WHEN is_customer AND sample_count IS NULL THEN array({without_samples}) "
        f"WHEN {ALONE} THEN array({without_customers}) ELSE array() END"
    )
    caller = "CAST(customerID AS string)"
    kind = "if(is_customer, 'customers without calls', 'callers that are no customer')"
    callers = figure(UNMATCHED, kind, caller, "coalesce(call_row_count, 1)")
    of_joined = explode_figures(joined, f"concat(array({', '.join(of_joins)}), {unmatched})")
    of_keys = sum_figures(
        of_joined.unionByName(explode_figures(without_partner, f"array({callers})"))
    )
    return _with_totals(of_keys).unionByName(_look_alikes(joined))


def _look_alikes(joined: DataFrame) -> DataFrame:
    """Names of cells that differ in nothing but case, dashes or letters of two alphabets.

    They are counted as cells of their own, which nobody sees who reads the tables.
    """
    found = (
        joined.where("CellName IS NOT NULL")
        .groupBy(F.expr(f"{alike('CellName')} AS alike"))
        .agg(F.expr("array_sort(collect_set(CellName)) AS names"))
        .where("size(names) > 1")
    )
    names = figure("'look_alike'", "alike", "array_join(names, ', ')", "size(names)")
    return figure_per_row(top_n_per_group(found, "size(names)", "alike"), names)


def result_figures(customers: DataFrame, cells: DataFrame) -> DataFrame:
    """Rows published, KPIs evaluated and flagged per level, verdicts, and the worst cells.

    And, where a bound lies beyond what a KPI can be, how many rows its rule could not judge.
    """
    tables = (
        (customers, CUSTOMER_LEVEL, "NULL", "CAST(NULL AS string)"),
        (cells, CELL_LEVEL, "Maintainence_Required", "sample_state"),
    )
    published = reduce(
        DataFrame.unionByName,
        (
            table.selectExpr(
                f"'{level}' AS level",
                f"CAST({verdict} AS string) AS verdict",
                f"{state} AS sample_state",
                "evidence",
            )
            for table, level, verdict, state in tables
        ),
    )
    of_kpis = (
        published.selectExpr("level", "explode(evidence) AS kpi")
        .groupBy("level", "kpi.kpi")
        .agg(
            F.expr("count(kpi.flag) AS evaluated"),
            F.expr("sum(kpi.flag) AS flagged"),
            F.expr(f"max(CASE WHEN kpi.status = '{OUT_OF_REACH}' THEN kpi.reason END) AS reason"),
            F.expr(f"count_if(kpi.status = '{OUT_OF_REACH}') AS out_of_reach"),
        )
    )
    evaluated = figure("'kpi'", "level", "concat(kpi, ' evaluated')", "evaluated")
    flagged = figure("'kpi'", "level", "concat(kpi, ' flagged')", "coalesce(flagged, 0)")
    is_cell = f"level = '{CELL_LEVEL}'"
    unreachable = figure("'out_of_reach'", "level", "kpi", "out_of_reach", "reason")
    counts = explode_figures(
        of_kpis,
        f"concat(array({evaluated}, {flagged}), "
        f"CASE WHEN out_of_reach > 0 THEN array({unreachable}) ELSE array() END)",
    )
    why = figure("'not_judged'", "level", "sample_state", "1")
    verdicts = explode_and_sum(
        published,
        f"CASE WHEN {is_cell} AND verdict IS NULL THEN array({ROWS}, {VERDICTS}, {why}) "
        f"WHEN {is_cell} THEN array({ROWS}, {VERDICTS}) ELSE array({ROWS}) END",
    )
    return counts.unionByName(verdicts).unionByName(_worst(cells))


def tower_figures(cells: DataFrame, most: int = LARGEST_KEYS) -> DataFrame:
    """Of a published cell table of one day: its towers, their verdicts, and the worst of them."""
    judged = cells.selectExpr(f"'{CELL_LEVEL}' AS level", "Maintainence_Required AS verdict")
    return explode_and_sum(judged, f"array({ROWS}, {VERDICTS})").unionByName(_worst(cells, most))


def summary(figures: Iterable[DataFrame], run: Mapping[str, Column]) -> DataFrame:
    """All figures of a run as one table (tables.SUMMARY_COLUMNS)."""
    return (
        reduce(DataFrame.unionByName, figures)
        .withColumns({**run})
        .selectExpr(*(column.name for column in SUMMARY_COLUMNS))
    )


def _with_totals(figures: DataFrame) -> DataFrame:
    """How many keys found no partner, and how many rows they have; the largest keys alone stay."""
    keys = figure("'unmatched_keys'", "subject", "'keys'", "1")
    rows = figure("'unmatched_keys'", "subject", "'rows'", "value")
    itself = f"struct({', '.join(FIGURE_COLUMNS)})"
    with_totals = sum_figures(
        explode_figures(
            figures,
            f"CASE WHEN section = {UNMATCHED} THEN array({itself}, {keys}, {rows}) "
            f"ELSE array({itself}) END",
        )
    )
    # All others are the first of their own.
    group = f"section, subject, CASE WHEN section != {UNMATCHED} THEN item END"
    return top_n_per_group(with_totals, group, "value DESC, item").drop("position")


def _worst(cells: DataFrame, most: int = LARGEST_KEYS) -> DataFrame:
    """The cells that need maintenance, worst first, each with what fails and the reason."""
    counted = "concat(concat_ws(' of ', defected_count, evaluated_kpis), ' KPIs')"
    families = "nullif(array_join(failed_families, ', '), '')"
    fails = f"coalesce({families}, {counted})"
    required = cells.where(F.col("Maintainence_Required") == REQUIRED)
    return figure_per_row(
        top_n_per_group(required, "Maintainence_Required", "severity_rank, CellName", most),
        figure("'worst'", "CellName", fails, "severity_rank", "verdict_reason"),
    )


ROWS = figure("'kpi'", "level", "'rows'", "1")
VERDICTS = figure("'verdict'", "level", f"coalesce(verdict, '{NOT_JUDGED}')", "1")
