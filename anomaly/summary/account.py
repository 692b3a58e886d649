"""The account of a run: every row in, what became of it, and what was found.

One table of figures in long form (tables.SUMMARY_COLUMNS), small whatever the inputs' size.
"""

from collections.abc import Iterable, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.cleaning.checks import SAME_NUMBERS, numbers_of_inputs
from anomaly.cleaning.names import alike
from anomaly.expressions.frames import union
from anomaly.profile.model import Profile
from anomaly.profile.sections import Peers
from anomaly.schema.inputs import SOURCE_FILE
from anomaly.schema.tables import (
    CELL_LEVEL,
    CUSTOMER_LEVEL,
    DEFECT_COUNT,
    SUMMARY_COLUMNS,
    VERDICT,
)
from anomaly.summary.figures import (
    FIGURE_COLUMNS,
    LARGEST_KEYS,
    explode_and_sum,
    explode_figures,
    figure,
    figure_per_row,
    figures_if,
    sum_figures,
    top_n_per_group,
)
from anomaly.thresholds.compare import CRIT, OUT_OF_REACH
from anomaly.thresholds.verdict import NOT_REQUIRED, REQUIRED

UNMATCHED = "unmatched"
CUSTOMERS_TO_CALLS = "customers to calls"
# The join of all inputs, and two of its counts.
ALL_INPUTS, MATCHED_CUSTOMERS, CUSTOMERS_READ = "all inputs", "matched customers", "customers"
# What is counted of cells without a verdict, in place of one.
NOT_JUDGED = "Not judged"
# Cells that need no maintenance, although KPIs are beyond their limits; customers of named cells.
NEAR_MISS, AFFECTED = "near_miss", "affected"


def input_figures(outcomes: DataFrame, profile: Profile) -> DataFrame:
    """Per input file the rows read, clean and rejected, and per reason rows and values left out.

    And per column of numbers how many usable values it has. `outcomes`: those of
    checks.row_counts_by_outcome.
    """
    source, reason, rows = (F.col(name) for name in ("source", "row_reason", "row_count"))

    def of_file(item: str, is_counted: Column) -> Column:
        return figure(
            "input", source, item, F.when(is_counted, rows).otherwise(0), F.col(SOURCE_FILE)
        )

    of_files = F.array(
        of_file("rows in", F.lit(True)),
        of_file("rows clean", reason.isNull()),
        of_file("rows rejected", reason.isNotNull()),
    )
    rejected = F.array(figure("rejected", source, reason, rows))
    left_out = F.transform("faults", lambda fault: figure("missing_value", source, fault, rows))
    of_rows = explode_and_sum(
        outcomes, F.concat(of_files, F.when(reason.isNotNull(), rejected).otherwise(left_out))
    )
    return of_rows.unionByName(_column_figures(outcomes, profile))


def _column_figures(outcomes: DataFrame, profile: Profile) -> DataFrame:
    """A figure for each column of numbers of an input: how many usable values clean rows have."""
    usable, source = F.col("usable"), F.col("source")
    # First added up as they lie side by side: there may be as many outcomes as rows with a fault.
    of_inputs = (
        outcomes.where(F.col("row_reason").isNull())
        .groupBy(source)
        .agg(
            *(
                F.struct(*(F.sum(usable[name][number]).alias(number) for number in numbers)).alias(
                    name
                )
                for name, numbers in numbers_of_inputs(profile).items()
            )
        )
    )
    of_columns = (
        F.when(
            source.isin(*SAME_NUMBERS[name]),
            F.array(
                *(
                    figure("column", source, column, F.col(name)[number])
                    for number, column in numbers.items()
                )
            ),
        )
        for name, numbers in numbers_of_inputs(profile).items()
    )
    return explode_figures(of_inputs, F.coalesce(*of_columns))


