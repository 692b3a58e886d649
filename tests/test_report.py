"""The report of a run: what it aggregates, what it shows, and what it refuses."""

import sys
from datetime import date
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from pyspark.sql import Row

from anomaly import ConfigurationError
from anomaly.contracts import EVIDENCE_TYPE
from runners.command import main
from runners.report.charts import charts_of
from runners.report.command import check_report
from runners.report.contents import Alarms, Bar, Contents, Distribution, Tower, distributions_of
from runners.report.page import account_of, page_of, pictures_of

HOSTILE = """</script><script>alert("O'Brien")</script> 📡 برج"""
PNG = b"\x89PNG\r\n\x1a\n"


def kpi(value, flag, **others):
    """An element of the evidence: bad above 10, of towers that have 4 with a spread of 2."""
    usual = Row(
        kpi="load", status={1: "CRIT", 0: "OK", None: "NO_DATA"}[flag], flag=flag, value=value,
        unit="%", bound=10.0, direction="above", method="static", baseline=4.0, spread=2.0,
        baseline_count=5, value_count=1, deviation=None if value is None else (value - 4) / 2,
        deviation_unit="spreads", reason=f"load is {value}",
    )  # fmt: skip
    return Row(**(usual.asDict() | others))


def tower(name, *evidence, rank=1):
    """A tower with six customers, of whom two have defects."""
    defects = sum(one.flag or 0 for one in evidence)
    row = Row(
        CellName=name,
        severity_rank=rank,
        evidence=list(evidence),
        defected_count=defects,
        evaluated_kpis=len(evidence),
        sample_count=4,
        Maintainence_Required="Required" if defects else "Not Required",
    )
    return Tower(row, None, 6, 2)


def contents(*towers, **others):
    run = SimpleNamespace(place="out", day=date(2026, 11, 1), spark=SimpleNamespace(version="3.5"))
    figures = {
        "towers_in_all": len(towers),
        "required": sum(one.is_required for one in towers),
        "not_judged": 0,
        "customers": 6 * len(towers),
        "customers_of_required": 6,
        "distributions": [],
        "alarms": Alarms(),
        "summary": [],
    }
    return Contents(run, list(towers), **(figures | others))


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
    return Words(page_of(contents(tower(HOSTILE, kpi(12.0, 1, reason=reason, unit=HOSTILE)))))


def test_names_and_reasons_are_shown_as_they_are(hostile):
    assert hostile.words.count(HOSTILE) >= 3
    assert f"{HOSTILE} is above the bound" in hostile.words
    assert hostile.elements.count("script") == 2


def test_the_page_asks_for_nothing_else(hostile):
    assert not {"img", "link", "iframe", "object", "base", "form"} & set(hostile.elements)


def test_it_says_what_it_left_out():
    page = Words(page_of(contents(tower("1A", kpi(12.0, 1)), towers_in_all=50_000, required=70)))
    told = " ".join(" ".join(page.words).split())
    assert "70 of 50,000 towers need maintenance" in told
    assert "69 more are in the table" in told
    assert "The 1 worst of 50,000 towers" in told


def test_a_run_without_towers_to_visit_and_alarms_says_so():
    told = " ".join(Words(page_of(contents(tower("1A", kpi(3.0, 0))))).words)
    assert "No tower needs maintenance." in told
    assert "No alarms were judged" in told


def test_reasons_begin_with_the_farthest_and_100_per_cent_of_a_bound_count_as_one_spread():
    near = kpi(12.0, 1, deviation=1.5, reason="near")
    far = kpi(12.0, 1, deviation=-2.0, reason="far")
    of_bound = kpi(12.0, 1, deviation=170.0, deviation_unit="%", reason="of its bound")
    no_spread = kpi(12.0, 1, deviation=None, reason="no spread")
    no_defect = kpi(12.0, 0, deviation=9.0, reason="no defect")
    found = tower("1A", no_spread, near, of_bound, far, no_defect).reasons
    assert found == ["far", "of its bound", "near", "no spread"]


def heat(*evidence):
    """The fields of the heat map of a tower."""
    described = charts_of(contents(tower("1A", *evidence)))["heat_map"].to_dict()
    (rows,) = described["datasets"].values()
    return [(row["worse"], row["mark"]) for row in rows]


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
    ) == [
        (4.0, "!"),
        (-1.0, ""),
        (1.0, "!"),
        (1.0, "!"),
        (1.5, "!"),
        (None, "×"),
        (4.0, "?"),
        (None, "×"),
    ]


