"""A month of days into a folder: in turn, late, again and killed, it is the same as all at once."""

import duckdb
import pytest

from tests.builders.thirty_days import Days, Inputs, assert_thirty_days_are_alike

pytestmark = [pytest.mark.killed, pytest.mark.real_data]


def folder_reader(out):
    def read(table):
        found = duckdb.sql(
            f"select * from read_parquet('{out}/{table}/*/*.parquet', hive_partitioning = true)"
        )
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]

    return read


def test_a_month_in_a_folder(spark, tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "tmp").mkdir()
    local = {"SPARK_LOCAL_DIRS": f"{tmp_path}/tmp", "TMPDIR": f"{tmp_path}/tmp"}
    inputs = Inputs(tmp_path / "in")
    each, whole = (
        Days(spark, inputs, str(out), folder_reader(out), local)
        for out in (tmp_path / "each", tmp_path / "whole")
    )
    assert_thirty_days_are_alike(each, whole)
