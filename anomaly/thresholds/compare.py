"""Comparison of KPIs with the rules of their level: a flag for each, and the evidence for it.

All KPIs of a row are judged by one expression over an array of them, so the plan stays small
however many KPIs a profile has. `judge` finds what counts, `with_evidence` adds the numbers and the
words.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.aggregation.derived import COUNTS
from anomaly.expressions.arrays import named_array, struct_of, transform_zipped
from anomaly.expressions.texts import measure_text
from anomaly.profile.model import Profile
from anomaly.schema.evidence import EVIDENCE_OF_KPI
from anomaly.thresholds.baselines import ALL
from anomaly.thresholds.limits import ABOVE, BELOW, BOTH, with_own_limits

# Status of a KPI in a row. Of those that are not judged the flag is NULL: NO_DATA, NO_BASELINE, and
# OUT_OF_REACH where no value could pass the bound. WARN is no defect yet.
NO_DATA, NO_BASELINE, OUT_OF_REACH = "NO_DATA", "NO_BASELINE", "OUT_OF_REACH"
OK, WARN, CRIT = "OK", "WARN", "CRIT"
# Arrays by KPI that are added meanwhile: what is judged, and by what (limits.level_rules).
LIMITED = ("measured", "rule", "baseline", "bounds")
TO_JUDGE = (*LIMITED, "bound", "deviation")
# Dropped at once: Spark Connect sends no plan that is a hundred levels deep.
ADDED = (*TO_JUDGE, "terms", "sides", "status")
JUDGED_TYPE = "struct<status:string,severity:double>"
WORST_FIRST = (CRIT, WARN, OK, OUT_OF_REACH, NO_BASELINE, NO_DATA)


def judge(metrics: DataFrame, rules: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Metrics of a level with their judgement: a row per row of `metrics`.

    Adds `judged`, an array with the status and severity of each rule, in the order of the profile:
    what the rule says of its KPI, and how far a defect lies beyond its bound. And `severity`, the
    same added up.
    `rules`: limits.level_rules. A value within a relative 1e-9 of its bound is equal to it,
    and so no defect.
    """
    return _judged(_with_kpis(metrics, rules, level, profile)).drop(*ADDED)


