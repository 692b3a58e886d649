"""The report of a run: what it aggregates, what it shows, and what it refuses."""

import sys
from datetime import date
from html.parser import HTMLParser
from itertools import zip_longest
from types import SimpleNamespace

import pytest
from pyspark.sql import Row
from pyspark.sql import functions as F

from anomaly import ConfigurationError
from anomaly.expressions.texts import measure_text
from anomaly.schema.evidence import EVIDENCE_TYPE
from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE, SUMMARY_TABLE
from runners.cli.main import main
from runners.report.charts import charts_of
from runners.report.command import check_report
from runners.report.contents import Alarms, Cell, Contents, contents_of
from runners.report.distribution_chart import bound_text, defect_marks, first_chosen
from runners.report.distributions import Bar, Bounds, Distribution, distributions_of
from runners.report.family_states import families_of
from runners.report.heat_map import fields_of
from runners.report.page import account_of, page_of, pictures_of, specifications
from runners.report.quantities import quantity
from runners.services.run_summary import RunSummary

HOSTILE = """</script><script>alert("O'Brien")</script> 📡 برج"""
PNG = b"\x89PNG\r\n\x1a\n"


STATUSES = {1: "CRIT", 0: "OK", None: "NO_DATA"}


def kpi(value, flag, **others):
    """An element of the evidence: bad above 10, with a baseline of 4 and a spread of 2."""
    usual = Row(
        kpi="load", status=STATUSES[flag], flag=flag, value=value, unit="%", bound=10.0,
        direction="above", method="static", baseline=4.0, spread=2.0, baseline_count=5,
        value_count=1, deviation=None if value is None else (value - 4) / 2,
        deviation_unit="spreads", reason=f"load is {value}", family=None, peers=None,
        scale="linear", log_offset=0.0, standard_error=None,
    )  # fmt: skip
    return Row(**(usual.asDict() | others))


def a_cell(name, *evidence, failed=(), **others):
    """A cell with six customers, of whom two have defects; it fails by any defect."""
    defects = sum(one.flag or 0 for one in evidence)
    usual = {
        "CellName": name,
        "severity_rank": 1,
        "evidence": list(evidence),
        "defected_count": defects,
        "evaluated_kpis": sum(one.flag is not None for one in evidence),
        "sample_count": 4,
        "sample_state": "REPORTING",
        "failed_families": list(failed),
        "verdict_reason": f"{name} is as it is",
        "Maintainence_Required": "Required" if defects else "Not Required",
    }
    return Cell(Row(**(usual | others)), None, 6, 2)


def sleeping_cell():
    """A cell with hardly any traffic, one KPI near its limit, and defects that decide nothing."""
    return a_cell(
        "1A",
        kpi(5.0, 0, kpi="blocks", family="utilization"),
        kpi(1.0, 1, kpi="users", family="traffic", direction="below", deviation=-9.0),
        kpi(2.0, 1, kpi="peak", family="traffic", direction="below", deviation=-4.0),
        kpi(9.0, 0, kpi="drops", family="retainability", status="WARN", reason="drops are near"),
        kpi(None, None, kpi="blocked", family="accessibility", reason="no data"),
        kpi(30.0, 1, kpi="roaming", family="usage", reason="roaming is 30"),
        failed=["traffic"],
    )


def contents(*cells, **others):
    run = SimpleNamespace(place="out", day=date(2026, 11, 1), spark=SimpleNamespace(version="3.5"))
    figures = {
        "unjudged": [one for one in cells if one.row.Maintainence_Required is None],
        "cell_count": len(cells),
        "required": sum(one.is_required for one in cells),
        "not_judged": sum(one.row.Maintainence_Required is None for one in cells),
        "no_samples": sum(one.row.sample_state == "NO_SAMPLES" for one in cells),
        "few_samples": sum(one.row.sample_state == "FEW_SAMPLES" for one in cells),
        "customers": 6 * len(cells),
        "customers_of_required": 6,
        "distributions": [],
        "alarms": Alarms(),
        "summary": RunSummary([]),
    }
    return Contents(run, list(cells), **(figures | others))


def told(page):
    """The words of a page, as they are read one after the other."""
    return " ".join(" ".join(Words(page).words).split())


class Words(HTMLParser):
    """The words of a page that are no script, and its elements."""

    def __init__(self, page):
        super().__init__()
        self.words, self.elements = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append(tag)

    def handle_data(self, data):
        if self.elements[-1:] != ["script"]:
            self.words.append(data)


