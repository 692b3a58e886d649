"""The page of a run in a real browser: drawn, sorted, read, and shut off from everything else."""

import re
import shutil
from datetime import date, timedelta
from types import SimpleNamespace

import duckdb
import pytest
from playwright.sync_api import Error, sync_playwright

from runners.cli.main import main
from tests.builders.dated_inputs import PROFILE_TEXT, write_days

pytestmark = pytest.mark.browser

# A Monday, with which baselines of a week begin to be used.
MONDAY = date(2026, 1, 12)
SCRIPT = """<script>document.title = 'run'</script>"""
IMAGE = """</script><img src=x onerror="document.title = 'run'">"""
QUOTES = """O'Brien & "Sons" {{ 7 * 7 }} 📡"""
RIGHT_TO_LEFT = "برج 1"
# With a mark that turns writing around, which nobody sees: the same cell.
SENT = {RIGHT_TO_LEFT: "برج \u202e1"}
SILENT = "5A"
LOADS = {SCRIPT: 60, IMAGE: 40, QUOTES: 10, RIGHT_TO_LEFT: 15, SILENT: None}
# A loaded cell fails; that each customer makes seven calls is a defect that decides nothing.
FAMILIES = """
[families.utilization]
[families.usage]
decides = false
[rules.load]
family = "utilization"
"""
USAGE = """
[rules.calls]
family = "usage"
bad_when = "above"
method = "static"
value = 5
[alarms]
"""
DRAWN = "body[data-drawn]"
LABELS = "#plot-heat_map .role-axis-label text"
FIELDS = "#plot-heat_map .mark-rect.role-mark path"
LABEL = "svg .role-axis-label text"
LARGEST = 3_000_000


