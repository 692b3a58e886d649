"""Days in a folder: each run owns its own, and nothing else changes."""

import errno
import os
import shutil
from datetime import date, timedelta

import pytest
from pyspark.sql import functions as F

from anomaly import ConfigurationError, OutputError, Run
from anomaly.schema.inputs import Column
from anomaly.schema.tables import CELL_TABLE, HISTORY_TABLE
from runners.storage.destination import Publishing
from runners.storage.parquet_folder import LocalFolder
from runners.storage.places import destination_of
from runners.storage.published import published_day

FIRST = date(2026, 11, 1)
RUN_DATE = Column("run_date", "date", "")
COLUMNS = {
    CELL_TABLE: [Column("CellName", "string", ""), Column("load", "double", ""), RUN_DATE],
    HISTORY_TABLE: [Column("CellName", "string", ""), RUN_DATE],
}


def day(place):
    return FIRST + timedelta(days=place)


def cells(spark, run_date, rows, schema="CellName string, load double"):
    return spark.createDataFrame(
        [(*row, run_date) for row in rows], f"{schema}, run_date date"
    ).coalesce(1)


class Folder:
    """A folder that runs publish a cell table and a history to."""

    def __init__(self, spark, path):
        self.spark, self.path, self.runs = spark, path, 0
        self.place = LocalFolder(str(path))

    def destination(self, run_date, columns=COLUMNS, **options):
        self.runs += 1
        run = Run(run_date, f"run{self.runs}")
        place = LocalFolder(str(self.path), Publishing(**options))
        return place.destination(self.spark, run, columns)

    def publish(self, run_date, rows, history=None, **options):
        with self.destination(run_date, **options) as destination:
            destination.stage(CELL_TABLE, cells(self.spark, run_date, rows))
            days = history or [run_date]
            frames = self.spark.createDataFrame(
                [(f"{self.runs}", one) for one in days], "CellName string, run_date date"
            )
            destination.stage(HISTORY_TABLE, frames)
            destination.publish()

    def frame(self, table=CELL_TABLE):
        """What a reader sees who knows nothing of days."""
        frame = self.spark.read.option("mergeSchema", True).parquet(f"{self.path}/{table}")
        # To Sail the names of folders are texts.
        return frame.withColumn("run_date", F.to_date("run_date"))

    def rows(self, table=CELL_TABLE):
        return {tuple(row) for row in self.frame(table).collect()}

    def files(self):
        """The files that a reader sees, by their names, with what tells them apart."""
        return {
            str(file.relative_to(self.path)): (file.stat().st_ino, file.stat().st_mtime_ns)
            for table in (CELL_TABLE, HISTORY_TABLE)
            for file in (self.path / table).glob("*/*.parquet")
        }


@pytest.fixture(scope="module")
def published(spark, tmp_path_factory):
    """A folder to copy, in which three days are published."""
    folder = Folder(spark, tmp_path_factory.mktemp("published"))
    for place in range(3):
        folder.publish(day(place), [("1A", float(place))])
    return folder


@pytest.fixture
def folder(published, tmp_path):
    """Three days are published there."""
    shutil.copytree(published.path, tmp_path, symlinks=True, dirs_exist_ok=True)
    folder = Folder(published.spark, tmp_path)
    folder.runs = published.runs
    return folder


def test_days_stand_beside_each_other(folder):
    assert folder.rows() == {("1A", float(place), day(place)) for place in range(3)}
    assert {path.name for path in folder.path.glob("[!.]*")} == {CELL_TABLE, HISTORY_TABLE}
    assert {path.name for path in (folder.path / CELL_TABLE).iterdir()} == {
        f"run_date={day(place)}" for place in range(3)
    }
    assert len([*(folder.path / ".versions").iterdir()]) == 1


def test_a_day_again_replaces_that_day_as_a_whole_and_touches_no_other(folder):
    before = folder.files()
    folder.publish(day(1), [("1A", 7.0), ("2B", 8.0)], history=[day(1), day(2)])
    assert folder.rows() == {
        ("1A", 0.0, day(0)),
        ("1A", 7.0, day(1)),
        ("2B", 8.0, day(1)),
        ("1A", 2.0, day(2)),
    }
    # The history of later days rests on the day.
    assert folder.rows(HISTORY_TABLE) == {("1", day(0)), ("4", day(1)), ("4", day(2))}
    after = folder.files()
    changed = before.items() ^ after.items()
    assert {name.rsplit("/", 1)[0] for name, _ in changed} == {
        f"{CELL_TABLE}/run_date={day(1)}",
        f"{HISTORY_TABLE}/run_date={day(1)}",
        f"{HISTORY_TABLE}/run_date={day(2)}",
    }


def test_a_run_that_fails_leaves_all_days_as_they_were(folder):
    before = folder.files()
    with pytest.raises(RuntimeError), folder.destination(day(1)) as destination:
        destination.stage(CELL_TABLE, cells(folder.spark, day(1), [("9Z", 9.0)]))
        raise RuntimeError
    assert folder.files() == before
    assert not (folder.path / ".staging").exists()


def test_a_table_that_a_run_does_not_make_has_no_such_day_any_more(folder):
    with folder.destination(day(1), {CELL_TABLE: COLUMNS[CELL_TABLE]}) as destination:
        destination.stage(CELL_TABLE, cells(folder.spark, day(1), [("1A", 5.0)]))
        destination.publish()
    assert {one for _, one in folder.rows(HISTORY_TABLE)} == {day(0), day(2)}
    assert len(folder.rows()) == 3


