"""The plots of the documentation show what the library says today."""

import json
import math

import pytest

from docs import plots


def test_each_plot_is_there_and_on_a_page():
    figures = json.loads(plots.FIGURES.read_text(encoding="utf-8"))
    page = (plots.IMAGES.parent / "concepts.md").read_text(encoding="utf-8")
    for name in plots.draw(figures):
        assert (plots.IMAGES / f"{name}.svg").exists()
        assert f"(images/{name}.svg)" in page


@pytest.mark.slow
def test_its_figures_are_those_of_today():
    kept = json.loads(plots.FIGURES.read_text(encoding="utf-8"))
    found = plots.measure()
    assert flat(found) == flat(kept), "run `make docs-reference`"


def flat(figures):
    """Rows as text, numbers to three digits: engines differ in the last ones."""
    return json.loads(json.dumps(figures), parse_float=to_three_digits)


def to_three_digits(text):
    value = float(text)
    return 0.0 if value == 0 else round(value, 2 - math.floor(math.log10(abs(value))))
