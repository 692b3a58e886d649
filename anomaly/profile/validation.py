"""Validation of a profile whose settings could all be read: ranges and contradictions."""

from collections import Counter
from dataclasses import is_dataclass
from typing import Any

from anomaly.profile.alarm_validation import alarm_problems
from anomaly.profile.encodings import charset_of
from anomaly.profile.input_columns import expected_columns
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.model import Profile
from anomaly.profile.sections import InputRules, Rule
from anomaly.profile.settings import out_of_range
from anomaly.profile.verdict_validation import verdict_problems
from anomaly.schema.inputs import CALL_STATISTICS, INPUT_CONTRACTS
from anomaly.schema.tables import SAMPLE_COUNT, TABLE_COLUMNS
from anomaly.suggestions import did_you_mean


def problems_of(profile: Profile) -> list[str]:
    """A message for each setting that is out of range or contradicts another."""
    return [
        *_out_of_range(profile),
        *_clashing_names(profile),
        *_unknown_kpis(profile),
        *_denominator_problems(profile),
        *(problem for rule in profile.rules for problem in _rule_problems(rule, profile)),
        *_range_problems(profile),
        *_input_problems(profile),
        *verdict_problems(profile),
        *(alarm_problems(profile.alarms, profile.kpis) if profile.alarms else ()),
    ]


def _out_of_range(profile: Profile) -> list[str]:
    alarm_kpis = profile.alarms.kpis if profile.alarms else ()
    tables: dict[str, Any] = {
        **{f"inputs.{name}": rules for name, rules in profile.inputs.items()},
        **{f"derived.{kpi.name}": kpi for kpi in profile.derived},
        **{f"rules.{rule.kpi}": rule for rule in profile.rules},
        **{f"families.{family.name}": family for family in profile.families},
        **{name: table for name, table in vars(profile).items() if is_dataclass(table)},
        **{f"alarms.kpis.{kpi.name}": kpi for kpi in alarm_kpis},
    }
    return [
        f"[{where}] {problem}" for where, table in tables.items() for problem in out_of_range(table)
    ]


def _clashing_names(profile: Profile) -> list[str]:
    problems = [] if profile.name else ["the profile needs a name"]
    if not profile.kpis:
        problems.append("[kpis] has no KPI, neither of samples nor of call_statistics")
    fixed = {column.name.lower() for column in TABLE_COLUMNS}
    names = [kpi.name for kpi in profile.kpis] + [kpi.name for kpi in profile.derived]
    published = [profile.column_of(name) for name in names]
    published += [rule.flag for rule in profile.rules]
    # BigQuery ignores case in column names.
    problems += [
        f"{name!r} is already a column of the tables; choose another name"
        for name in published
        if name.lower() in fixed
    ]
    measured = {kpi.name.lower() for kpi in profile.kpis}
    problems += [
        f"{name!r} is the name of two KPIs; rename the measured one by `name`"
        for name in (*(kpi.name for kpi in profile.derived), SAMPLE_COUNT.name)
        if name.lower() in measured
    ]
    counted = Counter(name.lower() for name in published)
    for name in sorted({name for name in published if counted[name.lower()] > 1}):
        columns = [kpi.column for kpi in profile.kpis if kpi.average.lower() == name.lower()]
        origin = f" (from {' and '.join(columns)})" if columns else ""
        problems.append(f"duplicate column {name!r}{origin}; set a `name` for one of them")
    return problems


def _unknown_kpis(profile: Profile) -> list[str]:
    measured = {kpi.name for kpi in profile.kpis}
    derived = {kpi.name for kpi in profile.derived}
    judged = measured | derived | {SAMPLE_COUNT.name}
    problems = [
        f"[derived.{kpi.name}] uses {name!r}, which is not a measured KPI"
        f"{did_you_mean(name, measured)}"
        for kpi in profile.derived
        for name in (kpi.first, kpi.second)
        if name not in measured
    ]
    problems += [
        f"[rules.{rule.kpi}] there is no measured or derived KPI {rule.kpi!r}"
        f"{did_you_mean(rule.kpi, judged)}"
        for rule in profile.rules
        if rule.kpi not in judged
    ]
    for name, level in (("customer", profile.customer_level), ("cell", profile.cell_level)):
        if sorted(level.derived) != sorted(derived):
            problems.append(
                f"[{name}_level] derived must list each derived KPI exactly once: "
                f"{', '.join(sorted(derived)) or '(none)'}"
            )
    return problems


def _denominator_problems(profile: Profile) -> list[str]:
    problems = []
    for kpi in profile.derived:
        if kpi.minimum_denominator and kpi.denominator is None:
            problems.append(
                f"[derived.{kpi.name}] minimum_denominator does not apply to a difference"
            )
    return problems


def _rule_problems(rule: Rule, profile: Profile) -> list[str]:
    least, most = profile.range_of(rule.kpi)
    problems = [
        *_method_problems(rule),
        *_side_problems(rule),
        *_spread_problems(rule),
        *_scale_problems(rule, least),
        *_reach_problems(rule, least, most),
    ]
    return [f"[rules.{rule.kpi}] {problem}" for problem in problems]


def _scale_problems(rule: Rule, least: float | None) -> list[str]:
    if rule.scale is Scale.LINEAR:
        if rule.offset or rule.smallest_factor != 1:
            return ["offset and smallest_factor need the scale log"]
        return []
    problems = []
    if rule.method is Method.STATIC:
        problems.append("the method static needs the scale linear")
    if rule.offset <= 0:
        problems.append("the scale log needs an offset above 0")
    if rule.smallest_factor < 1:
        problems.append("smallest_factor must be at least 1")
    if least is None or least < 0:
        problems.append("the scale log needs a KPI that cannot be negative; set its minimum to 0")
    return problems