@pytest.fixture(scope="module")
def hostile():
    reason = f"{HOSTILE} is above the bound"
    return Words(page_of(contents(a_cell(HOSTILE, kpi(12.0, 1, reason=reason, unit=HOSTILE)))))


def test_names_and_reasons_are_shown_as_they_are(hostile):
    assert hostile.words.count(HOSTILE) >= 3
    assert f"{HOSTILE} is above the bound" in hostile.words
    assert hostile.elements.count("script") == 2


def test_the_page_asks_for_nothing_else(hostile):
    assert not {"img", "link", "iframe", "object", "base", "form"} & set(hostile.elements)


def test_it_says_what_it_left_out():
    silent = a_cell("2A", kpi(None, None), Maintainence_Required=None)
    page = page_of(
        contents(a_cell("1A", kpi(12.0, 1)), silent, cell_count=50_000, required=70, not_judged=9)
    )
    words = told(page)
    assert "70 of 50,000 cells need maintenance, 9 could not be judged" in words
    assert "69 more in the table" in words
    assert "2 of 50,000 cells: those that need maintenance" in words
    assert "The 1 with the most customers; 8 more in the table." in words


def test_a_run_without_cells_to_visit_and_alarms_says_so():
    words = told(page_of(contents(a_cell("1A", kpi(3.0, 0)))))
    assert "0 of 1 cells need maintenance, 0 could not be judged" in words
    assert "No cell needs maintenance." in words
    assert "No alarms were judged" in words
    assert "Not judged" not in words


def test_a_cell_to_visit_shows_what_fails_and_why_and_folds_its_kpis():
    page = page_of(contents(sleeping_cell()))
    words = told(page)
    card = words[words.index("Rank 1") : words.index("Cells by KPI family")]
    assert card.startswith(
        "Rank 1 1A traffic 6 customers · no history 1A is as it is "
        "3 of 5 judged KPIs are beyond their limits "
        "traffic: fails load is 1.0 load is 2.0 "
    )
    assert "retainability: near a limit drops are near" in card
    assert "usage: beyond a limit roaming is 30" in card
    assert "utilization" not in card
    # What is folded stands below the first sentence.
    assert page.index("1A is as it is") < page.index("<details>") < page.index("load is 1.0")


def test_a_family_that_only_an_alarm_names_says_so():
    found = told(page_of(contents(a_cell("1A", kpi(12.0, 1, family="usage"), failed=["traffic"]))))
    assert "traffic: fails because of an active alarm, or without samples" in found


def test_cells_that_were_not_judged_stand_by_their_state():
    silent = {"sample_state": "NO_SAMPLES", "sample_count": 0, "Maintainence_Required": None}
    few = {"sample_state": "FEW_SAMPLES", "sample_count": 3, "Maintainence_Required": None}
    words = told(
        page_of(
            contents(
                a_cell("1A", kpi(12.0, 1)),
                a_cell("2A", kpi(None, None), **silent),
                a_cell("3A", kpi(None, None), **few),
                a_cell("4A", kpi(None, None), **silent),
            )
        )
    )
    assert "1 of 4 cells needs maintenance, 3 could not be judged" in words
    assert "2 send no samples · 1 sends too few samples" in words
    assert "Send no samples (number of customers in brackets): 2A (6), 4A (6)" in words
    assert "Send too few samples (number of customers in brackets): 3A (6)" in words
    assert "3A sends too few samples (3) 6 no history 3A is as it is" in words


def states(*evidence, failed=()):
    found = families_of(Row(evidence=list(evidence), failed_families=list(failed)))
    return [(one.name, one.state.value, [kpi.kpi for kpi in one.kpis]) for one in found]


def test_families_stand_in_the_order_of_the_evidence_and_their_worst_kpi_first():
    cell = sleeping_cell().row
    assert states(*cell.evidence, failed=["traffic", "silence"]) == [
        ("utilization", "fine", ["blocks"]),
        ("traffic", "fails", ["users", "peak"]),
        ("retainability", "near a limit", ["drops"]),
        ("accessibility", "not judged", ["blocked"]),
        ("usage", "beyond a limit", ["roaming"]),
        ("silence", "fails", []),
    ]


