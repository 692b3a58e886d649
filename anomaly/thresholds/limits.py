"""The rules of a level: what they say of a value, once the baselines of the level are known.

A level has one row of them, however many rows it has, so whatever does not depend on the row that
is judged is found here: bounds, limits, and most of the words of a reason. Cells whose own mean has
a standard error have bounds of their own, from the same functions (`with_own_limits`).

The limits of a row are arrays by KPI, side by side: `rule` is what the profile says of it, `terms`
what else bounds are made of, `baseline` what its values are compared with, and `bounds` what they
must pass (OF_RULE and so on).
"""

from functools import partial
from math import inf, log

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.arithmetic import limit_above, limit_below
from anomaly.expressions.arrays import constant_array, struct_of, struct_type, transform_zipped
from anomaly.expressions.texts import measure_text
from anomaly.profile.choices import MissingPolicy
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.model import Profile
from anomaly.profile.sections import Rule
from anomaly.schema.tables import CELL_LEVEL, CUSTOMER_LEVEL, SAMPLE_COUNT
from anomaly.thresholds.baselines import ALL

LEVELS = (CUSTOMER_LEVEL, CELL_LEVEL)
ABOVE, BELOW, BOTH = Direction.ABOVE.value, Direction.BELOW.value, Direction.BOTH.value

OF_RULE = {
    "kpi": "string",
    "label": "string",
    "unit": "string",
    "family": "string",
    "method": "string",
    "direction": "string",
    "scale": "string",
    "denominator": "string",
    "minimum_denominator": "double",
}
# Nobody needs the terms once there are bounds: many rows are judged, and engines copy into each
# what they are judged by.
OF_PROFILE = {
    "method_words": "string",
    "is_static": "boolean",
    "has_spread": "boolean",
    "is_log": "boolean",
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
    "offset": "double",
    "minimum_count": "bigint",
}
OF_TERMS = OF_PROFILE | {
    "minimum_customers": "int",
    "missing_is_healthy": "boolean",
    "error": "double",
    "is_usable": "boolean",
}
OF_BASELINE = {
    "centre": "double",
    "value": "double",
    "spread": "double",
    "is_log": "boolean",
    "offset": "double",
    "standard_error": "double",
    "count": "bigint",
    "peers": "string",
    "origin": "string",
}
OF_BOUNDS = {
    "above": "double",
    "below": "double",
    "crit_above": "double",
    "warn_above": "double",
    "crit_below": "double",
    "warn_below": "double",
    "is_out_of_reach": "boolean",
    "minimum_count": "bigint",
    "minimum_customers": "int",
    "missing_is_healthy": "boolean",
    "deviation_unit": "string",
}
# The terms of what a value must rest on, which are terms of its status, too.
OF_VALUES = ("minimum_count", "minimum_customers", "missing_is_healthy")
OF_SIDE = {"bound": "double", "warn_bound": "double"}
# Casts to them make every field one that may be NULL: what an engine knows of that changes as it
# simplifies an expression, and Sail then refuses it.
TERMS_TYPE, BASELINE_TYPE, BOUNDS_TYPE = map(struct_type, (OF_TERMS, OF_BASELINE, OF_BOUNDS))
SIDES_TYPE = struct_type(dict.fromkeys((ABOVE, BELOW), struct_type(OF_SIDE)))


