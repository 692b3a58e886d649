"""What Spark reads from a storage service is what is read from this machine; file:// stands in."""

import shutil

import duckdb
import pytest
from chispa import assert_df_equality

from anomaly import InputError, parse_profile
from runners.storage.inputs import read_input

pytestmark = [pytest.mark.slow, pytest.mark.classic]
PROFILE = parse_profile(
    """
    name = "one KPI"
    [kpis.samples]
    s0 = { unit = "users" }
    [kpis.call_statistics]
    c0 = { unit = "calls" }
    [verdict]
    minimum_defects = 1
    [rules.s0]
    bad_when = "above"
    method = "mean"
    """
)
ROWS = "1A,3.5\n2B,4.5\n"


def both_ways(spark, folder, profile=PROFILE):
    """The samples of a folder, read from this machine and through Spark's file systems."""
    return [
        read_input(spark, "samples", path, profile).drop("source_row_id")
        for path in (str(folder), f"file://{folder}")
    ]


@pytest.mark.parametrize(
    "files",
    [
        {"1.csv": b"CellName,s0\n" + ROWS.encode(), "2.csv": b"s0,CellName\n9.5,3C\n"},
        {"1.csv": b"\xef\xbb\xbfCellName,s0\n" + ROWS.encode()},
        {"1.csv": f"CellName,s0\n{ROWS}".encode("utf-16")},
        {"1.csv": f"\ufeffCellName,s0\n{ROWS}".encode("utf-16-be")},
        {"1.csv": b'CellName,"not\nread",s0\r\n1A,x,2\r\n'},
        {"CellName=007/1.csv": b"s0\n1\n", "CellName=a%2Fb/1.csv": b"s0\n2\n"},
        {"1.csv": b"CellName,s0\n" + ROWS.encode(), ".hidden.csv": b"x", "_SUCCESS": b"y"},
        {"1.csv": b"CellName,s0\n", "2.csv": b"CellName,s0\n"},
        {"hour 1/a.csv": b"CellName,s0\n" + ROWS.encode()},
    ],
    ids=["orders", "mark", "utf16", "utf16be", "quoted", "folders", "hidden", "empty", "blanks"],
)
def test_the_same_rows_come_from_both(spark, tmp_path, files):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    here, there = both_ways(spark, tmp_path)
    assert_df_equality(here, there, ignore_row_order=True)


def test_parquet_comes_from_both_alike(spark, tmp_path):
    for name, value in (("a", "1"), ("b", "2.5::double")):
        sql = f"select 'A' as \"CellName\", {value} as s0"
        duckdb.sql(f"copy ({sql}) to '{tmp_path}/{name}.parquet' (format parquet)")
    here, there = both_ways(spark, tmp_path)
    assert sorted(row.s0 for row in here.collect()) == ["1", "2.5"]
    assert_df_equality(here, there, ignore_row_order=True)


def test_one_file_may_be_named(spark, tmp_path):
    (tmp_path / "1.csv").write_text(f"CellName,s0\n{ROWS}")
    here, there = both_ways(spark, tmp_path / "1.csv")
    assert_df_equality(here, there, ignore_row_order=True)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, "samples: no .csv or .parquet file at file://"),
        ({"1.csv": ROWS, "a.parquet": "x"}, "mixes .csv and .parquet files"),
        ({"1.csv": f"CellName,s0\n{ROWS}", "b/2.csv": f"CellName,s0\n{ROWS}"}, "is a copy of"),
        ({"1.csv": f"CellName,s1\n{ROWS}"}, "column s0 is missing"),
        ({"a.parquet": "no parquet"}, "cannot be read"),
        ({"1.csv": b"CellName,s0,\xff\n1A,2,3\n"}, "its header is not UTF-8"),
        ({"1.csv": f"CellName,s0\r{ROWS}".replace("\n", "\r")}, "its lines end with CR alone"),
    ],
)
def test_what_cannot_be_read_is_told_alike(spark, tmp_path, files, said):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said):
        read_input(spark, "samples", f"file://{tmp_path}", PROFILE)


def test_a_place_that_is_not_there_is_told(spark, tmp_path):
    shutil.rmtree(tmp_path)
    with pytest.raises(InputError, match=f"samples: file://{tmp_path} does not exist"):
        read_input(spark, "samples", f"file://{tmp_path}", PROFILE)
    with pytest.raises(InputError, match='for scheme "nowhere"; its jar comes with `make jars`'):
        read_input(spark, "samples", "nowhere://bucket", PROFILE)
