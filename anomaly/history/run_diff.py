"""What changed between two runs: the cells with another verdict, and what caused it.

Each flag that is another has a cause of its own (`flag_causes`). A verdict follows from families
that fail or, where the profile has none, from two counts, of defects and of judged KPIs. So it may
have further causes:

- `failed families`: others fail of the cell's service, by its KPIs, an alarm or its silence.
- `evaluated KPIs`: the defects did not move the way of the verdict, but the judged KPIs did.
- `verdict rule`: neither did, and so the rule is another.
- `cell`: the cell is in one of the runs alone.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anomaly.expressions.frames import union
from anomaly.history.flag_causes import (
    CAUSE_FIELDS,
    CAUSES_TYPE,
    FIRST,
    SECOND,
    changed_flags,
    explained,
    swapped,
)
from anomaly.schema.evidence import EVIDENCE_TYPE
from anomaly.schema.tables import VERDICT
from anomaly.summary.figures import explode_and_sum, figure, figures_if
from anomaly.thresholds.verdict import REQUIRED

FAMILIES, EVALUATED, VERDICT_RULE = "failed families", "evaluated KPIs", "verdict rule"
CELL = "cell"
BOTH_RUNS = "both runs"

SIDES = ("before", "after")
SIDE_COLUMNS = {
    "profile": "profile",
    "verdict": VERDICT.name,
    "defects": "defected_count",
    "evaluated": "evaluated_kpis",
    "evidence": "evidence",
    "families": "failed_families",
}
# The sections of run_summary that say what became of the rows of the inputs.
INPUT_SECTIONS = ("input", "rejected", "missing_value")


def compared_cells(before: DataFrame, after: DataFrame) -> DataFrame:
    """From two cell tables of one day each a row per cell: both verdicts, and why they differ.

    CellName; profile, verdict, defects and evaluated (KPIs), each before and after; place (`both
    runs`, or the run that alone has the cell); is_changed (another verdict, or in one run alone);
    change (in words) and causes (CAUSES_TYPE: of the verdict first, then of each flag that is
    another; none where the verdict is the same).
    """
    is_before, is_after = F.col("is_there_before"), F.col("is_there_after")
    place = (
        F.when(is_after.isNull(), f"{FIRST} alone")
        .when(is_before.isNull(), f"{SECOND} alone")
        .otherwise(BOTH_RUNS)
    )
    is_same = F.col("verdict_before").eqNullSafe(F.col("verdict_after"))
    return (
        # One to one: each table has a cell once.
        _side(before, "before")
        .join(_side(after, "after"), on="CellName", how="full_outer")
        .withColumn("place", place)
        .withColumn("is_changed", (F.col("place") != BOTH_RUNS) | ~is_same)
        .withColumn("change", F.concat(_words("before"), F.lit(" to "), _words("after")))
        .transform(_with_causes)
        .drop(
            *(f"{name}_{side}" for name in ("is_there", "evidence", "families") for side in SIDES)
        )
    )


def changed_cells(compared: DataFrame) -> DataFrame:
    """The cells of `compared_cells` with another verdict, and those of one run alone."""
    return compared.where(F.col("is_changed")).drop("is_changed")


def difference_figures(compared: DataFrame) -> DataFrame:
    """`compared_cells` as figures: section, subject, item, value and detail, as in run_summary.

    cell: how many cells are in which run; verdict: how many changed, by direction; cause: of how
    many changed cells; flag: how many changed in these cells, by KPI and cause; profile: that of
    each run as detail, with its cells.
    """
    causes = F.col("causes")
    of_profiles = F.array(
        *(
            figure("profile", "cells", run, 1, F.col(f"profile_{side}"))
            for side, run in zip(SIDES, (FIRST, SECOND), strict=True)
        )
    )
    # Not causes["cause"]: Sail knows no field of an array.
    names = F.transform(causes, lambda cause: cause["cause"])
    of_flags = F.filter(causes, lambda cause: cause["kpi"].isNotNull())
    return explode_and_sum(
        compared,
        F.concat(
            F.array(figure("cell", "cells", F.col("place"), 1)),
            F.filter(of_profiles, lambda one: one["detail"].isNotNull()),
            figures_if(F.col("is_changed"), figure("verdict", "changed", F.col("change"), 1)),
            F.transform(F.array_distinct(names), lambda name: figure("cause", "cells", name, 1)),
            F.transform(of_flags, lambda flag: figure("flag", flag["kpi"], flag["cause"], 1)),
        ),
    )


def input_differences(before: DataFrame, after: DataFrame) -> DataFrame:
    """From two run_summary of one day each the counts of input rows that differ, as figures.

    section (one of INPUT_SECTIONS), subject (the input), item (the count or the reason), value (by
    how much it rose) and detail (both counts in words).
    """
    names = ("section", "subject", "item")
    sides = (
        summary.where(F.col("section").isin(*INPUT_SECTIONS)).select(
            *names, "value", F.lit(side).alias("side")
        )
        for side, summary in zip(SIDES, (before, after), strict=True)
    )
    counts = (
        F.sum(F.when(F.col("side") == side, F.col("value")).otherwise(0)).cast("bigint").alias(side)
        for side in SIDES
    )
    count_before, count_after = (F.col(side) for side in SIDES)
    return (
        union(sides)
        .groupBy(*names)
        .agg(*counts)
        .where(count_before != count_after)
        .select(
            *names,
            (count_after - count_before).cast("double").alias("value"),
            F.concat(
                count_before, F.lit(f" in the {FIRST}, "), count_after, F.lit(f" in the {SECOND}")
            ).alias("detail"),
        )
    )


def _side(cells: DataFrame, side: str) -> DataFrame:
    columns = {name: F.col(column) for name, column in SIDE_COLUMNS.items()}
    columns["is_there"] = F.lit(True)
    # Tables of older versions may lack the families, and fields of the evidence.
    if SIDE_COLUMNS["families"] not in cells.columns:
        columns["families"] = F.lit(None).cast("array<string>")
    columns["evidence"] = F.from_json(F.to_json("evidence"), EVIDENCE_TYPE)
    return cells.select(
        "CellName", *(column.alias(f"{name}_{side}") for name, column in columns.items())
    )


def _words(side: str) -> Column:
    """A verdict in words; a cell that is not there has none."""
    verdict = F.coalesce(f"verdict_{side}", F.lit("Not judged"))
    return F.when(F.col(f"is_there_{side}").isNull(), "not there").otherwise(verdict)


def _listed(families: Column) -> Column:
    names = F.array_join(families, ", ")
    return F.when(names != "", names).otherwise("nothing")


def _with_causes(compared: DataFrame) -> DataFrame:
    """Adds the column `causes`; only what the changed cells have is looked into."""
    is_in_both = F.col("is_changed") & (F.col("place") == BOTH_RUNS)
    # Empty, not NULL: with ANSI Sail divides by nothing for arrays of which none has an element.
    no_kpi = F.array().cast(EVIDENCE_TYPE)
    before, after = (
        F.when(is_in_both, F.col(f"evidence_{side}")).otherwise(no_kpi) for side in SIDES
    )
    is_same_profile = F.col("profile_before") == F.col("profile_after")
    of_kpis = (F.lit(None).alias(name) for name in CAUSE_FIELDS if name not in ("cause", "reason"))
    of_verdict = F.array(F.struct(*of_kpis, "cause", "reason")).cast(CAUSES_TYPE)
    none = F.array().cast(CAUSES_TYPE)
    return (
        compared.withColumn("flags", changed_flags(before, after))
        .withColumn("flags", swapped(F.col("flags"), is_same_profile))
        .withColumn("flags", explained(F.col("flags")))
        .transform(_with_cause_of_verdict)
        .withColumn(
            "causes",
            F.concat(
                F.when(F.col("cause").isNull(), none).otherwise(of_verdict),
                F.coalesce("flags", none),
            ),
        )
        .drop("flags", "cause", "reason")
    )


def _with_cause_of_verdict(compared: DataFrame) -> DataFrame:
    """Adds cause and reason of a changed verdict beside the flags, NULL where there is none.

    More defects lead to Required, more judged KPIs away from it; too few of these to no verdict.
    """
    verdict, defects, evaluated, families = (
        [F.col(f"{name}_{side}") for side in SIDES]
        for name in ("verdict", "defects", "evaluated", "families")
    )
    is_required = verdict[1] == REQUIRED
    was_judged, is_judged = (one.isNotNull() for one in verdict)
    is_by_defects = (
        was_judged
        & is_judged
        & F.when(is_required, defects[1] > defects[0]).otherwise(defects[1] < defects[0])
    )
    is_by_evaluated = F.when(
        ~is_judged | (was_judged & is_required), evaluated[1] < evaluated[0]
    ).otherwise(evaluated[1] > evaluated[0])
    has_families = (F.array_size(families[0]) > 0) | (F.array_size(families[1]) > 0)
    is_by_families = has_families & ~families[0].eqNullSafe(families[1])
    none = F.lit(None).cast("string")
    cause = (
        F.when(~F.col("is_changed"), none)
        .when(F.col("place") != BOTH_RUNS, CELL)
        .when(is_by_families, FAMILIES)
        .when(is_by_defects, none)
        .when(is_by_evaluated, EVALUATED)
        .otherwise(VERDICT_RULE)
    )
    found = F.col("cause")
    reason = (
        F.when(found == CELL, F.concat(F.lit("the cell is in the "), "place"))
        .when(
            found == FAMILIES,
            F.concat(
                F.lit("fails now: "),
                _listed(families[1]),
                F.lit("; before: "),
                _listed(families[0]),
            ),
        )
        .when(
            found == EVALUATED,
            F.concat(
                evaluated[1], F.lit(" KPIs could be judged, and "), evaluated[0], F.lit(" before")
            ),
        )
        .otherwise(
            "neither defects nor judged KPIs account for it: the rule of the verdict is another"
        )
    )
    return compared.withColumn("cause", cause).withColumn("reason", reason)