def level_rules(baselines: DataFrame, profile: Profile) -> DataFrame:
    """Baselines (baselines.baselines) to a row per level and group: level, peers, and its limits.

    `peers` is a group of peers, baselines.ALL for every row of the level. The limits have an
    element for each judged KPI, in the order of the profile:

    - rule: what the profile says (OF_RULE), and terms (OF_TERMS): what else it says, the usual
      standard error of a value, and whether the baseline can be used;
    - baseline: centre and spread on the scale of the rule, which is_log and offset tell; value, the
      centre in the unit of the KPI; count and peers: how many values it rests on, and of which
      group they are (baselines.ALL for every row of the level), since a group with too few takes
      the baseline of all; origin: words for where the bound comes from;
    - bounds: all that a status follows from. above and below, those of either side; crit_above,
      crit_below, warn_above and warn_below, what a value must pass to have that status (NULL where
      no bound is known); is_out_of_reach, whether no value can pass any of them; minimum_count and
      minimum_customers: on how many rows and customers a value must rest; missing_is_healthy:
      whether the level counts a missing value as healthy; and deviation_unit.
    """
    of_rules = [_of_rule(rule, profile) for rule in profile.rules]
    minimum_cells = profile.peers.minimum_cells if profile.peers else 1

    def by_kpi(peers: Column) -> Column:
        of_group = F.filter("baselines", lambda one: one["peers"] == peers)
        return F.map_from_entries(F.transform(of_group, lambda one: F.struct(one["kpi"], one)))

    def found(rule: Column) -> Column:
        own, everyone = (F.try_element_at(by, rule["kpi"]) for by in ("own", "everyone"))
        is_enough = own["count"] >= minimum_cells
        return struct_of(
            {
                "usual": F.when(is_enough, own).otherwise(everyone),
                "peers": F.when(is_enough, F.col("peers")).otherwise(ALL),
            }
        )

    groups = F.array_distinct(F.transform("baselines", lambda one: one["peers"]))
    fitted = ("rule", "terms", "found")
    return (
        baselines.select("level", "baselines", F.explode(groups).alias("peers"))
        .select(
            "level",
            "peers",
            by_kpi(F.lit(ALL)).alias("everyone"),
            by_kpi(F.col("peers")).alias("own"),
            constant_array(of_rules, OF_RULE).alias("rule"),
            constant_array(of_rules, OF_PROFILE).alias("terms"),
        )
        # One step after the other, not one within the other, which takes Sail seconds to plan.
        .withColumn("found", F.transform("rule", found))
        .withColumn("terms", transform_zipped(partial(_terms, profile), "terms", "found"))
        .withColumn("baseline", transform_zipped(partial(_baseline, profile), *fitted))
        .transform(_with_bounds)
        .select("level", "peers", "rule", "terms", "baseline", "bounds")
    )


def with_own_limits(cells: DataFrame) -> DataFrame:
    """Cells with limits of their own, from what was `measured` and its standard errors.

    spread² = (spread between cells)² + (standard error)², on the scale of the rule. Between cells
    is what the error of a usual cell leaves of the spread that was found.
    """

    def own(kpi: Column) -> Column:
        measured, usual = kpi["measured"], kpi["baseline"]
        of_scale = F.when(usual["is_log"], measured["value"] + usual["offset"]).otherwise(1.0)
        error, usual_error = measured["error"] / of_scale, kpi["terms"]["error"]
        spread = usual["spread"]
        between = F.greatest(spread * spread - usual_error * usual_error, F.lit(0.0))
        own_spread = F.coalesce(F.sqrt(between + error * error), spread)
        changed = {"standard_error": error, "spread": own_spread}
        fields = {name: changed.get(name, usual[name]) for name in OF_BASELINE}
        return struct_of(fields).cast(BASELINE_TYPE)

    baseline = transform_zipped(own, "measured", "terms", "baseline")
    return cells.withColumn("baseline", baseline).transform(_with_bounds)


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
        "is_log": rule.scale is Scale.LOG,
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


def _terms(profile: Profile, kpi: Column) -> Column:
    """What bounds are made of besides the baseline, from the rule and what was `found` for it."""
    terms, usual = kpi["terms"], kpi["found"]["usual"]
    enough = usual["count"] >= _of_level(
        *(profile.level(level).minimum_baseline_count for level in LEVELS)
    )
    has_measure = usual["spread"].isNotNull() | ~terms["has_spread"]
    is_healthy = (profile.level(level).missing is MissingPolicy.HEALTHY for level in LEVELS)
    needs_none = (F.col("level") == CUSTOMER_LEVEL) | terms["rests_on_samples"]
    known = {
        "minimum_customers": F.when(needs_none, 0).otherwise(profile.join.minimum_customers),
        "missing_is_healthy": _of_level(*is_healthy),
        "error": usual["error"],
        "is_usable": terms["is_static"] | (enough & has_measure),
    }
    fields = {name: known[name] if name in known else terms[name] for name in OF_TERMS}
    return struct_of(fields).cast(TERMS_TYPE)


