"""The rules of a level: what they say of a value, once the baselines of the level are known.

A level has one row of them, however many rows it has, so whatever does not depend on the row that
is judged is found here: bounds, limits, and most of the words of a reason. Cells whose own mean has
a standard error have bounds of their own, from the same expressions (`own_rules`).
"""

from collections.abc import Mapping
from math import log

from pyspark.sql import DataFrame

from anomaly.expressions.sql import constant_array
from anomaly.expressions.sql_text import limit_above, limit_below, measure_text
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.model import Profile
from anomaly.profile.sections import MissingPolicy, Rule
from anomaly.schema.tables import CELL_LEVEL, CUSTOMER_LEVEL, SAMPLE_COUNT
from anomaly.thresholds.baselines import ALL, judged_errors

ABOVE, BELOW = Direction.ABOVE.value, Direction.BELOW.value
IS_LOG = f"rule.scale = '{Scale.LOG.value}'"

# What a rule has of the profile, with its type.
OF_PROFILE = {
    "kpi": "string",
    "label": "string",
    "unit": "string",
    "family": "string",
    "method": "string",
    "method_words": "string",
    "is_static": "boolean",
    "has_spread": "boolean",
    "direction": "string",
    "scale": "string",
    "offset": "double",
    "k": "double",
    "warn_k": "double",
    "smallest_distance": "double",
    "ignore_below": "double",
    "at_least": "double",
    "at_most": "double",
    "limit": "double",
    "minimum": "double",
    "maximum": "double",
    "rests_on_samples": "boolean",
    "minimum_count": "bigint",
    "denominator": "string",
    "denominator_position": "int",
    "minimum_denominator": "double",
}
# And what is known of it once its level, and those with whom the KPI is compared, are.
OF_BASELINE = (
    "missing_is_healthy",
    "minimum_customers",
    "centre",
    "baseline",
    "spread",
    "error",
    "standard_error",
    "count",
    "peers",
    "is_usable",
    "origin",
)
FITTED = (*OF_PROFILE, *OF_BASELINE)


def level_rules(baselines: DataFrame, profile: Profile) -> DataFrame:
    """Baselines (baseline.baselines) to a row per level: level, rules.

    `rules` is a map from groups of peers to an array in the order of the profile's rules of struct.
    It has what the rule says (OF_PROFILE), and

    - centre, spread and error: its baseline on the scale of the rule; baseline: in the unit of the
      KPI; count and peers: how many values it rests on, and of which group they are (baseline.ALL
      for every row of the level), since a group with too few takes the baseline of all;
    - above and below, the bounds of either side; crit_above, crit_below, warn_above and warn_below,
      what a value must pass to have that status (NULL where no bound is known); is_out_of_reach,
      whether no value can pass any of them;
    - minimum_count and minimum_customers: how many rows and customers a value must rest on;
      missing_is_healthy: whether the level counts a missing value as healthy;
    - deviation_unit, and origin: words for where the bound comes from.
    """
    constants = constant_array(
        (_of_profile(rule, profile) for rule in profile.rules),
        ", ".join(f"{name}: {type_}" for name, type_ in OF_PROFILE.items()),
    )
    minimum_cells = profile.peers.minimum_cells if profile.peers else 1
    chosen = (
        f"zip_with(own, baselines['{ALL}'], (own, everyone) -> "
        f"CASE WHEN own.count >= {minimum_cells} THEN struct(own AS found, peers AS peers) "
        f"ELSE struct(everyone AS found, '{ALL}' AS peers) END)"
    )
    fitted = f"zip_with(own, constants, (chosen, rule) -> {_fitted(profile)})"
    return (
        baselines.withColumn("constants", constants)
        .selectExpr("*", f"transform_values(baselines, (peers, own) -> {chosen}) AS chosen")
        .selectExpr("level", f"transform_values(chosen, (peers, own) -> {fitted}) AS fitted")
        .selectExpr(
            "level", f"transform_values(fitted, (peers, own) -> {_with_bounds('own')}) AS rules"
        )
    )


