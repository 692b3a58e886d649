"""The rules of a level: what they say of a value, once the baselines of the level are known.

A level has one row of them, however many rows it has, so whatever does not depend on the row that
is judged is found here: bounds, limits, and most of the words of a reason. Cells whose own mean has
a standard error have bounds of their own, from the same functions (`with_own_limits`).

The limits of a KPI are struct<rule, baseline, bounds>: what the profile says (OF_RULE), what its
values are compared with (OF_BASELINE), and what a value must pass.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from math import inf, log

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.arithmetic import limit_above, limit_below
from anomaly.expressions.arrays import struct_of
from anomaly.expressions.sql import constant_array
from anomaly.expressions.texts import measure_text
from anomaly.profile.choices import MissingPolicy
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.model import Profile
from anomaly.profile.sections import Rule
from anomaly.schema.tables import CELL_LEVEL, CUSTOMER_LEVEL, SAMPLE_COUNT
from anomaly.thresholds.baselines import ALL

ABOVE, BELOW, BOTH = Direction.ABOVE.value, Direction.BELOW.value, Direction.BOTH.value

# What is judged of a KPI in a row.
KPI_FIELDS = ("kpi", "value", "rows", "customers", "error", "denominator")
# What limits have of the profile, with its type, and what is known once a level and those with whom
# a KPI is compared are known. Terms are what bounds are made of: nobody needs them afterwards.
LASTING_OF_RULE = {
    "kpi": "string",
    "label": "string",
    "unit": "string",
    "family": "string",
    "method": "string",
    "direction": "string",
    "scale": "string",
    "offset": "double",
    "minimum_count": "bigint",
    "denominator": "string",
    "minimum_denominator": "double",
}
TERMS_OF_RULE = {
    "method_words": "string",
    "is_static": "boolean",
    "has_spread": "boolean",
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
}
LASTING_OF_BASELINE = {
    "missing_is_healthy": "boolean",
    "minimum_customers": "int",
    "centre": "double",
    "baseline": "double",
    "spread": "double",
    "standard_error": "double",
    "count": "bigint",
    "peers": "string",
    "origin": "string",
}
TERMS_OF_BASELINE = {
    "distance": "double",
    "warn_distance": "double",
    "error": "double",
    "is_usable": "boolean",
}
OF_RULE = LASTING_OF_RULE | TERMS_OF_RULE
OF_BASELINE = LASTING_OF_BASELINE | TERMS_OF_BASELINE
OF_BOUNDS = {
    "above": "double",
    "below": "double",
    "crit_above": "double",
    "warn_above": "double",
    "crit_below": "double",
    "warn_below": "double",
    "is_out_of_reach": "boolean",
    "deviation_unit": "string",
}
OF_SIDE = {"bound": "double", "warn_bound": "double"}


def _struct_type(fields: Mapping[str, str]) -> str:
    return f"struct<{', '.join(f'{name}: {type_}' for name, type_ in fields.items())}>"


# The limits of a KPI as they come about. Casts to them make every field one that may be NULL: what
# an engine knows of that changes as it simplifies an expression, and Sail then refuses it.
FITTED = {"rule": _struct_type(OF_RULE), "baseline": _struct_type(OF_BASELINE)}
SIDES = {side: _struct_type(OF_SIDE) for side in (ABOVE, BELOW)}
FITTED_TYPE = _struct_type(FITTED)
SIDED_TYPE = _struct_type({**FITTED, "sides": _struct_type(SIDES)})
LIMITS_TYPE = _struct_type({**FITTED, "bounds": _struct_type(OF_BOUNDS)})


def level_rules(baselines: DataFrame, profile: Profile) -> DataFrame:
    """Baselines (baselines.baselines) to a row per level and group: level, peers, limits.

    `peers` is a group of peers, baselines.ALL for every row of the level; `limits` an array with
    the limits of each judged KPI, in the order of the profile:

    - rule: what the profile says (OF_RULE);
    - baseline: centre, spread, error, distance and warn_distance (of the bounds from the centre) on
      the scale of the rule; baseline in the unit of the KPI;
      count and peers: how many values it rests on, and of which group they are (baselines.ALL for
      every row of the level), since a group with too few takes the baseline of all;
      minimum_customers: on how many a value must rest; missing_is_healthy: whether the level counts
      a missing value as healthy; origin: words for where the bound comes from;
    - bounds: above and below, those of either side; crit_above, crit_below, warn_above and
      warn_below, what a value must pass to have that status (NULL where no bound is known);
      is_out_of_reach, whether no value can pass any of them; deviation_unit.
    """
    rules = constant_array(
        (_of_rule(rule, profile) for rule in profile.rules),
        ", ".join(f"{name}: {type_}" for name, type_ in OF_RULE.items()),
    )
    minimum_cells = profile.peers.minimum_cells if profile.peers else 1

    def chosen(rule: Column) -> Column:
        own, everyone = (F.try_element_at(by, rule["kpi"]) for by in ("own", "everyone"))
        is_enough = own["count"] >= minimum_cells
        return struct_of(
            {
                "rule": rule,
                "found": F.when(is_enough, own).otherwise(everyone),
                "peers": F.when(is_enough, F.col("peers")).otherwise(ALL),
            }
        )

    everyone = F.filter("baselines", lambda group: group["peers"] == ALL)
    return (
        baselines.select(
            "level",
            _by_kpi(F.get(everyone, F.lit(0))["kpis"]).alias("everyone"),
            F.explode("baselines").alias("group"),
        )
        .select("level", "everyone", "group.peers", _by_kpi(F.col("group.kpis")).alias("own"))
        # One step after the other, not one within the other, which takes Sail seconds to plan.
        .withColumn("limits", F.transform(rules, chosen))
        .withColumn("limits", F.transform("limits", lambda one: _fitted(one, profile)))
        .withColumn("limits", F.transform("limits", _with_sides))
        .select("level", "peers", F.transform("limits", _with_bounds).alias("limits"))
    )


def with_own_limits(cells: DataFrame, kpis: str) -> DataFrame:
    """Cells whose `kpis` have limits of their own, from their values and their standard errors.

    spread² = (spread between cells)² + (standard error)², on the scale of the rule. Between cells
    is what the error of a usual cell leaves of the spread that was found.
    """

    def own(kpi: Column) -> Column:
        rule, baseline = kpi["limits"]["rule"], kpi["limits"]["baseline"]
        error = kpi["error"] / F.when(is_log(rule), kpi["value"] + rule["offset"]).otherwise(1.0)
        spread, usual_error = baseline["spread"], baseline["error"]
        between = F.greatest(spread * spread - usual_error * usual_error, F.lit(0.0))
        own_spread = F.coalesce(F.sqrt(between + error * error), spread)
        changed = {"standard_error": error, "spread": own_spread, **_distances(rule, own_spread)}
        fields = {name: changed.get(name, baseline[name]) for name in OF_BASELINE}
        fitted = struct_of({"rule": rule, "baseline": struct_of(fields)})
        return with_limits(kpi, fitted.cast(FITTED_TYPE))

    steps: tuple[Callable[[Column], Column], ...] = (
        own,
        lambda kpi: with_limits(kpi, _with_sides(kpi["limits"])),
        lambda kpi: with_limits(kpi, _with_bounds(kpi["limits"])),
    )
    # One step after the other, as in level_rules.
    return reduce(lambda frame, step: frame.withColumn(kpis, F.transform(kpis, step)), steps, cells)


def without_terms(limits: Column) -> Column:
    """The limits of a KPI without the terms of its bounds.

    Many rows are judged by them, and engines copy them into each.
    """
    parts = {"rule": LASTING_OF_RULE, "baseline": LASTING_OF_BASELINE, "bounds": OF_BOUNDS}
    lasting = {
        part: struct_of({name: limits[part][name] for name in fields})
        for part, fields in parts.items()
    }
    return struct_of(lasting)


def with_limits(kpi: Column, limits: Column) -> Column:
    """What is known of a KPI in a row (KPI_FIELDS), with its limits."""
    return struct_of({**{name: kpi[name] for name in KPI_FIELDS}, "limits": limits})


def _by_kpi(baselines: Column) -> Column:
    """A map from KPIs to their baselines."""
    return F.map_from_entries(F.transform(baselines, lambda one: F.struct(one["kpi"], one)))


def is_log(rule: Column) -> Column:
    """Whether a rule compares by factors."""
    return rule["scale"] == Scale.LOG.value


def _of_rule(rule: Rule, profile: Profile) -> dict[str, object]:
    kpi, derived = profile.published_kpi(rule.kpi), profile.derived_kpi(rule.kpi)
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
        "denominator": derived.denominator if derived else None,
        "minimum_denominator": (derived and derived.minimum_denominator) or None,
    }


def _fitted(chosen: Column, profile: Profile) -> Column:
    """A rule and its baseline, from what was `chosen` for it."""
    is_customer = F.col("level") == CUSTOMER_LEVEL
    levels = [profile.level(level) for level in (CUSTOMER_LEVEL, CELL_LEVEL)]

    def of_level(of_customers: object, of_cells: object) -> Column:
        return F.when(is_customer, of_customers).otherwise(of_cells)

    rule, found, peers = chosen["rule"], chosen["found"], chosen["peers"]
    centre, spread, count = found["centre"], found["spread"], found["count"]
    baseline = F.when(is_log(rule), F.exp(centre) - rule["offset"]).otherwise(centre)
    enough = count >= of_level(*(level.minimum_baseline_count for level in levels))
    is_usable = rule["is_static"] | (enough & (spread.isNotNull() | ~rule["has_spread"]))
    needs_none = is_customer | rule["rests_on_samples"]
    values = {
        "missing_is_healthy": of_level(
            *(level.missing is MissingPolicy.HEALTHY for level in levels)
        ),
        "minimum_customers": F.when(needs_none, 0).otherwise(profile.join.minimum_customers),
        "centre": centre,
        "baseline": baseline,
        "spread": spread,
        **_distances(rule, spread),
        "error": found["error"],
        "standard_error": F.lit(None).cast("double"),
        "count": count,
        "peers": peers,
        "is_usable": is_usable,
    }
    values["origin"] = F.when(
        ~rule["is_static"] & is_usable,
        F.concat(
            F.lit(" against the usual "),
            measure_text(baseline, rule["unit"]),
            F.lit(" ("),
            rule["method_words"],
            F.lit(" of "),
            count,
            F.when(peers == ALL, "").otherwise(F.concat(F.lit(" "), peers)),
            of_level(" customers, ", " cells, "),
        ),
    ).otherwise(" (")
    in_order = struct_of({name: values[name] for name in OF_BASELINE})
    return struct_of({"rule": rule, "baseline": in_order}).cast(FITTED_TYPE)


def _distances(rule: Column, spread: Column) -> dict[str, Column]:
    """How far the bounds lie from the centre, on the scale of the rule."""
    return {
        name: F.greatest(rule[k] * spread, rule["smallest_distance"])
        for name, k in (("distance", "k"), ("warn_distance", "warn_k"))
    }


def _with_sides(limits: Column) -> Column:
    """The limits of a KPI with the bounds of either side, from rule and baseline."""
    rule, baseline = limits["rule"], limits["baseline"]
    sides = {side: _side(side, rule, baseline) for side in (ABOVE, BELOW)}
    sided = {"rule": rule, "baseline": baseline, "sides": struct_of(sides)}
    return struct_of(sided).cast(SIDED_TYPE)


def _with_bounds(limits: Column) -> Column:
    """The limits of a KPI with all that a value must pass, from the bounds of either side."""
    rule, baseline = limits["rule"], limits["baseline"]
    bounds = _bounds(limits["sides"], rule, baseline)
    bounded = {"rule": rule, "baseline": baseline, "bounds": bounds}
    return struct_of(bounded).cast(LIMITS_TYPE)


def _bounds(sides: Column, rule: Column, baseline: Column) -> Column:
    above, below = sides[ABOVE]["bound"], sides[BELOW]["bound"]
    is_known = F.coalesce(above, below).isNotNull()
    # A side that is not bad has no bound, which nothing can pass either.
    is_out_of_reach = (
        is_known
        & F.coalesce(above >= rule["maximum"], above.isNull())
        & F.coalesce(below <= rule["minimum"], below.isNull())
    )
    limits = {
        f"{status}_{side}": F.when(
            is_known, F.coalesce(limit(sides[side][bound]), F.lit(nobody_passes))
        )
        for side, limit, nobody_passes in ((ABOVE, limit_above, inf), (BELOW, limit_below, -inf))
        for status, bound in (("crit", "bound"), ("warn", "warn_bound"))
    }
    return struct_of(
        {
            ABOVE: above,
            BELOW: below,
            **limits,
            "is_out_of_reach": is_out_of_reach,
            "deviation_unit": F.when(baseline["spread"] > 0, "spreads").otherwise("%"),
        }
    )


def _side(side: str, rule: Column, baseline: Column) -> Column:
    """struct<bound, warn_bound> of one side of a rule, NULL where it is not bad."""
    # greatest and least leave out what is NULL: the spread of a method that has none, a floor, or
    # what is compared with a baseline where there is none.
    farthest, nearest, floor = {
        ABOVE: (F.greatest, F.least, "at_least"),
        BELOW: (F.least, F.greatest, "at_most"),
    }[side]

    def away(from_: Column, distance: Column) -> Column:
        return from_ + distance if side == ABOVE else from_ - distance

    def bound(distance: str) -> Column:
        scaled = away(baseline["centre"], baseline[distance])
        by_spread = F.when(is_log(rule), F.exp(scaled) - rule["offset"]).otherwise(scaled)
        ignored = away(baseline["baseline"], rule["ignore_below"])
        relative = farthest(by_spread, ignored, rule[floor])
        return nearest(rule["limit"], F.when(baseline["is_usable"], relative))

    return F.when(
        rule["direction"].isin(side, BOTH),
        struct_of({"bound": bound("distance"), "warn_bound": bound("warn_distance")}),
    )
