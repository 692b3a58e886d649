"""Inputs that cannot be read are told with their file, whatever Spark raises."""

import re
from datetime import date
from functools import cached_property

import pytest

from anomaly import ConfigurationError, InputError, OutputError, Run, parse_profile
from anomaly.schema.inputs import Column
from anomaly.schema.tables import CELL_TABLE
from runners.cli.main import main
from runners.engines.choice import SAIL, SPARK
from runners.storage.destination import Storage
from runners.storage.inputs import read_input
from runners.storage.parquet_folder import LocalFolder
from runners.storage.places import STORAGES, destination_of, storage_of
from tests.builders.small_inputs import SmallInputs, profile_text

COLUMNS = {"table": [Column("id", "bigint", ""), Column("run_date", "date", "")]}


def folder(spark, path, day=date(2026, 11, 1), run_id="run", columns=COLUMNS):
    return LocalFolder(str(path)).destination(spark, Run(day, run_id), columns)


def test_a_file_that_is_no_parquet_is_named(spark, tmp_path):
    (tmp_path / "1.parquet").write_bytes(b"PAR1 is not all that a Parquet file needs")
    named = f"{re.escape(str(tmp_path))}: cannot be read: .*1.parquet"
    with pytest.raises(InputError, match=named):
        read_input(spark, "customers", str(tmp_path), parse_profile(profile_text()))


def test_a_file_that_breaks_before_a_table_is_made_of_it_is_named(spark, tmp_path):
    spark.range(3).write.parquet(str(tmp_path / "in"))
    frame = spark.read.parquet(str(tmp_path / "in"))
    with folder(spark, tmp_path / "out") as destination:
        _ = frame.schema
        files = [*(tmp_path / "in").glob("*.parquet")]
        for file in files:
            file.write_bytes(b"no longer Parquet")
        names = "|".join(re.escape(file.name) for file in files)
        with pytest.raises(InputError, match=rf"cannot be read: .*/in/({names})"):
            destination.stage("table", frame)


@pytest.mark.parametrize(
    "name",
    [
        "all [2026] {b,c} x*? 50% a\\b",
        *(
            pytest.param(name, marks=[pytest.mark.slow, pytest.mark.on_each_spark])
            for name in ("results [2026]", "a{b,c}", "x*?", "50%", "2026:11", "a\\b")
        ),
    ],
)
def test_the_name_of_an_output_is_a_name_and_no_pattern(spark, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for day in (date(2026, 11, 1), date(2026, 11, 2)):
        with folder(spark, name, day) as destination:
            _, rows = destination.stage("table", spark.range(3))
            assert rows == 3
            destination.publish()
            assert destination.published("table", [day]).count() == 3
    assert storage_of(name).table(spark, "table").count() == 6
    assert storage_of(str(tmp_path / name)).table(spark, "table").count() == 6


def test_a_second_run_in_one_folder_is_refused_and_the_first_goes_on(spark, tmp_path):
    with folder(spark, tmp_path) as first:
        with pytest.raises(OutputError, match="another run writes there"):
            folder(spark, tmp_path, run_id="second").__enter__()
        first.stage("table", spark.range(3))
        first.publish()
    assert spark.read.parquet(f"{tmp_path}/table").count() == 3


@pytest.mark.parametrize(
    ("text", "folder"),
    [
        ("/a/b/", "/a/b"),
        ("//a/b", "/a/b"),
        ("gs://b/c/", "gs://b/c"),
        ("s3://b", "s3://b"),
        ("bq://p1.d", None),
    ],
)
def test_a_place_knows_where_its_files_lie(text, folder):
    assert storage_of(text).folder == folder


@pytest.mark.parametrize("text", ["out", "gs://b/out", "s3://b/out"])
def test_a_table_stands_for_its_place(text):
    assert storage_of(f"{text}/{CELL_TABLE}/").around(CELL_TABLE) == storage_of(text)
    assert storage_of(f"{text}/other").around(CELL_TABLE) == storage_of(f"{text}/other")


class Shelf(Storage):
    """Another kind of place: a folder that is found by the name of a shelf."""

    root = None
    needs_spark = False

    @cached_property
    def inside(self):
        return LocalFolder(f"{self.root}/{self.address.partition('://')[2]}", self.publishing)

    def files(self, spark):
        return self.inside.files(spark)

    def destination(self, spark, run, columns):
        return self.inside.destination(spark, run, columns)

    def days(self, spark, name):
        return self.inside.days(spark, name)

    def table(self, spark, name, days=None):
        return self.inside.table(spark, name, days)


@pytest.mark.parametrize("engine", [SAIL, pytest.param(SPARK, marks=pytest.mark.classic)])
def test_another_kind_of_place_takes_one_class_and_one_line(tmp_path, monkeypatch, capfd, engine):
    monkeypatch.setattr(Shelf, "root", str(tmp_path))
    with pytest.raises(ConfigurationError, match="give a folder, gs:// or bq://"):
        destination_of("shelf://a")
    monkeypatch.setitem(STORAGES, "shelf", Shelf)
    with pytest.raises(ConfigurationError, match="give a folder, gs:// or bq:// or shelf://"):
        destination_of("other://a")
    inputs = SmallInputs().write(tmp_path / "in")
    (tmp_path / "small.toml").write_text(profile_text())
    places = ["--customers", inputs["customers"], "--samples", inputs["samples"]]
    places += ["--calls", inputs["call_statistics"], "--profile", f"{tmp_path}/small.toml"]
    places += ["--engine", engine]
    for day in ("2026-11-01", "2026-11-02"):
        assert main(["run", *places, "--out", "shelf://a", "--run-date", day]) == 0
    assert (tmp_path / "a" / CELL_TABLE / "run_date=2026-11-02").is_dir()
    capfd.readouterr()
    assert main(["show", "shelf://a"]) == 0
    assert "Tables: shelf://a, 2026-11-02" in capfd.readouterr().out
    assert main(["diff", "shelf://a@2026-11-01", "shelf://a"]) == 0
    assert "verdicts changed from shelf://a@2026-11-01 to shelf://a@2026-11-02" in (
        capfd.readouterr().out
    )
    assert main(["report", "shelf://a", "--out", f"{tmp_path}/page.html"]) == 0
    assert main(["run", *places, "--out", "shelf://a", "--prefix", "x"]) == 2