def own_rules(rules: str, profile: Profile) -> str:
    """The SQL of the rules of a cell, from those of its level (SQL) and its own standard errors.

    spread² = (spread between cells)² + (standard error)², on the scale of the rule. Between cells
    is what the error of a usual cell leaves of the spread that was found. Needs value and errors.
    """
    shifted = f"CASE WHEN {IS_LOG} THEN own.value + rule.offset ELSE 1D END"
    error = f"(own.error / {shifted})"
    between = "greatest(rule.spread * rule.spread - rule.error * rule.error, 0D)"
    spread = f"coalesce(sqrt({between} + {error} * {error}), rule.spread)"
    changed = _struct({"standard_error": error, "spread": spread})
    own = f"zip_with(value, {judged_errors(profile)}, (value, error) -> struct(value, error))"
    return _with_bounds(f"zip_with({rules}, {own}, (rule, own) -> {changed})")


def _of_profile(rule: Rule, profile: Profile) -> dict[str, object]:
    kpi, derived = profile.published_kpi(rule.kpi), profile.derived_kpi(rule.kpi)
    denominator = derived.denominator if derived else None
    minimum, maximum = profile.range_of(rule.kpi)
    samples, join = profile.rests_on_samples(rule.kpi), profile.join
    is_quantile = rule.method is Method.QUANTILE
    return {
        "kpi": rule.kpi,
        "label": f"{kpi.meaning} ({rule.kpi})" if kpi.meaning else rule.kpi,
        "unit": kpi.unit,
        "family": rule.family,
        "method": f"quantile {rule.q:g}" if is_quantile else rule.method.value,
        "method_words": f"{rule.q:.4g} quantile" if is_quantile else rule.method.words,
        "is_static": rule.method is Method.STATIC,
        "has_spread": rule.method.has_spread,
        "direction": rule.bad_when.value,
        "scale": rule.scale.value,
        "offset": rule.offset,
        "k": rule.k,
        "warn_k": rule.k if rule.warn_k is None else rule.warn_k,
        "smallest_distance": log(rule.smallest_factor),
        "ignore_below": rule.ignore_below,
        "at_least": rule.at_least,
        "at_most": rule.at_most,
        "limit": rule.limit,
        "minimum": minimum,
        "maximum": maximum,
        "rests_on_samples": samples,
        # A cell that sent few samples is judged for just that.
        "minimum_count": 0
        if rule.kpi == SAMPLE_COUNT.name
        else (join.minimum_samples if samples else join.minimum_call_rows),
        "denominator": denominator,
        "denominator_position": denominator and profile.position_of(denominator),
        "minimum_denominator": (derived and derived.minimum_denominator) or None,
    }


def _struct(changed: Mapping[str, str]) -> str:
    """The SQL of a fitted `rule` with some of its fields changed, each to an SQL."""
    fields = {**{name: f"rule.{name}" for name in FITTED}, **changed}
    return f"struct({', '.join(f'{sql} AS {name}' for name, sql in fields.items())})"


def _fitted(profile: Profile) -> str:
    """The SQL of a fitted rule, from a `rule` of the profile and what was `chosen` for it."""
    is_customer = f"level = '{CUSTOMER_LEVEL}'"
    healthy = [
        str(profile.level(level).missing is MissingPolicy.HEALTHY)
        for level in (CUSTOMER_LEVEL, CELL_LEVEL)
    ]
    minimum = [
        profile.level(level).minimum_baseline_count for level in (CUSTOMER_LEVEL, CELL_LEVEL)
    ]
    centre = "chosen.found.centre"
    baseline = f"CASE WHEN {IS_LOG} THEN exp({centre}) - rule.offset ELSE {centre} END"
    is_usable = (
        f"(rule.is_static OR chosen.found.count >= if({is_customer}, {minimum[0]}, {minimum[1]}) "
        "AND (chosen.found.spread IS NOT NULL OR NOT rule.has_spread))"
    )
    return _struct(
        {
            "missing_is_healthy": f"if({is_customer}, {healthy[0]}, {healthy[1]})",
            "minimum_customers": f"if({is_customer} OR rule.rests_on_samples, 0, "
            f"{profile.join.minimum_customers})",
            "centre": centre,
            "baseline": baseline,
            "spread": "chosen.found.spread",
            "error": "chosen.found.error",
            "standard_error": "CAST(NULL AS double)",
            "count": "chosen.found.count",
            "peers": "chosen.peers",
            "is_usable": is_usable,
            "origin": _origin(baseline, is_usable),
        }
    )