def _reach_problems(rule: Rule, least: float | None, most: float | None) -> list[str]:
    """Limits that no value can reach, as far as the profile shows."""
    is_above = rule.bad_when is Direction.ABOVE
    end, sign = (most, 1) if is_above else (least, -1)
    if rule.bad_when is Direction.BOTH or end is None:
        return []
    bounds = {"value": rule.value, "limit": rule.limit}
    bounds |= {"at_least": rule.at_least} if is_above else {"at_most": rule.at_most}
    return [
        f"{name} is {bound:g}, but no value can be {rule.bad_when.value} it: the range of the KPI "
        f"ends at {end:g}"
        for name, bound in bounds.items()
        if bound is not None and sign * (bound - end) >= 0
    ]


def _method_problems(rule: Rule) -> list[str]:
    problems = []
    if (rule.value is not None) != (rule.method is Method.STATIC):
        problems.append("value belongs to the method static, which needs it")
    if (rule.q is not None) != (rule.method is Method.QUANTILE):
        problems.append("q belongs to the method quantile, which needs it")
    return problems


def _side_problems(rule: Rule) -> list[str]:
    problems = []
    if rule.at_least is not None and rule.bad_when is Direction.BELOW:
        problems.append("at_least does not go with bad_when below")
    if rule.at_most is not None and rule.bad_when is Direction.ABOVE:
        problems.append("at_most does not go with bad_when above")
    if rule.limit is not None and rule.bad_when is Direction.BOTH:
        problems.append("limit does not go with bad_when both")
    has_distance = rule.k or rule.ignore_below or rule.smallest_factor > 1
    is_narrow = not (has_distance or rule.method is Method.STATIC)
    if rule.bad_when is Direction.BOTH and is_narrow:
        problems.append(
            "bad_when both needs k, ignore_below or smallest_factor, or nearly every value is bad"
        )
    return problems


def _spread_problems(rule: Rule) -> list[str]:
    problems = []
    if min(rule.k, rule.warn_k or 0.0, rule.ignore_below) < 0:
        problems.append("k, warn_k and ignore_below must not be negative")
    if rule.k and not rule.method.has_spread:
        problems.append(f"k does not apply to the method {rule.method.value}, which has no spread")
    if rule.warn_k is not None and not rule.method.has_spread:
        problems.append(
            f"warn_k does not apply to the method {rule.method.value}, which has no spread"
        )
    elif rule.warn_k is not None and rule.warn_k >= rule.k:
        problems.append("warn_k must be smaller than k, so that a warning precedes a defect")
    return problems


def _range_problems(profile: Profile) -> list[str]:
    problems = [
        f"[kpis.{kpi.source}.{kpi.column}] minimum {kpi.minimum} is above maximum {kpi.maximum}"
        for kpi in profile.kpis
        if kpi.minimum is not None and kpi.maximum is not None and kpi.minimum > kpi.maximum
    ]
    if profile.history.raise_days > profile.history.raise_within:
        problems.append("[history] raise_days must be at most raise_within")
    return problems


def _input_problems(profile: Profile) -> list[str]:
    problems = []
    for name, rules in profile.inputs.items():
        if rules.decimal not in (".", ","):
            problems.append(f"[inputs.{name}] decimal is {rules.decimal!r}; it must be '.' or ','")
        if len(rules.delimiter) != 1 or rules.delimiter in '"\r\n':
            problems.append(
                f"[inputs.{name}] delimiter must be one character, but not a quote or a line break"
            )
        if rules.delimiter == rules.decimal:
            problems.append(
                f"[inputs.{name}] delimiter and decimal are both {rules.decimal!r}; set delimiter, "
                "which is ',' unless a profile says otherwise"
            )
        if name != CALL_STATISTICS and rules.customer_id_prefix != InputRules().customer_id_prefix:
            problems.append(f"[inputs.{name}] customer_id_prefix: only call_statistics has it")
        if charset_of(rules.encoding) is None:
            problems.append(
                f"[inputs.{name}] encoding {rules.encoding!r} is unknown; use UTF-8, UTF-16, "
                "latin-1, windows-1252 or any other that both Python and Java read"
            )
        # An optional column cannot decide about a row.
        known = {column.name for column in INPUT_CONTRACTS[name].columns if column.required}
        problems += [
            f"[inputs.{name}] keep_where has no column {column!r}; use {', '.join(sorted(known))}"
            f"{did_you_mean(column, known)}"
            for column, _, _ in rules.keep_where
            if column not in known
        ]
        problems += _column_problems(name, profile)
    return problems


def _column_problems(source: str, profile: Profile) -> list[str]:
    """Problems of `columns`: each name in the files must belong to exactly one column."""
    known = expected_columns(source, profile)
    columns = profile.inputs[source].columns
    where, names = f"[inputs.{source}.columns]", [name.strip().lower() for _, name in columns]
    problems = [
        f"{where} has no column {column!r}; use {', '.join(known)}{did_you_mean(column, known)}"
        for column, _ in columns
        if column not in known
    ]
    needed = {column.name for column in INPUT_CONTRACTS[source].columns if column.required}
    problems += [
        f'{where} {column} = "": a run needs this column'
        for column, name in columns
        if not name.strip() and column in needed
    ]
    taken = {column.lower() for column in known}
    problems += [
        f"{where} {column} = {name!r}: this is the name of another column"
        for column, name in columns
        if name.strip().lower() in taken - {column.lower()}
    ]
    problems += [
        f"{where} {column} = {name!r}: duplicate name"
        for column, name in columns
        if name.strip() and names.count(name.strip().lower()) > 1
    ]
    return problems
