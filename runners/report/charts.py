"""The plots of a report, as Vega-Lite charts that Altair describes."""

from collections.abc import Iterable

import altair as alt

from runners.report.contents import Alarms, Contents, Record, Tower
from runners.report.distribution_chart import distributions
from runners.report.drawing import DEFECT, FIELD, NO_DEFECT, WIDTH, chart_of
from runners.report.heat_map import heat_map

SEVERITIES = {"CRIT": DEFECT, "WARN": "#E69F00"}
OVER_TIME: Record = {
    "title": "time (UTC)",
    "scale": alt.Scale(type="utc"),
    "axis": alt.Axis(format="%d %b %H:%M", tickCount=6),
}


def charts_of(contents: Contents) -> dict[str, alt.TopLevelMixin]:
    """The charts by name, those for which there is something to draw."""
    found: dict[str, alt.TopLevelMixin] = {}
    if any(tower.families for tower in contents.towers):
        found["heat_map"] = heat_map(contents.towers)
    with_values = [kpi for kpi in contents.distributions if kpi.bars]
    if with_values:
        found["distributions"] = distributions(with_values, contents.towers)
    if any(tower.customers for tower in contents.towers if tower.is_required):
        found["customers"] = customers([one for one in contents.towers if one.is_required])
    if contents.alarms.shown:
        found["alarms"] = alarms(contents.alarms)
    if contents.alarms.points:
        found["curves"] = curves(contents.alarms)
    return found


def _utc(time: str) -> str:
    """A time in the only form that every browser reads as UTC."""
    return f"{time.replace(' ', 'T')}Z"


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
        chart_of(rows)
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
        chart_of(rows)
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
        return chart_of(rows).transform_filter("datum.curve == curve")

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