def _baseline(profile: Profile, kpi: Column) -> Column:
    """What a KPI is compared with, from its rule and what was `found` for it."""
    rule, terms = kpi["rule"], kpi["terms"]
    usual, peers = kpi["found"]["usual"], kpi["found"]["peers"]
    centre, count = usual["centre"], usual["count"]
    value = F.when(terms["is_log"], F.exp(centre) - terms["offset"]).otherwise(centre)
    origin = F.when(
        ~terms["is_static"] & terms["is_usable"],
        F.concat(
            F.lit(" against the usual "),
            measure_text(value, rule["unit"]),
            F.lit(" ("),
            terms["method_words"],
            F.lit(" of "),
            count,
            F.when(peers == ALL, "").otherwise(F.concat(F.lit(" "), peers)),
            _of_level(" customers, ", " cells, "),
        ),
    ).otherwise(" (")
    fields = {
        "centre": centre,
        "value": value,
        "spread": usual["spread"],
        "is_log": terms["is_log"],
        "offset": terms["offset"],
        "standard_error": F.lit(None).cast("double"),
        "count": count,
        "peers": peers,
        "origin": origin,
    }
    return struct_of(fields).cast(BASELINE_TYPE)


def _of_level(of_customers: object, of_cells: object) -> Column:
    return F.when(F.col("level") == CUSTOMER_LEVEL, of_customers).otherwise(of_cells)


def _with_bounds(limits: DataFrame) -> DataFrame:
    """The same with all that a value must pass, from rule, terms and baseline."""

    def sides(kpi: Column) -> Column:
        return struct_of({side: _side(side, kpi) for side in (ABOVE, BELOW)}).cast(SIDES_TYPE)

    with_sides = limits.withColumn("sides", transform_zipped(sides, "rule", "terms", "baseline"))
    return with_sides.withColumn("bounds", transform_zipped(_bounds, "terms", "baseline", "sides"))


def _bounds(kpi: Column) -> Column:
    terms, sides = kpi["terms"], kpi["sides"]
    above, below = sides[ABOVE]["bound"], sides[BELOW]["bound"]
    is_known = F.coalesce(above, below).isNotNull()
    # A side that is not bad has no bound, which nothing can pass either.
    is_out_of_reach = (
        is_known
        & F.coalesce(above >= terms["maximum"], above.isNull())
        & F.coalesce(below <= terms["minimum"], below.isNull())
    )
    limits = {
        f"{status}_{side}": F.when(
            is_known, F.coalesce(limit(sides[side][bound]), F.lit(nobody_passes))
        )
        for side, limit, nobody_passes in ((ABOVE, limit_above, inf), (BELOW, limit_below, -inf))
        for status, bound in (("crit", "bound"), ("warn", "warn_bound"))
    }
    has_spread = kpi["baseline"]["spread"] > 0
    fields = {
        ABOVE: above,
        BELOW: below,
        **limits,
        "is_out_of_reach": is_out_of_reach,
        **{name: terms[name] for name in OF_VALUES},
        "deviation_unit": F.when(has_spread, "spreads").otherwise("%"),
    }
    return struct_of(fields).cast(BOUNDS_TYPE)


def _side(side: str, kpi: Column) -> Column:
    """struct<bound, warn_bound> of one side of a rule, NULL where it is not bad."""
    # greatest and least leave out what is NULL: the spread of a method that has none, a floor, or
    # what is compared with a baseline where there is none.
    farthest, nearest, floor = {
        ABOVE: (F.greatest, F.least, "at_least"),
        BELOW: (F.least, F.greatest, "at_most"),
    }[side]
    rule, terms, baseline = kpi["rule"], kpi["terms"], kpi["baseline"]

    def away(from_: Column, distance: Column) -> Column:
        return from_ + distance if side == ABOVE else from_ - distance

    def bound(k: str) -> Column:
        distance = F.greatest(terms[k] * baseline["spread"], terms["smallest_distance"])
        scaled = away(baseline["centre"], distance)
        by_spread = F.when(terms["is_log"], F.exp(scaled) - terms["offset"]).otherwise(scaled)
        ignored = away(baseline["value"], terms["ignore_below"])
        relative = farthest(by_spread, ignored, terms[floor])
        return nearest(terms["limit"], F.when(terms["is_usable"], relative))

    return F.when(
        rule["direction"].isin(side, BOTH),
        struct_of({"bound": bound("k"), "warn_bound": bound("warn_k")}),
    )
