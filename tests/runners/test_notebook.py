"""What a notebook shows of the cell table: each text by hand, and any text as text."""

import json
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError, InputError
from anomaly.schema.evidence import EVIDENCE_TYPE
from runners.notebook import explain, show_cells
from runners.notebook_table import NotebookTable
from tests.builders.literal_frames import in_memory

DAY = date(2026, 11, 2)
# A tag, both kinds of quotes, an emoji, and Hebrew with a mark that turns the direction around.
NASTY = "<script>alert('\"&amp;')</script> 📡 \u202eמגדל"
COLUMNS = (
    "CellName string, Maintainence_Required string, defected_count int, evaluated_kpis int, "
    "severity_rank bigint, run_date date, failed_families string, verdict_reason string, "
    "sample_state string, evidence string"
)
FLAGS = {"OK": 0, "WARN": 0, "CRIT": 1}


def kpi(name: str, status: str, **other: object) -> dict[str, object]:
    """Evidence of one KPI; usual is 4 users, and 2 spreads above that are bad."""
    usual = {"value": 3.0, "unit": "users", "bound": 6.0, "direction": "above", "spread": 1.0}
    usual |= {"method": "median_iqr", "baseline": 4.0, "baseline_count": 33, "value_count": 96}
    usual |= {"deviation": -1.0, "deviation_unit": "spreads", "reason": "within its limit"}
    return usual | {"kpi": name, "status": status, "flag": FLAGS.get(status)} | other


FAR = kpi("users_up", "CRIT", value=11.5, deviation=7.5, reason=f"{NASTY} is above the bound")
# 500 % beyond the bound counts as 5 spreads.
FARTHER_THAN_NEAR = kpi("calls", "CRIT", deviation=500.0, deviation_unit="%", reason="second")
NEAR = kpi("load", "CRIT", value=7.00004, deviation=3.00004, reason="third")
SILENT = kpi("calls", "NO_DATA", value=None)
LEAST = kpi("users_down", "CRIT", deviation=2.5, reason="fourth")
ALL = [LEAST, NEAR, FARTHER_THAN_NEAR, FAR]
CELLS = [
    ("9ALTE", "Required", 4, 4, 1, DAY, "traffic,integrity", f"{NASTY} is low", "REPORTING", ALL),
    (NASTY, "Required", 1, 2, 2, DAY, None, "1 of 2", "REPORTING", [NEAR, kpi("calls", "OK")]),
    ("9BLTE", "Not Required", 0, 1, 3, DAY, None, "no failure", "REPORTING", [kpi("calls", "OK")]),
    ("1CLTE", None, 0, 0, 3, DAY, None, "not judged: silent", "NO_SAMPLES", [SILENT]),
]


TWO_OF_FOUR = "2026-11-02: 2 of 4 cells need maintenance, 1 could not be judged"


def table(spark: SparkSession, cells: list[tuple]) -> DataFrame:
    frame = in_memory(spark, COLUMNS, [(*cell[:-1], json.dumps(cell[-1])) for cell in cells])
    return frame.withColumns(
        {
            "evidence": F.from_json("evidence", EVIDENCE_TYPE),
            "failed_families": F.coalesce(F.split("failed_families", ","), F.array()),
        }
    )


@pytest.fixture(scope="module")
def cells(spark):
    return table(spark, CELLS)


class Read(HTMLParser):
    """What a browser makes of HTML: its tags with their attributes, and the text of each cell."""

    def __init__(self, shown: NotebookTable) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(shown._repr_html_())

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag in ("caption", "th", "td"):
            self.texts.append("")
        if tag == "br":
            self.texts[-1] += "\n"

    def handle_data(self, data):
        if data.strip():
            self.texts[-1] += data


# --- the cells to visit ------------------------------------------------------------------------


def test_cells_that_need_maintenance_are_shown_worst_first_with_what_fails_and_why(cells):
    shown = show_cells(cells)
    assert shown.caption == TWO_OF_FOUR
    assert shown.rows == [
        ("9ALTE", "1", "traffic, integrity", f"{NASTY} is low"),
        (NASTY, "2", "1 of 2 KPIs", "1 of 2"),
    ]


def test_a_limit_leaves_out_the_others_and_says_so(cells):
    shown = show_cells(cells, limit=1)
    assert shown.caption == f"{TWO_OF_FOUR}, showing the worst 1"
    assert [row[0] for row in shown.rows] == ["9ALTE"]


def test_no_cell_is_a_table_without_rows(cells):
    healthy = cells.where("Maintainence_Required = 'Not Required'")
    shown = show_cells(healthy)
    assert (shown.caption, shown.rows) == ("2026-11-02: 0 of 1 cells need maintenance", [])
    assert repr(shown).startswith("2026-11-02: 0 of 1 cells need maintenance\nCell  Rank")


def test_more_cells_than_a_run_summary_names_are_shown_where_they_are_asked_for(spark):
    many = [
        (f"{n:03}", "Required", 1, 1, n, DAY, None, "1 of 1", "REPORTING", [NEAR])
        for n in range(1, 61)
    ]
    assert len(show_cells(table(spark, many), limit=55).rows) == 55


# --- one cell ----------------------------------------------------------------------------------


