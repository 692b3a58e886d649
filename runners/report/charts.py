"""The plots of a report, as Vega-Lite charts built with Altair."""

from collections.abc import Iterable

import altair as alt

from runners.report.contents import Alarms, Cell, Contents, Record
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
    """The charts by name, without those that would be empty."""
    found: dict[str, alt.TopLevelMixin] = {}
    if any(cell.families for cell in contents.cells):
        found["heat_map"] = heat_map(contents.cells)
    with_values = [kpi for kpi in contents.distributions if kpi.bars]
    if with_values:
        found["distributions"] = distributions(with_values, contents.cells)
    if any(cell.customers for cell in contents.cells if cell.is_required):
        found["customers"] = customers([one for one in contents.cells if one.is_required])
    if contents.alarms.shown:
        found["alarms"] = alarms(contents.alarms)
    if contents.alarms.points:
        found["curves"] = curves(contents.alarms)
    return found


def _utc(time: str) -> str:
    """A time in the one format that every browser reads as UTC."""
    return f"{time.replace(' ', 'T')}Z"


def customers(cells: Iterable[Cell]) -> alt.Chart:
    """The customers of each cell that needs maintenance, with and without defects."""
    rows = [
        {"cell": cell.name, "place": place, "customers": count, "kind": kind, "order": order}
        for place, cell in enumerate(cells)
        for order, kind, count in (
            (0, "with a defect of their own", cell.customers_with_defects),
            (1, "without", cell.customers - cell.customers_with_defects),
        )
    ]
    colors = alt.Scale(domain=["with a defect of their own", "without"], range=[DEFECT, NO_DEFECT])
    return (
        chart_of(rows)
        .mark_bar()
        .encode(
            x=alt.X("customers:Q", title="customers", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("cell:N", title=None, sort=alt.EncodingSortField("place", op="min")),
            color=alt.Color("kind:N", scale=colors, title=None),
            order="order:Q",
            tooltip=["cell:N", "kind:N", "customers:Q"],
        )
        .properties(width=WIDTH, height=alt.Step(FIELD))
    )


def alarms(found: Alarms) -> alt.Chart:
    """When alarms were active, a line for each cell."""
    rows = [
        {
            "cell": alarm.CellName,
            "raised": _utc(alarm.raised_at),
            "cleared": _utc(alarm.cleared_at or found.until),
            "severity": alarm.severity,
            "ended": "active" if alarm.cleared_at is None else f"by {alarm.cleared_by}",
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
            y=alt.Y("cell:N", title=None),
            color=alt.Color("severity:N", scale=colors, title=None),
            tooltip=[f"{name}:N" for name in ("cell", "severity", "raised", "ended", "reason")],
        )
        .properties(width=WIDTH, height=alt.Step(FIELD))
    )


def curves(found: Alarms) -> alt.LayerChart:
    """A KPI of a cell while it was anomalous, with its baseline and limit, and the alarms."""
    points = [
        {
            "curve": f"{point.CellName}, {point.kpi}",
            "time": _utc(point.time),
            "value": point.smoothed_value,
            "baseline": point.baseline,
            "limit": point.bound,
            "status": point.status,
        }
        for point in found.points
    ]
    cells = {f"{point.CellName}, {point.kpi}": point.CellName for point in found.points}
    names = sorted(cells)
    spans = [
        {
            "curve": name,
            "raised": _utc(alarm.raised_at),
            "cleared": _utc(alarm.cleared_at or found.until),
        }
        for alarm in found.shown
        for name, cell in cells.items()
        if cell == alarm.CellName
    ]
    chosen = alt.param(
        name="curve", value=names[0], bind=alt.binding_select(options=names, name="Cell and KPI ")
    )
    time = alt.X("time:T", **OVER_TIME)

    def chart(rows: list[Record]) -> alt.Chart:
        return chart_of(rows).transform_filter("datum.curve == curve")

    y = alt.Y("value:Q", title="mean of the last periods")
    tooltip = [f"{name}:N" for name in ("time", "value", "baseline", "limit", "status")]
    return (
        (
            chart(spans).mark_rect(opacity=0.15, color=DEFECT).encode(x="raised:T", x2="cleared:T")
            + chart(points)
            .mark_rule(strokeWidth=5, opacity=0.35, color=NO_DEFECT)
            .encode(x=time, y="baseline:Q", y2="limit:Q")
            + chart(points)
            .mark_point(filled=True, size=40, color=DEFECT)
            .encode(x=time, y=y, tooltip=tooltip)
        )
        .add_params(chosen)
        .properties(title=alt.Title(alt.expr("curve")), width=WIDTH, height=200)
    )
