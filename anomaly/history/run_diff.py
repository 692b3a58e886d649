"""What changed between two runs: the cells with another verdict, and what caused it.

Each flag that is another has a cause of its own (`flag_causes`). A verdict follows from families
that fail or, where the profile has none, from two counts, of defects and of judged KPIs. So it may
have further causes:

- `failed families`: others fail of the cell's service, by its KPIs, an alarm or its silence.
- `evaluated KPIs`: the defects did not move the way of the verdict, but the judged KPIs did.
- `verdict rule`: neither did, and so the rule is another.
- `cell`: the cell is in one of the runs alone.
"""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

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
from anomaly.summary.figures import explode_and_sum, figure
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
    place = (
        f"CASE WHEN is_there_after IS NULL THEN '{FIRST} alone' "
        f"WHEN is_there_before IS NULL THEN '{SECOND} alone' ELSE '{BOTH_RUNS}' END"
    )
    return (
        # One to one: each table has a cell once.
        _side(before, "before")
        .join(_side(after, "after"), on="CellName", how="full_outer")
        .withColumn("place", F.expr(place))
        .withColumn(
            "is_changed",
            F.expr(f"place <> '{BOTH_RUNS}' OR NOT (verdict_before <=> verdict_after)"),
        )
        .withColumn("change", F.expr(f"concat({_words('before')}, ' to ', {_words('after')})"))
        .transform(_with_causes)
        .drop(
            *(f"{name}_{side}" for name in ("is_there", "evidence", "families") for side in SIDES)
        )
    )


def changed_cells(compared: DataFrame) -> DataFrame:
    """The cells of `compared_cells` with another verdict, and those of one run alone."""
    return compared.where("is_changed").drop("is_changed")


def difference_figures(compared: DataFrame) -> DataFrame:
    """`compared_cells` as figures: section, subject, item, value and detail, as in run_summary.

    cell: how many cells are in which run; verdict: how many changed, by direction; cause: of how
    many changed cells; flag: how many changed in these cells, by KPI and cause; profile: that of
    each run as detail, with its cells.
    """
    of_cell = figure("'cell'", "'cells'", "place", "1")
    of_profiles = ", ".join(
        figure("'profile'", "'cells'", f"'{run}'", "1", f"profile_{side}")
        for side, run in zip(SIDES, (FIRST, SECOND), strict=True)
    )
    of_verdict = figure("'verdict'", "'changed'", "change", "1")
    of_cause = figure("'cause'", "'cells'", "one", "1")
    of_flag = figure("'flag'", "one.kpi", "one.cause", "1")
    return explode_and_sum(
        compared,
        f"concat(array({of_cell}), "
        f"filter(array({of_profiles}), one -> one.detail IS NOT NULL), "
        f"filter(array({of_verdict}), one -> is_changed), "
        f"transform(array_distinct(causes.cause), one -> {of_cause}), "
        f"transform(filter(causes, one -> one.kpi IS NOT NULL), one -> {of_flag}))",
    )


def input_differences(before: DataFrame, after: DataFrame) -> DataFrame:
    """From two run_summary of one day each the counts of input rows that differ, as figures.

    section (one of INPUT_SECTIONS), subject (the input), item (the count or the reason), value (by
    how much it rose) and detail (both counts in words).
    """
    sections = ", ".join(f"'{section}'" for section in INPUT_SECTIONS)
    sides = [
        summary.where(f"section IN ({sections})").selectExpr(
            "section", "subject", "item", "value", f"'{side}' AS side"
        )
        for side, summary in zip(SIDES, (before, after), strict=True)
    ]
    counts = (
        f"CAST(sum(CASE WHEN side = '{side}' THEN value ELSE 0 END) AS bigint) AS {side}"
        for side in SIDES
    )
    return (
        sides[0]
        .unionByName(sides[1])
        .groupBy("section", "subject", "item")
        .agg(*map(F.expr, counts))
        .where("before <> after")
        .selectExpr(
            "section",
            "subject",
            "item",
            "CAST(after - before AS double) AS value",
            f"concat(before, ' in the {FIRST}, ', after, ' in the {SECOND}') AS detail",
        )
    )