def test_each_kpi_of_a_cell_is_explained_defects_first(spark):
    evidence = [
        kpi("silent", "NO_DATA", value=None, deviation=None, reason="no data"),
        kpi("young", "NO_BASELINE", bound=None, baseline=None, deviation=None, baseline_count=2),
        kpi("fine", "OK"),
        kpi("close", "WARN", value=5.5, deviation=1.5, reason="close 5.5 is near the bound"),
        kpi("fixed", "OK", method="static", baseline=6.0, deviation=-50.0, deviation_unit="%"),
        kpi("low", "CRIT", value=0.12346, bound=2, direction="below", deviation=-3.9, unit=""),
    ]
    evidence[0] |= {"family": "traffic", "peers": "L800"}
    cell = ("9ALTE", "Required", 1, 4, 1, DAY, "traffic", "sleeps: low", "REPORTING", evidence)
    shown = explain(table(spark, [cell]), "9ALTE")
    assert shown.caption == "9ALTE on 2026-11-02: maintenance Required, rank 1. sleeps: low"
    usual = "4 users (median of 33)"
    of_peers = "4 users (median of 33 L800)"
    near, fine = "close 5.5 is near the bound", "within its limit"
    assert shown.columns[:3] == ("KPI", "Family", "Status")
    assert shown.columns[3:] == ("Value", "Limit", "Baseline", "Deviation", "Reason")
    assert shown.rows == [
        ("low", "", "CRIT", "0.123", "below 2", "4 (median of 33)", "-3.90 spreads", fine),
        ("close", "", "WARN", "5.50 users", "above 6 users", usual, "1.50 spreads", near),
        ("fine", "", "OK", "3 users", "above 6 users", usual, "-1 spreads", fine),
        ("fixed", "", "OK", "3 users", "above 6 users", "6 users (fixed)", "-50 %", fine),
        ("young", "", "NO_BASELINE", "3 users", "none", "none (median of 2)", "none", fine),
        ("silent", "traffic", "NO_DATA", "none", "above 6 users", of_peers, "none", "no data"),
    ]


def test_a_cell_without_a_verdict_was_not_judged(cells):
    caption = explain(cells, "1CLTE").caption
    assert caption.endswith("maintenance not judged, rank 3. not judged: silent")


def test_an_unknown_cell_is_refused_with_names_like_it(cells):
    # From 9alt one letter to 9ALTE, two to 9BLTE, three to 1CLTE; capitals do not count.
    with pytest.raises(
        InputError, match="there is no cell '9alt'; similar names: 9ALTE, 9BLTE, 1CLTE"
    ):
        explain(cells, "9alt")


# --- what both refuse ---------------------------------------------------------------------------


@pytest.mark.parametrize("shown", [show_cells, lambda cells: explain(cells, "9ALTE")])
def test_a_table_of_several_days_and_another_table_are_refused(spark, cells, shown):
    later = [(*cell[:5], date(2026, 11, 3), *cell[6:]) for cell in CELLS]
    with pytest.raises(
        InputError, match=r"has 2 days; .*run_date = DATE '2026-11-03'.* is the last"
    ):
        shown(table(spark, CELLS + later))
    with pytest.raises(
        InputError, match="is not cell_tower_performance_data: it has no column Maintainence"
    ):
        shown(cells.drop("Maintainence_Required"))
    with pytest.raises(InputError, match="has no rows"):
        shown(cells.where("false"))


def test_a_limit_below_one_is_refused(cells):
    with pytest.raises(ConfigurationError, match="limit is 0; it must be at least 1"):
        show_cells(cells, limit=0)


# --- how it is shown ----------------------------------------------------------------------------


def test_any_text_is_shown_as_text(cells):
    read = Read(show_cells(cells))
    assert read.texts[5:] == [
        *("9ALTE", "1", "traffic, integrity", f"{NASTY} is low"),
        *(NASTY, "2", "1 of 2 KPIs", "1 of 2"),
    ]
    read = Read(explain(cells, NASTY))
    assert read.texts[0].startswith(f"{NASTY} on 2026-11-02")
    tags = {tag for tag, _ in read.tags}
    assert tags == {"table", "caption", "thead", "tbody", "tr", "th", "td", "bdi"}


def test_tables_have_a_caption_scopes_and_the_colours_of_the_page(cells):
    shown = explain(cells, "9ALTE")
    tags = Read(shown).tags
    assert [tag for tag, _ in tags[:2]] == ["table", "caption"]
    scopes = [attributes["scope"] for tag, attributes in tags if tag == "th"]
    assert scopes == ["col"] * 8 + ["row"] * 4
    assert "color" not in shown._repr_html_()
    assert "background" not in shown._repr_html_()
    cells_of_table = [attributes for tag, attributes in tags if tag in ("th", "td")]
    assert {attributes["dir"] for attributes in cells_of_table} == {"auto"}


def test_plain_text_is_aligned_with_the_reasons_below():
    shown = NotebookTable("Two cells", ("Cell", "Rank", "Reasons"), [("A", "12", "x\ny")])
    assert repr(shown) == "Two cells\nCell  Rank\nA     12\n        x\n        y"


def test_nothing_is_imported_that_only_notebooks_have():
    program = "import runners.notebook, sys; print({*sys.modules} & {'IPython', 'altair'})"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ended.stdout == "set()\n", ended.stderr