def profile_text():
    """The dated profile with families: one that decides, and one that does not."""
    verdict = 'minimum_failed_families = 1\nsilent_cells = "no_verdict"'
    text = PROFILE_TEXT.replace("minimum_defects = 1", verdict)
    return text.replace("\n[rules.load]\n", FAMILIES).replace("\n[alarms]\n", USAGE)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The tables of a run, and its page.

    On the last of eight days two cells are loaded, and a third sends no samples.
    """
    folder = tmp_path_factory.mktemp("run")
    loads = {SENT.get(name, name): [10] * 7 + [load] for name, load in LOADS.items()}
    places = write_days(folder / "in", MONDAY - timedelta(days=7), loads)
    (folder / "dated.toml").write_text(profile_text())
    arguments = ["run", "--profile", f"{folder}/dated.toml", "--run-date", str(MONDAY)]
    arguments += ["--customers", places["customers"].replace("{run_date}", str(MONDAY))]
    arguments += ["--calls", places["call_statistics"].replace("{run_date}", str(MONDAY))]
    arguments += ["--samples", places["samples"].replace("{run_date}", str(MONDAY))]
    arguments += ["--history", places["samples"].replace("/{run_date}", "")]
    arguments += ["--out", f"{folder}/out", "--report", f"{folder}/page.html"]
    assert main(arguments) == 0
    return SimpleNamespace(out=folder / "out", page=folder / "page.html")


def of_tables(run, sql):
    """What DuckDB finds in the tables of the run."""
    tables = {
        path.name: f"read_parquet('{path}/*/*.parquet')"
        for path in run.out.iterdir()
        if path.is_dir() and not path.name.startswith(".")
    }
    for name, rows in tables.items():
        sql = sql.replace(f"<{name}>", rows)
    return duckdb.sql(sql).fetchall()


@pytest.fixture(scope="module")
def browser():
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
    assert chromium, "these tests need Chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        # Chromium does not start as root with its sandbox.
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(params=["light", "dark"])
def opened(request, browser, run):
    """The page, and what it said and asked for until the end of a test: nothing."""
    page = browser.new_page(color_scheme=request.param, viewport={"width": 1200, "height": 900})
    said, asked = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda message: asked.append(message.url))
    page.goto(run.page.as_uri())
    page.wait_for_selector(DRAWN)
    yield page
    assert said == []
    assert asked == [run.page.as_uri()]
    assert page.title() == f"LTE cells, {MONDAY}"
    page.close()


def number(page, name):
    return int(page.inner_text(f"#{name}").replace(",", ""))


def wait_for_cells(page, names):
    """Until the cells stand down the heat map in this order."""
    page.wait_for_function(
        """names => {
          const labels = [...document.querySelectorAll("#plot-heat_map .role-axis-label text")];
          const cells = labels.filter(label => names.includes(label.textContent));
          const above = label => label.getBoundingClientRect().top;
          cells.sort((one, other) => above(one) - above(other));
          return JSON.stringify(cells.map(cell => cell.textContent)) == JSON.stringify(names);
        }""",
        arg=names,
    )


def test_figures_are_those_of_the_tables(opened, run):
    ((cells, required, not_judged, silent),) = of_tables(
        run,
        "select count(*), count_if(Maintainence_Required = 'Required'), "
        "count_if(Maintainence_Required is null), count_if(sample_state = 'NO_SAMPLES') "
        "from <cell_tower_performance_data>",
    )
    ((customers, affected),) = of_tables(
        run,
        "select count(*), count_if(CellName in (select CellName from "
        "<cell_tower_performance_data> where Maintainence_Required = 'Required')) "
        "from <customer_service_metrics_data>",
    )
    assert (cells, required, not_judged, silent, customers, affected) == (5, 2, 1, 1, 5, 2)
    assert number(opened, "cells") == cells
    assert number(opened, "required") == required
    assert number(opened, "not-judged") == not_judged
    assert number(opened, "no-samples") == silent
    assert number(opened, "customers") == customers
    assert number(opened, "affected") == affected
    ((alarms,),) = of_tables(run, "select count(*) from <cell_alarms>")
    assert number(opened, "alarms-raised") == alarms == 4


def test_cells_to_visit_are_those_of_the_table_with_every_name_as_it_is(opened, run):
    shown = opened.locator("#visit .visits > li").all()
    worst = of_tables(
        run,
        "select severity_rank, CellName, failed_families, verdict_reason "
        "from <cell_tower_performance_data> "
        "where Maintainence_Required = 'Required' order by severity_rank",
    )
    assert [name for _, name, *_ in worst] == [SCRIPT, IMAGE]
    for item, (rank, name, families, reason) in zip(shown, worst, strict=True):
        assert item.locator("h3 .rank").inner_text().split() == ["Rank", str(rank)]
        assert item.locator("h3 bdi").inner_text() == name
        assert item.locator(".failed li").all_inner_texts() == families == ["utilization"]
        assert item.locator(".why").text_content() == reason
    assert opened.locator("img").count() == 0
    assert opened.locator("script").count() == 2
    named = opened.locator("#map details details summary bdi").all_text_contents()
    assert sorted(named) == sorted(LOADS)


def test_the_kpis_of_a_cell_to_visit_are_folded_until_they_are_asked_for(opened, run):
    ((reasons,),) = of_tables(
        run,
        "select [kpi.reason for kpi in evidence if kpi.flag = 1] "
        "from <cell_tower_performance_data> where severity_rank = 1",
    )
    folded = opened.locator("#visit .visits > li").first.locator("details")
    listed = folded.locator("li")
    assert sorted(listed.all_text_contents()) == sorted(reasons)
    assert not listed.first.is_visible()
    folded.locator("summary").click()
    assert listed.first.is_visible()
    told = folded.locator("h4").all_inner_texts()
    assert told == ["utilization: fails", "usage: beyond a limit"]


def test_a_silent_cell_stands_among_those_that_were_not_judged(opened):
    told = opened.inner_text("#unjudged")
    assert f"Send no samples (number of customers in brackets): {SILENT} (1)" in told
    table = opened.locator("#unjudged tbody tr")
    assert table.count() == 1
    assert "sends no samples" in table.text_content()
    assert f"{SILENT} (no samples)" in opened.locator(LABELS).all_text_contents()


def test_the_heat_map_is_drawn_and_sorted(opened, run):
    assert opened.locator(FIELDS).count() == 2 * len(LOADS)
    # Two cells fail; all have a defect that decides nothing; one was not judged.
    marks = opened.locator("#plot-heat_map .mark-text.role-mark text").all_text_contents()
    assert sorted(mark for mark in marks if mark) == [*"!!!!!", "fails", "fails", "×"]
    silent = f"{SILENT} (no samples)"
    names = [SCRIPT, IMAGE, silent, *sorted([QUOTES, RIGHT_TO_LEFT])]
    wait_for_cells(opened, names)
    order = opened.get_by_role("combobox", name="Cells by")
    order.select_option("name")
    wait_for_cells(opened, sorted(names))
    order.select_option("worst utilization")
    judged = {name: load for name, load in LOADS.items() if load is not None}
    wait_for_cells(opened, [*sorted(judged, key=judged.get, reverse=True), silent])


def test_the_kpis_of_a_family_are_the_columns_when_they_are_chosen(opened):
    columns = ["utilization", "usage"]
    assert [one for one in opened.locator(LABELS).all_text_contents() if one in columns] == columns
    opened.get_by_role("combobox", name="Columns are").select_option("KPIs of utilization")
    opened.wait_for_function(
        "labels => [...document.querySelectorAll(labels)].some(one => one.textContent == 'load')",
        arg=LABELS,
    )
    assert opened.locator(FIELDS).count() == len(LOADS)
    assert not set(columns) & set(opened.locator(LABELS).all_text_contents())


def test_what_the_heat_map_shows_is_told_by_a_table(opened):
    rows = opened.locator("#map > details").first.locator("tbody tr").all()
    told = [row.locator("td").all_text_contents() for row in rows]
    sound = ["fine", "beyond a limit"]
    failed = ["fails", "beyond a limit"]
    assert told == [failed, failed, ["not judged", "beyond a limit"], sound, sound]


def test_a_field_of_the_heat_map_tells_its_value_and_bound(opened, run):
    fields = opened.locator(FIELDS)
    # The mark of a defect lies on its field and tells the same.
    fields.nth(0).hover(force=True)
    opened.wait_for_selector("#vg-tooltip-element.visible")
    told = opened.inner_text("#vg-tooltip-element")
    ((name, value, bound),) = of_tables(
        run,
        "select CellName, evidence[1].value, evidence[1].bound "
        "from <cell_tower_performance_data> where severity_rank = 1",
    )
    assert (value, bound) == (60, 20)
    for part in (name, "fails", f"{value:g} %", f"bad above {bound:g} %"):
        assert part in told


def test_every_plot_is_drawn_and_has_words(opened):
    plots = opened.locator("figure .plot").all()
    assert [plot.get_attribute("id") for plot in plots] == [
        "plot-heat_map",
        "plot-distributions",
        "plot-alarms",
        "plot-curves",
        "plot-customers",
    ]
    for plot in plots:
        assert plot.locator("svg .role-mark path").count() > 0
        caption = plot.locator("xpath=../figcaption").inner_text()
        assert plot.get_attribute("aria-label") == caption


def test_everything_is_reached_by_the_keyboard(opened):
    reached = set()
    for _ in range(40):
        opened.keyboard.press("Tab")
        reached.add(opened.evaluate("document.activeElement.tagName"))
    assert {"A", "SELECT", "SUMMARY"} <= reached


def luminance(colour):
    """Of a colour, by WCAG 2.2."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    """Of two colours, by WCAG 2.2."""
    light, dark = sorted(map(luminance, (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def test_words_stand_out_from_the_ground(opened):
    """At least 4.5 to 1, as WCAG 2.2 asks for at level AA; labels of plots as well."""
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    for selector in (
        "body",
        "h1 .figure",
        "header p",
        "caption",
        "figcaption",
        "nav a",
        ".facts",
        "tr.group th",
        LABEL,
        "#plot-distributions .role-title-text text",
    ):
        style = "fill" if selector.endswith("text") else "color"
        colour = opened.eval_on_selector(selector, f"one => getComputedStyle(one).{style}")
        assert contrast(ground, colour) >= 4.5, (selector, colour, ground)


def test_what_fails_stands_out_in_the_list_the_table_and_the_heat_map(opened):
    """White on one dark orange everywhere, which on either ground is seen at 3 to 1."""
    ground = opened.evaluate("getComputedStyle(document.body).backgroundColor")
    for selector in (".failed li", "td.fails"):
        colour, behind = opened.eval_on_selector(
            selector, "one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]"
        )
        assert behind == "rgb(194, 78, 0)"
        assert contrast(colour, behind) >= 4.5
        assert contrast(ground, behind) >= 3
    fills = opened.eval_on_selector_all(FIELDS, "all => all.map(one => getComputedStyle(one).fill)")
    assert fills.count(behind) == 2


def wait_for_ink(page, colour):
    """Until the labels of the plots have this colour."""
    page.wait_for_function(
        "([label, colour]) => getComputedStyle(document.querySelector(label)).fill == colour",
        arg=[LABEL, colour],
    )


def test_it_prints_on_white_without_what_only_a_screen_needs(opened):
    opened.emulate_media(media="print", color_scheme="dark")
    assert not opened.locator("nav").is_visible()
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    # The page has learnt of the dark ground before it is printed.
    wait_for_ink(opened, "rgb(230, 237, 243)")
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    wait_for_ink(opened, "rgb(27, 31, 36)")


# Each drawing takes less time than the one before, and `ended` counts them.
EVER_FASTER = """() => {
  const drawnAtOnce = window.vegaEmbed;
  let delay = 1000;
  window.ended = 0;
  window.vegaEmbed = async (...chart) => {
    delay = delay / 2;
    await new Promise((resolve) => setTimeout(resolve, delay));
    await drawnAtOnce(...chart);
    window.ended += 1;
  };
}"""


def test_of_two_drawings_the_one_that_was_asked_for_last_stays(opened):
    opened.evaluate(EVER_FASTER)
    for event in ("afterprint", "beforeprint"):
        opened.evaluate("event => { window.dispatchEvent(new Event(event)) }", event)
    opened.wait_for_function("() => ended == 2 * document.querySelectorAll('figure .plot').length")
    fill = opened.evaluate("label => getComputedStyle(document.querySelector(label)).fill", LABEL)
    assert fill == "rgb(27, 31, 36)"


def test_it_is_one_small_file(run):
    assert run.page.stat().st_size < LARGEST


def test_nothing_leaves_the_page_even_if_it_is_told_to(browser, run):
    """The policy of the page forbids what a name that got through might ask for."""
    page = browser.new_page()
    page.goto(run.page.as_uri())
    with pytest.raises(Error, match="Failed to fetch"):
        page.evaluate("fetch('https://example.org/')")
    page.close()