def test_distributions_count_towers_in_thirty_parts_of_the_range(spark):
    """Values 0 to 60 and a bound of 10: each part is 2 wide, the last one holds 60 too."""
    values = [0.0, 1.0, 2.0, 59.0, 60.0]
    towers = [
        Row(CellName=str(value), evidence=[kpi(value, int(value > 10))]) for value in values
    ] + [Row(CellName="silent", evidence=[kpi(None, None)])]
    cells = spark.createDataFrame(towers, f"CellName string, evidence {EVIDENCE_TYPE}")
    (found,) = distributions_of(cells)
    assert (found.kpi, found.unit, found.judged, found.flagged) == ("load", "%", 5, 2)
    assert found.bounds == {"above": 10.0}
    # The hundredth at either end, 0.04 and 59.96, are where the range ends.
    width = (59.96 - 0.04) / 30
    assert found.bars == [
        Bar(pytest.approx(0.04 + part * width), pytest.approx(0.04 + (part + 1) * width), *counts)
        for part, counts in ((0, (3, 0)), (29, (2, 2)))
    ]


def test_rows_of_the_summary_are_added_up_and_the_largest_keys_named():
    def row(section, subject, item, value, detail=None):
        return Row(
            section=section, subject=subject, item=item, value=value, detail=detail,
            profile="p@1", run_id="r1",
        )  # fmt: skip

    account = account_of(
        [
            row("input", "samples", "rows in", 10.0),
            row("input", "samples", "rows clean", 7.0),
            row("rejected", "samples", "bad_time", 1.0),
            row("rejected", "samples", "missing_key", 2.0),
            row("missing_value", "samples", "not_a_number", 4.0),
            *(row("unmatched", "callers", str(key), float(key)) for key in range(9)),
        ]
    )
    assert account["inputs"] == {"samples": {"rows in": 10.0, "rows clean": 7.0}}
    assert account["left_out"] == [
        (("samples", "missing_value", "not_a_number"), 4.0),
        (("samples", "rejected", "missing_key"), 2.0),
        (("samples", "rejected", "bad_time"), 1.0),
    ]
    assert [key.item for key in account["unmatched_keys"]["callers"]] == ["8", "7", "6", "5", "4"]
    assert (account["profile"], account["run_id"]) == ("p@1", "r1")


def test_a_defect_beyond_the_outermost_bar_is_marked_at_its_end():
    loads = Distribution(
        "load", "%", 1, 1, {"above": 10.0}, [Bar(0.0, 2.0, 2, 0), Bar(9.0, 11.0, 1, 1)]
    )
    found = charts_of(contents(tower("1A", kpi(60.0, 1)), distributions=[loads]))
    marks = found["distributions"].layer[-1].data.values
    assert [(one["tower"], one["value"]) for one in marks] == [("1A", 11.0)]


def test_every_plot_can_be_had_as_a_picture():
    at = {"CellName": "1A", "status": "CRIT", "kpi": "load", "baseline": 4.0, "bound": 10.0}
    alarm = Row(
        CellName="1A", raised_at="2026-11-01 00:15:00", cleared_at=None, cleared_by=None,
        severity="CRIT", reason="load is 12",
    )  # fmt: skip
    point = Row(time="2026-11-01 00:15:00", smoothed_value=12.0, **at)
    alarms = Alarms([date(2026, 11, 1)], 1, 1, [alarm], [point])
    assert alarms.until == "2026-11-02 00:00:00"
    loads = Distribution("load", "%", 1, 1, {"above": 10.0}, [Bar(0.0, 2.0, 3, 1)])
    found = pictures_of(contents(tower("1A", kpi(12.0, 1)), distributions=[loads], alarms=alarms))
    assert list(found) == ["heat_map", "distributions", "customers", "alarms", "curves"]
    assert all(picture.startswith(PNG) for picture in found.values())


def test_what_is_missing_and_what_is_wrong_is_told_at_once(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ConfigurationError) as refused:
        check_report("gs://bucket/page.html", "gs://bucket/plots")
    told = str(refused.value)
    assert "--out: gs://bucket/page.html is not a place on this machine" in told
    assert "--png: gs://bucket/plots is not a place on this machine" in told
    assert "pip install 'cell-tower-anomaly[report]'" in told


def test_a_place_without_tables_is_named(spark, tmp_path, capsys):
    assert main(["report", str(tmp_path), "--out", f"{tmp_path}/page.html"]) == 3
    assert f"{tmp_path}: holds no tables of a run" in capsys.readouterr().err
