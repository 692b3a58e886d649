"""Inputs that cannot be read are told with their file, whatever Spark raises."""

import re
from datetime import date

import pytest

from anomaly import InputError, OutputError, Run, parse_profile
from anomaly.schema.inputs import Column
from runners.storage.inputs import read_input
from runners.storage.parquet_folder import ParquetFolder
from runners.storage.published import published_table
from tests.builders.small_inputs import profile_text

COLUMNS = {"table": [Column("id", "bigint", ""), Column("run_date", "date", "")]}


def folder(spark, path, day=date(2026, 11, 1), run_id="run", columns=COLUMNS, **options):
    return ParquetFolder(spark, str(path), Run(day, run_id), columns, **options)


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
        with pytest.raises(InputError, match=r"cannot be read: .*part-0.*\.parquet"):
            destination.stage("table", frame)


@pytest.mark.parametrize("name", ["results [2026]", "a{b,c}", "x*?", "50%", "2026:11", "a\\b"])
def test_the_name_of_an_output_is_a_name_and_no_pattern(spark, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    for day in (date(2026, 11, 1), date(2026, 11, 2)):
        with folder(spark, name, day) as destination:
            _, rows = destination.stage("table", spark.range(3))
            assert rows == 3
            destination.publish()
            assert destination.published("table", [day]).count() == 3
    assert published_table(spark, name, "table").count() == 6
    assert published_table(spark, str(tmp_path / name), "table").count() == 6


def test_a_second_run_in_one_folder_is_refused_and_the_first_goes_on(spark, tmp_path):
    with folder(spark, tmp_path) as first:
        with pytest.raises(OutputError, match="another run writes there"):
            folder(spark, tmp_path, run_id="second").__enter__()
        first.stage("table", spark.range(3))
        first.publish()
    assert spark.read.parquet(f"{tmp_path}/table").count() == 3
