"""The heat map: cells by KPI family, and by the KPIs of a family."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import altair as alt
from pyspark.sql import Row

from runners.report.contents import Cell, Record
from runners.report.drawing import FAILED, FIELD, NEAR, REFIT, chart_of
from runners.report.family_states import FamilyState, State, has_families, state_of_kpi, worse
from runners.report.quantities import quantity

FAMILIES = "families"
# The text in a field, so that it can be read without colour.
MARKS = {State.FAILS: "fails", State.DEFECT: "!", State.NEAR: "?", State.NOT_JUDGED: "×"}
# Wide enough for the longest mark.
FAMILY_WIDTH = 42
# Colours do not distinguish deviations beyond this many spreads.
FARTHEST = 6
# Text stays readable on the strongest of these colours, on light and dark ground.
FAINTEST, STRONGEST = 0.07, 0.55
# The sort key of a cell for the chosen `order`; cells that were not judged come last.
SORT_KEY = (
    "order == 'rank' ? datum.by_rank : order == 'name' ? datum.by_name : "
    "order == 'worst ' + datum.column ? datum.by_column : 1e9"
)
TOOLTIPS = {
    "cell": "cell",
    "column": "family or KPI",
    "state": "state",
    "kpi": "its worst KPI",
    "value": "value",
    "limit": "limit",
    "baseline": "baseline",
    "deviation": "deviation",
    "reason": "reason",
}
ACROSS = alt.Axis(labelAngle=-60, labelLimit=200, orient="top")


def heat_map(cells: Sequence[Cell]) -> alt.TopLevelMixin:
    """Cells by KPI family, coloured by how far the worst KPI is beyond its baseline.

    Without families in the profile, cells by KPI.
    """
    fields = list(fields_of(cells))
    groups = list(dict.fromkeys(field["group"] for field in fields))
    columns = list(dict.fromkeys(field["column"] for field in fields))
    gaps = alt.Scale(paddingInner=0.06)
    by_place = alt.EncodingSortField("place", op="min")
    base = chart_of(fields).encode(
        x=alt.X("column:N", title=None, sort=by_place, scale=gaps, axis=ACROSS),
        y=alt.Y(
            "cell:N",
            title=None,
            sort=alt.EncodingSortField("key", op="min"),
            scale=gaps,
            axis=alt.Axis(labelLimit=400),
        ),
        tooltip=[alt.Tooltip(f"{name}:N", title=title) for name, title in TOOLTIPS.items()],
    )
    words = base.mark_text(fontWeight="bold", aria=False).encode(
        text="mark:N",
        color=alt.when("datum.solid").then(alt.value("white")),
        opacity=alt.when("datum.judged").then(alt.value(1)).otherwise(alt.value(0.7)),
    )
    solid = alt.when("datum.solid").then(alt.value(FAILED))
    color = solid.when("!datum.judged").then(alt.value("transparent")).otherwise(alt.value(NEAR))
    # Cells are sorted before the layers are split, so that the layers share one axis.
    drawn: alt.TopLevelMixin = (
        alt.layer(base.mark_rect().encode(color=color, opacity=_strength()), words)
        .resolve_scale(color="independent", opacity="independent")
        .transform_calculate(own=SORT_KEY)
        .transform_joinaggregate(key="min(own)", groupby=["cell"])
        .transform_filter("datum.group == shown")
        .add_params(_shown(groups), _order(columns))
        .properties(
            width=alt.Step(FAMILY_WIDTH if groups[0] == FAMILIES else FIELD),
            height=alt.Step(FIELD),
            autosize=REFIT,
        )
    )
    return drawn


def _strength() -> Any:
    """Failures are solid; the colour of the others is stronger the worse they are."""
    scale = alt.Scale(domain=[0, FARTHEST], range=[FAINTEST, STRONGEST], clamp=True)
    legend = alt.Legend(title="spreads beyond the baseline", orient="top", values=[0, 2, 4, 6])
    shade = alt.Opacity("shade:Q", scale=scale, legend=legend)
    return alt.when("datum.solid").then(alt.value(1)).otherwise(shade)


def _shown(groups: Sequence[str]) -> alt.Parameter:
    """The choice of columns: the families, or the KPIs of one family."""
    if len(groups) == 1:
        return alt.param(name="shown", value=groups[0])
    choices = alt.binding_select(options=list(groups), name="Columns are ")
    return alt.param(name="shown", value=groups[0], bind=choices)


def _order(columns: Sequence[str]) -> alt.Parameter:
    """The choice of the order of cells: by rank, by name, or by a family or KPI."""
    options = ["rank", "name", *(f"worst {column}" for column in columns)]
    choices = alt.binding_select(options=options, name="Cells by ")
    return alt.param(name="order", value="rank", bind=choices)


def fields_of(cells: Sequence[Cell]) -> Iterator[Record]:
    """The fields of the heat map: the families of each cell, and their KPIs."""
    has_groups = has_families([cell.row for cell in cells])
    by_name = sorted(cell.name for cell in cells)
    families = dict.fromkeys(family.name for cell in cells for family in cell.families)
    places = {name: place for place, name in enumerate([*families, *_kpis(cells)])}
    for rank, cell in enumerate(cells):
        cell_columns = {
            "cell": cell.label,
            "by_rank": rank,
            "by_name": by_name.index(cell.name),
        }
        for family in cell.families:
            if has_groups:
                yield cell_columns | _family_field(cell, family, places[family.name])
            for kpi in sorted(family.kpis, key=lambda kpi: places[kpi.kpi]):
                yield cell_columns | _kpi_field(kpi, family, places[kpi.kpi])


def _kpis(cells: Iterable[Cell]) -> list[str]:
    """All KPIs in the order of the evidence."""
    return list(dict.fromkeys(kpi.kpi for cell in cells for kpi in cell.row.evidence or []))


def _family_field(cell: Cell, family: FamilyState, place: int) -> Record:
    worst = family.worst
    tooltip = {"kpi": "", "reason": ""} if worst is None else _tooltip(worst)
    if family.state is State.FAILS and not family.bad:
        # Its daily averages are within limits: it fails by an active alarm, or by silence.
        tooltip["reason"] = cell.row.verdict_reason
    field = {"group": FAMILIES, "column": family.name, "place": place}
    return field | _style(family.state, worst, family.state is State.FAILS) | tooltip


def _kpi_field(kpi: Row, family: FamilyState, place: int) -> Record:
    field = {"group": f"KPIs of {family.name}", "column": kpi.kpi, "place": place}
    state = state_of_kpi(kpi)
    return field | _style(state, kpi, state is State.DEFECT) | _tooltip(kpi)


def _style(state: State, worst: Row | None, is_solid: bool) -> Record:
    """Colour and mark of a field, and its rank in its column."""
    how_bad = None if worst is None else worse(worst)
    is_judged = state is not State.NOT_JUDGED
    badness = 1000 * (len(State) - list(State).index(state)) + (how_bad or 0)
    return {
        "worse": how_bad,
        "shade": how_bad or 0,
        "solid": is_solid,
        "judged": is_judged,
        "state": state.value,
        "mark": MARKS.get(state, ""),
        "by_column": -badness if is_judged else 1e9,
    }


def _tooltip(kpi: Row) -> Record:
    return {
        "kpi": kpi.kpi,
        "value": quantity(kpi.value, kpi.unit),
        "limit": "none" if kpi.bound is None else f"bad {kpi.direction} {_bound(kpi)}",
        "baseline": quantity(kpi.baseline, kpi.unit),
        "deviation": quantity(kpi.deviation, kpi.deviation_unit),
        "reason": kpi.reason,
    }


def _bound(kpi: Row) -> str:
    return quantity(kpi.bound, kpi.unit)
