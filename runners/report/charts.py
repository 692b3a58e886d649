"""The plots of a report, as Vega-Lite charts that Altair describes."""

from collections.abc import Iterable, Sequence
from typing import Any

import altair as alt

from anomaly.compare import CRIT, NO_BASELINE, NO_DATA, WARN
from runners.report.contents import Alarms, Contents, Distribution, Record, Tower, distance

# Okabe and Ito's colours, which the colour-blind tell apart, on light and on dark ground.
DEFECT, NO_DEFECT, BOUND = "#D55E00", "#56B4E9", "#CC79A7"
SEVERITIES = {"CRIT": "#D55E00", "WARN": "#E69F00"}
# Farther than so many spreads is as far as colour tells.
FARTHEST = 6
MARKS = {CRIT: "!", WARN: "?", NO_DATA: "×", NO_BASELINE: "×"}
QUIET = "#808080"
# By what `order` says a tower stands where it does; those without a deviation come last.
KEY = (
    "order == 'rank' ? datum.by_rank : order == 'name' ? datum.by_name : "
    "order == datum.KPI && isValid(datum.worse) ? -datum.worse : 1e9"
)
TOLD = ("tower", "KPI", "status", "value", "bound", "usual", "deviation", "reason")
ACROSS = alt.Axis(labelAngle=-60, labelLimit=200, orient="top")
WIDTH = 640
OVER_TIME: Record = {
    "title": "time (UTC)",
    "scale": alt.Scale(type="utc"),
    "axis": alt.Axis(format="%d %b %H:%M", tickCount=6),
}
FIELD = 22


def charts_of(contents: Contents) -> dict[str, alt.TopLevelMixin]:
    """The charts by name, those for which there is something to draw."""
    found: dict[str, alt.TopLevelMixin] = {}
    if contents.towers:
        found["heat_map"] = heat_map(contents.towers)
    if contents.distributions:
        found["distributions"] = distributions(contents.distributions, contents.towers)
    if any(tower.customers for tower in contents.towers if tower.is_required):
        found["customers"] = customers([one for one in contents.towers if one.is_required])
    if contents.alarms.shown:
        found["alarms"] = alarms(contents.alarms)
    if contents.alarms.points:
        found["curves"] = curves(contents.alarms)
    return found


def heat_map(towers: Sequence[Tower]) -> alt.LayerChart:
    """Towers by KPI, coloured by how far a value is on the bad side of what is usual."""
    by_name = sorted(tower.name for tower in towers)
    cells = [
        {**_heat(tower, kpi), "by_rank": place, "by_name": by_name.index(tower.name)}
        for place, tower in enumerate(towers)
        for kpi in _kpis(tower)
    ]
    kpis = list(dict.fromkeys(cell["KPI"] for cell in cells))
    gaps = alt.Scale(paddingInner=0.06)
    base = _chart(cells).encode(
        x=alt.X("KPI:N", title=None, sort=kpis, scale=gaps, axis=ACROSS),
        y=alt.Y(
            "tower:N",
            title=None,
            sort=alt.EncodingSortField("key", op="min"),
            scale=gaps,
            axis=alt.Axis(labelLimit=400),
        ),
        tooltip=[f"{name}:N" for name in TOLD],
    )
    farthest = min(FARTHEST, max((abs(cell["worse"] or 0) for cell in cells), default=0)) or 1
    scale = alt.Scale(scheme="blueorange", domain=[-farthest, farthest], clamp=True)
    color = alt.condition(
        "isValid(datum.worse)",
        alt.Color("worse:Q", scale=scale, title="worse than usual"),
        alt.value("transparent"),
    )
    marks = base.mark_text(fontWeight="bold", aria=False)
    # Towers are put in order before the layers part: those of one order share one axis.
    return (
        (
            base.mark_rect().encode(color=color)
            + marks.encode(text="mark:N", color=alt.Color("ink:N", scale=None))
        )
        .resolve_scale(color="independent")
        .transform_calculate(key=KEY)
        .add_params(_order(kpis))
        .properties(width=alt.Step(FIELD), height=alt.Step(FIELD))
    )


