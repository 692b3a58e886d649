"""Metrics of a level, as its rules meet them, and quantiles by plain Python."""

import statistics


def metrics_of(spark, rows, peers=None, errors=None, customers=5):
    """Rows of (level, values of the KPIs) as metrics, each of a group of peers, and with errors."""
    return spark.createDataFrame(
        [
            (number, *row, peers and peers[number], errors and errors[number], 5, 9, customers)
            for number, row in enumerate(rows)
        ],
        "number int, level string, kpis array<double>, peers string, errors array<double>, "
        "sample_count bigint, call_row_count bigint, customer_count bigint",
    ).selectExpr(
        "*",
        "array_repeat(sample_count, size(kpis)) AS usable_counts",
        "array_repeat(customer_count, size(kpis)) AS value_customers",
    )


def quantile(values, share):
    return statistics.quantiles(values, n=20, method="inclusive")[round(share * 20) - 1]
