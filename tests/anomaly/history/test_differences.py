"""What changed between two runs: each cause worked out by hand, and the command on whole runs."""

import csv
import json
from datetime import date
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly import parse_profile
from anomaly.history.run_diff import (
    changed_cells,
    compared_cells,
    difference_figures,
    input_differences,
)
from anomaly.schema.evidence import EVIDENCE_TYPE
from runners.cli.main import main
from runners.local import run_locally
from runners.storage.places import destination_of
from tests.builders.literal_frames import in_memory, text
from tests.builders.small_inputs import SmallInputs, profile_text

FLAGS = {"OK": 0, "WARN": 0, "CRIT": 1}
USUAL = {"unit": "%", "direction": "above", "method": "median_iqr", "spread": 1.0}
USUAL |= {"value_count": 9, "baseline_count": 33, "reason": "within its limit"}
Kpi = dict[str, object]


def load(status: str, value: float | None, bound: float | None, **other: object) -> Kpi:
    """The evidence of the KPI load; its baseline lies 4 % from its bound."""
    baseline = None if bound is None else bound - 4
    judged = {"kpi": "load", "status": status, "flag": FLAGS.get(status), "value": value}
    return USUAL | judged | {"bound": bound, "baseline": baseline} | other


def cell(
    name: str,
    verdict: str | None,
    *evidence: Kpi,
    defects: int | None = None,
    evaluated: int | None = None,
    profile: str = "p@1",
) -> tuple:
    flags = [kpi["flag"] for kpi in evidence]
    defects = flags.count(1) if defects is None else defects
    evaluated = len(flags) - flags.count(None) if evaluated is None else evaluated
    return name, verdict, defects, evaluated, profile, json.dumps(evidence)


def table(spark: SparkSession, cells: list[tuple]) -> DataFrame:
    columns = (
        "CellName string, Maintainence_Required string, defected_count int, evaluated_kpis int, "
        "profile string, evidence string"
    )
    frame = in_memory(spark, columns, cells)
    return frame.selectExpr(
        *frame.columns[:-1], f"from_json(evidence, '{EVIDENCE_TYPE}') AS evidence"
    )


def compared(spark: SparkSession, before: list[tuple], after: list[tuple]) -> DataFrame:
    return compared_cells(table(spark, before), table(spark, after))


@pytest.fixture(params=["true", "false"], ids=["ansi", "not ansi"])
def ansi(spark, request):
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", request.param)
    yield
    spark.conf.set("spark.sql.ansi.enabled", before)


# --- flags --------------------------------------------------------------------------------------