def test_a_defect_is_worse_than_a_sound_kpi_that_is_farther_off_and_what_is_unknown_comes_last():
    of_family = {"family": "traffic"}
    assert states(
        kpi(None, None, kpi="unknown", **of_family),
        kpi(30.0, 0, kpi="far but sound", **of_family),
        kpi(9.0, 0, kpi="near", status="WARN", **of_family),
        kpi(12.0, 1, kpi="defect", deviation=1.5, **of_family),
        kpi(12.0, 1, kpi="of its bound", deviation=170.0, deviation_unit="%", **of_family),
        kpi(12.0, 1, kpi="no spread", deviation=None, **of_family),
    ) == [
        (
            "traffic",
            "beyond a limit",
            ["of its bound", "defect", "no spread", "near", "far but sound", "unknown"],
        )
    ]


def test_kpis_without_a_family_are_one_block():
    assert states(kpi(5.0, 0), kpi(12.0, 1, kpi="users")) == [
        ("KPIs", "beyond a limit", ["users", "load"])
    ]


def fields(*cells):
    """The fields of the heat map: column, how much worse, mark, and whether it is solid."""
    return [
        (one["group"], one["column"], one["worse"], one["mark"], one["solid"])
        for one in fields_of(cells)
    ]


def test_the_heat_map_has_a_column_for_each_family_and_below_it_those_of_its_kpis():
    assert fields(sleeping_cell()) == [
        ("families", "utilization", 0.5, "", False),
        ("KPIs of utilization", "blocks", 0.5, "", False),
        ("families", "traffic", 9.0, "fails", True),
        ("KPIs of traffic", "users", 9.0, "!", True),
        ("KPIs of traffic", "peak", 4.0, "!", True),
        ("families", "retainability", 2.5, "?", False),
        ("KPIs of retainability", "drops", 2.5, "?", False),
        ("families", "accessibility", None, "×", False),
        ("KPIs of accessibility", "blocked", None, "×", False),
        # A defect that decides nothing is marked, and is no failure.
        ("families", "usage", 13.0, "!", False),
        ("KPIs of usage", "roaming", 13.0, "!", True),
    ]


def test_a_field_of_a_family_tells_of_its_worst_kpi_or_of_the_alarm_that_names_it():
    found = {one["column"]: one for one in fields_of([sleeping_cell()])}
    assert found["traffic"]["kpi"] == "users"
    assert found["traffic"]["limit"] == "bad below 10 %"
    assert found["traffic"]["reason"] == "load is 1.0"
    of_alarm = a_cell("1A", kpi(5.0, 0, family="traffic"), failed=["traffic", "silence"])
    found = {one["column"]: one for one in fields_of([of_alarm])}
    for family in ("traffic", "silence"):
        assert (found[family]["mark"], found[family]["solid"]) == ("fails", True)
        assert found[family]["reason"] == "1A is as it is"


def test_a_cell_that_sends_no_samples_is_named_so_in_the_heat_map():
    silent = a_cell("2A", kpi(None, None), sample_state="NO_SAMPLES", sample_count=0)
    assert [one["cell"] for one in fields_of([silent])] == ["2A (no samples)"]


def test_what_fails_stands_above_what_is_only_far_off():
    fails = a_cell("1A", kpi(5.0, 0, family="traffic"), failed=["traffic"])
    far = a_cell("2A", kpi(12.0, 1, family="traffic"))
    unknown = a_cell("3A", kpi(None, None, family="traffic"))
    places = {
        one["cell"]: one["by_column"]
        for one in fields_of([far, unknown, fails])
        if one["column"] == "traffic"
    }
    assert sorted(places, key=places.get) == ["1A", "2A", "3A"]


def parameters(*cells):
    """What can be chosen of the heat map: the options of each parameter."""
    described = charts_of(contents(*cells))["heat_map"].to_dict()
    return {one["name"]: one.get("bind", {}).get("options") for one in described["params"]}


def test_the_columns_are_chosen_by_family_and_the_rows_by_any_column():
    found = parameters(a_cell("1A", kpi(5.0, 0, family="traffic"), kpi(1.0, 1, family="usage")))
    assert found == {
        "shown": ["families", "KPIs of traffic", "KPIs of usage"],
        "order": ["rank", "name", "worst traffic", "worst load", "worst usage"],
    }


def test_without_families_the_heat_map_has_the_kpis_and_nothing_to_choose_but_the_order():
    cell = a_cell("1A", kpi(12.0, 1), kpi(2.0, 0, kpi="users"))
    assert fields(cell) == [
        ("KPIs of KPIs", "load", 4.0, "!", True),
        ("KPIs of KPIs", "users", -1.0, "", False),
    ]
    assert parameters(cell) == {
        "shown": None,
        "order": ["rank", "name", "worst load", "worst users"],
    }
    words = told(page_of(contents(cell)))
    assert "Cells by KPI" in words
    assert "family" not in words
    assert "KPIs: " not in words


