"""Times as operators send them: which samples belong to a run, and what becomes of the others."""

from datetime import date, datetime, timedelta

import pytest

from anomaly.cleaning.sample_times import main_span
from runners.cli.main import main
from tests.builders.dated_inputs import PROFILE_TEXT, write_days
from tests.builders.small_inputs import write_csv

# A Monday, with which baselines begin to be used.
MONDAY = date(2026, 1, 12)
SUNDAY = MONDAY - timedelta(days=1)
HEADER = ["Time", "CellName", "load"]
LOADS = {"1A": [10] * 7 + [40], "2B": [10] * 8}
OUTSIDE, BAD = "outside_run", "bad_time"


@pytest.fixture
def inputs(tmp_path):
    """Seven days, and the Monday after them, on which 1A is loaded."""
    return write_days(tmp_path / "in", MONDAY - timedelta(days=7), LOADS)


class Command:
    """A command on these inputs, with the rows that a file of its own adds to the Monday."""

    def __init__(self, tmp_path, places):
        self.folder, self.places = tmp_path, places
        (tmp_path / "profile.toml").write_text(PROFILE_TEXT)

    def add(self, *rows, name="more"):
        """Samples of the Monday's folder, in a file of their own."""
        write_csv(self.folder / "in" / "samples" / str(MONDAY) / f"{name}.csv", HEADER, rows)

    def _common(self, day, out):
        history = self.places["samples"].replace("/{run_date}", "")
        return [
            "--profile", f"{self.folder}/profile.toml", "--run-date", str(day),
            "--out", f"{self.folder}/{out}", "--samples", self._of_monday("samples"),
            "--history", history,
        ]  # fmt: skip

    def _of_monday(self, source):
        return self.places[source].replace("{run_date}", str(MONDAY))

    def run(self, day=MONDAY, out="out"):
        others = ["--customers", self._of_monday("customers")]
        others += ["--calls", self._of_monday("call_statistics")]
        return main(["run", *self._common(day, out), *others])

    def alarms(self, day=MONDAY, out="out"):
        return main(["alarms", *self._common(day, out)])


@pytest.fixture
def command(tmp_path, inputs):
    return Command(tmp_path, inputs)


def rows(spark, folder, table):
    frame = spark.read.parquet(f"{folder}/{table}").drop("run_id")
    return sorted((row.asDict(recursive=True) for row in frame.collect()), key=str)


def rejected(spark, out):
    found = spark.read.parquet(f"{out}/rejected_rows").where("source = 'samples'").collect()
    return sorted((row.raw_row.split(",")[0], row.reason) for row in found)


STRAYED = [
    ("1970-01-01 00:15", "2B", 10),
    (f"{MONDAY - timedelta(days=3)} 12:00", "2B", 10),
    (f"{MONDAY + timedelta(days=90)} 00:00", "2B", 10),
]


# --- with and without dates -----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("first", ["hh:mm", "#VALUE!", "10:00"])
def test_what_most_samples_are_decides_whether_they_are_dated(spark, command, tmp_path, first):
    assert command.run(out="before") == 0
    # Its name makes it the first file, and so its row the first one.
    command.add((first, "2B", 10), name="a")
    assert command.run() == 0
    assert rejected(spark, tmp_path / "out") == [(first, BAD)]
    for table in ("cell_alarms", "cell_sample_anomalies", "cell_tower_performance_data"):
        assert rows(spark, tmp_path / "out", table) == rows(spark, tmp_path / "before", table)
    assert [row["CellName"] for row in rows(spark, tmp_path / "out", "cell_alarms")] == ["1A"]


@pytest.mark.slow
def test_a_dated_sample_among_others_without_dates_is_rejected(spark, command, tmp_path):
    undated = [(f"{hour:02}:00", cell, 10) for hour in (0, 6, 12, 18) for cell in ("1A", "2B")]
    folder = tmp_path / "undated"
    write_csv(folder / "samples.csv", HEADER, [(f"{MONDAY} 00:00", "1A", 10), *undated])
    command.places["samples"] = str(folder)
    assert command.run() == 2
    arguments = [f"--customers={command._of_monday('customers')}", f"--samples={folder}"]
    arguments += [f"--calls={command._of_monday('call_statistics')}", f"--out={tmp_path}/out"]
    arguments += [f"--profile={tmp_path}/profile.toml", f"--run-date={MONDAY}"]
    assert main(["run", *arguments]) == 0
    assert rejected(spark, tmp_path / "out") == [(f"{MONDAY} 00:00", BAD)]


