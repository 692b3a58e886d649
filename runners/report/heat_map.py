"""The heat map: cells by KPI family, and by the KPIs of a family."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import altair as alt
from pyspark.sql import Row

from runners.report.contents import Record, Tower
from runners.report.drawing import FAILED, FIELD, NEAR, REFIT, chart_of
from runners.report.family_states import FamilyState, State, has_families, state_of_kpi, worse
from runners.report.quantities import quantity

FAMILIES = "families"
# What stands in a field, so that it is read without its colour.
MARKS = {State.FAILS: "fails", State.DEFECT: "!", State.NEAR: "?", State.NOT_JUDGED: "×"}
# Wide enough for the longest mark.
FAMILY_WIDTH = 42
# Farther than so many spreads is as far as colour tells.
FARTHEST = 6
# Words on the strongest colour that is no failure are read on light and on dark ground.
FAINTEST, STRONGEST = 0.07, 0.55
# By what `order` says a tower stands where it does; those that were not judged come last.
OWN = (
    "order == 'rank' ? datum.by_rank : order == 'name' ? datum.by_name : "
    "order == 'worst ' + datum.column ? datum.by_column : 1e9"
)
TOLD = {
    "tower": "cell",
    "column": "family or KPI",
    "state": "state",
    "kpi": "its worst KPI",
    "value": "value",
    "limit": "limit",
    "usual": "usual",
    "deviation": "deviation",
    "reason": "reason",
}
ACROSS = alt.Axis(labelAngle=-60, labelLimit=200, orient="top")


def heat_map(towers: Sequence[Tower]) -> alt.TopLevelMixin:
    """Towers by KPI family, coloured by how far its worst KPI is on the bad side of usual.

    Of a profile without families, towers by KPI.
    """
    fields = list(fields_of(towers))
    groups = list(dict.fromkeys(field["group"] for field in fields))
    columns = list(dict.fromkeys(field["column"] for field in fields))
    gaps = alt.Scale(paddingInner=0.06)
    by_place = alt.EncodingSortField("place", op="min")
    base = chart_of(fields).encode(
        x=alt.X("column:N", title=None, sort=by_place, scale=gaps, axis=ACROSS),
        y=alt.Y(
            "tower:N",
            title=None,
            sort=alt.EncodingSortField("key", op="min"),
            scale=gaps,
            axis=alt.Axis(labelLimit=400),
        ),
        tooltip=[alt.Tooltip(f"{name}:N", title=title) for name, title in TOLD.items()],
    )
    words = base.mark_text(fontWeight="bold", aria=False).encode(
        text="mark:N",
        color=alt.when("datum.solid").then(alt.value("white")),
        opacity=alt.when("datum.judged").then(alt.value(1)).otherwise(alt.value(0.7)),
    )
    solid = alt.when("datum.solid").then(alt.value(FAILED))
    color = solid.when("!datum.judged").then(alt.value("transparent")).otherwise(alt.value(NEAR))
    # Towers are put in order before the layers part: those of one order share one axis.
    drawn: alt.TopLevelMixin = (
        alt.layer(base.mark_rect().encode(color=color, opacity=_strength()), words)
        .resolve_scale(color="independent", opacity="independent")
        .transform_calculate(own=OWN)
        .transform_joinaggregate(key="min(own)", groupby=["tower"])
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
    """What fails is solid; of the others the colour is the stronger, the worse they are."""
    scale = alt.Scale(domain=[0, FARTHEST], range=[FAINTEST, STRONGEST], clamp=True)
    legend = alt.Legend(title="spreads worse than usual", orient="top", values=[0, 2, 4, 6])
    shade = alt.Opacity("shade:Q", scale=scale, legend=legend)
    return alt.when("datum.solid").then(alt.value(1)).otherwise(shade)


def _shown(groups: Sequence[str]) -> alt.Parameter:
    """What stands across: the families, or the KPIs of one of them."""
    if len(groups) == 1:
        return alt.param(name="shown", value=groups[0])
    choices = alt.binding_select(options=list(groups), name="Columns are ")
    return alt.param(name="shown", value=groups[0], bind=choices)


def _order(columns: Sequence[str]) -> alt.Parameter:
    """What towers are ordered by: rank, name, or how bad a family or KPI is."""
    options = ["rank", "name", *(f"worst {column}" for column in columns)]
    choices = alt.binding_select(options=options, name="Cells by ")
    return alt.param(name="order", value="rank", bind=choices)


def fields_of(towers: Sequence[Tower]) -> Iterator[Record]:
    """The fields of the heat map: of each tower its families, and their KPIs."""
    has_groups = has_families([tower.row for tower in towers])
    by_name = sorted(tower.name for tower in towers)
    families = dict.fromkeys(family.name for tower in towers for family in tower.families)
    places = {name: place for place, name in enumerate([*families, *_kpis(towers)])}
    for rank, tower in enumerate(towers):
        of_tower = {
            "tower": tower.label,
            "by_rank": rank,
            "by_name": by_name.index(tower.name),
        }
        for family in tower.families:
            if has_groups:
                yield of_tower | _of_family(tower, family, places[family.name])
            for kpi in sorted(family.kpis, key=lambda kpi: places[kpi.kpi]):
                yield of_tower | _of_kpi(kpi, family, places[kpi.kpi])


def _kpis(towers: Iterable[Tower]) -> list[str]:
    """All KPIs in the order of the evidence."""
    return list(dict.fromkeys(kpi.kpi for tower in towers for kpi in tower.row.evidence or []))


def _of_family(tower: Tower, family: FamilyState, place: int) -> Record:
    worst = family.worst
    told = {"kpi": "", "reason": ""} if worst is None else _told(worst)
    if family.state is State.FAILS and not family.bad:
        # Its averages over the day are in order: a standing alarm, or silence, says that it fails.
        told["reason"] = tower.row.verdict_reason
    field = {"group": FAMILIES, "column": family.name, "place": place}
    return field | _looks(family.state, worst, family.state is State.FAILS) | told


def _of_kpi(kpi: Row, family: FamilyState, place: int) -> Record:
    field = {"group": f"KPIs of {family.name}", "column": kpi.kpi, "place": place}
    state = state_of_kpi(kpi)
    return field | _looks(state, kpi, state is State.DEFECT) | _told(kpi)


def _looks(state: State, worst: Row | None, is_solid: bool) -> Record:
    """Colour and mark of a field, and how it compares with others of its column."""
    how_bad = None if worst is None else worse(worst)
    is_judged = state is not State.NOT_JUDGED
    gravity = 1000 * (len(State) - list(State).index(state)) + (how_bad or 0)
    return {
        "worse": how_bad,
        "shade": how_bad or 0,
        "solid": is_solid,
        "judged": is_judged,
        "state": state.value,
        "mark": MARKS.get(state, ""),
        "by_column": -gravity if is_judged else 1e9,
    }


def _told(kpi: Row) -> Record:
    return {
        "kpi": kpi.kpi,
        "value": quantity(kpi.value, kpi.unit),
        "limit": "none" if kpi.bound is None else f"bad {kpi.direction} {_bound(kpi)}",
        "usual": quantity(kpi.baseline, kpi.unit),
        "deviation": quantity(kpi.deviation, kpi.deviation_unit),
        "reason": kpi.reason,
    }


def _bound(kpi: Row) -> str:
    return quantity(kpi.bound, kpi.unit)
