"""Metrics of a level, as its rules meet them, and quantiles by plain Python."""

import statistics


def metrics_of(spark, profile, rows, peers=None, errors=None, customers=5):
    """Rows of (level, values of the KPIs) as metrics, each of a group of peers, and with errors."""
    kpis = [kpi.name for kpi in profile.kpis]
    doubles, counts = (
        f"struct<{', '.join(f'{kpi}: {type_}' for kpi in kpis)}>" for type_ in ("double", "bigint")
    )
    return spark.createDataFrame(
        [
            (
                number,
                level,
                tuple(values),
                peers and peers[number],
                errors and tuple(errors[number]),
                5,
                9,
                customers,
                (5,) * len(kpis),
                (customers,) * len(kpis),
            )
            for number, (level, values) in enumerate(rows)
        ],
        f"number int, level string, kpis {doubles}, peers string, errors {doubles}, "
        "sample_count bigint, call_row_count bigint, customer_count bigint, "
        f"usable_counts {counts}, value_customers {counts}",
    )


def quantile(values, share):
    return statistics.quantiles(values, n=20, method="inclusive")[round(share * 20) - 1]