def with_evidence(judged: DataFrame, rules: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Adds the evidence for the status of each KPI (evidence.EVIDENCE_TYPE) to judged metrics."""
    return _explained(_with_kpis(judged, rules, level, profile)).drop(*ADDED)


def judge_with_evidence(
    metrics: DataFrame, rules: DataFrame, level: str, profile: Profile
) -> DataFrame:
    """Both at once: limits that are a row's own are made once."""
    return _explained(_judged(_with_kpis(metrics, rules, level, profile))).drop(*ADDED)


def _with_limits(metrics: DataFrame, rules: DataFrame) -> DataFrame:
    """Metrics with the limits of their level and group."""
    group = F.coalesce(F.col("peers"), F.lit(ALL))
    # Many metrics to the one row of their level and group.
    return (
        metrics.withColumn("group", group)
        .join(F.broadcast(rules.withColumnRenamed("peers", "group")), ["level", "group"], "left")
        .drop("group")
    )


def _with_kpis(metrics: DataFrame, rules: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Metrics with TO_JUDGE: what was `measured` of each judged KPI, and its limits.

    value; rows and customers, of how many usable values and customers it is; error, its standard
    error; denominator, where it is a ratio: that of all customers of a cell. A cell has limits of
    its own.
    """
    kpis, errors = F.col("kpis"), F.col("errors")
    rows, customers = (F.col(counts) for counts in COUNTS)
    no_number = F.lit(None).cast("double")
    measured = named_array(
        {
            rule.kpi: {
                "value": kpis[rule.kpi],
                "rows": rows[rule.kpi],
                "customers": customers[rule.kpi],
                "error": errors[rule.kpi],
                "denominator": _denominator(rule.kpi, profile, no_number),
            }
            for rule in profile.rules
        }
    )
    limited = _with_limits(metrics, rules).withColumn("measured", measured)
    if profile.level(level).standard_errors:
        limited = with_own_limits(limited)
    # Each from no more than it needs: engines copy what an element has for each branch of a choice.
    return limited.withColumn("bound", transform_zipped(_bound, *LIMITED)).withColumn(
        "deviation", transform_zipped(_deviation, "measured", "baseline", "bound")
    )


def _denominator(kpi: str, profile: Profile, no_number: Column) -> Column:
    derived = profile.derived_kpi(kpi)
    if derived is None or derived.denominator is None:
        return no_number
    per_customer = F.col("kpis")[derived.denominator]
    if profile.rests_on_samples(kpi):
        return per_customer
    return per_customer * F.col("value_customers")[derived.denominator]


def _judged(to_judge: DataFrame) -> DataFrame:
    def judged(kpi: Column) -> Column:
        beyond = in_spreads(kpi["deviation"], kpi["bounds"]["deviation_unit"])
        severity = F.when(kpi["status"] == CRIT, beyond).otherwise(0.0)
        return struct_of({"status": kpi["status"], "severity": severity}).cast(JUDGED_TYPE)

    added = F.aggregate("judged", F.lit(0.0), lambda total, kpi: total + kpi["severity"])
    return (
        to_judge.withColumn("status", transform_zipped(_status, "measured", "bounds"))
        .withColumn("judged", transform_zipped(judged, "status", "deviation", "bounds"))
        .withColumn("severity", added)
    )


def _explained(judged: DataFrame) -> DataFrame:
    return judged.withColumn("evidence", transform_zipped(_evidence, *TO_JUDGE, "judged"))


# --- one KPI ------------------------------------------------------------------------------------


def _status(kpi: Column) -> Column:
    """What follows from a KPI and its limits: of the value, and of what it rests on."""
    measured, bounds = kpi["measured"], kpi["bounds"]
    value = measured["value"]
    too_few = (measured["rows"] < bounds["minimum_count"]) | (
        measured["customers"] < bounds["minimum_customers"]
    )
    return (
        F.when(value.isNull() & bounds["missing_is_healthy"], OK)
        .when(value.isNull(), NO_DATA)
        .when(bounds["crit_above"].isNull() | too_few, NO_BASELINE)
        .when(bounds["is_out_of_reach"], OUT_OF_REACH)
        .when((value > bounds["crit_above"]) | (value < bounds["crit_below"]), CRIT)
        .when((value > bounds["warn_above"]) | (value < bounds["warn_below"]), WARN)
        .otherwise(OK)
    )


def _side(kpi: Column, above: Column, below: Column, either: Column) -> Column:
    """What goes with the side of the baseline on which a value lies, where both are bad."""
    value, baseline = kpi["measured"]["value"], kpi["baseline"]["value"]
    is_one_sided = kpi["rule"]["direction"] != BOTH
    return F.when(is_one_sided, either).when(value >= baseline, above).when(value < baseline, below)


def _bound(kpi: Column) -> Column:
    """The bound that a value is compared with; the other side of a rule for one has none."""
    above, below = (kpi["bounds"][side] for side in (ABOVE, BELOW))
    return _side(kpi, above, below, F.coalesce(above, below))


def _direction(kpi: Column) -> Column:
    direction = kpi["rule"]["direction"]
    return _side(kpi, F.lit(ABOVE), F.lit(BELOW), direction).otherwise(BOTH)


def _deviation(kpi: Column) -> Column:
    """How far a value lies from its baseline, in spreads; without a spread from the bound, in %."""
    value, bound, baseline = kpi["measured"]["value"], kpi["bound"], kpi["baseline"]
    scaled = F.when(baseline["is_log"], F.ln(value + baseline["offset"])).otherwise(value)
    return F.when(
        baseline["spread"] > 0, (scaled - baseline["centre"]) / baseline["spread"]
    ).otherwise(100.0 * (value - bound) / F.nullif(F.abs(bound), F.lit(0.0)))


def in_spreads(deviation: Column, unit: Column) -> Column:
    """How far a deviation goes on either side, comparable between KPIs; 0 if it is not known.

    Where there is no spread, 100 % beyond the bound count as one.
    """
    return F.greatest(F.abs(deviation) / F.when(unit == "%", 100.0).otherwise(1.0), F.lit(0.0))


# --- the evidence -------------------------------------------------------------------------------


def _evidence(kpi: Column) -> Column:
    """An element of the evidence, in the order of evidence.EVIDENCE_TYPE."""
    measured, rule, baseline, bounds = (kpi[part] for part in LIMITED)
    status = kpi["judged"]["status"]
    flag = F.when(status == CRIT, 1).when(status.isin(OK, WARN), 0)
    return struct_of(
        {
            "kpi": rule["kpi"],
            "status": status,
            "flag": flag,
            "value": measured["value"],
            "unit": rule["unit"],
            "bound": kpi["bound"],
            "direction": _direction(kpi),
            "method": rule["method"],
            "baseline": baseline["value"],
            "spread": baseline["spread"],
            "baseline_count": baseline["count"],
            "value_count": measured["rows"],
            "deviation": kpi["deviation"],
            "deviation_unit": bounds["deviation_unit"],
            "reason": _reason(kpi, status),
            "family": rule["family"],
            "peers": F.when(baseline["peers"] != ALL, baseline["peers"]),
            "scale": rule["scale"],
            "log_offset": baseline["offset"],
            "standard_error": baseline["standard_error"],
        }
    ).cast(EVIDENCE_OF_KPI)


def _reason(kpi: Column, status: Column) -> Column:
    """Why a KPI has its status, in words."""
    measured, rule, baseline = kpi["measured"], kpi["rule"], kpi["baseline"]
    no_data = F.when(status == NO_DATA, "no data").otherwise(
        "no data, which the profile counts as healthy"
    )
    no_value_passes = F.concat(F.lit("no value of "), rule["label"], F.lit(" can pass the "))
    against_bound = F.concat(
        rule["label"],
        F.lit(" is "),
        measure_text(measured["value"], rule["unit"]),
        baseline["origin"],
        F.when(status == WARN, "near the ").otherwise(""),
    )
    # A limit that is a cell's own says whose number it rests on.
    of_customers = F.concat(F.lit(" for "), measured["customers"], F.lit(" customers)"))
    is_out_of_reach = status == OUT_OF_REACH
    limit = F.concat(
        F.when(is_out_of_reach, no_value_passes).otherwise(against_bound),
        F.when(status == CRIT, "limit ").otherwise("limit of "),
        measure_text(kpi["bound"], rule["unit"]),
        F.when(is_out_of_reach, "")
        .when(baseline["standard_error"].isNull(), ")")
        .otherwise(of_customers),
    )
    return (
        F.when(measured["value"].isNull(), _fault_of_denominator(kpi).otherwise(no_data))
        .when(status == OK, "within its limit")
        .when(status == NO_BASELINE, _too_few(kpi))
        .otherwise(limit)
    )


def _too_few(kpi: Column) -> Column:
    measured, bounds = kpi["measured"], kpi["bounds"]
    few_customers = F.concat(
        F.lit("rests on "), measured["customers"], F.lit(" customers: too few")
    )
    few_values = F.concat(
        F.lit("rests on "),
        measured["rows"],
        F.lit(" rows with a value and is compared with "),
        kpi["baseline"]["count"],
        F.lit(" values: too few"),
    )
    is_few = measured["customers"] < bounds["minimum_customers"]
    return F.when(is_few, few_customers).otherwise(few_values)


def _fault_of_denominator(kpi: Column) -> Column:
    """Why a ratio has no value, if its denominator is why: conditions that the caller ends."""
    rule, denominator = kpi["rule"], kpi["measured"]["denominator"]
    found, minimum = (
        measure_text(number, F.lit("")) for number in (denominator, rule["minimum_denominator"])
    )
    is_zero = F.concat(F.lit("zero_denominator: "), rule["denominator"], F.lit(" is 0"))
    is_small = F.concat(
        F.lit("small_denominator: "),
        rule["denominator"],
        F.lit(" is "),
        found,
        F.lit(", below the minimum of "),
        minimum,
    )
    return F.when(denominator == 0, is_zero).when(
        denominator < rule["minimum_denominator"], is_small
    )