# Before, after, the cause, and a part of the reason. The profile is the same.
SAME_PROFILE = {
    # 50 is above 10 as well, 5 not above 11
    "value": (
        load("OK", 5, 10),
        load("CRIT", 50, 11),
        "value",
        "load was 5.0 % (bad above 10.0), is 50.0 % (bad above 11.0): "
        "the value alone made it a defect",
    ),
    "value, cleared": (
        load("CRIT", 1, 5, direction="below"),
        load("WARN", 9, 5, direction="below"),
        "value",
        "load was 1.0 % (bad below 5.0), is 9.0 % (bad below 5.0): "
        "the value alone made it no defect",
    ),
    # 9.5 is not above 10, 9 is above 8
    "baseline": (
        load("OK", 9, 10),
        load("CRIT", 9.5, 8),
        "baseline",
        "the baseline alone made it a defect",
    ),
    "baseline, after a tie": (
        load("OK", 10, 10),
        load("CRIT", 10.00000000001, 9),
        "baseline",
        "the baseline alone made it a defect",
    ),
    # 12 is above 10, 9 is above 8
    "each": (load("OK", 9, 10), load("CRIT", 12, 8), "both", "value and baseline, each alone,"),
    # 9 is not above 10, 5 not above 8
    "together": (load("OK", 5, 10), load("CRIT", 9, 8), "both", "only value and baseline together"),
    "no data": (
        load("CRIT", 50, 10),
        load("NO_DATA", None, 10, reason="no data"),
        "missing",
        "load in the second run: no data",
    ),
    "healthy": (
        load("OK", None, 10, reason="no data, which the profile counts as healthy"),
        load("CRIT", 50, 10),
        "missing",
        "load in the first run: no data, which the profile counts as healthy",
    ),
    "no baseline": (
        load("NO_BASELINE", 50, None, value_count=2, reason="rests on 2 rows: too few"),
        load("CRIT", 50, 10),
        "missing",
        "load in the first run: rests on 2 rows: too few",
    ),
    # Usual is 10, bad is above 14 and below 6; 2 was so before, and 12 still is not.
    "other side, by value": (
        load("OK", 12, 14),
        load("CRIT", 2, 6, direction="below", baseline=10),
        "value",
        "load was 12.0 % (bad above 14.0), is 2.0 % (bad below 6.0)",
    ),
    # Usual was 10, bad above 14 and below 6; now it is 18, and bad is above 22 and below 14.
    "other side, by baseline": (
        load("OK", 12, 14),
        load("CRIT", 11, 14, direction="below", baseline=18),
        "baseline",
        "the baseline alone made it a defect",
    ),
}
OTHER_PROFILE = {
    "in one run": (None, load("CRIT", 50, 10), "rule", "load is judged in the second run alone"),
    "no longer": (load("OK", 5, 10), None, "rule", "load is judged in the first run alone"),
    "method": (
        load("OK", 9, 10, method="mean"),
        load("CRIT", 9, 8),
        "rule",
        "the rule (median_iqr, was mean) made it a defect",
    ),
    "side": (
        load("CRIT", 11, 10),
        load("OK", 11, 10, direction="below"),
        "rule",
        "load was 11.0 % (bad above 10.0), is 11.0 % (bad below 10.0): the rule made it no defect",
    ),
    "fixed bound": (
        load("OK", 9, 10, method="static", baseline=10),
        load("CRIT", 9.5, 8, method="static", baseline=8),
        "rule",
        "load was 9.0 % (bad above 10.0), is 9.5 % (bad above 8.0): the rule made it a defect",
    ),
    "factor": (
        load("OK", 9, 10, baseline=6),
        load("CRIT", 9, 8, baseline=6),
        "rule",
        "the rule made it a defect",
    ),
    "asks for more rows": (
        load("CRIT", 50, 10),
        load("NO_BASELINE", 50, 10, reason="too few"),
        "rule",
        "load in the second run: too few",
    ),
    "takes missing as healthy": (
        load("NO_DATA", None, 10),
        load("OK", None, 10),
        "rule",
        "load has no value, which the two profiles take differently",
    ),
    # 500 is far above every bound, 5 above none
    "value all the same": (
        load("OK", 5, 10, method="mean"),
        load("CRIT", 500, 11),
        "value",
        "the value alone made it a defect",
    ),
}


def test_each_cause_of_another_flag(spark, ansi):
    cases = SAME_PROFILE | OTHER_PROFILE
    before, after = (
        [
            cell(
                name,
                verdict,
                *filter(None, (case[place],)),
                # The counts account for the verdict.
                defects=place,
                profile="p@2" if place and name in OTHER_PROFILE else "p@1",
            )
            for name, case in cases.items()
        ]
        for place, verdict in enumerate(("Not Required", "Required"))
    )
    rows = changed_cells(compared(spark, before, after)).collect()
    found = {row.CellName: [(one.cause, one.reason) for one in row.causes] for row in rows}
    assert {name: [cause for cause, _ in causes] for name, causes in found.items()} == {
        name: [case[2]] for name, case in cases.items()
    }
    for name, case in cases.items():
        assert case[3] in found[name][0][1], name


def test_only_flags_that_are_another_are_told_with_both_sides(spark):
    users = {"kpi": "users", "unit": "users"}
    before = [cell("A", "Not Required", load("OK", 5, 10), load("OK", 1, 4, **users))]
    after = [cell("A", "Required", load("OK", 9, 10), load("CRIT", 7, 5, **users))]
    (row,) = changed_cells(compared(spark, before, after)).collect()
    (cause,) = row.causes
    assert cause.asDict() == {
        "kpi": "users",
        "unit": "users",
        "status_before": "OK",
        "status_after": "CRIT",
        "value_before": 1.0,
        "value_after": 7.0,
        "bound_before": 4.0,
        "bound_after": 5.0,
        "direction": "above",
        "cause": "value",
        "reason": "users was 1.0 users (bad above 4.0), is 7.0 users (bad above 5.0): "
        "the value alone made it a defect",
    }
    assert row.asDict() | {"causes": None} == {
        "CellName": "A",
        "profile_before": "p@1",
        "profile_after": "p@1",
        "verdict_before": "Not Required",
        "verdict_after": "Required",
        "defects_before": 0,
        "defects_after": 1,
        "evaluated_before": 2,
        "evaluated_after": 2,
        "place": "both runs",
        "change": "Not Required to Required",
        "causes": None,
    }