@pytest.mark.slow
def test_a_day_does_not_lose_its_alarms_without_a_word(spark, command, tmp_path, capsys):
    assert command.run() == 0
    alarms = rows(spark, tmp_path / "out", "cell_alarms")
    samples = tmp_path / "undated.csv"
    write_csv(samples, HEADER, [("00:00", "1A", 10), ("06:00", "2B", 10)])
    arguments = [f"--customers={command._of_monday('customers')}", f"--samples={samples}"]
    arguments += [f"--calls={command._of_monday('call_statistics')}", f"--out={tmp_path}/out"]
    arguments += [f"--profile={tmp_path}/profile.toml", f"--run-date={MONDAY}"]
    assert main(["run", *arguments]) == 3
    assert f"those that are published of {MONDAY} would be lost" in capsys.readouterr().err
    assert rows(spark, tmp_path / "out", "cell_alarms") == alarms


# --- the day of a run -----------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run", "alarms"])
def test_times_that_do_not_belong_to_the_run_change_nothing_else(spark, command, tmp_path, name):
    start = getattr(command, name)
    # Beside so many cells a sample alone is few.
    cells = [(f"{MONDAY} {hour:02}:00", f"{n}X", 10) for hour in (0, 6, 12, 18) for n in range(40)]
    command.add(*cells, name="cells")
    assert start(out="before") == 0
    command.add(*STRAYED)
    assert start() == 0
    assert rejected(spark, tmp_path / "out") == sorted((time, OUTSIDE) for time, _, _ in STRAYED)
    for table in ("cell_alarms", "cell_sample_anomalies"):
        assert rows(spark, tmp_path / "out", table) == rows(spark, tmp_path / "before", table)
    assert [row["CellName"] for row in rows(spark, tmp_path / "out", "cell_alarms")] == ["1A"]


@pytest.mark.slow
def test_a_run_judges_its_day_alone(spark, command, tmp_path, caplog):
    assert command.run(out="before") == 0
    before = [(f"{SUNDAY} {hour:02}:00", "1A", 10) for hour in (0, 6, 12, 18)]
    after = [(f"{MONDAY + timedelta(days=1)} 00:00", "1A", 10)]
    # The end of its own day, and a clock that is a second early.
    own = [(f"{MONDAY} 24:00", "3C", 10), (f"{SUNDAY} 23:59:59", "3C", 10)]
    command.add(*before, *after, *own)
    assert command.run() == 0
    assert rejected(spark, tmp_path / "out") == [(row[0], OUTSIDE) for row in (*before, *after)]
    assert "5 rows from other days than 2026-01-12" in caplog.text
    cells = {
        row["CellName"]: row["avg_load"]
        for row in rows(spark, tmp_path / "out", "cell_tower_performance_data")
    }
    assert cells == {"1A": 40, "2B": 10, "3C": 10}


def test_a_run_refuses_samples_without_its_day(spark, command, tmp_path, capsys):
    assert command.run(day=date(2031, 5, 5)) == 3
    told = capsys.readouterr().err
    assert "no sample is from 2031-05-05" in told
    assert "2026-01-12 (8 rows)" in told
    assert not (tmp_path / "out" / "cell_alarms").exists()


def test_the_span_of_alarms_is_that_of_most_samples():
    # A day and a half of 20 cells, an outage of ten hours, and the first quarter hour after it.
    day = {period: 20 for period in range(1000, 1144)}
    after = {1184: 20}
    assert main_span(day | after) == (1000, 1184)
    assert main_span(day | after | {1: 1, 700: 1, 701: 1, 9000: 2}) == (1000, 1184)
    # What joins on, or fills a gap, is no stray.
    assert main_span(day | {992: 1, 1150: 1}) == (992, 1150)
    # Of one cell.
    assert main_span({1: 1} | dict.fromkeys(range(1000, 1090), 1)) == (1000, 1089)
    assert main_span({5: 1}) == (5, 5)


