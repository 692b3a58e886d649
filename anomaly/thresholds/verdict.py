"""From the judgement of a row to its counts, its rank, the verdict on a cell, and its reason."""

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anomaly.expressions.arrays import field
from anomaly.profile.choices import SilentCells, StandingAlarms
from anomaly.profile.model import Profile
from anomaly.profile.sections import VerdictRule
from anomaly.schema.inputs import SAMPLES
from anomaly.schema.tables import DEFECT_COUNT, VERDICT
from anomaly.thresholds.compare import CRIT, OK, WARN
from anomaly.thresholds.families import diagnosis, failed_families, kpi_severity

# The statuses of KPIs that were judged.
JUDGED = (OK, WARN, CRIT)
REQUIRED, NOT_REQUIRED = "Required", "Not Required"
REPORTING, FEW_SAMPLES, NO_SAMPLES = "REPORTING", "FEW_SAMPLES", "NO_SAMPLES"
# Rows without a defect are most rows of a large table: they are spread over this many tasks.
TASKS_WITHOUT_DEFECT = 64
# Where a verdict follows from a count of KPIs, its reason names so many of them.
KPIS_NAMED = 3


def with_counts(judged: DataFrame) -> DataFrame:
    """Adds what follows from the column `judged` of a row.

    defected_count: KPIs with the flag 1; evaluated_kpis: KPIs that could be judged.
    """
    defects = F.filter("judged", lambda kpi: kpi["status"] == CRIT)
    evaluated = F.filter("judged", lambda kpi: kpi["status"].isin(*JUDGED))
    return judged.withColumns(
        {DEFECT_COUNT.name: F.array_size(defects), "evaluated_kpis": F.array_size(evaluated)}
    )


def with_verdict(judged: DataFrame, profile: Profile) -> DataFrame:
    """Adds the verdict on a cell, a row per row.

    Maintainence_Required: Required, Not Required or NULL; failed_families: the names of those that
    decide; verdict_reason: why, in one sentence; sample_state; gravity: what cells are ranked by
    before their severity; and severity, of failed families the worst KPI of each, added up.

    Needs evidence, with_counts, severity, usable_counts, customerID_count, and standing_alarm: a
    struct<severity, families, reason>, NULL where no alarm stands (detection.standing_alarms).
    """
    rule = profile.verdict
    # In few steps, because Spark Connect sends no plan that is a hundred levels deep.
    known = judged.withColumns(
        {
            "families": failed_families(profile.families),
            "sample_state": _sample_state(profile),
            "is_silent": _is_silent(profile),
            "alarm": F.when(_counts(rule.standing_alarms), F.col("standing_alarm")),
        }
    )
    by_families = rule.minimum_failed_families is not None
    found = known.withColumns(
        {
            "failed_families": _failed(rule),
            VERDICT.name: _maintenance(rule),
            "severity": _severity_of_families() if by_families else F.col("severity"),
        }
    )
    return found.withColumns({"gravity": _gravity(profile), "verdict_reason": _reason(profile)})


def _gravity(profile: Profile) -> Column:
    """Cells to visit come first, then those where most families fail, then those with most defects.

    As one number, in which no count outweighs the one before it.
    """
    per_family = len(profile.rules) + 1
    per_visit = per_family * (len(profile.families) + 2)
    to_visit = F.when(F.col(VERDICT.name) == REQUIRED, per_visit).otherwise(0)
    failed = F.array_size("failed_families") * per_family
    return (to_visit + failed + F.col(DEFECT_COUNT.name)).cast("int")


def _samples_with_values(profile: Profile) -> Column:
    """The most values that a KPI of the samples has: rows without any say nothing of a cell."""
    counts = [F.col("usable_counts")[kpi.name] for kpi in profile.kpis_of(SAMPLES)]
    if not counts:
        return F.col("sample_count")
    return F.coalesce(F.array_max(F.array(*counts)), "sample_count")


def _sample_state(profile: Profile) -> Column:
    samples = _samples_with_values(profile)
    return (
        F.when(samples == 0, NO_SAMPLES)
        .when(samples < profile.join.minimum_samples, FEW_SAMPLES)
        .otherwise(REPORTING)
    )


def _is_silent(profile: Profile) -> Column:
    """Whether a cell has customers and sends no samples; others do, or the run would be refused."""
    return (_samples_with_values(profile) == 0) & (F.col("customerID_count") > 0)


def _counts(alarms: StandingAlarms) -> Column:
    """Whether the standing alarm is one that makes a cell Required."""
    if alarms is StandingAlarms.NONE:
        return F.lit(False)
    levels = (CRIT,) if alarms is StandingAlarms.CRIT else (CRIT, WARN)
    return field(F.col("standing_alarm"), "severity").isin(*levels)


def _deciding() -> Column:
    return F.filter("families", lambda family: family["decides"])


def _failed(rule: VerdictRule) -> Column:
    """The names of what fails: families by their KPIs, then those of an alarm, then silence."""
    names = F.transform(_deciding(), lambda family: family["name"])
    none = F.array().cast("array<string>")
    of_alarm = F.coalesce(field(F.col("alarm"), "families"), none)
    silent = none
    if rule.silent_cells is SilentCells.REQUIRED and rule.silent_family:
        silent = F.when(F.col("is_silent"), F.array(F.lit(rule.silent_family))).otherwise(none)
    return F.array_union(F.array_union(names, of_alarm), silent)


