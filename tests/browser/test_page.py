"""The page of a run in a real browser: drawn, sorted, read, and shut off from everything else."""

import re
import shutil
from datetime import date, timedelta
from types import SimpleNamespace

import duckdb
import pytest
from playwright.sync_api import Error, sync_playwright

from runners.command import main
from tests.dated_inputs import PROFILE_TEXT, write_days

pytestmark = pytest.mark.browser

# A Monday, with which baselines of a week begin to be used.
MONDAY = date(2026, 1, 12)
SCRIPT = """<script>document.title = 'run'</script>"""
IMAGE = """</script><img src=x onerror="document.title = 'run'">"""
QUOTES = """O'Brien & "Sons" {{ 7 * 7 }} 📡"""
RIGHT_TO_LEFT = "برج \u202e1"
LOADS = {SCRIPT: 60, IMAGE: 40, QUOTES: 10, RIGHT_TO_LEFT: 15}
DRAWN = "body[data-drawn]"
LABEL = "svg .role-axis-label text"
LARGEST = 3_000_000


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The tables of a run, and its page; two towers are loaded on the last of eight days."""
    folder = tmp_path_factory.mktemp("run")
    loads = {name: [10] * 7 + [load] for name, load in LOADS.items()}
    places = write_days(folder / "in", MONDAY - timedelta(days=7), loads)
    (folder / "dated.toml").write_text(PROFILE_TEXT)
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
    assert page.title() == f"Cell towers, {MONDAY}"
    page.close()


def number(page, name):
    return int(page.inner_text(f"#{name}").replace(",", ""))


def wait_for_towers(page, names):
    """Until the towers stand down the heat map in this order."""
    page.wait_for_function(
        """names => {
          const labels = [...document.querySelectorAll("#plot-heat_map .role-axis-label text")];
          const towers = labels.filter(label => names.includes(label.textContent));
          const above = label => label.getBoundingClientRect().top;
          towers.sort((one, other) => above(one) - above(other));
          return JSON.stringify(towers.map(tower => tower.textContent)) == JSON.stringify(names);
        }""",
        arg=names,
    )


def test_figures_are_those_of_the_tables(opened, run):
    ((towers, required),) = of_tables(
        run,
        "select count(*), count_if(Maintainence_Required = 'Required') "
        "from <cell_tower_performance_data>",
    )
    ((customers, affected),) = of_tables(
        run,
        "select count(*), count_if(CellName in (select CellName from "
        "<cell_tower_performance_data> where Maintainence_Required = 'Required')) "
        "from <customer_service_metrics_data>",
    )
    assert (towers, required, customers, affected) == (4, 2, 4, 2)
    assert number(opened, "towers") == towers
    assert number(opened, "required") == required
    assert number(opened, "customers") == customers
    assert number(opened, "affected") == affected
    ((alarms,),) = of_tables(run, "select count(*) from <cell_alarms>")
    assert number(opened, "alarms-raised") == alarms == 3


def test_towers_to_visit_are_those_of_the_table_with_every_name_as_it_is(opened, run):
    shown = opened.locator("#visit tbody tr").all()
    worst = of_tables(
        run,
        "select severity_rank, CellName, evidence[1].reason from <cell_tower_performance_data> "
        "where Maintainence_Required = 'Required' order by severity_rank",
    )
    assert [(row.locator("th").inner_text()) for row in shown] == [SCRIPT, IMAGE]
    for row, (rank, name, reason) in zip(shown, worst, strict=True):
        assert row.locator("td").first.inner_text() == str(rank)
        assert row.locator("th").inner_text() == name
        assert reason in row.inner_text()
    assert opened.locator("img").count() == 0
    assert opened.locator("script").count() == 2
    named = opened.locator("#map details details summary bdi").all_text_contents()
    assert sorted(named) == sorted(LOADS)


def test_the_heat_map_is_drawn_and_sorted(opened, run):
    ((judged,),) = of_tables(
        run,
        "select count(*) from (select unnest(evidence) as kpi from <cell_tower_performance_data>) "
        "where kpi.flag is not null",
    )
    assert opened.locator("#plot-heat_map .mark-rect.role-mark path").count() == judged == 4
    by_rank = of_tables(
        run, "select CellName from <cell_tower_performance_data> order by severity_rank, CellName"
    )
    wait_for_towers(opened, [name for (name,) in by_rank])
    order = opened.locator("#plot-heat_map select")
    order.select_option("name")
    wait_for_towers(opened, sorted(LOADS))
    order.select_option("load")
    wait_for_towers(opened, sorted(LOADS, key=LOADS.get, reverse=True))


def test_a_field_of_the_heat_map_tells_its_value_and_bound(opened, run):
    fields = opened.locator("#plot-heat_map .mark-rect.role-mark path")
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
    for part in (name, f"{value:g} %", f"bad above {bound:g} %"):
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
        LABEL,
    ):
        style = "fill" if selector == LABEL else "color"
        colour = opened.eval_on_selector(selector, f"one => getComputedStyle(one).{style}")
        light, dark = sorted(map(luminance, (ground, colour)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (selector, colour, ground)


def test_it_prints_on_white_without_what_only_a_screen_needs(opened):
    opened.emulate_media(media="print", color_scheme="dark")
    assert not opened.locator("nav").is_visible()
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    opened.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    opened.wait_for_function(
        "label => getComputedStyle(document.querySelector(label)).fill == 'rgb(27, 31, 36)'",
        arg=LABEL,
    )


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
