"""The page of a report: one self-contained HTML file."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import vl_convert
from altair.utils.schemapi import debug_mode
from jinja2 import Environment, FileSystemLoader
from pyspark.sql import Row

from anomaly import __version__
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


def page_of(contents: Contents, library: Callable[[], str] = str) -> str:
    """The HTML text of the page; library: the script that draws its plots, once it is there."""
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
        charts=specifications(contents),
        library=library(),
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        script=(FOLDER / "page.js").read_text(encoding="utf-8"),
        versions={
            "cell-tower-anomaly": __version__,
            "Spark that read the tables": contents.run.spark.version,
        },
    )


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
            {**found, "background": "white", "padding": 12}, scale=PICTURE_SCALE
        )
        for name, found in specifications(contents).items()
    }


def specifications(contents: Contents, is_checked: bool = False) -> dict[str, dict[str, Any]]:
    """The plots as Vega-Lite, without Altair's colours: the page sets them, light or dark.

    is_checked: whether each is compared with Vega-Lite's schema, which takes longer than to make
    it, and is for tests.
    """
    with debug_mode(is_checked):
        charts = charts_of(contents)
        found = {name: chart.to_dict(validate=is_checked) for name, chart in charts.items()}
    for one in found.values():
        one.pop("config", None)
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
