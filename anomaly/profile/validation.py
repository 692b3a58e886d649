"""Problems of a profile whose settings could all be read: ranges and contradictions."""

from collections import Counter
from dataclasses import is_dataclass
from typing import Any

from anomaly.profile.alarm_validation import alarm_contradictions
from anomaly.profile.encodings import charset_of
from anomaly.profile.input_columns import expected_columns
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.model import Profile
from anomaly.profile.sections import Rule
from anomaly.profile.settings import out_of_range
from anomaly.profile.verdict_validation import verdict_contradictions
from anomaly.schema.inputs import INPUT_CONTRACTS
from anomaly.schema.tables import SAMPLE_COUNT, TABLE_COLUMNS


def contradictions(profile: Profile) -> list[str]:
    """Return a message for each setting that contradicts another or is out of its range."""
    return [
        *_out_of_range(profile),
        *_clashing_names(profile),
        *_unknown_kpis(profile),
        *_denominator_problems(profile),
        *(problem for rule in profile.rules for problem in _rule_problems(rule, profile)),
        *_range_problems(profile),
        *_input_problems(profile),
        *verdict_contradictions(profile),
        *(alarm_contradictions(profile.alarms, profile.kpis) if profile.alarms else ()),
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
    fixed = {column.name.lower() for column in TABLE_COLUMNS}
    names = [kpi.name for kpi in profile.kpis] + [kpi.name for kpi in profile.derived]
    published = [profile.column_of(name) for name in names]
    published += [rule.flag for rule in profile.rules]
    # BigQuery compares column names without regard to case.
    problems += [
        f"{name!r} is a column of the tables already; choose another name"
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
        problems.append(f"two columns would be published as {name!r}{origin}; rename one by `name`")
    return problems


def _unknown_kpis(profile: Profile) -> list[str]:
    measured = {kpi.name for kpi in profile.kpis}
    derived = {kpi.name for kpi in profile.derived}
    problems = [
        f"[derived.{kpi.name}] uses {name!r}, which is no measured KPI"
        for kpi in profile.derived
        for name in (kpi.first, kpi.second)
        if name not in measured
    ]
    problems += [
        f"[rules.{rule.kpi}] judges {rule.kpi!r}, which is neither measured nor derived"
        for rule in profile.rules
        if rule.kpi not in measured | derived | {SAMPLE_COUNT.name}
    ]
    for name, level in (("customer", profile.customer_level), ("cell", profile.cell_level)):
        if sorted(level.derived) != sorted(derived):
            problems.append(
                f"[{name}_level] derived must list each derived KPI once: "
                f"{', '.join(sorted(derived)) or '(none)'}"
            )
    return problems


def _denominator_problems(profile: Profile) -> list[str]:
    problems = []
    for kpi in profile.derived:
        if kpi.minimum_denominator and kpi.denominator is None:
            problems.append(f"[derived.{kpi.name}] minimum_denominator is not for a difference")
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
            return ["offset and smallest_factor are for the scale log"]
        return []
    problems = []
    if rule.method is Method.STATIC:
        problems.append("the method static has no scale; a fixed value is in the unit of the KPI")
    if rule.offset <= 0:
        problems.append("the scale log needs an offset above 0, what counts as next to nothing")
    if rule.smallest_factor < 1:
        problems.append("smallest_factor must be at least 1")
    if least is None or least < 0:
        problems.append("the scale log is for KPIs that cannot be negative; declare a minimum of 0")
    return problems


def _reach_problems(rule: Rule, least: float | None, most: float | None) -> list[str]:
    """Bounds that no value can pass, as far as the profile alone tells."""
    is_above = rule.bad_when is Direction.ABOVE
    end, sign = (most, 1) if is_above else (least, -1)
    if rule.bad_when is Direction.BOTH or end is None:
        return []
    bounds = {"value": rule.value, "limit": rule.limit}
    bounds |= {"at_least": rule.at_least} if is_above else {"at_most": rule.at_most}
    return [
        f"{name} is {bound:g}, and no value can lie {rule.bad_when.value} it: the KPI ends at "
        f"{end:g}"
        for name, bound in bounds.items()
        if bound is not None and sign * (bound - end) >= 0
    ]


def _method_problems(rule: Rule) -> list[str]:
    problems = []
    if (rule.value is not None) != (rule.method is Method.STATIC):
        problems.append("needs `value` with the method static, and only then")
    if (rule.q is not None) != (rule.method is Method.QUANTILE):
        problems.append("needs `q` with the method quantile, and only then")
    return problems


def _side_problems(rule: Rule) -> list[str]:
    problems = []
    if rule.at_least is not None and rule.bad_when is Direction.BELOW:
        problems.append("at_least is for KPIs that are bad above")
    if rule.at_most is not None and rule.bad_when is Direction.ABOVE:
        problems.append("at_most is for KPIs that are bad below")
    if rule.limit is not None and rule.bad_when is Direction.BOTH:
        problems.append("limit is for KPIs that are bad on one side")
    has_distance = rule.k or rule.ignore_below or rule.smallest_factor > 1
    is_narrow = not (has_distance or rule.method is Method.STATIC)
    if rule.bad_when is Direction.BOTH and is_narrow:
        problems.append(
            "bad_when both needs k, ignore_below or smallest_factor, or nearly every value were bad"
        )
    return problems


def _spread_problems(rule: Rule) -> list[str]:
    problems = []
    if min(rule.k, rule.warn_k or 0.0, rule.ignore_below) < 0:
        problems.append("k, warn_k and ignore_below must not be negative")
    if rule.k and not rule.method.has_spread:
        problems.append(f"k multiplies a spread; the method {rule.method.value} has none")
    if rule.warn_k is not None and not rule.method.has_spread:
        problems.append(f"warn_k multiplies a spread; the method {rule.method.value} has none")
    elif rule.warn_k is not None and rule.warn_k >= rule.k:
        problems.append("warn_k must be smaller than k, so that a warning comes before a defect")
    return problems


def _range_problems(profile: Profile) -> list[str]:
    problems = [
        f"[kpis.{kpi.source}.{kpi.column}] minimum {kpi.minimum} is above maximum {kpi.maximum}"
        for kpi in profile.kpis
        if kpi.minimum is not None and kpi.maximum is not None and kpi.minimum > kpi.maximum
    ]
    if profile.history.raise_days > profile.history.raise_within:
        problems.append("[history] raise_days must not be above raise_within")
    return problems


def _input_problems(profile: Profile) -> list[str]:
    problems = []
    for name, rules in profile.inputs.items():
        if rules.decimal not in (".", ","):
            problems.append(f"[inputs.{name}] decimal is {rules.decimal!r}; it must be '.' or ','")
        if len(rules.delimiter) != 1 or rules.delimiter in '"\r\n':
            problems.append(f"[inputs.{name}] delimiter must be one character, and no quote")
        if rules.delimiter == rules.decimal:
            problems.append(f"[inputs.{name}] delimiter and decimal must differ")
        if charset_of(rules.encoding) is None:
            problems.append(
                f"[inputs.{name}] encoding {rules.encoding!r} is not known; it may be UTF-8, "
                "UTF-16, latin-1, windows-1252 or another one that both Python and Java read"
            )
        # A column that may lack decides nothing about a row.
        known = {column.name for column in INPUT_CONTRACTS[name].columns if column.required}
        problems += [
            f"[inputs.{name}] keep_where names {column!r}; it may name {', '.join(sorted(known))}"
            for column, _, _ in rules.keep_where
            if column not in known
        ]
        problems += _column_problems(name, profile)
    return problems


def _column_problems(source: str, profile: Profile) -> list[str]:
    """Of the names that columns have in the files: each is of one column, and no other's own."""
    known = expected_columns(source, profile)
    columns = profile.inputs[source].columns
    where, names = f"[inputs.{source}.columns]", [name.strip().lower() for _, name in columns]
    problems = [
        f"{where} has no column {column!r}; known are {', '.join(known)}"
        for column, _ in columns
        if column not in known
    ]
    taken = {column.lower() for column in known}
    problems += [
        f"{where} {column} = {name!r}: that is the name of another column"
        for column, name in columns
        if name.strip().lower() in taken - {column.lower()}
    ]
    problems += [
        f"{where} {column} = {name!r}: two columns cannot have this name"
        for column, name in columns
        if name.strip() and names.count(name.strip().lower()) > 1
    ]
    return problems
