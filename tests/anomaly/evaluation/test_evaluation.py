"""How good alarms are: figures by hand and by a second reckoning, and events from dirty files."""

import csv
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from statistics import median

import pyarrow
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession

from anomaly.errors import InputError
from anomaly.evaluation.known_events import (
    EVENT_COLUMNS,
    RULES,
    check_events,
    clean_events,
    conform_events,
    faulty_events,
)
from anomaly.evaluation.margins import Margins
from anomaly.evaluation.scores import evaluate
from runners.cli.main import main
from runners.storage.inputs import read_files
from tests.builders.literal_frames import BEGIN, at, in_memory, text

DAY = 24 * 60
CELL_DAYS = 14.0
USUAL = Margins()

# Cell, and minutes from the begin of the judged time; an event has also an end and a kind.
Alarm = tuple[str, float]
Event = tuple[str, float, float | None, str | None]


SUMMARY = [
    ("alarms", "judged", "cell days", CELL_DAYS, None),
    ("alarms", "judged", "from", None, "2026-01-26 00:00:00"),
    ("alarms", "judged", "until", None, "2026-02-02 00:00:00"),
    ("alarms", "raised", "WARN", 99.0, None),
]


def figures(
    spark: SparkSession,
    alarms: Sequence[Alarm],
    events: Sequence[Event],
    margins: Margins = USUAL,
    cell_days: float = CELL_DAYS,
) -> dict[tuple[str, str], float | None]:
    """The figures of in-memory alarms and events, by subject and item."""
    raised = in_memory(
        spark,
        "CellName string, raised_at timestamp",
        [(cell, text(raised)) for cell, raised in alarms],
    )
    known = in_memory(
        spark,
        "CellName string, kind string, started_at timestamp, ended_at timestamp",
        [(cell, kind, text(start), text(end)) for cell, start, end, kind in events],
    )
    judged = in_memory(
        spark,
        "judged_from timestamp, judged_until timestamp, cell_days double",
        [(text(0), text(7 * DAY), cell_days)],
    )
    rows = evaluate(raised, known, judged, raised.select("CellName"), margins).collect()
    found = {(row.subject, row.item): row.value for row in rows}
    assert len(found) == len(rows)
    return found


# --- by hand ------------------------------------------------------------------------------------


def test_figures_worked_by_hand(spark):
    events = [
        ("A", 60, 120, "outage"),  # found after 15 minutes
        ("A", 600, 660, "outage"),  # found 45 minutes after its begin
        ("B", 60, 120, "outage"),  # an alarm after 20 more minutes still finds it: 80 minutes
        ("B", 600, 660, "congestion"),  # the alarm 40 minutes after its end comes too late
        ("C", 60, 120, "congestion"),  # no alarm
    ]
    alarms = [
        *(("A", 75), ("A", 90), ("A", 645)),
        *(("B", 140), ("B", 700)),
        *(("A", 59), ("A", 300), ("D", 60)),  # too early, between, of another cell
    ]
    found = figures(spark, alarms, events)
    assert {item: value for (subject, item), value in found.items() if subject == "all"} == {
        "events": 5,
        "found events": 3,
        "recall": 3 / 5,
        "alarms": 8,
        "true alarms": 5,
        "false alarms": 3,
        "precision": 5 / 8,
        "F1": pytest.approx(2 * 0.6 * 0.625 / 1.225),
        "false alarms per cell and day": 3 / CELL_DAYS,
        "median delay in quarter hours": 3,  # of 1, 3 and 80 / 15
        "90 % delay in quarter hours": pytest.approx(3 + 0.8 * (80 / 15 - 3)),
    }
    assert found["kind: outage", "recall"] == 1
    assert found["kind: outage", "median delay in quarter hours"] == 3
    assert found["kind: congestion", "events"] == 2
    assert found["kind: congestion", "recall"] == 0
    assert found["kind: congestion", "median delay in quarter hours"] is None
    assert found["noted", "events of unknown cells"] == 1  # C


def test_an_alarm_counts_from_the_start_until_before_a_margin_after_the_end(spark):
    events = [(cell, 60, 120, None) for cell in "ABCDEF"]
    alarms = [("A", 60), ("B", 149.9), ("C", 150), ("D", 179.9), ("E", 180), ("F", 59.9)]
    found = figures(spark, alarms, events)
    assert (found["all", "found events"], found["all", "true alarms"]) == (2, 4)


