"""Each step of the pipeline alone, on a DataFrame of your own, with your own column names.

    frame.transform(flag_outliers, kpis={"PRBUsageDL": above(median_iqr(k=2))}, by=["vendor"])

They are made of the same functions as the pipeline, so they judge alike.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.aggregation.averages import count_of, means_of
from anomaly.cleaning.checks import check_samples, clean_rows
from anomaly.cleaning.values import kpi_values
from anomaly.errors import ConfigurationError
from anomaly.expressions.arrays import by_name, null_struct, struct_of, transform_zipped
from anomaly.expressions.guards import require_columns, require_numbers
from anomaly.expressions.sql import column
from anomaly.profile.methods import Scale
from anomaly.profile.model import Profile
from anomaly.profile.sections import InputRules, JoinRules, Kpi, Peers, Rule, VerdictRule
from anomaly.profile.thresholds import Threshold
from anomaly.profile.validation import problems_of
from anomaly.schema.inputs import INPUT_CONTRACTS, SAMPLES
from anomaly.schema.tables import CELL_LEVEL
from anomaly.thresholds.baselines import ALL, baselines
from anomaly.thresholds.compare import judge_with_evidence
from anomaly.thresholds.limits import level_rules

OWN = "own row"
# A group with fewer values is compared with all rows.
SMALLEST_GROUP = 8
# How samples are read where nothing else is said.
USUAL = InputRules()


def clean_samples(
    samples: DataFrame,
    *,
    kpis: Sequence[str],
    cell: str = "CellName",
    time: str | None = None,
    rules: InputRules = USUAL,
) -> DataFrame:
    """The raw samples that count: columns `cell`, `time` (an instant) and the KPIs.

    Texts and numbers are read as a run reads them: a KPI is a double, NULL where it holds no finite
    number; a time is NULL where it has no date. Rows without a cell are left out, and with `time`
    those whose time is none, all but one of those that say the same, and those that contradict each
    other. `rules` are those of a profile's
    `[inputs.samples]`. Raises InputError for a column that is missing or of an impossible type.
    """
    require_columns(samples, [cell, *([time] if time else []), *kpis], "clean_samples")
    names = (("CellName", cell), ("Time", time or ""), ("Date", ""))
    own = _profile(kpis, {}, rules=replace(rules, columns=names))
    clean = clean_rows(check_samples(samples, own))
    values = kpi_values(own.kpis_of(SAMPLES))
    times = [F.col("time").alias(time)] if time else []
    return clean.select(
        F.col("CellName").alias(cell), *times, *(value.alias(kpi) for kpi, value in values.items())
    )


def average_kpis(frame: DataFrame, *, by: Sequence[str], kpis: Sequence[str]) -> DataFrame:
    """A row per group: the columns `by`, row_count (rows), and the mean of each KPI, by its name.

    Means are exact: the same to the last bit however the rows are split. NULL where a group has no
    value. Values must be finite and at most 1e12 (`clean_samples`). Raises InputError for a column
    that is missing or holds no numbers.
    """
    require_columns(frame, [*by, *kpis], "average_kpis")
    require_numbers(frame, kpis, "average_kpis")
    values = {kpi: column(kpi).cast("double") for kpi in kpis}
    means = frame.groupBy(*map(column, by)).agg(
        F.count("*").alias("row_count"), means_of(values).alias("means")
    )
    return means.select(
        *map(column, by), "row_count", *(F.col("means")[kpi].alias(kpi) for kpi in kpis)
    )


def peer_baselines(
    frame: DataFrame, *, kpis: Mapping[str, Threshold], by: Sequence[str] = ()
) -> DataFrame:
    """What is usual among all rows, and among those alike in the columns `by`.

    A row per group and KPI: peers (the texts of the columns `by`; NULL for all rows), kpi, count
    (values), baseline, spread (NULL where the method has none; of logarithms with `log_offset`),
    and the bounds above and below (NULL on a side that is not bad). Raises InputError for a column
    that is missing or holds no numbers, ConfigurationError for a threshold that contradicts itself.
    """
    profile = _judging(kpis)
    limits = level_rules(baselines(_metrics(frame, kpis, by, "peer_baselines"), profile), profile)

    def of_kpi(limits: Column) -> Column:
        rule, baseline, bounds = (limits[part] for part in ("rule", "baseline", "bounds"))
        return struct_of(
            {
                "kpi": rule["kpi"],
                "count": baseline["count"],
                "baseline": baseline["value"],
                "spread": baseline["spread"],
                "above": bounds["above"],
                "below": bounds["below"],
            }
        )

    return limits.select(
        F.when(F.col("peers") != ALL, F.col("peers")).alias("peers"),
        F.inline(transform_zipped(of_kpi, "rule", "baseline", "bounds")),
    )


def flag_outliers(
    frame: DataFrame,
    *,
    kpis: Mapping[str, Threshold],
    by: Sequence[str] = (),
    smallest_group: int = SMALLEST_GROUP,
) -> DataFrame:
    """The rows with a flag for each KPI, KPI_flag, and their `evidence`.

    A flag is 1 for a defect, 0 for none, NULL where the KPI could not be judged. Rows are compared
    with those alike in the columns `by`, and with all rows where fewer than `smallest_group` of
    these have a value. `evidence` is an array with value, bound, baseline and reason for each KPI
    (`explain_flags`). Raises InputError for a column that is missing or holds no numbers,
    ConfigurationError for a threshold that contradicts itself.
    """
    profile = _judging(kpis, smallest_group)
    metrics = _metrics(frame, kpis, by, "flag_outliers")
    rules = level_rules(baselines(metrics, profile), profile)
    judged = judge_with_evidence(metrics, rules, CELL_LEVEL, profile)
    evidence = by_name(F.col("evidence"), kpis)
    return judged.select(
        f"`{OWN}`.*", *(evidence[kpi]["flag"].alias(flag_of(kpi)) for kpi in kpis), "evidence"
    )


def explain_flags(flagged: DataFrame, *, keys: Sequence[str]) -> DataFrame:
    """Rows of `flag_outliers` to a row per row and KPI: the columns `keys`, and the evidence.

    kpi, status, flag, value, bound, direction, method, baseline, spread, baseline_count (values),
    deviation with its unit, reason (one sentence), and more (schema.evidence). Raises InputError
    for a column that is missing.
    """
    require_columns(flagged, [*keys, "evidence"], "explain_flags")
    return flagged.select(*map(column, keys), F.inline("evidence"))


def flag_of(kpi: str) -> str:
    """The column that holds the flag of a KPI."""
    return f"{kpi}_flag"


def _metrics(
    frame: DataFrame, kpis: Mapping[str, Threshold], by: Sequence[str], step: str
) -> DataFrame:
    """Rows as the thresholds take them, each with itself as one column."""
    require_columns(frame, [*by, *kpis], step)
    require_numbers(frame, kpis, step)
    # Without one of its texts nobody knows which rows a row is like.
    peers = F.lit(None).cast("string")
    if by:
        texts = (part for name in by for part in (F.lit(" "), column(name).cast("string")))
        peers = F.nullif(F.trim(F.concat(*texts)), F.lit(ALL))
    one = {kpi: count_of(1) for kpi in kpis}
    return frame.select(
        F.struct(*map(column, frame.columns)).alias(OWN),
        F.lit(CELL_LEVEL).alias("level"),
        peers.alias("peers"),
        struct_of({kpi: column(kpi).cast("double") for kpi in kpis}).alias("kpis"),
        null_struct(kpis, "double").alias("errors"),
        struct_of(one).alias("usable_counts"),
        struct_of(one).alias("value_customers"),
    )


def _judging(kpis: Mapping[str, Threshold], smallest_group: int = SMALLEST_GROUP) -> Profile:
    """The profile of thresholds. Raises ConfigurationError where one contradicts itself."""
    profile = _profile([*kpis], kpis, smallest_group)
    problems = [
        problem.replace("[rules.", "[") for problem in problems_of(profile) if "[rules." in problem
    ]
    if problems:
        raise ConfigurationError("thresholds", problems)
    return profile


def _profile(
    kpis: Sequence[str],
    thresholds: Mapping[str, Threshold],
    smallest_group: int = SMALLEST_GROUP,
    rules: InputRules = USUAL,
) -> Profile:
    # What is compared by factors cannot be negative.
    factors = {kpi for kpi, one in thresholds.items() if one.scale is Scale.LOG}
    return Profile(
        name="own",
        kpis=tuple(
            Kpi(column=kpi, source=SAMPLES, name=kpi, minimum=0.0 if kpi in factors else None)
            for kpi in kpis
        ),
        rules=tuple(Rule.of(kpi, one, flag=flag_of(kpi)) for kpi, one in thresholds.items()),
        verdict=VerdictRule(minimum_defects=1),
        inputs=dict.fromkeys(INPUT_CONTRACTS, InputRules()) | {SAMPLES: rules},
        join=JoinRules(minimum_samples=0, minimum_call_rows=0),
        peers=Peers(column="peers", minimum_cells=smallest_group, required=False),
    )
