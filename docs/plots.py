"""The plots of docs/concepts.md, from what the library says of sample data.

The figures are kept beside the plots, so that a test can compare them with those of today.
"""

import json
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly import AlarmRequest, Profile, detect, raise_alarms
from anomaly.history.maintenance import maintenance_history
from docs.example_files import FAULTY_CELL, LAST_DAY, days
from runners.notebook import computed_once, session
from runners.report.drawing import BOUND, DEFECT, NEAR, NO_DEFECT, QUIET
from runners.sample import write_sample

Rows = list[dict[str, Any]]

IMAGES = Path(__file__).parent / "images"
FIGURES = IMAGES / "figures.json"
WIDTH = 480
KPI, KPI_WORDS = "PRBUsageDL", "resource blocks in use, downlink (%)"
# Verdicts of three cells on seven days: Required or not, or none.
VERDICTS = {
    "one bad day": "..R....",
    "a lasting fault": ".RRRR..",
    "a fault that returns": "RR..RR.",
}
WORDS = {"R": "Required", ".": "Not Required"}
FIRST_DAY = date(2026, 11, 2)


def measure() -> dict[str, Rows]:
    """The figures of each plot."""
    spark = session()
    with tempfile.TemporaryDirectory() as folder:
        sample, of_days = Path(folder, "sample"), Path(folder, "days")
        write_sample(spark, 1, 42, str(sample))
        days(sample, of_days)
        cells = _cells(spark, sample)
        found = {
            "peers": _peers(cells),
            "families": _families(cells),
            "alarm": _alarm(spark, of_days),
            "history": _history(spark),
        }
    rounded: dict[str, Rows] = json.loads(
        json.dumps(found), parse_float=lambda n: float(f"{float(n):.4g}")
    )
    return rounded


def _cells(spark: SparkSession, sample: Path) -> DataFrame:
    inputs = {
        name: spark.read.csv(str(sample / name), header=True)
        for name in ("samples", "call_statistics")
    }
    return detect(
        inputs["samples"],
        customers=spark.read.parquet(str(sample / "customers")),
        calls=inputs["call_statistics"],
        profile=Profile.load("default"),
        keep=computed_once,
    ).cells


def _peers(cells: DataFrame) -> Rows:
    judged = cells.select("CellName", F.explode("evidence").alias("kpi")).where(
        (F.col("kpi.kpi") == KPI) & F.col("kpi.flag").isNotNull()
    )
    of_kpi = ("value", "bound", "baseline", "flag", "peers")
    return _rows(judged.select("CellName", *(f"kpi.{name}" for name in of_kpi)), "CellName")


def _families(cells: DataFrame) -> Rows:
    required = cells.where("Maintainence_Required = 'Required'")
    states = required.select(
        "CellName", "severity_rank", F.explode("evidence").alias("kpi"), "failed_families"
    ).groupBy("CellName", "severity_rank", F.col("kpi.family").alias("family"))
    counted = states.agg(
        F.sum("kpi.flag").alias("defects"),
        F.count("kpi.flag").alias("judged"),
        F.bool_or(F.array_contains("failed_families", F.col("kpi.family"))).alias("fails"),
    )
    return _rows(counted, "severity_rank", "family")


def _alarm(spark: SparkSession, of_days: Path) -> Rows:
    """A cell on its last day, slot by slot, with the range of the days before and its limits."""
    samples = spark.read.csv([str(path) for path in of_days.glob("samples/*")], header=True)
    of_cell = samples.where(F.col("CellName") == FAULTY_CELL)
    is_last = F.col("Date") == str(LAST_DAY)
    found = raise_alarms(
        of_cell.where(is_last),
        profile=Profile.load("default"),
        alarms=AlarmRequest(history=of_cell.where(~is_last)),
    )
    of_kpi = F.col("kpi") == "downlink_resource_blocks"
    clock = F.date_format("time", "HH:mm")
    limits = {
        row.clock: row.bound
        for row in found.anomalies.where(of_kpi).select(clock.alias("clock"), "bound").collect()
    }
    alarm = found.alarms.select(
        *(F.date_format(end, "HH:mm").alias(end) for end in ("raised_at", "cleared_at"))
    ).collect()
    spans = [{"what": "alarm", "time": one.raised_at, "until": one.cleared_at} for one in alarm]
    value = F.col(KPI).cast("double")
    slots = of_cell.groupBy("Time").agg(
        F.max(F.when(is_last, value)).alias("value"),
        F.min(F.when(~is_last, value)).alias("lowest_before"),
        F.max(F.when(~is_last, value)).alias("highest_before"),
    )
    points = [
        {"what": "slot", "limit": limits.get(row["time"]), **row.asDict()}
        for row in slots.withColumnRenamed("Time", "time").orderBy("time").collect()
    ]
    return [*spans, *points]


def _history(spark: SparkSession) -> Rows:
    rules = Profile.load("default").history
    dates = [FIRST_DAY + timedelta(days=n) for n in range(7)]
    verdicts = [
        (cell, day, WORDS[letter], 1, 0, 10)
        for cell, letters in VERDICTS.items()
        for day, letter in zip(dates, letters, strict=True)
    ]
    columns = (
        "CellName string, run_date date, Maintainence_Required string, severity_rank bigint, "
        "defected_count int, evaluated_kpis int"
    )
    states = maintenance_history(spark.createDataFrame(verdicts, columns), dates, None, rules)
    shown = states.select(
        "CellName",
        F.dayofmonth("run_date").alias("day"),
        F.col("Maintainence_Required").alias("verdict"),
        "state",
    )
    return _rows(shown, "CellName", "day")


