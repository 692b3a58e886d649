"""The pipeline in the four steps of the published system, each from tables to tables.

customers with samples -> with call statistics -> customer metrics and cell metrics, side by side
-> the tables of a run. The same transforms as `detect`, and the same rows; what a stage
returns may be kept as tables, and the next one be run by another process, on another day.
"""

from functools import reduce

from pyspark.sql import DataFrame

from anomaly.aggregation.averages import (
    average_calls,
    average_samples,
    join_calls,
    join_samples,
    without_partner,
)
from anomaly.cleaning.checks import (
    check_calls,
    check_customers,
    check_samples,
    clean_rows,
    rejected_rows,
    row_counts_by_outcome,
)
from anomaly.cleaning.sample_times import ANY_TIME, TimesOfRun
from anomaly.pipeline.detection import (
    Results,
    cell_metrics,
    cell_table,
    customer_metrics,
    customer_table,
    rules_of_levels,
)
from anomaly.profile.model import Profile
from anomaly.run import Frame, Keep, Run, leave_lazy
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, SAMPLES
from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE, REJECTED_TABLE
from anomaly.summary.account import input_figures, join_figures, result_figures, summary

# Tables between the stages; those of a run have the names of schema.tables.
WITH_SAMPLES, WITH_CALLS = "customers_with_samples", "customers_with_samples_and_calls"
INPUT_FIGURES, JOIN_FIGURES = "input_figures", "join_figures"

Tables = dict[str, DataFrame]


def customers_with_samples(
    customers: DataFrame,
    samples: DataFrame,
    profile: Profile,
    run: Run,
    keep: Keep = leave_lazy,
    times: TimesOfRun = ANY_TIME,
) -> Tables:
    """The raw customers and samples to WITH_SAMPLES (averages.join_samples), and their account.

    Samples with times that are none of `times` are rejected.

    Raises InputError for an input without a column that is needed.
    """
    checked = {
        CUSTOMERS: keep(Frame.CHECKED_CUSTOMERS, check_customers(customers, profile)),
        SAMPLES: keep(Frame.CHECKED_SAMPLES, check_samples(samples, profile, times)),
    }
    cells = average_samples(clean_rows(checked[SAMPLES]), profile)
    with_samples = join_samples(clean_rows(checked[CUSTOMERS]), cells)
    return {**_account(checked, profile, run, keep), WITH_SAMPLES: with_samples}


def with_call_statistics(
    with_samples: DataFrame, calls: DataFrame, profile: Profile, run: Run, keep: Keep = leave_lazy
) -> Tables:
    """WITH_SAMPLES and the raw call statistics to WITH_CALLS, their account and JOIN_FIGURES.

    Raises InputError for an input without a column that is needed.
    """
    checked = keep(Frame.CHECKED_CALLS, check_calls(calls, profile))
    callers = average_calls(clean_rows(checked), profile)
    with_calls = keep(Frame.JOINED, join_calls(with_samples, callers))
    return {
        **_account({CALL_STATISTICS: checked}, profile, run, keep),
        JOIN_FIGURES: join_figures(with_calls, without_partner(with_calls)),
        WITH_CALLS: with_calls,
    }


def judged_customers(with_calls: DataFrame, profile: Profile, run: Run) -> Tables:
    """WITH_CALLS to the published table of the customers."""
    metrics = customer_metrics(with_calls, profile)
    rules = rules_of_levels([metrics], profile)
    return {CUSTOMER_TABLE: customer_table(metrics, rules, profile, run)}


def judged_cells(with_calls: DataFrame, profile: Profile, run: Run) -> Tables:
    """WITH_CALLS to the published table of the cells."""
    metrics = cell_metrics(with_calls, profile)
    rules = rules_of_levels([metrics], profile)
    return {CELL_TABLE: cell_table(metrics, rules, profile, run)}


def results_of(
    account_of_samples: Tables,
    account_of_calls: Tables,
    customers: DataFrame,
    cells: DataFrame,
    profile: Profile,
    run: Run,
) -> Results:
    """What the stages made, as the tables of one run: each row says that it is of `run`.

    The accounts are what the first two stages made beside their joined table.
    """
    accounts = (account_of_samples, account_of_calls)
    figures = (
        *(account[INPUT_FIGURES] for account in accounts),
        account_of_calls[JOIN_FIGURES],
        result_figures(customers, cells),
    )
    rejected = reduce(DataFrame.unionByName, (account[REJECTED_TABLE] for account in accounts))
    of_run = run.columns(profile)
    return Results(
        customer_service_metrics_data=customers.withColumns(of_run),
        cell_tower_performance_data=cells.withColumns(of_run),
        rejected_rows=rejected.withColumns(of_run),
        run_summary=summary(figures, of_run),
    )


def _account(checked: Tables, profile: Profile, run: Run, keep: Keep) -> Tables:
    """What row_counts of every row of the inputs of a stage."""
    row_counts = keep(Frame.ROW_COUNTS, row_counts_by_outcome(checked, profile))
    return {
        REJECTED_TABLE: rejected_rows(checked, row_counts, run.columns(profile)),
        INPUT_FIGURES: input_figures(row_counts, profile),
    }