def test_the_other_side_of_a_rule_on_the_scale_log_is_as_many_times_away(spark):
    """Usual is 4, offset 1, limits 11.5 and 1: the next value, 1.5, is within both."""
    log = {"scale": "log", "log_offset": 1.0, "baseline": 4.0}
    before = load("CRIT", 0.5, 1, direction="below", **log)
    after = load("OK", 12, 14, direction="above", baseline=5.0, scale="log", log_offset=1.0)
    rows = [[cell("A", verdict, kpi)] for verdict, kpi in (("Required", before), (None, after))]
    (row,) = changed_cells(compared(spark, *rows)).collect()
    # 12 is above 5 x 5 / 2 - 1 = 11.5, so the old limits would flag it, and so the new ones moved;
    # 0.5 lies below the new 6 x 6 / 15 - 1 = 1.4, so they alone do not clear it.
    (cause,) = [one.cause for one in row.causes if one.kpi]
    assert cause == "both"


# --- verdicts -----------------------------------------------------------------------------------

# Verdict, defects and judged KPIs before and after; what caused the verdict.
VERDICTS = {
    "more defects": (("Not Required", 1, 9), ("Required", 2, 9), []),
    "fewer defects": (("Required", 2, 9), ("Not Required", 1, 9), []),
    "fewer judged": (("Not Required", 1, 9), ("Required", 1, 4), ["evaluated KPIs"]),
    "more judged": (("Required", 1, 4), ("Not Required", 2, 30), ["evaluated KPIs"]),
    "too few judged": (("Required", 1, 4), (None, 0, 2), ["evaluated KPIs"]),
    "enough judged": ((None, 0, 2), ("Required", 1, 4), ["evaluated KPIs"]),
    "same counts": (("Not Required", 1, 9), ("Required", 1, 9), ["verdict rule"]),
    "against the counts": (("Required", 1, 9), ("Not Required", 2, 8), ["verdict rule"]),
    "asks for more": (("Required", 1, 9), (None, 1, 9), ["verdict rule"]),
    "gone": (("Not Required", 1, 9), None, ["cell"]),
    "new": (None, (None, 0, 0), ["cell"]),
    "same": (("Required", 1, 9), ("Required", 2, 9), None),
    "never judged": ((None, 1, 9), (None, 2, 8), None),
}


def verdicts(spark: SparkSession) -> DataFrame:
    before, after = (
        [
            cell(name, case[place][0], defects=case[place][1], evaluated=case[place][2])
            for name, case in VERDICTS.items()
            if case[place] is not None
        ]
        for place in (0, 1)
    )
    return compared(spark, before, after)


# The families that fail before and after, and what a change of the verdict is put down to.
FAMILIES = {
    "one more": ([], ["traffic"], "fails now: traffic; before: nothing"),
    "another": (
        ["traffic"],
        ["integrity", "usage"],
        "fails now: integrity, usage; before: traffic",
    ),
    "the same": (["traffic"], ["traffic"], None),
    "none": ([], [], None),
}


def test_families_that_fail_are_a_cause_of_their_own(spark):
    """Whatever the counts say: here the defects account for each of the changes."""

    def side(place: int) -> DataFrame:
        verdict = ("Not Required", "Required")[place]
        cells = table(spark, [cell(name, verdict, defects=place, evaluated=9) for name in FAMILIES])
        listed = ", ".join(
            f"'{name}', array({', '.join(map(repr, case[place]))})"
            for name, case in FAMILIES.items()
        )
        families = f"CAST(map({listed})[CellName] AS array<string>) AS failed_families"
        return cells.selectExpr("*", families)

    rows = changed_cells(compared_cells(side(0), side(1))).collect()
    assert {row.CellName: [one.reason for one in row.causes] for row in rows} == {
        name: [reason] if reason else [] for name, (_, _, reason) in FAMILIES.items()
    }
    causes = {one.cause for row in rows for one in row.causes}
    assert causes == {"failed families"}


