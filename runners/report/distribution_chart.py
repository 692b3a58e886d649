"""The plot of the distribution of a KPI over all cells."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import copysign, inf, log1p

import altair as alt

from runners.report.contents import Cell, Record
from runners.report.distributions import Bounds, Distribution
from runners.report.drawing import BOUND, DEFECT, NO_DEFECT, QUIET, REFIT, WIDTH, chart_of
from runners.report.family_states import NO_FAMILY
from runners.report.quantities import amount, quantity, unit_name

COLORS = {"defect": DEFECT, "no defect": NO_DEFECT, "not judged": QUIET}
# With a constant this many times the largest value, a symmetric logarithm is a straight line.
STRAIGHT = 1e6
WORDS_HEIGHT = 14
ALONG = alt.Axis(format=",~r", labelOverlap="greedy", labelSeparation=8)


def distributions(kpis: Sequence[Distribution], cells: Sequence[Cell]) -> alt.TopLevelMixin:
    """A histogram of one KPI over the cells, with its limits and defects.

    `kpis` are those that have values.
    """
    chosen = alt.param(
        name="kpi",
        value=first_chosen(kpis, cells),
        bind=alt.binding_select(
            options=[kpi.kpi for kpi in kpis], labels=[_label(kpi) for kpi in kpis], name="KPI "
        ),
    )
    constant = alt.param(name="constant", expr=_chosen({k.kpi: _constant(k) for k in kpis}))
    titles = _chosen({kpi.kpi: _title(kpi) for kpi in kpis})
    title = alt.Title(alt.expr(titles), offset=6)
    drawn: alt.TopLevelMixin = (
        alt.layer(
            _histogram(kpis),
            *_bound_marks([bound for kpi in kpis for bound in _bounds(kpi)]),
            _defect_marks(list(defect_marks(kpis, cells))),
        )
        .add_params(chosen, constant)
        .properties(title=title, width=WIDTH, height=220, autosize=REFIT)
    )
    return drawn


def first_chosen(kpis: Sequence[Distribution], cells: Iterable[Cell]) -> str:
    """The KPI that is shown first: the worst one of the worst cell."""
    worst = (kpi.kpi for cell in cells for family in cell.bad_families for kpi in family.bad)
    shown = [kpi.kpi for kpi in kpis]
    return next((kpi for kpi in worst if kpi in shown), shown[0])


def _label(kpi: Distribution) -> str:
    defects = {0: "", 1: ", 1 defect"}.get(kpi.flagged, f", {kpi.flagged:,} defects")
    family = "" if kpi.family == NO_FAMILY else f"{kpi.family}: "
    return f"{family}{kpi.kpi}{defects}"


def _title(kpi: Distribution) -> str:
    unit = unit_name(kpi.unit)
    return f"{kpi.kpi}, {unit}" if unit else kpi.kpi


def _chosen(by_kpi: Mapping[str, str | float]) -> str:
    """The value that belongs to the chosen KPI, as a Vega expression."""
    return f"({json.dumps(by_kpi)})[kpi]"


def _constant(kpi: Distribution) -> float:
    """The constant of the symmetric logarithm: the KPI's offset makes it log(value + offset)."""
    if kpi.offset:
        return amount(kpi.offset, kpi.unit)
    largest = max(abs(end) for bar in kpi.bars for end in (bar.begin, bar.end))
    return STRAIGHT * (amount(largest, kpi.unit) or 1)


def _place(kpi: Distribution, value: float) -> float:
    """The position of a value on the axis: its symmetric logarithm."""
    size = log1p(abs(amount(value, kpi.unit)) / _constant(kpi))
    return copysign(size, value)


def _rows(rows: list[Record]) -> alt.Chart:
    chart: alt.Chart = chart_of(rows).transform_filter("datum.kpi == kpi")
    return chart


def _ends(kpi: Distribution) -> tuple[float, float]:
    """The ends of the axis, which differ even if there is only one value."""
    begin = min(kpi.bars[0].begin, *(bounds.low for bounds in kpi.bounds.values()), inf)
    end = max(kpi.bars[-1].end, *(bounds.high for bounds in kpi.bounds.values()), -inf)
    around = 0.0 if begin < end else abs(begin) / 20 or 0.5
    return begin - around, end + around


def _bars(kpi: Distribution) -> Iterator[Record]:
    """The bars, each a stack of parts."""
    for bar in kpi.bars:
        no_defect = bar.cells - bar.defects - bar.not_judged
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
    # Explicit: Vega would derive the ends from limits and defects, which a KPI may not have.
    ends = [
        alt.expr(_chosen({kpi.kpi: amount(_ends(kpi)[end], kpi.unit) for kpi in kpis}))
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
    """The limit in words, with its range if it differs between cells."""
    median, low, high = (quantity(one, unit) for one in (bounds.median, bounds.low, bounds.high))
    begin = low.removesuffix(unit_name(unit)).rstrip()
    differing = "" if low == high else f" ({begin} to {high} by cell)"
    return f"bad {side} {median}{differing}"


def _bounds(kpi: Distribution) -> Iterator[Record]:
    begin, end = (_place(kpi, value) for value in _ends(kpi))
    for side, bounds in kpi.bounds.items():
        text = bound_text(side, bounds, kpi.unit)
        # The label goes to the side that has room for it.
        is_left = _place(kpi, bounds.median) <= (begin + end) / 2
        yield {
            "kpi": kpi.kpi,
            "bound": amount(bounds.median, kpi.unit),
            "low": amount(bounds.low, kpi.unit),
            "high": amount(bounds.high, kpi.unit),
            "text": text,
            "right_of_it": text if is_left else "",
            "left_of_it": "" if is_left else text,
        }


def _bound_marks(bounds: list[Record]) -> list[alt.Chart]:
    """A band from the lowest to the highest limit, a line at their median, and a label."""
    chart = _rows(bounds).encode(x="bound:Q", tooltip=["text:N"])
    # Above the bars, and above each other: a KPI may have a limit on either side.
    right_of_it = chart.mark_text(align="left", y=-WORDS_HEIGHT / 2)
    left_of_it = chart.mark_text(align="right", y=-3 * WORDS_HEIGHT / 2)
    return [
        _rows(bounds).mark_rect(color=BOUND, opacity=0.25).encode(x="low:Q", x2="high:Q"),
        chart.mark_rule(color=BOUND, strokeWidth=2, strokeDash=[6, 3]),
        right_of_it.encode(text="right_of_it:N"),
        left_of_it.encode(text="left_of_it:N"),
    ]


def defect_marks(kpis: Iterable[Distribution], cells: Iterable[Cell]) -> Iterator[Record]:
    """The defects of the cells; values beyond the outermost bars are drawn at the ends."""
    drawn = {kpi.kpi: kpi for kpi in kpis}
    for cell in cells:
        for kpi in cell.row.evidence or []:
            if kpi.flag == 1 and kpi.kpi in drawn:
                bars = drawn[kpi.kpi].bars
                value = min(max(kpi.value, bars[0].begin), bars[-1].end)
                at = {"kpi": kpi.kpi, "value": amount(value, kpi.unit)}
                yield at | {"cell": cell.name, "reason": kpi.reason}


def _defect_marks(marks: list[Record]) -> alt.Chart:
    chart: alt.Chart = (
        _rows(marks)
        .mark_tick(color=DEFECT, thickness=2, y="height", height=14)
        .encode(x="value:Q", tooltip=["cell:N", "reason:N"])
    )
    return chart