def join_figures(joined: DataFrame, without_partner: DataFrame) -> DataFrame:
    """Per join the matched and unmatched rows, and the unmatched keys with the most rows.

    And the cells whose names are nearly the same.

    `joined`: averages.join_calls, and `without_partner` the rows that averages.without_partner
    makes of it, customer numbers as they may be published.
    """
    is_customer = F.col("is_customer")
    has_samples, has_calls = F.col("sample_count").isNotNull(), F.col("call_row_count").isNotNull()
    is_cell_alone = is_customer.isNull() & F.col("CellName").isNotNull()
    counted = {
        ("customers to samples", MATCHED_CUSTOMERS): is_customer & has_samples,
        ("customers to samples", "unmatched customers"): is_customer & ~has_samples,
        ("customers to samples", "cells without customers"): is_cell_alone,
        (CUSTOMERS_TO_CALLS, MATCHED_CUSTOMERS): is_customer & has_calls,
        (CUSTOMERS_TO_CALLS, "unmatched customers"): is_customer & ~has_calls,
        (ALL_INPUTS, MATCHED_CUSTOMERS): is_customer & has_calls & has_samples,
        (ALL_INPUTS, CUSTOMERS_READ): is_customer,
    }
    of_joins = F.array(
        *(
            figure("join", join, item, F.when(is_counted, 1).otherwise(0))
            for (join, item), is_counted in counted.items()
        )
    )
    cell = F.coalesce("CellName", F.lit("(none)"))
    unmatched = F.concat(
        figures_if(is_customer & ~has_samples, figure(UNMATCHED, "cells without samples", cell, 1)),
        figures_if(
            is_cell_alone,
            figure(UNMATCHED, "cells without customers", cell, F.col("sample_count")),
        ),
    )
    callers = figure(
        UNMATCHED,
        F.when(is_customer, "customers without calls").otherwise("callers who are not customers"),
        F.col("customerID").cast("string"),
        F.coalesce("call_row_count", F.lit(1)),
    )
    of_joined = explode_figures(joined, F.concat(of_joins, unmatched))
    of_keys = sum_figures(of_joined.unionByName(figure_per_row(without_partner, callers)))
    return _with_totals(of_keys).unionByName(_look_alikes(joined))


def _look_alikes(joined: DataFrame) -> DataFrame:
    """Names of cells that differ in nothing but case, dashes or letters of two alphabets.

    They are counted as cells of their own, which nobody sees who reads the tables.
    """
    number = F.array_size("names")
    found = (
        joined.where(F.col("CellName").isNotNull())
        .groupBy(alike(F.col("CellName")).alias("alike"))
        .agg(F.array_sort(F.collect_set("CellName")).alias("names"))
        .where(number > 1)
    )
    names = figure("look_alike", F.col("alike"), F.array_join("names", ", "), number)
    return figure_per_row(top_n_per_group(found, [number], [F.col("alike")]), names)


def result_figures(customers: DataFrame, cells: DataFrame, profile: Profile) -> DataFrame:
    """Rows published, KPIs evaluated and flagged per level, verdicts, and the worst cells.

    And, where a bound lies beyond what a KPI can be, how many rows its rule could not judge.
    """
    nothing = F.lit(None).cast("string")
    tables = (
        (customers, CUSTOMER_LEVEL, nothing, nothing),
        (cells, CELL_LEVEL, F.col(VERDICT.name), F.col("sample_state")),
    )
    published = union(
        (
            table.select(
                F.lit(level).alias("level"),
                verdict.alias("verdict"),
                state.alias("sample_state"),
                "evidence",
            )
            for table, level, verdict, state in tables
        ),
    )
    of_cells = _verdict_figures(published, profile.peers)
    return _kpi_figures(published).unionByName(of_cells).unionByName(_worst(cells))


def _kpi_figures(published: DataFrame) -> DataFrame:
    """Per level and KPI the rows that were judged, that are defects, and out of reach."""
    level, kpi = F.col("level"), F.col("kpi")
    is_out_of_reach = F.col("judged.status") == OUT_OF_REACH
    of_kpis = (
        published.select("level", F.explode("evidence").alias("judged"))
        .groupBy("level", F.col("judged.kpi").alias("kpi"))
        .agg(
            F.count("judged.flag").alias("evaluated"),
            F.sum("judged.flag").alias("flagged"),
            F.max(F.when(is_out_of_reach, F.col("judged.reason"))).alias("reason"),
            F.count_if(is_out_of_reach).alias("out_of_reach"),
        )
    )
    out_of_reach = F.col("out_of_reach")
    counts = F.array(
        figure("kpi", level, F.concat(kpi, F.lit(" evaluated")), F.col("evaluated")),
        figure("kpi", level, F.concat(kpi, F.lit(" flagged")), F.coalesce("flagged", F.lit(0))),
    )
    unreachable = figure("out_of_reach", level, kpi, out_of_reach, F.col("reason"))
    return explode_figures(of_kpis, F.concat(counts, figures_if(out_of_reach > 0, unreachable)))