def _rows(frame: DataFrame, *order: str) -> Rows:
    return [row.asDict() for row in frame.orderBy(*order).collect()]


def draw(figures: dict[str, Rows]) -> dict[str, alt.TopLevelMixin]:
    """The plots by name."""
    return {
        "peers": _draw_peers(figures["peers"]),
        "families": _draw_families(figures["families"]),
        "alarm": _draw_alarm(figures["alarm"]),
        "history": _draw_history(figures["history"]),
    }


def _chart(rows: Rows) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def _draw_peers(rows: Rows) -> alt.TopLevelMixin:
    place = alt.Y("peers:N", title=None)
    over = alt.Scale(type="log")
    cells = (
        _chart(rows)
        .mark_circle(size=60, opacity=0.8)
        .encode(
            x=alt.X("value:Q", title=KPI_WORDS, scale=over),
            y=place,
            color=alt.Color(
                "flag:N",
                title=None,
                scale=alt.Scale(domain=[0, 1], range=[NO_DEFECT, DEFECT]),
                legend=alt.Legend(labelExpr="datum.label == '1' ? 'defect' : 'no defect'"),
            ),
        )
    )
    lines = [
        _chart(rows)
        .mark_tick(thickness=2, size=30, color=color)
        .encode(x=alt.X(of, scale=over), y=place)
        for of, color in (("baseline:Q", QUIET), ("bound:Q", BOUND))
    ]
    return alt.layer(cells, *lines).properties(width=WIDTH, height=110)


def _draw_families(rows: Rows) -> alt.TopLevelMixin:
    base = _chart(rows).encode(
        x=alt.X("family:N", title=None, axis=alt.Axis(labelAngle=-30, orient="top")),
        y=alt.Y("CellName:N", title=None, sort=alt.EncodingSortField("severity_rank", op="min")),
    )
    fields = base.mark_rect(stroke="white").encode(
        color=alt.Color(
            "fails:N",
            title=None,
            scale=alt.Scale(domain=[False, True], range=["#dceefa", DEFECT]),
            legend=alt.Legend(labelExpr="datum.label == 'true' ? 'family fails' : 'it does not'"),
        )
    )
    words = (
        base.mark_text()
        .encode(text="label:N")
        .transform_calculate(
            label="datum.defects == null ? '' : datum.defects + ' of ' + datum.judged"
        )
    )
    return alt.layer(fields, words).properties(width=WIDTH, height=alt.Step(22))


def _draw_alarm(rows: Rows) -> alt.TopLevelMixin:
    for row in rows:
        row |= {end: f"{LAST_DAY}T{row[end]}:00Z" for end in ("time", "until") if end in row}
    over_time = alt.X(
        "time:T",
        title=f"time of day (UTC), cell {FAULTY_CELL}",
        scale=alt.Scale(type="utc"),
        axis=alt.Axis(format="%H:%M"),
    )
    over = alt.Scale(type="log")

    def of(what: str) -> Rows:
        return [row for row in rows if row["what"] == what]

    span = _chart(of("alarm")).mark_rect(opacity=0.25, color=NEAR).encode(x=over_time, x2="until:T")
    slots = _chart(of("slot")).encode(x=over_time)
    before = slots.mark_area(opacity=0.3, color=QUIET).encode(
        y=alt.Y("lowest_before:Q", title=KPI_WORDS, scale=over), y2="highest_before:Q"
    )
    today = slots.mark_circle(size=24, opacity=1, color=DEFECT).encode(
        y=alt.Y("value:Q", scale=over)
    )
    limit = (
        _chart([row for row in of("slot") if row["limit"]])
        .mark_tick(thickness=2, width=6, orient="horizontal", color=BOUND)
        .encode(x=over_time, y=alt.Y("limit:Q", scale=over))
    )
    return alt.layer(span, before, today, limit).properties(width=WIDTH, height=200)


def _draw_history(rows: Rows) -> alt.TopLevelMixin:
    colors = {
        "HEALTHY": NO_DEFECT,
        "WATCHED": "#F0E442",
        "NEW": DEFECT,
        "PERSISTING": "#A34700",
        "FLAPPING": BOUND,
        "RECOVERED": "#009E73",
    }
    base = _chart(rows).encode(
        x=alt.X("day:O", title="day", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("CellName:N", title=None, sort=list(VERDICTS), axis=alt.Axis(labelLimit=0)),
    )
    fields = base.mark_rect(stroke="white").encode(
        color=alt.Color(
            "state:N",
            title="state",
            scale=alt.Scale(domain=list(colors), range=list(colors.values())),
        )
    )
    letters = (
        base.mark_text(fontWeight="bold")
        .encode(text="letter:N")
        .transform_calculate(letter="datum.verdict == 'Required' ? 'R' : ''")
    )
    return alt.layer(fields, letters).properties(width=WIDTH * 0.7, height=alt.Step(26))


def write() -> None:
    """Measure, and write figures and plots."""
    figures = measure()
    FIGURES.write_text(json.dumps(figures, indent=0) + "\n", encoding="utf-8")
    for name, chart in draw(figures).items():
        svg = vl_convert.vegalite_to_svg(chart.configure(background="white").to_json())
        (IMAGES / f"{name}.svg").write_text(svg, encoding="utf-8")
