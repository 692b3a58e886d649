"""Why the flag of a KPI is another in a second run, decided from the evidence of both runs.

A flag follows from a value and a bound. Which of the two made it another is found by swapping one
alone: the new value against the old bound, and the old value against the new bound.

- `value`: the new value has the new flag with the old bound as well, and the old value keeps the
  old flag with the new bound.
- `baseline`: the other way round; the bound moved because the peers did.
- `both`: each alone would have been enough, or only the two together were.
- `missing`: one run has no value, or too little to judge it by.
- `rule`: the profile is another: it judges the KPI in one run only, on the other side or by another
  method, sets another bound (fixed, or for the same baseline and spread), asks for more rows, or
  takes what is missing for something else. Where the value alone explains the flag all the same,
  the cause is `value`.
"""

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.expressions.arithmetic import exceeds, ratio
from anomaly.expressions.texts import java_text
from anomaly.profile.methods import Direction, Method, Scale

VALUE, BASELINE, BOTH, MISSING, RULE = "value", "baseline", "both", "missing", "rule"
FIRST, SECOND = "first run", "second run"

# One cause of another verdict; all but cause and reason are NULL where it is no KPI's flag.
CAUSE_FIELDS = {
    "kpi": "string",
    "unit": "string",
    "status_before": "string",
    "status_after": "string",
    "value_before": "double",
    "value_after": "double",
    "bound_before": "double",
    "bound_after": "double",
    "direction": "string",
    "cause": "string",
    "reason": "string",
}
CAUSES_TYPE = (
    f"array<struct<{','.join(f'{name}:{type_}' for name, type_ in CAUSE_FIELDS.items())}>>"
)


def changed_flags(before: Column, after: Column) -> Column:
    """Of two arrays of evidence the KPIs with another flag: structs of both elements.

    An element is NULL where that run does not judge the KPI.
    """

    def names(evidence: Column) -> Column:
        return F.transform(evidence, lambda judged: judged["kpi"])

    def of_kpi(evidence: Column, name: Column) -> Column:
        return F.get(F.filter(evidence, lambda judged: judged["kpi"] == name), F.lit(0))

    both = F.transform(
        F.array_union(names(before), names(after)),
        lambda name: F.struct(
            of_kpi(before, name).alias("before"), of_kpi(after, name).alias("after")
        ),
    )
    return F.filter(both, lambda kpi: ~kpi["before"]["flag"].eqNullSafe(kpi["after"]["flag"]))


def swapped(flags: Column, is_same_profile: Column) -> Column:
    """Adds to `changed_flags` is_other_rule, and whether value or bound alone gives the new flag.

    by_value and by_bound are NULL where there is nothing to compare.
    """

    def tested(kpi: Column) -> Column:
        before, after = kpi["before"], kpi["after"]
        is_defect = after["flag"] == 1
        # The same rule tells two sides only where both of them are bad.
        is_two_sided = (before["direction"] != after["direction"]) & is_same_profile
        return F.struct(
            before.alias("before"),
            after.alias("after"),
            _is_other_rule(before, after, is_same_profile).alias("is_other_rule"),
            (_is_beyond(after["value"], before, is_two_sided) == is_defect).alias("by_value"),
            (_is_beyond(before["value"], after, is_two_sided) == is_defect).alias("by_bound"),
        )

    return F.transform(flags, tested)


def explained(flags: Column) -> Column:
    """From `swapped` an array of CAUSES_TYPE."""

    def one(kpi: Column) -> Column:
        before, after = kpi["before"], kpi["after"]
        pairs = (
            (kpi[side][name].alias(f"{name}_{side}"))
            for name in ("status", "value", "bound")
            for side in ("before", "after")
        )
        return F.struct(
            F.coalesce(after["kpi"], before["kpi"]).alias("kpi"),
            F.coalesce(after["unit"], before["unit"]).alias("unit"),
            *pairs,
            F.coalesce(after["direction"], before["direction"]).alias("direction"),
            _cause(kpi).alias("cause"),
            _reason(kpi).alias("reason"),
        )

    return F.transform(flags, one).cast(CAUSES_TYPE)


def _is_beyond(value: Column, judged: Column, is_two_sided: Column) -> Column:
    """Whether a value lies on the bad side of the bound of an element of the evidence.

    A rule for both sides has two bounds, as far from the baseline; the evidence names one of them.
    """

    def beyond(bound: Column, is_above: Column) -> Column:
        return F.when(is_above, exceeds(value, bound)).otherwise(exceeds(bound, value))

    bound, is_above = judged["bound"], judged["direction"] == Direction.ABOVE.value
    is_beyond_other = beyond(_other_bound(judged), ~is_above)
    return beyond(bound, is_above) | F.when(is_two_sided, is_beyond_other).otherwise(False)


