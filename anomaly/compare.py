"""Comparison of KPIs with the rules of their level: a flag for each, and the evidence for it.

All KPIs of a row are judged by one expression over an array, so the plan stays small however many
KPIs a profile has. `judge` finds what counts, `with_evidence` adds the numbers and the words.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anomaly.baseline import judged_values
from anomaly.contracts import EVIDENCE_TYPE
from anomaly.level_rules import ABOVE, BELOW
from anomaly.methods import Direction
from anomaly.numbers import number_text
from anomaly.profile import Profile

# Status of a KPI in a row. Of those that are not judged, NO_DATA and NO_BASELINE, the flag is NULL;
# WARN is no defect yet.
NO_DATA, NO_BASELINE, OK, WARN, CRIT = "NO_DATA", "NO_BASELINE", "OK", "WARN", "CRIT"

# The SQL of how far beyond its bound a defect lies, comparable between KPIs: in units of spread;
# where there is no spread, 100 % beyond the bound count as one.
SEVERITY = "coalesce(abs({deviation}) / CASE {unit} WHEN '%' THEN 100D ELSE 1D END, 0D)"
SEVERITY_OF_EVIDENCE = SEVERITY.format(deviation="kpi.deviation", unit="kpi.deviation_unit")

# The SQL of what follows from a value, its rule (level_rules) and its row. Where both sides are
# bad, that side counts on which of the centre the value lies.
ROWS_BEHIND = (
    "coalesce(CASE WHEN rule.rests_on_samples THEN sample_count ELSE call_row_count END, 0L)"
)
STATUS = f"""CASE
    WHEN value IS NULL AND rule.missing_is_healthy THEN '{OK}'
    WHEN value IS NULL THEN '{NO_DATA}'
    WHEN rule.crit_above IS NULL OR {ROWS_BEHIND} < rule.minimum_count THEN '{NO_BASELINE}'
    WHEN value > rule.crit_above OR value < rule.crit_below THEN '{CRIT}'
    WHEN value > rule.warn_above OR value < rule.warn_below THEN '{WARN}'
    ELSE '{OK}'
END"""
# The same of a `kpi` that is judged: its value and its status.
DIRECTION = f"""CASE
    WHEN rule.direction != '{Direction.BOTH.value}' THEN rule.direction
    WHEN kpi.value >= rule.centre THEN '{ABOVE}'
    WHEN kpi.value < rule.centre THEN '{BELOW}'
    ELSE '{Direction.BOTH.value}'
END"""
# The other side of a rule for one has no bound.
BOUND = f"""CASE
    WHEN rule.direction != '{Direction.BOTH.value}' THEN coalesce(rule.above, rule.below)
    WHEN kpi.value >= rule.centre THEN rule.above
    WHEN kpi.value < rule.centre THEN rule.below
END"""
DEVIATION = f"""CASE
    WHEN rule.spread > 0 THEN (kpi.value - rule.centre) / rule.spread
    ELSE 100D * (kpi.value - {BOUND}) / nullif(abs({BOUND}), 0D)
END"""


def judge(metrics: DataFrame, rules: DataFrame, profile: Profile) -> DataFrame:
    """Metrics with their judgement: a row per row of `metrics`.

    Adds value and status, arrays in the order of the profile's rules: the KPIs that they judge, and
    what they say of them; and severity, how far the defects lie beyond their bounds, added up.
    `rules`: level_rules.level_rules. A value within a relative 1e-9 of its bound is equal to it,
    and so no defect.
    """
    of_kpi = SEVERITY.format(deviation=DEVIATION, unit="rule.deviation_unit")
    of_kpis = (
        "zip_with(arrays_zip(value, status), rules, (kpi, rule) -> "
        f"CASE WHEN kpi.status = '{CRIT}' THEN {of_kpi} ELSE 0D END)"
    )
    added = f"aggregate({of_kpis}, 0D, (total, severity) -> total + severity)"
    # Most rows have no defect.
    severity = f"CASE WHEN array_contains(status, '{CRIT}') THEN {added} ELSE 0D END"
    return (
        _with_rules(metrics, rules)
        .selectExpr("*", f"{judged_values(profile)} AS value")
        .selectExpr("*", f"zip_with(value, rules, (value, rule) -> {STATUS}) AS status")
        .selectExpr("*", f"{severity} AS severity")
        .drop("rules")
    )


def with_evidence(judged: DataFrame, rules: DataFrame) -> DataFrame:
    """Adds the evidence for the status of each KPI (contracts.EVIDENCE_TYPE) to judged metrics."""
    evidence = f"zip_with(arrays_zip(value, status), rules, (kpi, rule) -> {_explained()})"
    return (
        _with_rules(judged, rules)
        .selectExpr("*", f"CAST({evidence} AS {EVIDENCE_TYPE}) AS evidence")
        .drop("rules")
    )


def defects(kpis: str) -> str:
    """The SQL of those elements of an evidence that are defects."""
    return f"filter({kpis}, kpi -> kpi.status = '{CRIT}')"


def _with_rules(metrics: DataFrame, rules: DataFrame) -> DataFrame:
    # Many metrics to the one row of their level.
    return metrics.join(F.broadcast(rules), on="level", how="inner")


def _explained() -> str:
    """The SQL of an element of the evidence, in the order of contracts.EVIDENCE_TYPE."""
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
        "baseline": "rule.centre",
        "spread": "rule.spread",
        "baseline_count": "rule.count",
        "value_count": ROWS_BEHIND,
        "deviation": DEVIATION,
        "deviation_unit": "rule.deviation_unit",
        "reason": _reason(),
    }
    return f"struct({', '.join(f'{sql} AS {name}' for name, sql in fields.items())})"


def _reason() -> str:
    """The SQL of why the KPI has its status, in words."""
    place = f"CASE kpi.status WHEN '{CRIT}' THEN {DIRECTION} ELSE 'near' END"
    value, bound = (f"{number_text(one)}, ' ', rule.unit" for one in ("kpi.value", BOUND))
    against_bound = (
        f"concat(rule.kpi, ' ', {value}, ' is ', {place}, ' the bound ', {bound}, rule.origin)"
    )
    too_few = (
        f"concat('rests on ', {ROWS_BEHIND}, ' rows and is compared with ', rule.count, "
        "' values: too few')"
    )
    no_data = (
        f"CASE WHEN kpi.status = '{NO_DATA}' THEN 'no data' "
        "ELSE 'no data, which the profile counts as healthy' END"
    )
    return f"""CASE
        WHEN kpi.value IS NULL THEN coalesce({_fault_of_denominator()}, {no_data})
        WHEN kpi.status = '{OK}' THEN 'within its bound'
        WHEN kpi.status = '{NO_BASELINE}' THEN {too_few}
        ELSE {against_bound}
    END"""


def _fault_of_denominator() -> str:
    """The SQL of why a ratio without a value has none, if its denominator is why; else NULL."""
    denominator = "get(kpis, rule.denominator_position)"
    found, minimum = map(number_text, (denominator, "rule.minimum_denominator"))
    is_small = (
        f"concat('small_denominator: ', rule.denominator, ' is ', {found}, "
        f"', below the minimum of ', {minimum})"
    )
    return f"""CASE
        WHEN {denominator} = 0 THEN concat('zero_denominator: ', rule.denominator, ' is 0')
        WHEN {denominator} < rule.minimum_denominator THEN {is_small}
    END"""
