"""The plot of how the values of a KPI spread over all cells."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import copysign, inf, log1p

import altair as alt

from runners.report.contents import Record, Tower
from runners.report.distributions import Bounds, Distribution
from runners.report.drawing import BOUND, DEFECT, NO_DEFECT, QUIET, REFIT, WIDTH, chart_of
from runners.report.family_states import NO_FAMILY
from runners.report.quantities import amount, quantity, unit_name

COLORS = {"defect": DEFECT, "no defect": NO_DEFECT, "not judged": QUIET}
# A symmetric logarithm whose constant is so many times as large as its values is a straight line.
STRAIGHT = 1e6
WORDS_HEIGHT = 14
ALONG = alt.Axis(format=",~r", labelOverlap="greedy", labelSeparation=8)


def distributions(kpis: Sequence[Distribution], towers: Sequence[Tower]) -> alt.TopLevelMixin:
    """How the towers' values of one KPI spread, with its bounds and the defects among them.

    `kpis` are those with values.
    """
    chosen = alt.param(
        name="kpi",
        value=first_chosen(kpis, towers),
        bind=alt.binding_select(
            options=[kpi.kpi for kpi in kpis], labels=[_label(kpi) for kpi in kpis], name="KPI "
        ),
    )
    constant = alt.param(name="constant", expr=_of_chosen({k.kpi: _constant(k) for k in kpis}))
    titles = _of_chosen({kpi.kpi: _title(kpi) for kpi in kpis})
    title = alt.Title(alt.expr(titles), offset=6)
    drawn: alt.TopLevelMixin = (
        alt.layer(
            _histogram(kpis),
            *_bound_marks([bound for kpi in kpis for bound in _bounds(kpi)]),
            _defect_marks(list(defect_marks(kpis, towers))),
        )
        .add_params(chosen, constant)
        .properties(title=title, width=WIDTH, height=220, autosize=REFIT)
    )
    return drawn


def first_chosen(kpis: Sequence[Distribution], towers: Iterable[Tower]) -> str:
    """The KPI that is shown first: the worst of the worst tower, so that the page tells of it."""
    worst = (kpi.kpi for tower in towers for family in tower.bad_families for kpi in family.bad)
    shown = [kpi.kpi for kpi in kpis]
    return next((kpi for kpi in worst if kpi in shown), shown[0])


def _label(kpi: Distribution) -> str:
    counted = {0: "", 1: ", 1 defect"}.get(kpi.flagged, f", {kpi.flagged:,} defects")
    family = "" if kpi.family == NO_FAMILY else f"{kpi.family}: "
    return f"{family}{kpi.kpi}{counted}"


def _title(kpi: Distribution) -> str:
    unit = unit_name(kpi.unit)
    return f"{kpi.kpi}, {unit}" if unit else kpi.kpi


def _of_chosen(of_kpi: Mapping[str, str | float]) -> str:
    """What belongs to the KPI that is chosen, as Vega writes it."""
    return f"({json.dumps(of_kpi)})[kpi]"


def _constant(kpi: Distribution) -> float:
    """Of the symmetric logarithm: with the KPI's own offset it is log(value + offset)."""
    if kpi.offset:
        return amount(kpi.offset, kpi.unit)
    largest = max(abs(end) for bar in kpi.bars for end in (bar.begin, bar.end))
    return STRAIGHT * (amount(largest, kpi.unit) or 1)


def _place(kpi: Distribution, value: float) -> float:
    """Where a value is drawn: the symmetric logarithm."""
    size = log1p(abs(amount(value, kpi.unit)) / _constant(kpi))
    return copysign(size, value)


def _rows(rows: list[Record]) -> alt.Chart:
    chart: alt.Chart = chart_of(rows).transform_filter("datum.kpi == kpi")
    return chart


def _ends(kpi: Distribution) -> tuple[float, float]:
    """From where to where values and bounds are drawn: some way, even if there is but one."""
    begin = min(kpi.bars[0].begin, *(bounds.low for bounds in kpi.bounds.values()), inf)
    end = max(kpi.bars[-1].end, *(bounds.high for bounds in kpi.bounds.values()), -inf)
    around = 0.0 if begin < end else abs(begin) / 20 or 0.5
    return begin - around, end + around