def _order(kpis: Sequence[str]) -> alt.Parameter:
    """What towers are ordered by: rank, name, or how much worse one of the KPIs is."""
    choices = alt.binding_select(
        options=["rank", "name", *kpis],
        labels=["rank", "name", *(f"worst {kpi}" for kpi in kpis)],
        name="Towers by ",
    )
    return alt.param(name="order", value="rank", bind=choices)


def _kpis(tower: Tower) -> list[Any]:
    return list(tower.row.evidence or [])


def _heat(tower: Tower, kpi: Any) -> Record:
    """A field of the heat map; without a deviation there is nothing to colour."""
    worse = None
    if kpi.flag is not None and kpi.deviation is not None:
        toward_bad = {"above": kpi.deviation, "below": -kpi.deviation}
        worse = distance(kpi, toward_bad.get(kpi.direction, abs(kpi.deviation)))
    return {
        "tower": tower.name,
        "KPI": kpi.kpi,
        "worse": worse,
        "mark": MARKS.get(kpi.status, ""),
        "ink": QUIET if kpi.flag is None else DEFECT if worse is None else "black",
        "status": kpi.status,
        "value": quantity(kpi.value, kpi.unit),
        "bound": f"bad {kpi.direction} {quantity(kpi.bound, kpi.unit)}",
        "usual": quantity(kpi.baseline, kpi.unit),
        "deviation": quantity(kpi.deviation, kpi.deviation_unit),
        "reason": kpi.reason,
    }


def _chart(rows: list[Record]) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def quantity(value: float | None, unit: str) -> str:
    """A value with its unit, short."""
    return "no data" if value is None else f"{value:.4g} {unit}"


def _utc(time: str) -> str:
    """A time in the only form that every browser reads as UTC."""
    return f"{time.replace(' ', 'T')}Z"


def distributions(kpis: Iterable[Distribution], towers: Iterable[Tower]) -> alt.LayerChart:
    """How the towers' values of one KPI spread, with its bound and the defects among them."""
    bars = [
        {"kpi": kpi.kpi, "towers": bar.towers, "label": label, "begin": bar.begin, "end": bar.end}
        | {"from": low, "to": high}
        for kpi in kpis
        for bar in kpi.bars
        for label, low, high in (
            ("defect", 0, bar.defects),
            ("no defect", bar.defects, bar.towers),
        )
        if high > low
    ]
    bounds = [
        {"kpi": kpi.kpi, "bound": bound, "text": f"bad {side} {quantity(bound, kpi.unit)}"}
        for kpi in kpis
        for side, bound in kpi.bounds.items()
    ]
    # What lies beyond the outermost bars is marked at their ends, as they hold it.
    ends = {kpi.kpi: (kpi.bars[0].begin, kpi.bars[-1].end) for kpi in kpis}
    flagged = [
        {"kpi": kpi.kpi, "value": _between(kpi.value, *ends[kpi.kpi])}
        | {"tower": tower.name, "reason": kpi.reason}
        for tower in towers
        for kpi in _kpis(tower)
        if kpi.flag == 1
    ]
    names = [kpi.kpi for kpi in kpis]
    chosen = alt.param(
        name="kpi", value=names[0], bind=alt.binding_select(options=names, name="KPI ")
    )

    def chart(rows: list[Record]) -> alt.Chart:
        return _chart(rows).transform_filter("datum.kpi == kpi")

    colors = alt.Scale(domain=["defect", "no defect"], range=[DEFECT, NO_DEFECT])
    x = alt.X("begin:Q", title="value", scale=alt.Scale(zero=False))
    histogram = (
        chart(bars)
        .mark_rect()
        .encode(
            x=x,
            x2="end:Q",
            y=alt.Y("from:Q", title="towers", axis=alt.Axis(tickMinStep=1)),
            y2="to:Q",
            color=alt.Color("label:N", scale=colors, title=None),
            tooltip=["label:N", "towers:Q", alt.Tooltip("begin:Q"), alt.Tooltip("end:Q")],
        )
    )
    line = chart(bounds).mark_rule(color=BOUND, strokeWidth=2, strokeDash=[6, 3])
    text = chart(bounds).mark_text(color=BOUND, align="left", dx=4, y=8)
    ticks = chart(flagged).mark_tick(color=DEFECT, thickness=2, y="height", height=14)
    return (
        (
            histogram
            + line.encode(x="bound:Q", tooltip=["text:N"])
            + text.encode(x="bound:Q", text="text:N")
            + ticks.encode(x="value:Q", tooltip=["tower:N", "reason:N"])
        )
        .add_params(chosen)
        .properties(title=alt.Title(alt.expr("kpi")), width=WIDTH, height=220)
    )