def test_what_began_outside_of_the_judged_time_is_left_out_and_counted(spark):
    until = 7 * DAY
    events = [
        ("A", -60, 120, "outage"),  # began before: not counted, but its alarm is no false one
        ("A", 600, 660, "outage"),
        ("A", until - 15, until + 60, "outage"),
        ("A", until, until + 60, "outage"),
    ]
    alarms = [("A", -30), ("A", 30), ("A", 600), ("A", until)]
    found = figures(spark, alarms, events)
    assert (found["all", "events"], found["kind: outage", "events"]) == (2, 2)
    assert (found["all", "alarms"], found["all", "true alarms"]) == (2, 2)
    left_out = [value for (subject, _), value in found.items() if subject == "left out"]
    assert left_out == [1, 1, 2]


def test_open_and_overlapping_events(spark):
    events = [
        ("A", 60, None, "outage"),
        ("A", 600, 660, None),  # while the first one lasts
        ("A", 610, 620, None),
        ("B", 60, 120, None),
        ("B", 120, 180, None),  # when the first one has ended
    ]
    found = figures(spark, [("A", 6 * DAY), ("A", 615), ("B", 125)], events)
    assert found["noted", "events that have not ended"] == 1
    assert found["noted", "events that begin while another of their cell lasts"] == 2
    # One alarm may find several events, and is one true alarm.
    assert (found["all", "found events"], found["all", "true alarms"]) == (5, 3)
    assert (found["kind: outage", "events"], found["no kind", "events"]) == (1, 4)


def test_what_would_be_divided_by_nothing_is_no_data(spark):
    nothing = figures(spark, [], [], cell_days=0)
    counts = ("events", "found events", "alarms", "true alarms", "false alarms")
    assert all(nothing["all", item] == 0 for item in counts)
    assert all(
        value is None
        for (subject, item), value in nothing.items()
        if subject == "all" and item not in counts
    )
    all_wrong = figures(spark, [("A", 10)], [("A", 60, 120, None)])
    assert (all_wrong["all", "precision"], all_wrong["all", "F1"]) == (0, 0)


# --- by a second reckoning ----------------------------------------------------------------------

cells = st.sampled_from("ABCDE")
minutes = st.integers(-40, 7 * 96 + 40).map(lambda quarter: quarter * 15.0)
durations = st.one_of(st.none(), st.integers(0, 32).map(lambda quarter: quarter * 15.0))
kinds = st.sampled_from(["outage", "congestion", None])


@st.composite
def random_events(draw: st.DrawFn) -> list[Event]:
    rows = draw(st.lists(st.tuples(cells, minutes, durations, kinds), min_size=60, max_size=100))
    return [
        (cell, start, None if length is None else start + length, kind)
        for cell, start, length, kind in rows
    ]


def share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def quantile(values: Sequence[float], q: float) -> float | None:
    if not values:
        return None
    ordered, place = sorted(values), q * (len(values) - 1)
    low = ordered[int(place)]
    return low + (place % 1) * (ordered[min(int(place) + 1, len(values) - 1)] - low)


def reckoned(
    alarms: Sequence[Alarm], events: Sequence[Event], margins: Margins
) -> dict[tuple[str, str], float | None]:
    """The same figures alarm by alarm and event by event, in plain Python."""

    def belongs(alarm: Alarm, event: Event, margin: float) -> bool:
        (cell, raised), (of, start, end, _) = alarm, event
        return cell == of and start <= raised and (end is None or raised < end + margin)

    judged = [event for event in events if 0 <= event[1] < 7 * DAY]
    counted = [alarm for alarm in alarms if 0 <= alarm[1] < 7 * DAY]
    true = [one for one in counted if any(belongs(one, e, margins.aftermath) for e in events)]
    expected: dict[tuple[str, str], float | None] = {
        ("all", "alarms"): len(counted),
        ("all", "true alarms"): len(true),
        ("all", "precision"): share(len(true), len(counted)),
        ("all", "false alarms per cell and day"): (len(counted) - len(true)) / CELL_DAYS,
    }
    subjects = {"all": judged}
    for event in judged:
        subject = f"kind: {event[3]}" if event[3] else "no kind"
        subjects.setdefault(subject, []).append(event)
    for subject, those in subjects.items():
        first = [
            min((a[1] for a in alarms if belongs(a, e, margins.found_within)), default=None)
            for e in those
        ]
        found = [raised for raised in first if raised is not None]
        delays = [
            (raised - event[1]) / 15
            for raised, event in zip(first, those, strict=True)
            if raised is not None
        ]
        assert quantile(delays, 0.5) == (median(delays) if delays else None)
        expected |= {
            (subject, "events"): len(those),
            (subject, "found events"): len(found),
            (subject, "recall"): share(len(found), len(those)),
            (subject, "median delay in quarter hours"): quantile(delays, 0.5),
            (subject, "90 % delay in quarter hours"): quantile(delays, 0.9),
        }
    return expected


