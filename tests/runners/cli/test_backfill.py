"""Days that are run in turn: what is redone when, and that it comes to the same as all at once."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from pyspark.sql import functions as F

from anomaly import InputError
from anomaly.alarms.periods import history_begin
from anomaly.pipeline.output_tables import TABLES_OF_A_RUN, TABLES_OF_ALARMS
from anomaly.schema.tables import CELL_TABLE, SUMMARY_TABLE
from runners.cli.backfill import Backfill, run_days
from runners.cli.main import main
from runners.storage.places import destination_of
from tests.builders.dated_inputs import DATED_PROFILE, write_day, write_days

# A Sunday: on the Monday after it other baselines begin.
FIRST = date(2026, 1, 11)
DAYS = [FIRST + timedelta(days=place) for place in range(3)]
LOADS = {"1A": [10, 40, 40], "2B": [30, None, 10], "3C": [10, 10, 10]}


def backfill_of(inputs, out, days=DAYS):
    return Backfill(DATED_PROFILE, inputs, destination_of(str(out)), days[0], days[-1])


def reasons(spark, backfill):
    return [done.reasons for done in run_days(spark, backfill)]


def rows(spark, out):
    """The rows of each table, without what tells runs apart."""
    found = {}
    for name in (*TABLES_OF_A_RUN, *TABLES_OF_ALARMS):
        frame = spark.read.parquet(f"{out}/{name}").drop("run_id")
        if name == SUMMARY_TABLE:
            frame = frame.where("section NOT IN ('seconds', 'origin')")
        found[name] = sorted(map(str, frame.collect()))
    return found


def files(out: Path):
    return {
        (file.parent.parent.name, file.parent.name, file.stat().st_ino)
        for file in out.glob("*/*/*.parquet")
    }


@pytest.mark.slow
def test_a_day_at_a_time_late_data_and_a_day_that_fails_come_to_the_same(spark, tmp_path, capfd):
    places = write_days(tmp_path / "in", FIRST, LOADS)
    each, whole = tmp_path / "each", tmp_path / "whole"
    # The samples of the last day have not come yet.
    last = tmp_path / "in" / "samples" / str(DAYS[2])
    shutil.move(last, tmp_path / "later")
    with pytest.raises(InputError, match=f"{DAYS[2]} does not exist"):
        reasons(spark, backfill_of(places, each))
    shutil.move(tmp_path / "later", last)
    assert reasons(spark, backfill_of(places, each)) == [[], [], ["is not published yet"]]
    assert reasons(spark, backfill_of(places, each)) == [[], [], []]
    assert f"{DAYS[1]}  as published" in capfd.readouterr().err

    before = files(each)
    write_day(tmp_path / "in", DAYS[1], {"2B": 10}, late=True)
    assert reasons(spark, backfill_of(places, each)) == [
        [],
        ["the samples changed (1 file before, 2 now)"],
        [
            "the samples of earlier days, which its alarms depend on, changed "
            "(2 files before, 3 now)"
        ],
    ]
    # The day before the late samples has its very files.
    assert {file for file in before if file[1] == f"run_date={FIRST}"} <= files(each)

    assert reasons(spark, backfill_of(places, whole)) == [["is not published yet"]] * 3
    assert rows(spark, each) == rows(spark, whole)
    of_late_cell = spark.read.parquet(f"{each}/{CELL_TABLE}").where("CellName = '2B'")
    # To Sail the names of folders are texts.
    days = of_late_cell.withColumn("run_date", F.to_date("run_date")).collect()
    assert {row.run_date: row.Maintainence_Required for row in days} == {
        DAYS[0]: "Required",
        DAYS[1]: "Not Required",
        DAYS[2]: "Not Required",
    }


def test_alarms_of_a_day_rest_on_its_week_and_on_the_days_before_that():
    monday = date(2026, 1, 12)
    for day in (monday, monday + timedelta(days=6)):
        assert history_begin(day, DATED_PROFILE.alarms) == date(2026, 1, 5)
    assert history_begin(FIRST, DATED_PROFILE.alarms) == date(2025, 12, 29)


def test_what_cannot_be_run_in_turn_is_told_at_once(capsys):
    arguments = ["--customers", "c", "--samples", "s", "--from", "2026-01-02", "--to", "2026-01-01"]
    assert main(["backfill", *arguments]) == 2
    told = capsys.readouterr().err
    for part in (
        "the call_statistics input is missing",
        "--samples must contain {run_date}",
        "--from is after --to",
    ):
        assert part in told
