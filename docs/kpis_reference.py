"""docs/reference/kpis.md, from the catalogue that the shipped profiles extend."""

from pathlib import Path

from anomaly.profile.choices import Formula
from anomaly.profile.model import Profile
from anomaly.profile.reader import load_profile
from anomaly.profile.sections import DerivedKpi, Kpi
from anomaly.schema.inputs import CALL_STATISTICS, SAMPLES
from docs.markdown import markdown_table

PAGE = Path(__file__).parent / "reference" / "kpis.md"

INTRODUCTION = """\
# KPIs

Generated from the code by `make docs-reference`; do not edit this page.

What the columns of samples and call statistics mean in the default profile. If yours have other
names, [map them](../guide/own-data.md#3-name-the-columns); if their units differ, convert them
first. `X = ""` leaves out KPI X, and everything that uses it.
"""
FORMULAS = {
    Formula.RATIO: "{first} / {second}",
    Formula.DIFFERENCE: "{first} - {second}",
    Formula.SHORTFALL: "({first} - {second}) / {first}",
}


def page() -> str:
    """The text of the page."""
    profile = load_profile("default")
    return "\n".join(
        (
            INTRODUCTION,
            "## Samples\n\nOf a cell in a granularity period.\n",
            _measured(profile, SAMPLES),
            "## Call statistics\n\nOf a customer in a month.\n",
            _measured(profile, CALL_STATISTICS),
            "## Derived\n\nComputed from averages of the others.\n",
            markdown_table(("KPI", "formula", "unit", "meaning"), map(_derived, profile.derived)),
        )
    )


def _measured(profile: Profile, source: str) -> str:
    return markdown_table(("column", "unit", "meaning"), map(_row, profile.kpis_of(source)))


def _row(kpi: Kpi) -> tuple[str, ...]:
    return f"`{kpi.column}`", kpi.unit, kpi.meaning


def _derived(kpi: DerivedKpi) -> tuple[str, ...]:
    formula = FORMULAS[kpi.formula].format(first=kpi.first, second=kpi.second)
    return f"`{kpi.name}`", f"`{formula}`", kpi.unit, kpi.meaning