def _between(value: float, low: float, high: float) -> float:
    """The value, or the end that it lies beyond."""
    return min(max(value, low), high)


def customers(towers: Iterable[Tower]) -> alt.Chart:
    """The customers of each tower that needs maintenance, those with defects apart."""
    rows = [
        {"tower": tower.name, "place": place, "customers": count, "kind": kind, "order": order}
        for place, tower in enumerate(towers)
        for order, kind, count in (
            (0, "with a defect of their own", tower.customers_with_defects),
            (1, "without", tower.customers - tower.customers_with_defects),
        )
    ]
    colors = alt.Scale(domain=["with a defect of their own", "without"], range=[DEFECT, NO_DEFECT])
    return (
        _chart(rows)
        .mark_bar()
        .encode(
            x=alt.X("customers:Q", title="customers", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("tower:N", title=None, sort=alt.EncodingSortField("place", op="min")),
            color=alt.Color("kind:N", scale=colors, title=None),
            order="order:Q",
            tooltip=["tower:N", "kind:N", "customers:Q"],
        )
        .properties(width=WIDTH, height=alt.Step(FIELD))
    )


def alarms(found: Alarms) -> alt.Chart:
    """When alarms stood, a line for each tower."""
    rows = [
        {
            "tower": alarm.CellName,
            "raised": _utc(alarm.raised_at),
            "cleared": _utc(alarm.cleared_at or found.until),
            "severity": alarm.severity,
            "ended": "still stands" if alarm.cleared_at is None else f"by {alarm.cleared_by}",
            "reason": alarm.reason,
        }
        for alarm in found.shown
    ]
    colors = alt.Scale(domain=list(SEVERITIES), range=list(SEVERITIES.values()))
    return (
        _chart(rows)
        .mark_bar(height=10, minBandSize=2)
        .encode(
            x=alt.X("raised:T", **OVER_TIME),
            x2="cleared:T",
            y=alt.Y("tower:N", title=None),
            color=alt.Color("severity:N", scale=colors, title=None),
            tooltip=[f"{name}:N" for name in ("tower", "severity", "raised", "ended", "reason")],
        )
        .properties(width=WIDTH, height=alt.Step(FIELD))
    )


def curves(found: Alarms) -> alt.LayerChart:
    """A KPI of a tower while it was out of line, with what is usual, the bound, and the alarms."""
    points = [
        {
            "curve": f"{point.CellName}, {point.kpi}",
            "time": _utc(point.time),
            "value": point.smoothed_value,
            "usual": point.baseline,
            "bound": point.bound,
            "status": point.status,
        }
        for point in found.points
    ]
    towers = {f"{point.CellName}, {point.kpi}": point.CellName for point in found.points}
    names = sorted(towers)
    spans = [
        {
            "curve": name,
            "raised": _utc(alarm.raised_at),
            "cleared": _utc(alarm.cleared_at or found.until),
        }
        for alarm in found.shown
        for name, tower in towers.items()
        if tower == alarm.CellName
    ]
    chosen = alt.param(
        name="curve", value=names[0], bind=alt.binding_select(options=names, name="Tower and KPI ")
    )
    time = alt.X("time:T", **OVER_TIME)

    def chart(rows: list[Record]) -> alt.Chart:
        return _chart(rows).transform_filter("datum.curve == curve")

    y = alt.Y("value:Q", title="mean of the last quarter hours")
    tooltip = [f"{name}:N" for name in ("time", "value", "usual", "bound", "status")]
    return (
        (
            chart(spans).mark_rect(opacity=0.15, color=DEFECT).encode(x="raised:T", x2="cleared:T")
            + chart(points)
            .mark_rule(strokeWidth=5, opacity=0.35, color=NO_DEFECT)
            .encode(x=time, y="usual:Q", y2="bound:Q")
            + chart(points)
            .mark_point(filled=True, size=40, color=DEFECT)
            .encode(x=time, y=y, tooltip=tooltip)
        )
        .add_params(chosen)
        .properties(title=alt.Title(alt.expr("curve")), width=WIDTH, height=200)
    )