@settings(max_examples=2, deadline=None, derandomize=True, database=None, phases=[Phase.generate])
@given(
    alarms=st.lists(st.tuples(cells, minutes), min_size=60, max_size=120),
    events=random_events(),
    margins=st.builds(Margins, st.integers(0, 40), st.integers(40, 120)),
)
def test_a_second_reckoning_has_the_same_figures(spark, alarms, events, margins):
    found = figures(spark, alarms, events, margins)
    expected = reckoned(alarms, events, margins)
    assert {key: found[key] for key in expected} == {
        key: value if value is None else pytest.approx(value, rel=1e-12)
        for key, value in expected.items()
    }
    subjects = {subject for subject, _ in found} - {"judged", "left out", "noted"}
    assert subjects == {subject for subject, _ in expected}


# --- dirty truth --------------------------------------------------------------------------------


def checked(spark: SparkSession, path: Path) -> DataFrame:
    return check_events(read_files(spark, "truth", str(path), RULES, EVENT_COLUMNS, conform_events))


def test_events_are_read_as_meant(spark, tmp_path):
    (tmp_path / "truth.csv").write_bytes(
        b"\xef\xbb\xbfend , START,Note,cellname\r\n"
        b"2026-01-26 24:00,2026-01-26T06:15:00+01:00,x, 007 \r\n"
        b"\r\n"
        b'NULL,2026-01-26 05:15Z,"two\nlines",4CLTE\r\n'
    )
    frame = checked(spark, tmp_path / "truth.csv")
    rows = frame.orderBy("source_row").selectExpr(
        "CellName", "kind", "unix_timestamp(started_at)", "unix_timestamp(ended_at)", "problems"
    )
    start = int(BEGIN.timestamp()) + 315 * 60
    assert [tuple(row) for row in rows.collect()] == [
        ("007", None, start, start + (DAY - 315) * 60, []),
        ("4CLTE", None, start, None, []),
    ]


def test_events_in_parquet_may_have_times_of_any_type(spark, tmp_path):
    utc, naive = pyarrow.timestamp("us", "UTC"), pyarrow.timestamp("us")
    table = {
        "CellName": pyarrow.array([7, 8]),
        "start": pyarrow.array([BEGIN, BEGIN], utc),
        "end": pyarrow.array([datetime(2026, 1, 26, 1), None], naive),
    }
    parquet.write_table(pyarrow.table(table), tmp_path / "truth.parquet")
    rows = checked(spark, tmp_path).selectExpr(
        "CellName", "unix_timestamp(started_at)", "unix_timestamp(ended_at)"
    )
    begin = int(BEGIN.timestamp())
    assert [tuple(row) for row in rows.collect()] == [
        ("7", begin, begin + 3600),
        ("8", begin, None),
    ]


def test_each_fault_is_told_with_its_row_and_column(spark, tmp_path):
    rows = {
        "4CLTE,2026-01-26 10:00,2026-01-26 11:00,outage": [],
        ",2026-01-26 10:00,,": ["column CellName: is empty"],
        "4CLTE,N/A,,": ["column start: is empty"],
        "4CLTE,26.01.2026 10:00,,": ["column start: 26.01.2026 10:00 is no date with a time"],
        "4CLTE,10:00,2026-02-30 10:00,": ["column start: 10:00", "column end: 2026-02-30 10:00"],
        "4CLTE,2026-01-26 10:00,2026-01-26 09:59,": ["2026-01-26 09:59 is before the start, 2026"],
        "4CLTE,2026-01-26 10:00,2026-01-26 10:00,": [],
        "4CLTE,2026-01-26 10:00": ["has more or fewer fields than the header"],
        "4\xff,2026-01-26 10:00,,": ["column CellName: has bytes that are not UTF-8"],
    }
    content = "\n".join(("CellName,start,end,kind", *rows))
    (tmp_path / "truth.csv").write_bytes(content.encode("latin-1"))
    frame = checked(spark, tmp_path)
    told = {row.source_row: row.problems for row in faulty_events(frame).collect()}
    for number, problems in enumerate(rows.values(), start=1):
        found = told.get(number, [])
        assert len(found) == len(problems)
        assert all(part in whole for part, whole in zip(problems, found, strict=True))
    assert clean_events(frame).count() == 2