def _maintenance(rule: VerdictRule) -> Column:
    """Required or Not Required; NULL where it is unknown."""
    defects, evaluated = F.col(DEFECT_COUNT.name), F.col("evaluated_kpis")
    enough = evaluated >= rule.minimum_evaluated
    if rule.minimum_failed_families is not None:
        is_required = F.array_size(_deciding()) >= rule.minimum_failed_families
    elif rule.minimum_defects is not None:
        is_required = enough & (defects >= rule.minimum_defects)
    else:
        share = float(rule.minimum_defect_share or 0.0)
        is_required = enough & (defects >= share * evaluated) & (defects > 0)
    is_required |= F.col("alarm").isNotNull()
    is_known = enough
    if rule.silent_cells is SilentCells.REQUIRED:
        is_required |= F.col("is_silent")
    if rule.silent_cells is SilentCells.NO_VERDICT:
        is_known &= ~F.col("is_silent")
    return F.when(is_required, REQUIRED).when(is_known, NOT_REQUIRED)


def _severity_of_families() -> Column:
    """How far the worst KPI of each family that decides lies out, added up; else as it was."""
    added = F.aggregate(_deciding(), F.lit(0.0), lambda total, family: total + family["severity"])
    return F.when(F.array_size(_deciding()) > 0, added).otherwise(F.col("severity"))


# --- the reason ---------------------------------------------------------------------------------


def _reason(profile: Profile) -> Column:
    """Why a cell has its verdict, in one sentence."""
    rule = profile.verdict
    silence = F.when(F.col("is_silent"), "it sends no samples while other cells do")
    severity, words = (field(F.col("standing_alarm"), name) for name in ("severity", "reason"))
    alarm = F.concat(severity, F.lit(" alarm: "), words)
    too_few = F.when(
        F.col("evaluated_kpis") < rule.minimum_evaluated,
        F.concat(
            F.col("evaluated_kpis").cast("string"),
            F.lit(f" KPIs could be judged, {rule.minimum_evaluated} are needed"),
        ),
    )
    by_count = rule.minimum_failed_families is None
    why = _why_by_count() if by_count else _why_by_families()
    looks = F.lit("") if by_count else _looks(profile)
    required = F.concat(looks, F.concat_ws("; ", why, alarm, silence, _customers()))
    sound = F.concat_ws("; ", _what_was_judged(), alarm, silence, _customers())
    unknown = F.concat_ws("; ", silence, too_few, alarm, _customers())
    return (
        F.when(F.col(VERDICT.name) == REQUIRED, required)
        .when(F.col(VERDICT.name) == NOT_REQUIRED, sound)
        .otherwise(F.concat(F.lit("not judged: "), unknown))
    )


def _looks(profile: Profile) -> Column:
    return F.coalesce(F.concat(diagnosis(profile.diagnoses), F.lit(": ")), F.lit(""))


def _why_by_families() -> Column:
    reasons = F.transform(_deciding(), lambda family: family["reason"])
    return F.when(F.array_size(reasons) > 0, F.array_join(reasons, "; "))


def _why_by_count() -> Column:
    """How many KPIs are defects, and the farthest of them."""
    defects = F.filter("evidence", lambda kpi: kpi["status"] == CRIT)
    by_severity = F.transform(
        defects, lambda kpi: F.struct((-kpi_severity(kpi)).alias("order"), kpi["reason"])
    )
    worst_first = F.sort_array(by_severity.cast("array<struct<order:double,reason:string>>"))
    named = F.transform(F.slice(worst_first, 1, KPIS_NAMED), lambda kpi: kpi["reason"])
    reasons = F.concat_ws("; ", _counted(), F.array_join(named, "; "))
    return F.when(F.array_size(defects) > 0, reasons)


def _counted() -> Column:
    counts = F.concat_ws(" of ", DEFECT_COUNT.name, "evaluated_kpis")
    return F.concat(counts, F.lit(" judged KPIs are beyond their limits"))


def _what_was_judged() -> Column:
    return F.concat(F.lit("no failure: "), _counted())


def _customers() -> Column:
    """How many customers with call statistics the cell has."""
    count = F.col("customerID_count")
    return F.concat(
        F.when(count == 0, "no").otherwise(F.format_number(count, 0)),
        F.when(count == 1, " customer").otherwise(" customers"),
        F.lit(" with call statistics"),
    )


def rank_by_severity(judged: DataFrame, gravity: str, *keys: str) -> DataFrame:
    """Adds severity_rank: the highest gravity first, then the farthest beyond their bounds.

    `gravity` is a column of small whole numbers. Rows alike in both share a rank, and the next rank
    is left out (1, 2, 2, 4). Rows are ranked within their gravity and moved down by the number of
    graver rows, so that no single task sorts them all.
    """
    # Not by sequence(), at whose first use Spark starts up the reflection of Scala: a second.
    graver = F.posexplode(F.array_repeat("row_count", F.col(gravity)))
    # Rows without a defect are all alike, so that each of their tasks gives them the same rank.
    is_alike = F.col(gravity) == 0
    tasks = F.when(is_alike, TASKS_WITHOUT_DEFECT).otherwise(1)
    hashed = F.pmod(F.xxhash64(*keys), F.lit(TASKS_WITHOUT_DEFECT))
    worse = (
        judged.groupBy(gravity)
        .agg(F.count("*").alias("row_count"))
        .select(graver.alias(gravity, "row_count"))
        .groupBy(gravity)
        .agg(F.sum("row_count").alias("worse_rows"))
        .select(
            gravity, F.posexplode(F.array_repeat("worse_rows", tasks)).alias("task", "worse_rows")
        )
    )
    in_task = Window.partitionBy(gravity, "task").orderBy(F.desc("severity"))
    rank = F.coalesce("worse_rows", F.lit(0)) + F.rank().over(in_task)
    return (
        judged.withColumn("task", F.when(is_alike, hashed).otherwise(0).cast("int"))
        # Many rows to one count; a merge join, because a broadcast would cost a job of its own.
        .join(worse.hint("merge"), on=[gravity, "task"], how="left")
        .withColumn("severity_rank", rank)
    )