def _other_bound(judged: Column) -> Column:
    """The bound on the other side of the baseline: as far away, on the scale of the rule."""
    baseline, bound = judged["baseline"], judged["bound"]
    offset = judged["log_offset"]
    shifted = baseline + offset
    by_factor = ratio(shifted * shifted, bound + offset) - offset
    is_log = judged["scale"] == Scale.LOG.value
    return F.when(is_log, by_factor).otherwise(2.0 * baseline - bound)


def _is_other_rule(before: Column, after: Column, is_same_profile: Column) -> Column:
    """Whether the evidence proves that the two profiles judge the KPI by different rules."""
    is_other_side = (before["direction"] != after["direction"]) & ~is_same_profile
    is_other_bound = exceeds(before["bound"], after["bound"]) | exceeds(
        after["bound"], before["bound"]
    )
    is_of_profile = (before["method"] == Method.STATIC.value) | (
        before["baseline"].eqNullSafe(after["baseline"])
        & before["spread"].eqNullSafe(after["spread"])
    )
    asks_for_more = (
        (before["flag"].isNull() | after["flag"].isNull())
        & before["value_count"].eqNullSafe(after["value_count"])
        & before["baseline_count"].eqNullSafe(after["baseline_count"])
    )
    proofs = (
        before["method"] != after["method"],
        is_other_side,
        is_other_bound & is_of_profile,
        asks_for_more,
    )
    return F.greatest(*(F.coalesce(proof, F.lit(False)) for proof in proofs))


def _cause(kpi: Column) -> Column:
    before, after, is_other_rule = kpi["before"], kpi["after"], kpi["is_other_rule"]
    is_value_missing = before["value"].isNull(), after["value"].isNull()
    return (
        F.when(before["kpi"].isNull() | after["kpi"].isNull(), RULE)
        .when(is_value_missing[0] != is_value_missing[1], MISSING)
        # Missing in both runs, and judged in one: as healthy.
        .when(is_value_missing[0], RULE)
        .when(
            before["flag"].isNull() | after["flag"].isNull(),
            F.when(is_other_rule, RULE).otherwise(MISSING),
        )
        .when(kpi["by_value"] & ~kpi["by_bound"], VALUE)
        .when(is_other_rule, RULE)
        .when(kpi["by_bound"] & ~kpi["by_value"], BASELINE)
        .otherwise(BOTH)
    )


def _reason(kpi: Column) -> Column:
    """The cause in one sentence."""
    before, after = kpi["before"], kpi["after"]
    name = F.coalesce(after["kpi"], before["kpi"])

    def in_one_run(is_second: Column, text: str, *arguments: Column) -> Column:
        return F.format_string(text, name, F.when(is_second, SECOND).otherwise(FIRST), *arguments)

    is_missing = before["value"].isNull() != after["value"].isNull()
    is_without = F.when(is_missing, after["value"].isNull()).otherwise(after["flag"].isNull())
    why = F.when(is_without, after["reason"]).otherwise(before["reason"])
    return (
        F.when(
            before["kpi"].isNull() | after["kpi"].isNull(),
            in_one_run(before["kpi"].isNull(), "%s is judged in the %s alone"),
        )
        .when(
            before["value"].isNull() & after["value"].isNull(),
            F.format_string("%s has no value, which the two profiles take differently", name),
        )
        .when(
            is_missing | before["flag"].isNull() | after["flag"].isNull(),
            in_one_run(is_without, "%s in the %s: %s", why),
        )
        .otherwise(
            F.format_string(
                "%s was %s, is %s: %s made it %s",
                name,
                _against_bound(before),
                _against_bound(after),
                _what_made_it(kpi),
                F.when(after["flag"] == 1, "a defect").otherwise("no defect"),
            )
        )
    )


def _against_bound(judged: Column) -> Column:
    # 0.0 is added because Sail keeps the sign of nothing: -0.0.
    value, bound = (java_text(F.round(judged[name], 4) + 0.0) for name in ("value", "bound"))
    return F.format_string("%s %s (bad %s %s)", value, judged["unit"], judged["direction"], bound)


def _what_made_it(kpi: Column) -> Column:
    methods = kpi["before"]["method"], kpi["after"]["method"]
    other_rule = F.when(
        methods[0] != methods[1], F.format_string("the rule (%s, was %s)", methods[1], methods[0])
    ).otherwise("the rule")
    cause = _cause(kpi)
    return (
        F.when(cause == RULE, other_rule)
        .when(cause == VALUE, "the value alone")
        .when(cause == BASELINE, "the baseline alone")
        .when(kpi["by_value"], "value and baseline, each alone,")
        .otherwise("only value and baseline together")
    )