def heat(*evidence):
    """The fields of the heat map of a cell without families."""
    return [(one["worse"], one["mark"]) for one in fields_of([a_cell("1A", *evidence)])]


def test_the_heat_map_turns_every_deviation_to_the_side_that_is_bad():
    assert heat(
        kpi(12.0, 1),
        kpi(2.0, 0),
        kpi(2.0, 1, direction="below"),
        kpi(2.0, 1, direction="both"),
        kpi(12.0, 1, deviation=150.0, deviation_unit="%"),
        kpi(None, None),
        kpi(12.0, 0, status="WARN"),
        # A value without a baseline is not judged, however far it seems to be.
        kpi(12.0, None, status="NO_BASELINE"),
        kpi(12.0, None, status="OUT_OF_REACH"),
    ) == [
        (4.0, "!"),
        (1.5, "!"),
        (1.0, "!"),
        (1.0, "!"),
        (4.0, "?"),
        (-1.0, ""),
        (None, "×"),
        (None, "×"),
        (None, "×"),
    ]


def frame(spark, *evidences):
    """Cells with this evidence, as a run publishes them."""
    cells = [Row(CellName=str(place), evidence=list(one)) for place, one in enumerate(evidences)]
    return spark.createDataFrame(cells, f"CellName string, evidence {EVIDENCE_TYPE}")


@pytest.fixture(scope="module")
def distributions(spark):
    """Of KPIs that have nothing to do with each other, in as many cells as each has values."""
    loads = [kpi(value, int(value > 10)) for value in (0.0, 1.0, 2.0, 59.0, 60.0)]
    bounds = [(10.0, 0), (12.0, 0), (20.0, 0), (99.0, None)]
    bounded = [kpi(4.0, flag, kpi="bounded", bound=bound) for bound, flag in bounds]
    of_log = {"kpi": "logarithmic", "scale": "log", "log_offset": 1.0, "bound": None}
    logarithmic = [kpi(value, 0, **of_log) for value in [0.0] * 200 + [63.0] * 200]
    cells = zip_longest([*loads, kpi(None, None)], bounded, logarithmic)
    found = distributions_of(frame(spark, *([one for one in cell if one] for cell in cells)))
    return {one.kpi: one for one in found}


def test_distributions_count_cells_in_thirty_parts_of_the_range(distributions):
    """Values 0 to 60 and a bound of 10: each part is 2 wide, the last one holds 60 too."""
    found = distributions["load"]
    assert (found.unit, found.judged, found.flagged) == ("%", 5, 2)
    assert (found.family, found.offset) == ("KPIs", None)
    assert found.bounds == {"above": Bounds(10.0, 10.0, 10.0)}
    # The hundredth at either end, 0.04 and 59.96, are where the range ends.
    width = (59.96 - 0.04) / 30
    assert found.bars == [
        Bar(pytest.approx(0.04 + part * width), pytest.approx(0.04 + (part + 1) * width), *counts)
        for part, counts in ((0, (3, 0)), (29, (2, 2)))
    ]


def test_bounds_that_differ_are_those_of_the_cells_for_which_they_counted(distributions):
    """Bounds 10, 12 and 20 were used; 99 is of a cell that was not judged."""
    found = distributions["bounded"]
    assert found.bounds == {"above": Bounds(10.0, 12.0, 20.0)}
    assert sum(bar.not_judged for bar in found.bars) == 1
    assert sum(bar.cells for bar in found.bars) == 4


def test_parts_of_a_logarithmic_range_are_alike_in_factors(distributions):
    """Values 0 to 63, with 1 added, span a factor of 64: each of 30 parts its thirtieth root."""
    found = distributions["logarithmic"]
    assert found.offset == 1.0
    first, last = found.bars
    assert (first.begin, first.end) == (pytest.approx(0.0), pytest.approx(64 ** (1 / 30) - 1))
    assert (last.begin, last.end) == (pytest.approx(64 ** (29 / 30) - 1), pytest.approx(63.0))
    assert (first.cells, last.cells) == (200, 200)


