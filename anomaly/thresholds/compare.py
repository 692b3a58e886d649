"""Comparison of KPIs with the rules of their level: a flag for each, and the evidence for it.

All KPIs of a row are judged by one expression over an array, so the plan stays small however many
KPIs a profile has. `judge` finds what counts, `with_evidence` adds the numbers and the words.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.aggregation.averages import COUNTS
from anomaly.expressions.sql_text import measure_text
from anomaly.profile.methods import Direction
from anomaly.profile.model import Profile
from anomaly.schema.evidence import EVIDENCE_TYPE
from anomaly.thresholds.baselines import ALL, judged_counts, judged_values
from anomaly.thresholds.limits import ABOVE, BELOW, IS_LOG, own_rules

# Status of a KPI in a row. Of those that are not judged the flag is NULL: NO_DATA, NO_BASELINE, and
# OUT_OF_REACH where no value could pass the bound. WARN is no defect yet.
NO_DATA, NO_BASELINE, OUT_OF_REACH = "NO_DATA", "NO_BASELINE", "OUT_OF_REACH"
OK, WARN, CRIT = "OK", "WARN", "CRIT"

# The SQL of how far beyond its bound a defect lies, comparable between KPIs: in units of spread;
# where there is no spread, 100 % beyond the bound count as one.
SEVERITY = "coalesce(abs({deviation}) / CASE {unit} WHEN '%' THEN 100D ELSE 1D END, 0D)"

# The SQL of what follows from a `kpi`, its rule (level_rules) and its row: of the value, and of how
# many usable values and customers it is. Where both sides are bad, that side counts on which of the
# centre the value lies.
TOO_FEW = "(kpi.rows < rule.minimum_count OR kpi.customers < rule.minimum_customers)"
STATUS = f"""CASE
    WHEN kpi.value IS NULL AND rule.missing_is_healthy THEN '{OK}'
    WHEN kpi.value IS NULL THEN '{NO_DATA}'
    WHEN rule.crit_above IS NULL OR {TOO_FEW} THEN '{NO_BASELINE}'
    WHEN rule.is_out_of_reach THEN '{OUT_OF_REACH}'
    WHEN kpi.value > rule.crit_above OR kpi.value < rule.crit_below THEN '{CRIT}'
    WHEN kpi.value > rule.warn_above OR kpi.value < rule.warn_below THEN '{WARN}'
    ELSE '{OK}'
END"""
# The same of a `kpi` that is judged: its value and its status.
DIRECTION = f"""CASE
    WHEN rule.direction != '{Direction.BOTH.value}' THEN rule.direction
    WHEN kpi.value >= rule.baseline THEN '{ABOVE}'
    WHEN kpi.value < rule.baseline THEN '{BELOW}'
    ELSE '{Direction.BOTH.value}'
END"""
# The other side of a rule for one has no bound.
BOUND = f"""CASE
    WHEN rule.direction != '{Direction.BOTH.value}' THEN coalesce(rule.above, rule.below)
    WHEN kpi.value >= rule.baseline THEN rule.above
    WHEN kpi.value < rule.baseline THEN rule.below
END"""
SCALED = f"CASE WHEN {IS_LOG} THEN ln(kpi.value + rule.offset) ELSE kpi.value END"
DEVIATION = f"""CASE
    WHEN rule.spread > 0 THEN ({SCALED} - rule.centre) / rule.spread
    ELSE 100D * (kpi.value - {BOUND}) / nullif(abs({BOUND}), 0D)
END"""


def judge(metrics: DataFrame, rules: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Metrics of a level with their judgement: a row per row of `metrics`.

    Adds arrays in the order of the profile's rules: value, the KPIs that they judge; rows and
    customers, of how many usable values and customers those are; and status, what the rules say of
    them. And severity, how far the defects lie beyond their bounds, added up.
    `rules`: limits.level_rules. A value within a relative 1e-9 of its bound is equal to it,
    and so no defect.
    """
    return _judged(_with_rules(_valued(metrics, profile), rules, level, profile)).drop("rules")