def test_each_cause_of_another_verdict(spark, ansi):
    rows = {row.CellName: row for row in changed_cells(verdicts(spark)).collect()}
    assert {name: [one.cause for one in row.causes] for name, row in rows.items()} == {
        name: causes for name, (*_, causes) in VERDICTS.items() if causes is not None
    }
    assert rows["too few judged"].change == "Required to Not judged"
    assert rows["gone"].change == "Not Required to not there"
    assert rows["new"].change == "not there to Not judged"
    reasons = {name: row.causes[0].reason for name, row in rows.items() if row.causes}
    assert reasons["gone"] == "the cell is in the first run alone"
    assert reasons["new"] == "the cell is in the second run alone"
    assert reasons["fewer judged"] == "4 KPIs could be judged, and 9 before"
    assert "the rule of the verdict is another" in reasons["same counts"]
    assert rows["same counts"].causes[0].kpi is None


def test_figures_of_what_changed(spark):
    rows = difference_figures(verdicts(spark)).collect()
    found = {(row.section, row.item, row.detail): row.value for row in rows}
    assert found == {
        ("cell", "both runs", None): 11,
        ("cell", "first run alone", None): 1,
        ("cell", "second run alone", None): 1,
        ("profile", "first run", "p@1"): 12,
        ("profile", "second run", "p@1"): 12,
        ("verdict", "Not Required to Required", None): 3,
        ("verdict", "Required to Not Required", None): 3,
        ("verdict", "Required to Not judged", None): 2,
        ("verdict", "Not judged to Required", None): 1,
        ("verdict", "Not Required to not there", None): 1,
        ("verdict", "not there to Not judged", None): 1,
        ("cause", "evaluated KPIs", None): 4,
        ("cause", "verdict rule", None): 3,
        ("cause", "cell", None): 2,
    }


def test_flags_are_counted_by_kpi_and_cause_and_cells_once_for_each_cause(spark):
    users = {"kpi": "users"}
    before = [
        cell(name, "Not Required", load("OK", 5, 10), load("OK", 5, 10, **users)) for name in "AB"
    ]
    after = [
        cell("A", "Required", load("CRIT", 50, 10), load("CRIT", 50, 10, **users)),
        cell("B", "Required", load("CRIT", 50, 10), load("NO_DATA", None, 10, **users)),
    ]
    rows = difference_figures(compared(spark, before, after)).collect()
    found = {tuple(row)[1:3]: row.value for row in rows if row.section in ("cause", "flag")}
    assert found == {
        ("cells", "value"): 2,
        ("cells", "missing"): 1,
        ("load", "value"): 2,
        ("users", "value"): 1,
        ("users", "missing"): 1,
    }


def test_nothing_changed(spark):
    cells = [cell("A", "Required", load("CRIT", 50, 10)), cell("B", None, load("NO_DATA", None, 1))]
    same = compared(spark, cells, cells)
    assert changed_cells(same).collect() == []
    found = {(row.section, row.item): row.value for row in difference_figures(same).collect()}
    assert found == {
        ("cell", "both runs"): 2,
        ("profile", "first run"): 2,
        ("profile", "second run"): 2,
    }


def test_counts_of_the_inputs_that_differ(spark):
    columns = "section string, subject string, item string, value double, detail string"
    before, after = (
        in_memory(spark, columns, rows)
        for rows in (
            [
                ("input", "samples", "rows in", 40, "a.csv"),
                ("input", "samples", "rows in", 20, "b.csv"),
                ("input", "samples", "rows clean", 59, "a.csv"),
                ("input", "customers", "rows in", 7, "c.csv"),
                ("rejected", "samples", "suspect", 1, None),
                ("join", "all inputs", "customers", 7, None),
            ],
            [
                ("input", "samples", "rows in", 58, "a.csv"),
                ("input", "samples", "rows clean", 58, "a.csv"),
                ("input", "customers", "rows in", 7, "d.csv"),
                ("join", "all inputs", "customers", 6, None),
            ],
        )
    )
    rows = input_differences(before, after).collect()
    assert {tuple(row) for row in rows} == {
        ("input", "samples", "rows in", -2.0, "60 in the first run, 58 in the second run"),
        ("input", "samples", "rows clean", -1.0, "59 in the first run, 58 in the second run"),
        ("rejected", "samples", "suspect", -1.0, "1 in the first run, 0 in the second run"),
    }