def test_kpis_stand_by_family_those_with_defects_first_and_may_have_no_value(spark):
    evidence = [
        kpi(5.0, 0, kpi="users", family="traffic"),
        kpi(None, None, kpi="blocked", family="accessibility"),
        kpi(12.0, 1, kpi="peak", family="traffic"),
    ]
    cells = frame(spark, evidence)
    found = distributions_of(cells)
    assert [(one.family, one.kpi, len(one.bars)) for one in found] == [
        ("traffic", "peak", 1),
        ("traffic", "users", 1),
        ("accessibility", "blocked", 0),
    ]
    words = told(page_of(contents(a_cell("1A", *evidence), distributions=found)))
    assert "traffic peak 1 1 bad above 10 % users 1 0 bad above 10 %" in words
    assert "accessibility blocked 0 0 no cell has a value" in words


def test_without_any_value_there_is_no_plot_of_values_and_still_a_page(spark):
    silent = [kpi(None, None)]
    found = distributions_of(frame(spark, silent))
    page = contents(a_cell("1A", *silent), distributions=found)
    assert list(charts_of(page)) == ["heat_map"]
    assert "load 0 0 no cell has a value" in told(page_of(page))


def test_a_cell_without_evidence_has_a_page_too():
    page = contents(a_cell("1A", evidence=None, Maintainence_Required=None))
    assert charts_of(page) == {}
    assert "1A sends samples 6 no history 1A is as it is" in told(page_of(page))


def loads(**others):
    usual = {
        "kpi": "load", "family": "traffic", "unit": "%", "judged": 1, "flagged": 1,
        "bounds": {"above": Bounds(10.0, 10.0, 10.0)},
        "bars": [Bar(0.0, 2.0, 2, 0), Bar(9.0, 11.0, 4, 1, 2)],
    }  # fmt: skip
    return Distribution(**(usual | others))


def test_a_defect_beyond_the_outermost_bar_is_marked_at_its_end():
    marks = list(defect_marks([loads()], [a_cell("1A", kpi(60.0, 1))]))
    assert [(one["cell"], one["value"]) for one in marks] == [("1A", 11.0)]


def test_the_first_kpi_is_the_worst_of_the_worst_cell():
    kpis = [loads(kpi=name) for name in ("blocks", "peak", "users")]
    assert first_chosen(kpis, [a_cell("2A", kpi(5.0, 0)), sleeping_cell()]) == "users"
    assert first_chosen(kpis[:2], [sleeping_cell()]) == "peak"
    assert first_chosen(kpis, [a_cell("2A", kpi(5.0, 0))]) == "blocks"


def test_bounds_are_told_with_where_they_lie():
    assert bound_text("above", Bounds(10.0, 10.0, 10.0), "%") == "bad above 10 %"
    assert bound_text("below", Bounds(0.52, 0.8, 1.04), "users") == (
        "bad below 0.800 users (0.520 to 1.04 users by cell)"
    )
    assert bound_text("above", Bounds(0.062, 0.065, 0.07), "share") == (
        "bad above 6.50 % (6.20 to 7 % by cell)"
    )


# A value and its unit, and how people write it.
WRITTEN = [
    (45.533, "%", "45.5 %"),
    (3.9615, "users", "3.96 users"),
    (1121.4, "samples", "1,121 samples"),
    (40.0, "%", "40 %"),
    (0.125, "share", "12.5 %"),
    (0.02114, "users", "0.0211 users"),
    (0.0, "calls", "0 calls"),
    (-415.155, "%", "-415 %"),
    (99.96, "%", "100 %"),
    (2.06, "", "2.06"),
]


def test_values_are_written_as_people_do():
    assert [quantity(value, unit) for value, unit, _ in WRITTEN] == [text for *_, text in WRITTEN]
    assert quantity(None, "users") == "no data"


def test_the_page_writes_values_as_the_sentences_of_the_tables_do(spark):
    sizes = [factor * 10.0**power for power in range(-8, 7) for factor in (1, -2.3678, 9.9951)]
    values = [(value, unit) for value in sizes for unit in ("users", "share")]
    rows = spark.createDataFrame(values, "value double, unit string")
    rows = rows.select("*", measure_text(F.col("value"), F.col("unit")).alias("text")).collect()
    assert [quantity(row.value, row.unit) for row in rows] == [row.text for row in rows]