def _side(cells: DataFrame, side: str) -> DataFrame:
    columns = SIDE_COLUMNS | {"is_there": "TRUE"}
    # Tables of older versions may lack the families, and fields of the evidence.
    if columns["families"] not in cells.columns:
        columns["families"] = "CAST(NULL AS array<string>)"
    columns["evidence"] = f"from_json(to_json(evidence), '{EVIDENCE_TYPE}')"
    return cells.selectExpr(
        "CellName", *(f"{column} AS {name}_{side}" for name, column in columns.items())
    )


def _words(side: str) -> str:
    """The SQL of a verdict in words; a cell that is not there has none."""
    return (
        f"CASE WHEN is_there_{side} IS NULL THEN 'not there' "
        f"ELSE coalesce(verdict_{side}, 'Not judged') END"
    )


def _listed(families: str) -> str:
    return f"coalesce(nullif(array_join({families}, ', '), ''), 'nothing')"


def _with_causes(compared: DataFrame) -> DataFrame:
    """Adds the column `causes`; only what the changed cells have is looked into."""
    is_in_both = F.expr(f"is_changed AND place = '{BOTH_RUNS}'")
    flags = changed_flags("evidence_before", "evidence_after")
    is_same_profile = F.col("profile_before") == F.col("profile_after")
    # All fields but the last two are those of a KPI.
    of_verdict = ", ".join(("NULL",) * (len(CAUSE_FIELDS) - 2))
    return (
        compared.withColumn("flags", F.when(is_in_both, flags))
        .withColumn("flags", swapped(F.col("flags"), is_same_profile))
        .withColumn("flags", explained(F.col("flags")))
        .transform(_with_cause_of_verdict)
        .withColumn(
            "causes",
            F.expr(
                "concat("
                f"CAST(CASE WHEN cause IS NULL THEN array() "
                f"ELSE array(struct({of_verdict}, cause, reason)) END AS {CAUSES_TYPE}), "
                f"coalesce(flags, CAST(array() AS {CAUSES_TYPE})))"
            ),
        )
        .drop("flags", "cause", "reason")
    )


def _with_cause_of_verdict(compared: DataFrame) -> DataFrame:
    """Adds cause and reason of a changed verdict beside the flags, NULL where there is none.

    More defects lead to Required, more judged KPIs away from it; too few of these to no verdict.
    """
    is_by_defects = (
        "verdict_before IS NOT NULL AND verdict_after IS NOT NULL AND "
        f"CASE WHEN verdict_after = '{REQUIRED}' THEN defects_after > defects_before "
        "ELSE defects_after < defects_before END"
    )
    needs_fewer = (
        f"verdict_after IS NULL OR (verdict_before IS NOT NULL AND verdict_after = '{REQUIRED}')"
    )
    has_families = "size(families_before) > 0 OR size(families_after) > 0"
    is_by_families = f"({has_families}) AND NOT (families_before <=> families_after)"
    is_by_evaluated = (
        f"CASE WHEN {needs_fewer} THEN evaluated_after < evaluated_before "
        "ELSE evaluated_after > evaluated_before END"
    )
    cause = (
        f"CASE WHEN NOT is_changed THEN NULL WHEN place <> '{BOTH_RUNS}' THEN '{CELL}' "
        f"WHEN {is_by_families} THEN '{FAMILIES}' "
        f"WHEN {is_by_defects} THEN NULL WHEN {is_by_evaluated} THEN '{EVALUATED}' "
        f"ELSE '{VERDICT_RULE}' END"
    )
    reason = (
        f"CASE cause WHEN '{CELL}' THEN concat('the cell is in the ', place) "
        f"WHEN '{FAMILIES}' THEN concat('fails now: ', {_listed('families_after')}, "
        f"'; before: ', {_listed('families_before')}) "
        f"WHEN '{EVALUATED}' THEN concat(evaluated_after, ' KPIs could be judged, "
        "and ', evaluated_before, ' before') "
        "ELSE concat('neither defects nor judged KPIs account for it: the ', "
        "'rule of the verdict is another') END"
    )
    return compared.withColumn("cause", F.expr(cause)).withColumn("reason", F.expr(reason))