def _verdict_figures(published: DataFrame, peers: Peers | None) -> DataFrame:
    """Per level the rows, and the cells by verdict, and without one by what they sent.

    And, where the profile groups cells, how many are compared with those of their own group.
    """
    is_cell, is_judged = F.col("level") == CELL_LEVEL, F.col("verdict").isNotNull()
    why = figure("not_judged", F.col("level"), F.col("sample_state"), 1)
    figures = [
        F.array(_row_figure()),
        figures_if(is_cell, _verdict_figure()),
        figures_if(is_cell & ~is_judged, why),
    ]
    if peers is not None:
        has_own = F.exists("evidence", lambda kpi: kpi["peers"].isNotNull())
        compared = figure("peers", F.col("level"), peers.column, F.when(has_own, 1).otherwise(0))
        figures.append(figures_if(is_cell, compared))
    return explode_and_sum(published, F.concat(*figures))


def tower_figures(cells: DataFrame, most: int = LARGEST_KEYS) -> DataFrame:
    """Of a published cell table of one day: its towers, their verdicts, and the worst of them."""
    judged = cells.select(F.lit(CELL_LEVEL).alias("level"), F.col(VERDICT.name).alias("verdict"))
    counts = F.array(_row_figure(), _verdict_figure())
    has_customers = "customerID_count" in cells.columns
    return explode_and_sum(judged, counts).unionByName(_worst(cells, most, has_customers))


def summary(figures: Iterable[DataFrame], run: Mapping[str, Column]) -> DataFrame:
    """All figures of a run as one table (tables.SUMMARY_COLUMNS)."""
    return union(figures).withColumns({**run}).select(*(column.name for column in SUMMARY_COLUMNS))


def _with_totals(figures: DataFrame) -> DataFrame:
    """How many keys found no partner, and how many rows they have; the largest keys alone stay."""
    section, subject, item, value, detail = (F.col(name) for name in FIGURE_COLUMNS)
    is_unmatched = section == UNMATCHED
    with_totals = sum_figures(
        explode_figures(
            figures,
            F.concat(
                F.array(figure(section, subject, item, value, detail)),
                figures_if(
                    is_unmatched,
                    figure("unmatched_keys", subject, "keys", 1),
                    figure("unmatched_keys", subject, "rows", value),
                ),
            ),
        )
    )
    # All others are the first of their own.
    group = [section, subject, F.when(~is_unmatched, item)]
    return top_n_per_group(with_totals, group, [value.desc(), item]).drop("position")


def _worst(cells: DataFrame, most: int = LARGEST_KEYS, has_customers: bool = True) -> DataFrame:
    """The cells that need maintenance, worst first, each with what fails, why, and its customers.

    And likewise the near misses: cells that need none, although KPIs of them are beyond their
    limits.
    """
    verdict, cell, rank = F.col(VERDICT.name), F.col("CellName"), F.col("severity_rank")
    counts = F.concat_ws(" of ", "defected_count", "evaluated_kpis")
    families = F.array_join("failed_families", ", ")
    fails = F.when(families != "", families).otherwise(F.concat(counts, F.lit(" KPIs")))
    is_required = verdict == REQUIRED
    is_near_miss = (verdict == NOT_REQUIRED) & (F.col(DEFECT_COUNT.name) > 0)
    defects = F.filter("evidence", lambda kpi: kpi["status"] == CRIT)
    beyond = F.array_join(F.transform(defects, lambda kpi: kpi["reason"]), "; ")
    section = F.when(is_required, "worst").otherwise(NEAR_MISS)
    why = F.when(is_required, F.col("verdict_reason")).otherwise(beyond)
    named = [figure(section, cell, fails, rank, why)]
    if has_customers:
        count = F.col("customerID_count")
        named.append(figure(AFFECTED, cell, "customers with call statistics", count))
    found = cells.where(is_required | is_near_miss)
    return explode_figures(top_n_per_group(found, [verdict], [rank, cell], most), F.array(*named))


def _row_figure() -> Column:
    """That a row was published of its level."""
    return figure("kpi", F.col("level"), "rows", 1)


def _verdict_figure() -> Column:
    return figure("verdict", F.col("level"), F.coalesce("verdict", F.lit(NOT_JUDGED)), 1)
