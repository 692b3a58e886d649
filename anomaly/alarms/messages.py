"""What the rows of the alarms say in words: one sentence that a field engineer understands."""

import json

from pyspark.sql import Column
from pyspark.sql import functions as F

from anomaly.expressions.timestamps import utc_text
from anomaly.profile.alarm_rules import AlarmKpi, AlarmRules, Group
from anomaly.profile.methods import Direction, Method
from anomaly.schema.tables import RECOVERY, SAMPLES_KPI

OTHERS_NAMED = 3
GROUP_WORDS = {
    Group.CELL: "this cell",
    Group.PEERS: "its peers",
    Group.SLOT: "at this time of day",
    Group.HOUR: "in this hour of the day",
    Group.DAY_TYPE: "on days like this",
}
METHOD_WORDS = {
    Method.MEAN: "mean",
    Method.MEAN_STD: "mean",
    Method.MEDIAN_MAD: "median",
    Method.MEDIAN_IQR: "median",
}


WORD_FIELDS = "unit: string, meaning: string, usual_for: string, method: string, is_static: boolean"


def words_by_kpi(rules: AlarmRules) -> Column:
    """What the profile says of each KPI: a map from its name, as a constant of the plan."""
    words = {kpi.name: _words_of(kpi) for kpi in rules.kpis}
    return F.from_json(F.lit(json.dumps(words)), f"map<string, struct<{WORD_FIELDS}>>")


def _words_of(kpi: AlarmKpi) -> dict[str, object]:
    return {
        "unit": kpi.unit,
        "meaning": kpi.meaning,
        "usual_for": _usual_for(kpi),
        "method": METHOD_WORDS.get(kpi.method, f"quantile {kpi.q}"),
        "is_static": kpi.method is Method.STATIC,
    }


def reason_of_kpi(rules: AlarmRules) -> Column:
    """Why a KPI is out of line, from a row with its words and what was found of it."""
    is_above = F.col("direction") == Direction.ABOVE.value
    now = F.format_string(
        f"%s (%s) is %s %s as a mean of {rules.smoothed_periods * rules.period_minutes} minutes",
        F.col("words.meaning"),
        F.col("kpi"),
        _number(F.col("smoothed_value")),
        F.col("unit"),
    )
    usual = F.format_string(
        "usual for %s is %s (%s of %s values)",
        F.col("words.usual_for"),
        _number(F.col("baseline")),
        F.col("words.method"),
        F.col("baseline_count"),
    )
    limit = F.format_string(
        "alarm %s %s",
        F.when(is_above, "above").otherwise("below"),
        _number(F.col("bound")),
    )
    # A fixed limit has no usual value.
    of_kpi = F.concat_ws(", ", now, F.when(~F.col("words.is_static"), usual), limit)
    return F.when(F.col("kpi") == SAMPLES_KPI, "the cell sent no sample").otherwise(of_kpi)


def reason_of_silence(rules: AlarmRules, periods: Column, first: Column) -> Column:
    """That a cell sent nothing for so many periods, from an instant on."""
    return F.format_string(
        "the cell sent no samples for %s, from %s on", _periods(rules, periods), _time(first)
    )


def reason_of_alarm(rules: AlarmRules) -> Column:
    """An alarm in one sentence, from a row of the table with the reasons of its KPIs."""
    named = F.array_join(F.slice("kpis", 2, OTHERS_NAMED), ", ")
    more = F.array_size("kpis") - 1 - OTHERS_NAMED
    also = F.when(
        F.array_size("kpis") > 1,
        F.concat(
            F.lit("also out of line: "),
            named,
            F.when(more > 0, F.format_string(" and %s more", more)).otherwise(""),
        ),
    )
    end = (
        F.when(F.col("cleared_at").isNull(), "still standing")
        .when(
            F.col("cleared_by") == RECOVERY, F.concat(F.lit("cleared "), _time(F.col("cleared_at")))
        )
        .otherwise(F.concat(F.lit("closed for a new baseline on "), _time(F.col("cleared_at"))))
    )
    return F.format_string(
        "%s since %s: %s",
        F.col("CellName"),
        _time(F.col("raised_at")),
        F.concat_ws(
            "; ",
            F.get("evidence", 0)["reason"],
            also,
            _periods(rules, F.col("bad_periods"), "bad "),
            end,
        ),
    )


def _usual_for(kpi: AlarmKpi) -> str:
    groups = kpi.grouping.groups
    whose = [GROUP_WORDS[group] for group in groups if group in (Group.CELL, Group.PEERS)]
    when = [GROUP_WORDS[group] for group in groups if group not in (Group.CELL, Group.PEERS)]
    return " ".join((*(whose or ["all cells"]), *when))


def _periods(rules: AlarmRules, count: Column, which: str = "") -> Column:
    """So many periods, of which kind, in words."""
    minutes = rules.period_minutes
    one, many = ("quarter hour", "quarter hours")
    if minutes != 15:
        one, many = (f"{noun} of {minutes} minutes" for noun in ("period", "periods"))
    words = F.when(count == 1, f"{which}{one}").otherwise(f"{which}{many}")
    return F.concat_ws(" ", count.cast("string"), words)


def _time(instant: Column) -> Column:
    return F.concat(utc_text(instant, "yyyy-MM-dd HH:mm"), F.lit(" UTC"))


def _number(value: Column) -> Column:
    return (
        F.when(F.abs(value) >= 10, F.format_string("%.1f", value))
        .when(F.abs(value) >= 1, F.format_string("%.2f", value))
        .otherwise(F.format_string("%.4f", value))
    )