# --- how often, and until when --------------------------------------------------------------------


@pytest.mark.slow
def test_cells_that_report_less_often_than_the_profile_says_are_refused(command, tmp_path, capsys):
    profile = tmp_path / "profile.toml"
    profile.write_text(PROFILE_TEXT.replace("period_minutes = 360", "period_minutes = 180"))
    assert command.alarms() == 3
    assert (
        "2 of 2 cells report less often than every 180 minutes, most of them every 360; "
        "set period_minutes = 360"
    ) in capsys.readouterr().err
    # Neither what stands nor what is staged is there.
    assert not (tmp_path / "out" / "cell_alarms").exists()


@pytest.mark.slow
def test_cells_that_report_less_often_than_their_history_are_refused(command, tmp_path, capsys):
    """Each three hours until now, each six from this day on: that is no silence."""
    for day in (MONDAY - timedelta(days=n) for n in range(1, 8)):
        between = [(f"{day} {hour:02}:00", cell, 10) for hour in (3, 9, 15, 21) for cell in LOADS]
        write_csv(tmp_path / "in" / "samples" / str(day) / "between.csv", HEADER, between)
    profile = tmp_path / "profile.toml"
    profile.write_text(PROFILE_TEXT.replace("period_minutes = 360", "period_minutes = 180"))
    assert command.run() == 3
    assert "set period_minutes = 360" in capsys.readouterr().err


@pytest.mark.slow
def test_it_is_told_until_when_samples_reach_and_which_cells_are_behind(
    spark, command, tmp_path, caplog, capsys
):
    """The feed stops after 06:00, with 2B behind since 18:00 of the day before."""
    write_csv(
        tmp_path / "in" / "samples" / str(MONDAY) / "samples.csv",
        HEADER,
        [(f"{MONDAY} {hour}", cell, 10) for hour in ("00:00", "06:00") for cell in ("1A", "3C")],
    )
    assert command.run() == 0
    assert (
        "samples end at 2026-01-12 12:00:00 UTC, 2 periods before the end of the day; "
        "1 of 3 cells end earlier"
    ) in caplog.text
    figures = {
        (row["subject"], row["item"]): row["value"]
        for row in rows(spark, tmp_path / "out", "run_summary")
        if row["section"] == "alarms"
    }
    assert figures["samples", "cells"] == 3
    assert figures["samples", "cells behind"] == 1
    assert figures["samples", "periods lacking at the end"] == 2
    assert figures["minutes between samples", "360"] == 2
    assert main(["show", f"{tmp_path}/out/cell_tower_performance_data"]) == 0
    assert "cell days, from 2026-01-12 00:00:00 to 2026-01-12 12:00:00 UTC; " in (
        capsys.readouterr().out
    )


@pytest.mark.slow
def test_a_clock_that_is_a_second_early_is_no_silence(spark, command, tmp_path):
    def stamps(cell, early):
        return [
            (f"{datetime(2026, 1, 12, hour) - timedelta(seconds=early * (n % 2))}", cell, 10)
            for n, hour in enumerate((0, 6, 12, 18))
        ]

    command.add(*stamps("3C", 1), *stamps("4D", 29))
    assert command.run() == 0
    found = rows(spark, tmp_path / "out", "cell_sample_anomalies")
    assert {row["CellName"] for row in found} == {"1A"}


@pytest.mark.slow
def test_the_last_second_of_a_day_is_of_the_day(spark, command, tmp_path, caplog):
    """Of stamps that name the end of a period, the last is a second before midnight."""
    ends = [(f"{MONDAY} {hour:02}:59:59", "3C", 10) for hour in (5, 11, 17, 23)]
    command.add(*ends)
    assert command.run() == 0
    assert rejected(spark, tmp_path / "out") == []
    assert "of other days" not in caplog.text
    (cell,) = (
        row
        for row in rows(spark, tmp_path / "out", "cell_tower_performance_data")
        if row["CellName"] == "3C"
    )
    assert cell["sample_count"] == 4