def with_evidence(judged: DataFrame, rules: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Adds the evidence for the status of each KPI (evidence.EVIDENCE_TYPE) to judged metrics."""
    return _explained(_with_rules(judged, rules, level, profile)).drop("rules")


def judge_with_evidence(
    metrics: DataFrame, rules: DataFrame, level: str, profile: Profile
) -> DataFrame:
    """Both at once: rules that are a row's own are made once."""
    with_rules = _with_rules(_valued(metrics, profile), rules, level, profile)
    return _explained(_judged(with_rules)).drop("rules")


def _valued(metrics: DataFrame, profile: Profile) -> DataFrame:
    rows, customers = (judged_counts(counts, profile) for counts in COUNTS)
    return metrics.selectExpr(
        "*",
        f"{judged_values(profile)} AS value",
        f"{rows} AS rows",
        f"{customers} AS customers",
    )


def _judged(with_rules: DataFrame) -> DataFrame:
    of_kpi = SEVERITY.format(deviation=DEVIATION, unit="rule.deviation_unit")
    of_kpis = (
        "zip_with(arrays_zip(value, status), rules, (kpi, rule) -> "
        f"CASE WHEN kpi.status = '{CRIT}' THEN {of_kpi} ELSE 0D END)"
    )
    added = f"aggregate({of_kpis}, 0D, (total, severity) -> total + severity)"
    # Most rows have no defect.
    severity = f"CASE WHEN array_contains(status, '{CRIT}') THEN {added} ELSE 0D END"
    return with_rules.selectExpr(
        "*",
        f"zip_with(arrays_zip(value, rows, customers), rules, (kpi, rule) -> {STATUS}) AS status",
    ).selectExpr("*", f"{severity} AS severity")


def _explained(judged: DataFrame) -> DataFrame:
    of_kpis = "arrays_zip(value, status, rows, customers)"
    evidence = f"zip_with({of_kpis}, rules, (kpi, rule) -> {_evidence()})"
    return judged.selectExpr("*", f"CAST({evidence} AS {EVIDENCE_TYPE}) AS evidence")


def _with_rules(metrics: DataFrame, rules: DataFrame, level: str, profile: Profile) -> DataFrame:
    """Metrics with the rules of their group of peers; a cell with bounds of its own."""
    # Many metrics to the one row of their level.
    joined = metrics.join(F.broadcast(rules), on="level", how="inner")
    of_group = f"coalesce(try_element_at(rules, peers), rules['{ALL}'])"
    if profile.level(level).standard_errors:
        of_group = own_rules(of_group, profile)
    return joined.withColumn("rules", F.expr(of_group))


def _evidence() -> str:
    """The SQL of an element of the evidence, in the order of evidence.EVIDENCE_TYPE."""
    fields = {
        "kpi": "rule.kpi",
        "status": "kpi.status",
        "flag": f"CASE WHEN kpi.status = '{CRIT}' THEN 1 "
        f"WHEN kpi.status IN ('{OK}', '{WARN}') THEN 0 END",
        "value": "kpi.value",
        "unit": "rule.unit",
        "bound": BOUND,
        "direction": DIRECTION,
        "method": "rule.method",
        "baseline": "rule.baseline",
        "spread": "rule.spread",
        "baseline_count": "rule.count",
        "value_count": "kpi.rows",
        "deviation": DEVIATION,
        "deviation_unit": "rule.deviation_unit",
        "reason": _reason(),
        "family": "rule.family",
        "peers": f"CASE WHEN rule.peers != '{ALL}' THEN rule.peers END",
        "scale": "rule.scale",
        "log_offset": "rule.offset",
        "standard_error": "rule.standard_error",
    }
    return f"struct({', '.join(f'{sql} AS {name}' for name, sql in fields.items())})"


def _reason() -> str:
    """The SQL of why the KPI has its status, in words."""
    value, bound = (measure_text(number, "rule.unit") for number in ("kpi.value", BOUND))
    is_now = f"concat(rule.label, ' is ', {value}"
    near = f"CASE WHEN kpi.status = '{WARN}' THEN 'near the limit of ' ELSE 'limit ' END"
    # A limit that is a cell's own says whose number it rests on.
    size = (
        "CASE WHEN rule.standard_error IS NULL THEN ')' "
        "ELSE concat(' for ', kpi.customers, ' customers)') END"
    )
    against_bound = f"{is_now}, rule.origin, {near}, {bound}, {size})"
    too_few = (
        "CASE WHEN kpi.customers < rule.minimum_customers "
        "THEN concat('rests on ', kpi.customers, ' customers: too few') "
        "ELSE concat('rests on ', kpi.rows, ' rows with a value and is compared with ', "
        "rule.count, ' values: too few') END"
    )
    out_of_reach = f"concat('no value of ', rule.label, ' can pass the limit of ', {bound})"
    no_data = (
        f"CASE WHEN kpi.status = '{NO_DATA}' THEN 'no data' "
        "ELSE 'no data, which the profile counts as healthy' END"
    )
    return f"""CASE
        WHEN kpi.value IS NULL THEN coalesce({_fault_of_denominator()}, {no_data})
        WHEN kpi.status = '{OK}' THEN 'within its bound'
        WHEN kpi.status = '{NO_BASELINE}' THEN {too_few}
        WHEN kpi.status = '{OUT_OF_REACH}' THEN {out_of_reach}
        ELSE {against_bound}
    END"""


def _fault_of_denominator() -> str:
    """The SQL of why a ratio without a value has none, if its denominator is why; else NULL."""
    per_customer = "get(kpis, rule.denominator_position)"
    # Of a cell's call statistics those of all its customers count.
    denominator = (
        f"({per_customer} * CASE WHEN rule.rests_on_samples THEN 1 "
        "ELSE get(value_customers, rule.denominator_position) END)"
    )
    found, minimum = (
        measure_text(number, "''") for number in (denominator, "rule.minimum_denominator")
    )
    is_small = (
        f"concat('small_denominator: ', rule.denominator, ' is ', {found}, "
        f"', below the minimum of ', {minimum})"
    )
    return f"""CASE
        WHEN {denominator} = 0 THEN concat('zero_denominator: ', rule.denominator, ' is 0')
        WHEN {denominator} < rule.minimum_denominator THEN {is_small}
    END"""