def _with_bounds(rules: str) -> str:
    """The SQL of fitted rules (SQL of their array) with bounds, limits and words."""
    sides = _struct({"sides": f"struct({_side(ABOVE)} AS above, {_side(BELOW)} AS below)"})
    above, below = "rule.sides.above.bound", "rule.sides.below.bound"
    is_known = f"coalesce({above}, {below}) IS NOT NULL"
    of_sides = {ABOVE: (limit_above, "Infinity"), BELOW: (limit_below, "-Infinity")}
    limits = {
        f"{status}_{side}": f"CASE WHEN {is_known} THEN coalesce("
        f"{limit(f'rule.sides.{side}.{bound}')}, CAST('{never}' AS double)) END"
        for side, (limit, never) in of_sides.items()
        for status, bound in (("crit", "bound"), ("warn", "warn_bound"))
    }
    # A side that is not bad has no bound, which nothing can pass either.
    added = {
        ABOVE: above,
        BELOW: below,
        **limits,
        "is_out_of_reach": f"{is_known} AND coalesce({above} >= rule.maximum, {above} IS NULL) "
        f"AND coalesce({below} <= rule.minimum, {below} IS NULL)",
        "deviation_unit": "CASE WHEN rule.spread > 0 THEN 'spreads' ELSE '%' END",
    }
    return f"transform(transform({rules}, rule -> {sides}), rule -> {_struct(added)})"


def _side(side: str) -> str:
    """The SQL of struct<bound, warn_bound> of one side of a `rule`, NULL where it is not bad."""
    # greatest and least leave out what is NULL: the spread of a method that has none, a floor, or
    # what is compared with a baseline where there is none.
    forms = {
        ABOVE: ("least(rule.limit, {})", "greatest({}, rule.baseline + {}, rule.at_least)", "+"),
        BELOW: ("greatest(rule.limit, {})", "least({}, rule.baseline - {}, rule.at_most)", "-"),
    }
    with_limit, with_floors, sign = forms[side]

    def bound(k: str) -> str:
        distance = f"greatest(rule.{k} * rule.spread, rule.smallest_distance)"
        scaled = f"(rule.centre {sign} {distance})"
        by_spread = f"CASE WHEN {IS_LOG} THEN exp({scaled}) - rule.offset ELSE {scaled} END"
        relative = with_floors.format(by_spread, "rule.ignore_below")
        return with_limit.format(f"CASE WHEN rule.is_usable THEN {relative} END")

    is_bad = f"rule.direction IN ('{side}', '{Direction.BOTH.value}')"
    return (
        f"CASE WHEN {is_bad} THEN struct({bound('k')} AS bound, {bound('warn_k')} AS warn_bound) "
        "END"
    )


def _origin(baseline: str, is_usable: str) -> str:
    """The SQL of what a value is compared with, in words, up to the limit itself."""
    among = f"CASE WHEN chosen.peers = '{ALL}' THEN '' ELSE concat(' ', chosen.peers) END"
    rows = f"if(level = '{CUSTOMER_LEVEL}', ' customers, ', ' cells, ')"
    return (
        f"CASE WHEN NOT rule.is_static AND {is_usable} THEN "
        f"concat(' against the usual ', {measure_text(baseline, 'rule.unit')}, ' (', "
        f"rule.method_words, ' of ', chosen.found.count, {among}, {rows}) ELSE ' (' END"
    )