def test_tables_of_alarms_alone_do_not_replace_the_day_of_a_run(folder):
    with pytest.raises(OutputError, match="give another --out"):
        folder.destination(day(1), {"cell_alarms": [RUN_DATE]}).__enter__()
    # It lets go of the folder.
    folder.publish(day(1), [("1A", 5.0)])


def test_old_days_go_only_where_so_many_are_to_be_kept(folder):
    folder.publish(day(4), [("1A", 4.0)], keep_days=3)
    assert {row[-1] for row in folder.rows()} == {day(2), day(4)}
    assert {row[-1] for row in folder.rows(HISTORY_TABLE)} == {day(2), day(4)}


def test_differing_columns_are_all_told_before_anything_is_written(folder):
    before = folder.files()
    load, new = Column("load", "bigint", ""), Column("users", "double", "")
    columns = COLUMNS | {CELL_TABLE: [COLUMNS[CELL_TABLE][0], load, new, RUN_DATE]}
    with pytest.raises(OutputError) as raised:
        folder.destination(day(3), columns).__enter__()
    told = str(raised.value)
    assert f"{CELL_TABLE}: column load is double there, bigint here" in told
    assert f"{CELL_TABLE}: column users (double) is missing there" in told
    with pytest.raises(OutputError) as raised:
        folder.destination(day(3), columns, add_columns=True).__enter__()
    assert "users" not in str(raised.value)
    assert folder.files() == before


def test_columns_come_when_asked_for_and_go_with_a_warning(folder, caplog):
    name, load, _ = COLUMNS[CELL_TABLE]
    users = Column("users", "double", "")
    with folder.destination(
        day(3), {CELL_TABLE: [name, users, RUN_DATE]}, add_columns=True
    ) as destination:
        rows = cells(folder.spark, day(3), [("1A", 5.0)], "CellName string, users double")
        destination.stage(CELL_TABLE, rows)
        destination.publish()
    assert "no longer filled, NULL from now on: load" in caplog.text
    rows = folder.frame().collect()
    assert {(row.load, row.users, row.run_date) for row in rows} == {
        (0.0, None, day(0)),
        (1.0, None, day(1)),
        (2.0, None, day(2)),
        (None, 5.0, day(3)),
    }
    # A day that is read alone has the columns of the others as well.
    first = published_day(folder.spark, folder.place, day(0)).cells
    assert [row.users for row in first.collect()] == [None]
    # What was removed is known, and may come back.
    with folder.destination(day(4), {CELL_TABLE: [name, load, RUN_DATE]}) as destination:
        destination.stage(CELL_TABLE, cells(folder.spark, day(4), [("1A", 6.0)]))
        destination.publish()
    assert "NULL from now on: users" in caplog.text


@pytest.mark.parametrize("stray", ["run_date=2026-11-01.bak", "run_date=20261101"])
def test_what_no_run_has_put_there_is_told_to_a_run_and_left_out_by_readers(folder, stray):
    shutil.copytree(
        folder.path / CELL_TABLE / f"run_date={FIRST}", folder.path / CELL_TABLE / stray
    )
    with pytest.raises(OutputError, match=rf"{CELL_TABLE}/{stray}: .* move it away"):
        folder.destination(day(3)).__enter__()
    assert folder.place.days(folder.spark, CELL_TABLE) == [day(n) for n in range(3)]
    table = folder.place.table(folder.spark, CELL_TABLE)
    assert {tuple(row) for row in table.collect()} == {("1A", float(n), day(n)) for n in range(3)}
    # The run that was refused has let go of the folder.
    shutil.rmtree(folder.path / CELL_TABLE / stray)
    folder.publish(day(3), [("1A", 5.0)])


def test_a_folder_in_the_place_of_a_table_is_told_before_any_work(spark, tmp_path):
    (tmp_path / HISTORY_TABLE).mkdir()
    with pytest.raises(OutputError, match=f"{HISTORY_TABLE}: is there, but no run"):
        Folder(spark, tmp_path).destination(day(1)).__enter__()


@pytest.mark.parametrize("number", [errno.EPERM, errno.ENOTSUP, errno.EXDEV, errno.EMLINK])
def test_where_files_cannot_be_linked_they_are_copied(folder, monkeypatch, number):
    def refuses(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", refuses)
    folder.publish(day(3), [("1A", 3.0)])
    assert folder.rows() == {("1A", float(n), day(n)) for n in range(4)}


def test_another_fault_at_linking_is_told(folder, monkeypatch):
    def refuses(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "link", refuses)
    with pytest.raises(OutputError, match=r"not published: .*No space left"):
        folder.publish(day(3), [("1A", 3.0)])


@pytest.mark.parametrize(
    ("out", "publishing", "said"),
    [
        ("out", Publishing(keep_days=0), "must be at least 1"),
        ("out", Publishing(prefix="x"), "only for bq://"),
        ("gs://bucket/out", Publishing(keep_days=3), "for a folder or bq://"),
        ("s3://bucket/out", Publishing(), "give a folder, gs:// or bq://"),
    ],
)
def test_settings_that_do_not_fit_the_place_are_refused(out, publishing, said):
    with pytest.raises(ConfigurationError, match=said):
        destination_of(out, publishing)
