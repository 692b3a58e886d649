"""The page of a report: one self-contained HTML file."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from jinja2 import Environment, FileSystemLoader
from pyspark.sql import Row

from anomaly.run import MADE_UP
from runners.report.charts import charts_of
from runners.report.contents import Cell, Contents
from runners.report.distribution_chart import bound_text
from runners.report.distributions import Distribution
from runners.report.quantities import quantity
from runners.services.notices import notices
from runners.services.run_summary import ENGINE, RunSummary

FOLDER = Path(__file__).parent
PICTURE_SCALE, KEYS_SHOWN = 2.0, 5
# What the bundle of Vega's libraries exports to the script of the page.
LIBRARY = "window.vegaEmbed = vegaEmbed;"


def page_of(contents: Contents) -> str:
    """The HTML text of the page."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {"quantity": quantity, "grouped": "{:,.0f}".format}
    environment.globals |= {"bound_text": bound_text, "family_states": _family_states}
    return environment.get_template("page.html").render(
        contents=contents,
        account=account_of(contents.summary),
        families=_families(contents),
        by_family=[(name, list(kpis)) for name, kpis in groupby(contents.distributions, _family)],
        charts={name: specification(chart) for name, chart in charts_of(contents).items()},
        library=_library(),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        script=(FOLDER / "page.js").read_text(encoding="utf-8"),
        versions={
            "cell-tower-anomaly": version("cell-tower-anomaly"),
            "Spark that read the tables": contents.run.spark.version,
        },
    )


@cache
def _library() -> str:
    """Vega's libraries as one script; to bundle them takes longer than all else of a page."""
    return vl_convert.javascript_bundle(LIBRARY).replace("</script", r"<\/script")


def _families(contents: Contents) -> list[str]:
    """The names of the families of all cells, in the order of their evidence."""
    families = (family.name for cell in contents.cells for family in cell.families)
    return list(dict.fromkeys(families))


def _family_states(cell: Cell) -> dict[str, str]:
    """The state of each family of a cell, in words; empty for families that it does not have."""
    return defaultdict(str, {family.name: family.state.value for family in cell.families})


def _family(kpi: Distribution) -> str:
    return kpi.family


def pictures_of(contents: Contents) -> dict[str, bytes]:
    """The plots as PNG, by name."""
    return {
        name: vl_convert.vegalite_to_png(
            {**specification(chart), "background": "white", "padding": 12}, scale=PICTURE_SCALE
        )
        for name, chart in charts_of(contents).items()
    }


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """A chart as Vega-Lite, without Altair's colours: the page sets them, light or dark."""
    found: dict[str, Any] = chart.to_dict()
    found.pop("config", None)
    return found


def account_of(summary: RunSummary) -> dict[str, Any]:
    """The account of rows in the summary of a run: by input, what was left out, unmatched keys."""
    inputs: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    left_out: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in summary.of("input"):
        inputs[row.subject][row.item] += row.value
    for row in (*summary.of("rejected"), *summary.of("missing_value")):
        left_out[row.subject, row.section, row.item] += row.value
    run_id, profile = next(((row.run_id, row.profile) for row in summary.rows), ("", ""))
    return {
        "inputs": inputs,
        "left_out": sorted(left_out.items(), key=lambda item: (-item[1], item[0])),
        "joins": _in_order(summary.of("join")),
        "unmatched": _in_order(summary.of("unmatched_keys")),
        "unmatched_keys": {kind: rows[:KEYS_SHOWN] for kind, rows in summary.unmatched.items()},
        "notices": notices(summary),
        "seconds": sorted(summary.of("seconds"), key=lambda row: -row.value),
        "engines": summary.of(ENGINE),
        "profile": profile,
        "run_id": run_id,
        "is_made_up": run_id.startswith(MADE_UP),
    }


def _in_order(rows: Sequence[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row.subject, row.item))