def _bars(kpi: Distribution) -> Iterator[Record]:
    """The bars, each in parts that stand upon each other."""
    for bar in kpi.bars:
        no_defect = bar.towers - bar.defects - bar.not_judged
        ends = (bar.begin, bar.end) if bar.begin < bar.end else _ends(kpi)
        begin = 0
        for label, count in zip(COLORS, (bar.defects, no_defect, bar.not_judged), strict=True):
            if count:
                yield {
                    "kpi": kpi.kpi,
                    "label": label,
                    "cells": count,
                    "begin": amount(ends[0], kpi.unit),
                    "end": amount(ends[1], kpi.unit),
                    "values": f"{quantity(bar.begin, kpi.unit)} to {quantity(bar.end, kpi.unit)}",
                    "from": begin,
                    "to": begin + count,
                }
            begin += count


def _histogram(kpis: Sequence[Distribution]) -> alt.Chart:
    colors = alt.Scale(domain=list(COLORS), range=list(COLORS.values()))
    # Told, because Vega would look for the ends among bounds and defects, which KPIs may lack.
    ends = [
        alt.expr(_of_chosen({kpi.kpi: amount(_ends(kpi)[end], kpi.unit) for kpi in kpis}))
        for end in (0, 1)
    ]
    scale = alt.Scale(type="symlog", constant=alt.expr("constant"), domain=ends)
    chart: alt.Chart = (
        _rows([bar for kpi in kpis for bar in _bars(kpi)])
        .mark_rect()
        .encode(
            x=alt.X("begin:Q", title="value", scale=scale, axis=ALONG),
            x2="end:Q",
            y=alt.Y("from:Q", title="cells", axis=alt.Axis(tickMinStep=1)),
            y2="to:Q",
            color=alt.Color("label:N", scale=colors, title=None),
            tooltip=["label:N", "cells:Q", "values:N"],
        )
    )
    return chart


def bound_text(side: str, bounds: Bounds, unit: str) -> str:
    """Where values are bad, in words; from where to where, if that differs between cells."""
    usual, low, high = (quantity(one, unit) for one in (bounds.usual, bounds.low, bounds.high))
    begin = low.removesuffix(unit_name(unit)).rstrip()
    differing = "" if low == high else f" ({begin} to {high} by cell)"
    return f"bad {side} {usual}{differing}"


def _bounds(kpi: Distribution) -> Iterator[Record]:
    begin, end = (_place(kpi, value) for value in _ends(kpi))
    for side, bounds in kpi.bounds.items():
        text = bound_text(side, bounds, kpi.unit)
        # The words stand on the side where there is room for them.
        is_left = _place(kpi, bounds.usual) <= (begin + end) / 2
        yield {
            "kpi": kpi.kpi,
            "bound": amount(bounds.usual, kpi.unit),
            "low": amount(bounds.low, kpi.unit),
            "high": amount(bounds.high, kpi.unit),
            "text": text,
            "right_of_it": text if is_left else "",
            "left_of_it": "" if is_left else text,
        }


def _bound_marks(bounds: list[Record]) -> list[alt.Chart]:
    """A band from the lowest to the highest bound, a line at their median, and words beside it."""
    chart = _rows(bounds).encode(x="bound:Q", tooltip=["text:N"])
    # Above the bars, and above each other: a KPI may have a bound on either side.
    right_of_it = chart.mark_text(align="left", y=-WORDS_HEIGHT / 2)
    left_of_it = chart.mark_text(align="right", y=-3 * WORDS_HEIGHT / 2)
    return [
        _rows(bounds).mark_rect(color=BOUND, opacity=0.25).encode(x="low:Q", x2="high:Q"),
        chart.mark_rule(color=BOUND, strokeWidth=2, strokeDash=[6, 3]),
        right_of_it.encode(text="right_of_it:N"),
        left_of_it.encode(text="left_of_it:N"),
    ]


def defect_marks(kpis: Iterable[Distribution], towers: Iterable[Tower]) -> Iterator[Record]:
    """The defects of the towers; what lies beyond the outermost bars at their ends, as they do."""
    drawn = {kpi.kpi: kpi for kpi in kpis}
    for tower in towers:
        for kpi in tower.row.evidence or []:
            if kpi.flag == 1 and kpi.kpi in drawn:
                bars = drawn[kpi.kpi].bars
                value = min(max(kpi.value, bars[0].begin), bars[-1].end)
                at = {"kpi": kpi.kpi, "value": amount(value, kpi.unit)}
                yield at | {"cell": tower.name, "reason": kpi.reason}


def _defect_marks(marks: list[Record]) -> alt.Chart:
    chart: alt.Chart = (
        _rows(marks)
        .mark_tick(color=DEFECT, thickness=2, y="height", height=14)
        .encode(x="value:Q", tooltip=["cell:N", "reason:N"])
    )
    return chart