# --- the command --------------------------------------------------------------------------------

MONDAY, TUESDAY = date(2026, 11, 2), date(2026, 11, 3)
NO_SUCH_DAY = f"2026-12-24 is not there; there are {MONDAY}, {TUESDAY}"
SUMMARY = "section string, subject string, item string, value double, detail string"


def publish(spark: SparkSession, folder: Path, days: dict[date, tuple[list[tuple], int]]) -> None:
    """Cells and the number of sample rows of each day, as runs publish them in one folder."""
    for day, (cells, rows) in days.items():
        figures = in_memory(spark, SUMMARY, [("input", "samples", "rows in", rows, "a.csv")])
        summary = figures.withColumn("run_id", F.lit(f"{day:%d}"))
        tables = {"cell_tower_performance_data": table(spark, cells), "run_summary": summary}
        for name, frame in tables.items():
            frame.write.parquet(str(folder / name / f"run_date={day}"))


@pytest.fixture(scope="module")
def place(spark, tmp_path_factory):
    """Two days of three cells: A becomes a defect, B is gone, C is new, D stays."""
    folder = tmp_path_factory.mktemp("places") / "out"
    same = cell("D", "Not Required", load("OK", 5, 10))
    monday = [cell("A", "Not Required", load("OK", 5, 10)), cell("B", None), same]
    tuesday = [cell("A", "Required", load("CRIT", 50, 11)), cell("C", None), same]
    publish(spark, folder, {MONDAY: (monday, 60), TUESDAY: (tuesday, 58)})
    return folder


def test_two_days_of_a_place(place, capfd):
    before = sorted(place.parent.rglob("*"))
    target = place.parent / "diff.csv"
    assert main(["diff", f"{place}@{MONDAY}", str(place), "--out", str(target)]) == 0
    assert sorted(place.parent.rglob("*")) == sorted((*before, target))
    assert capfd.readouterr().out.splitlines() == [
        f"3 of 4 verdicts changed from {place}@{MONDAY} to {place}@{TUESDAY}",
        "   1  Not Required to Required",
        "   1  Not judged to not there",
        "   1  not there to Not judged",
        "Profile: p@1",
        "Inputs differ:",
        "      samples, rows in: 60 in the first run, 58 in the second run",
        "Cells by cause: cell 2, value 1",
        "Flags that changed most often there: load 1 (value)",
        "A  Not Required to Required, defects: 0 of 1 KPIs, then 1 of 1 KPIs",
        "        value: load was 5.0 % (bad above 10.0), is 50.0 % (bad above 11.0): "
        "the value alone made it a defect",
        "C  not there to Not judged, defects: 0 of 0 KPIs",
        "        cell: the cell is in the second run alone",
        "B  Not judged to not there, defects: 0 of 0 KPIs",
        "        cell: the cell is in the first run alone",
    ]
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    target.unlink()
    assert [(row["CellName"], row["cause"]) for row in rows] == [
        ("A", "value"),
        ("C", "cell"),
        ("B", "cell"),
    ]
    of_value = {"kpi": "load", "status_before": "OK", "value_after": "50.0", "defects_after": "1"}
    assert rows[0].items() >= of_value.items()
    of_new_cell = {"kpi": "", "status_before": "", "defects_before": "", "defects_after": "0"}
    assert rows[1].items() >= of_new_cell.items()


def test_a_day_and_itself(place, capfd):
    assert main(["diff", str(place), f"{place}@{TUESDAY}"]) == 0
    assert capfd.readouterr().out.splitlines() == [
        f"0 of 3 verdicts changed from {place}@{TUESDAY} to {place}@{TUESDAY}",
        "Profile: p@1",
        "Inputs: the same numbers of rows in, clean and rejected, for the same reasons",
    ]