def published(spark, *cells):
    """A run of cells (name, verdict, rank, sample state, customers); each customer has a defect."""
    types = "CellName string, Maintainence_Required string, severity_rank bigint"
    types += ", sample_state string, customerID_count bigint"
    frames = {
        CELL_TABLE: spark.createDataFrame(cells, types).selectExpr(
            "*", f"CAST(array() AS {EVIDENCE_TYPE}) AS evidence"
        ),
        CUSTOMER_TABLE: spark.createDataFrame(
            [(name, 1) for name, *_, customers in cells for _ in range(customers)],
            "CellName string, defected_count int",
        ),
        SUMMARY_TABLE: spark.createDataFrame([], "section string, run_date date"),
    }
    place = SimpleNamespace(days=lambda *_: [], table=lambda _, name: frames[name])
    return SimpleNamespace(spark=spark, place=place, day=date(2026, 11, 1), table=frames.get)


def test_cells_stand_by_what_is_to_be_done_and_every_state_is_counted(spark):
    found = contents_of(
        published(
            spark,
            ("sound", "Not Required", 3, "REPORTING", 2),
            ("silent", None, 3, "NO_SAMPLES", 1),
            ("many", None, 3, "NO_SAMPLES", 4),
            ("few", None, 3, "FEW_SAMPLES", 2),
            ("second", "Required", 2, "REPORTING", 3),
            ("first", "Required", 1, "NO_SAMPLES", 5),
        )
    )
    names = [one.name for one in found.cells]
    assert names == ["first", "second", "few", "many", "silent", "sound"]
    assert [one.name for one in found.unjudged] == ["many", "few", "silent"]
    assert (found.cell_count, found.required, found.not_judged) == (6, 2, 3)
    assert (found.no_samples, found.few_samples) == (3, 1)
    assert (found.customers, found.customers_of_required) == (17, 8)
    assert [one.customers_with_defects for one in found.unjudged] == [4, 2, 1]
    assert found.distributions == []


def test_rows_of_the_summary_are_added_up_and_the_largest_keys_named():
    def row(section, subject, item, value, detail=None):
        return Row(
            section=section, subject=subject, item=item, value=value, detail=detail,
            profile="p@1", run_id="r1",
        )  # fmt: skip

    summary = RunSummary(
        [
            row("input", "samples", "rows in", 10.0),
            row("input", "samples", "rows clean", 7.0),
            row("rejected", "samples", "bad_time", 1.0),
            row("rejected", "samples", "missing_key", 2.0),
            row("missing_value", "samples", "not_a_number", 4.0),
            *(row("unmatched", "callers", str(key), float(key)) for key in range(9)),
        ]
    )
    account = account_of(summary)
    assert account["inputs"] == {"samples": {"rows in": 10.0, "rows clean": 7.0}}
    assert account["left_out"] == [
        (("samples", "missing_value", "not_a_number"), 4.0),
        (("samples", "rejected", "missing_key"), 2.0),
        (("samples", "rejected", "bad_time"), 1.0),
    ]
    assert [key.item for key in account["unmatched_keys"]["callers"]] == ["8", "7", "6", "5", "4"]
    assert (account["profile"], account["run_id"]) == ("p@1", "r1")


def test_every_plot_can_be_had_as_a_picture():
    at = {"CellName": "1A", "status": "CRIT", "kpi": "load", "baseline": 4.0, "bound": 10.0}
    alarm = Row(
        CellName="1A", raised_at="2026-11-01 00:15:00", cleared_at=None, cleared_by=None,
        severity="CRIT", reason="load is 12",
    )  # fmt: skip
    point = Row(time="2026-11-01 00:15:00", smoothed_value=12.0, **at)
    alarms = Alarms([date(2026, 11, 1)], 1, 1, [alarm], [point])
    assert alarms.until == "2026-11-02 00:00:00"
    drawn = contents(sleeping_cell(), distributions=[loads()], alarms=alarms)
    found = pictures_of(drawn)
    assert list(found) == ["heat_map", "distributions", "customers", "alarms", "curves"]
    assert all(picture.startswith(PNG) for picture in found.values())
    assert specifications(drawn, is_checked=True).keys() == found.keys()


def test_what_is_missing_and_what_is_wrong_is_told_at_once(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ConfigurationError) as refused:
        check_report("gs://bucket/page.html", "gs://bucket/plots")
    told = str(refused.value)
    assert "--out: gs://bucket/page.html is not a path on this machine" in told
    assert "--png: gs://bucket/plots is not a path on this machine" in told
    assert "pip install 'cell-tower-anomaly[report]'" in told


def test_a_place_without_tables_is_named(spark, tmp_path, capsys):
    assert main(["report", str(tmp_path), "--out", f"{tmp_path}/page.html"]) == 3
    assert f"{tmp_path}: holds no tables of a run" in capsys.readouterr().err