def test_a_missing_column_is_named(spark, tmp_path):
    (tmp_path / "truth.csv").write_text("CellName;start;end\n")
    with pytest.raises(
        InputError, match=r"truth \(.*truth.csv\): columns CellName, start, end are missing"
    ):
        checked(spark, tmp_path)


# --- the command --------------------------------------------------------------------------------


def write_tables(
    folder: Path,
    alarms: Sequence[Alarm],
    summary: Sequence[tuple] = SUMMARY,
    day: date = date(2026, 2, 2),
) -> None:
    """The three tables of a run for alarms, with the columns that matter here."""
    raised = pyarrow.array([at(one) for _, one in alarms], pyarrow.timestamp("us", "UTC"))
    tables = {
        "cell_alarms": {
            "CellName": pyarrow.array([cell for cell, _ in alarms], pyarrow.string()),
            "raised_at": raised,
        },
        "cell_sample_anomalies": {"CellName": ["A", "B"]},
        "run_summary": {
            name: pyarrow.array([row[place] for row in summary], type_)
            for place, (name, type_) in enumerate(
                (
                    ("section", pyarrow.string()),
                    ("subject", pyarrow.string()),
                    ("item", pyarrow.string()),
                    ("value", pyarrow.float64()),
                    ("detail", pyarrow.string()),
                )
            )
        },
    }
    for name, columns in tables.items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        table = pyarrow.table(columns)
        table = table.append_column("run_date", pyarrow.array([day] * len(table), pyarrow.date32()))
        parquet.write_table(table, folder / name / f"{day}.parquet")


@pytest.fixture
def places(spark, tmp_path):
    """A folder with alarms of a run, and events that fit them."""
    write_tables(tmp_path / "alarms", [("A", 75), ("A", 300)])
    truth = tmp_path / "truth.csv"
    truth.write_text(
        "CellName,start,end,kind\n"
        "A,2026-01-26 01:00,2026-01-26 02:00,outage\n"
        "X,2026-01-26 01:00,,congestion\n"
        "A,2026-01-25 01:00,2026-01-25 02:00,outage\n"
    )
    return tmp_path


def command(folder: Path, **other: object) -> int:
    options = {"truth": folder / "truth.csv", "alarms": folder / "alarms"} | other
    named = ((f"--{name.replace('_', '-')}", str(value)) for name, value in options.items())
    return main(["evaluate", *(part for pair in named for part in pair)])


def test_the_command_prints_the_figures_and_writes_them(places, capfd):
    before = sorted(places.rglob("*"))
    # The alarm at 5:00 belongs to what ended at 2:00 only because of the margin.
    assert command(places, aftermath=181, out=places / "figures.csv") == 0
    assert sorted(places.rglob("*")) == sorted((*before, places / "figures.csv"))
    assert capfd.readouterr().out.splitlines() == [
        f"Alarms of {places}/alarms, 2026-01-26 00:00:00 to 2026-02-02 00:00:00 UTC, "
        "14.0 cell days:",
        "  1 of 2 events found: recall 50.0%",
        "  2 of 2 alarms true: precision 100.0%, F1 66.7%",
        "  0 alarms false: 0.000 per cell and day",
        "  delay in quarter hours: median 1.0, 90 % 1.0",
        "",
        "  kind        events  found  recall  median delay  90 % delay",
        "  congestion       1      0    0.0%       no data     no data",
        "  outage           1      1  100.0%           1.0         1.0",
        "",
        "left out, events before the judged time: 1",
        "noted, events that have not ended: 1",
        "noted, events of unknown cells: 1",
        "noted, unknown cells: 1",
        "The alarm tables do not name the unknown cells, so their events count as not found. "
        "Check these names: X",
    ]
    with (places / "figures.csv").open(newline="") as file:
        written = {(row["subject"], row["item"]): row for row in csv.DictReader(file)}
    assert written["all", "recall"]["value"] == "0.5"
    assert written["kind: congestion", "median delay in quarter hours"]["value"] == ""
    assert written["judged", "until"]["detail"] == "2026-02-02 00:00:00"
    assert written["noted", "unknown cells"]["detail"] == "X"