@pytest.mark.slow
@pytest.mark.classic
def test_a_bucket_has_the_last_run_of_each_day(spark, tmp_path, capfd):
    days = (MONDAY, MONDAY, TUESDAY)
    for number, day in list(enumerate(days))[1:]:
        cells = [cell("A", "Not Required", load("OK", 5, 10))]
        publish(spark, tmp_path / "runs" / str(number), {day: (cells, number)})
    published = [(number, day, text(number)) for number, day in enumerate(days)]
    columns = "run_id string, run_date date, published_at timestamp"
    in_memory(spark, columns, published).write.parquet(str(tmp_path / "published" / "runs"))
    bucket = f"file://{tmp_path}"
    assert main(["diff", f"{bucket}@{MONDAY}", bucket]) == 0
    out = capfd.readouterr().out
    assert f"0 of 1 verdicts changed from {bucket}@{MONDAY} to {bucket}@{TUESDAY}" in out
    assert "samples, rows in: 1 in the first run, 2 in the second run" in out
    assert main(["diff", bucket, f"{bucket}@2026-12-24"]) == 3
    assert f"{bucket}: {NO_SUCH_DAY}" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("{out}@2026-12-24", "{out}"), 3, NO_SUCH_DAY),
        (("{out}", "{out}/nowhere"), 3, "nowhere: holds no tables of a run"),
        (("{out}@2026-13-01", "{out}"), 2, "'2026-13-01' is not YYYY-MM-DD"),
        (("{out}@", "{out}"), 2, "'' is not YYYY-MM-DD"),
        (("{out}", "{out}/cell_tower_performance_data"), 2, "RUN_B: give the --out of a run"),
        (("bq://p1.d1.t1", "{out}"), 2, "RUN_A: give the --out of a run"),
        (("{out}", "{out}", "--prefix", "lab"), 2, "--prefix is only for bq://"),
        (("{out}", "{out}", "--out", "{out}/x.csv"), 2, "lies inside the RUN_A input"),
        (("{out}", "{out}", "--out", "gs://bucket/x.csv"), 2, "--out: give a file on this machine"),
        (("{out}", "{out}", "--out", "/nowhere/x.csv"), 4, "x.csv: its folder does not exist"),
    ],
)
def test_what_is_refused(place, capfd, arguments, code, said):
    given = ["diff", *(argument.format(out=place) for argument in arguments)]
    try:
        found = main(given)
    except SystemExit as refused:
        found = refused.code
    assert found == code
    assert said in capfd.readouterr().err


# --- whole runs ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def outs(spark, tmp_path_factory):
    """The --out of a run, of one with another profile, and of one with other samples."""
    folder = tmp_path_factory.mktemp("whole_runs")
    usual = SmallInputs()
    other = SmallInputs()
    other.samples = [
        [cell, *("1000" for _ in values)] if cell == "2BLTE" else [cell, *values]
        for cell, *values in usual.samples[:-1]
    ]
    strict = profile_text().replace("k = 1.5", "k = 0.1").replace("share = 0.3", "share = 0.1")
    runs = {
        "usual": (usual, profile_text()),
        "strict": (usual, strict.replace('"small"', '"strict"')),
        "other": (other, profile_text()),
    }
    for name, (inputs, profile) in runs.items():
        placed = inputs.write(folder / "in" / name)
        run_locally(parse_profile(profile), placed, destination_of(str(folder / name)), MONDAY)
    return folder


def compare(outs: Path, second: str) -> list[dict[str, str]]:
    """The rows of the CSV file for the usual run and another one."""
    target = outs / "diff.csv"
    assert main(["diff", str(outs / "usual"), str(outs / second), "--out", str(target)]) == 0
    with target.open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_another_profile_on_the_same_inputs(outs, capfd):
    rows = compare(outs, "strict")
    assert {row["cause"] for row in rows if row["kpi"]} == {"rule"}
    assert all(row["value_before"] == row["value_after"] for row in rows)
    # 1 of 7 KPIs is a share of 0.14.
    of_share = [row for row in rows if row["cause"] == "verdict rule"]
    assert of_share
    assert all(row["defects_before"] == row["defects_after"] for row in of_share)
    told = capfd.readouterr().out
    assert "Profiles differ: small@" in told
    assert ", then strict@" in told
    assert "Inputs: the same numbers of rows in, clean and rejected" in told


@pytest.mark.slow
def test_other_inputs_of_the_same_profile(outs, capfd):
    rows = compare(outs, "other")
    assert [(row["CellName"], row["kpi"], row["cause"]) for row in rows] == [
        ("2BLTE", kpi, "value") for kpi in ("s0", "s1", "s2")
    ]
    assert {row["value_after"] for row in rows} == {"1000.0"}
    told = capfd.readouterr().out
    assert "1 of 12 verdicts changed" in told
    assert "Profile: small@" in told
    assert "samples, rows in: 60 in the first run, 59 in the second run" in told