@pytest.mark.slow
@pytest.mark.classic
def test_no_events_are_no_data_for_what_was_published_last_in_a_bucket(places, capfd):
    (places / "truth.csv").write_text("CellName,start,end\n")
    bucket = places / "bucket"
    for run_id, day in (("old", 1), ("new", 2)):
        run_date = date(2026, 2, day)
        write_tables(bucket / "runs" / run_id, [("A", 75)] if run_id == "new" else [], day=run_date)
        (bucket / "published" / run_id).mkdir(parents=True)
        parquet.write_table(
            pyarrow.table(
                {
                    "run_id": [run_id],
                    "run_date": [run_date],
                    "published_at": [datetime(2026, 2, day)],
                }
            ),
            bucket / "published" / run_id / "part.parquet",
        )
    assert command(places, alarms=f"file://{bucket}") == 0
    out = capfd.readouterr().out
    assert "  0 of 0 events found: recall no data\n" in out
    assert "  0 of 1 alarms true: precision 0.0%, F1 no data\n" in out
    assert "kind" not in out


@pytest.mark.slow
def test_the_last_day_is_evaluated_or_every_day(places, capfd):
    # The alarm that stands is a row of each day, and counts once.
    write_tables(places / "alarms", [("A", 75)], day=date(2026, 2, 3))
    assert command(places) == 0
    assert "14.0 cell days:\n  1 of 2 events found" in (out := capfd.readouterr().out)
    assert "  1 of 1 alarms true" in out
    arguments = ["--truth", f"{places}/truth.csv", "--alarms", f"{places}/alarms", "--every-day"]
    assert main(["evaluate", *arguments]) == 0
    assert "28.0 cell days:\n  1 of 2 events found" in (out := capfd.readouterr().out)
    assert "  1 of 2 alarms true" in out


def test_faulty_events_are_refused_by_row(places, capfd):
    begin = "A,2026-01-26 01:00,"
    rows = (f"{begin},", "A,26.1.2026,,", *[f"{begin}yesterday,"] * 10)
    (places / "truth.csv").write_text("\n".join(("CellName,start,end,kind", *rows)))
    assert command(places) == 3
    told = capfd.readouterr().err
    assert "truth.csv, row 2: column start: 26.1.2026 is no date with a time" in told
    assert "row 11: column end: yesterday is no date" in told
    assert "row 12" not in told
    assert told.endswith("  - and more\n")


@pytest.mark.parametrize(
    ("other", "code", "said"),
    [
        ({"found_within": -1}, 2, "--found-within is less than 0 minutes"),
        ({"aftermath": 29}, 2, "--aftermath is shorter than --found-within"),
        ({"out": "truth.csv"}, 2, "is the folder of the truth input"),
        ({"out": "alarms/cell_alarms/x.csv"}, 2, "lies inside the alarms input"),
        ({"out": "gs://bucket/x.csv"}, 2, "--out: give a file on this machine"),
        ({"prefix": "lab"}, 2, "--prefix is only for bq://"),
        ({"truth": "nowhere.csv"}, 3, "/nowhere.csv does not exist"),
        ({"alarms": "nowhere"}, 3, "holds no tables of `alarms`"),
        ({"alarms": "of_a_run"}, 3, "run_summary does not say what `alarms` has judged"),
        ({"out": "nowhere/figures.csv"}, 4, "figures.csv: its folder does not exist"),
    ],
)
def test_what_is_refused(places, capfd, other, code, said):
    write_tables(places / "of_a_run", [], SUMMARY[:1])
    is_path = {name: isinstance(value, str) and "://" not in value for name, value in other.items()}
    given = {name: places / value if is_path[name] else value for name, value in other.items()}
    assert command(places, **given) == code
    assert said in capfd.readouterr().err
