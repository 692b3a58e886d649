"""Whatever lies in an input folder is read or told: from this machine and through Spark alike."""

import bz2
import gzip
import os
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import DataFrame, SparkSession

from anomaly import InputError, Profile, parse_profile
from runners.engines.errors import reading_and_writing
from runners.storage.files import has_files
from runners.storage.inputs import read_input
from runners.storage.local_files import LocalFiles

PROFILE = """
name = "one KPI"
[inputs.samples]
{samples}
[kpis.samples]
s0 = {{ unit = "users" }}
[kpis.call_statistics]
c0 = {{ unit = "calls" }}
[verdict]
minimum_defects = 1
[rules.s0]
bad_when = "above"
method = "mean"
"""
# Through Spark's file systems on Spark alone: Sail is never taken for them.
PREFIXES = (
    pytest.param("", id="here"),
    pytest.param("file://", id="spark", marks=pytest.mark.classic),
)


def profile_with(samples: str = "") -> Profile:
    return parse_profile(PROFILE.format(samples=samples))


def write(folder: Path, name: str, cell: str = "1A", value: str = "1") -> Path:
    """One sample, as the end of the name has it; the folder may name the cell."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = f"s0\n{value}\n" if "CellName=" in name else f"CellName,s0\n{cell},{value}\n"
    if name.lower().endswith(".parquet"):
        sql = f"select '{cell}' as \"CellName\", {value}::double as s0"
        duckdb.sql(f"copy ({sql}) to '{folder}/plain' (format parquet)")
        (folder / "plain").rename(path)
    elif name.lower().endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    elif name.lower().endswith(".bz2"):
        path.write_bytes(bz2.compress(text.encode()))
    else:
        path.write_text(text)
    return path


def read(spark: SparkSession, place: str, profile: Profile | None = None) -> DataFrame:
    return read_input(spark, "samples", place, profile or profile_with())


def cells(frame: DataFrame) -> dict[str, float]:
    return {row.CellName: float(row.s0) for row in frame.collect()}


@pytest.fixture(params=PREFIXES)
def prefix(request) -> str:
    return request.param


def test_packed_files_and_any_case_of_an_extension_are_read(spark, tmp_path, prefix):
    names = ("a.csv", "B.CSV", "c.csv.gz", "D.Csv.bz2", "E.CSV.gz")
    for number, name in enumerate(names):
        write(tmp_path, name, cell=name[0], value=str(number))
    assert cells(read(spark, f"{prefix}{tmp_path}")) == {"a": 0, "B": 1, "c": 2, "D": 3, "E": 4}


def test_parquet_of_any_case_is_read(spark, tmp_path, prefix):
    write(tmp_path, "a.PARQUET", "1A", "1")
    write(tmp_path, "b.Parquet", "2A", "2")
    assert cells(read(spark, f"{prefix}{tmp_path}")) == {"1A": 1, "2A": 2}


def test_hidden_files_are_left_out_and_those_that_the_profile_ignores(spark, tmp_path, prefix):
    write(tmp_path, "a.csv")
    for name in ("_SUCCESS", ".a.csv.crc", ".DS_Store", "_temporary/b.csv", ".snapshot/x.txt"):
        write(tmp_path, name, cell="9Z")
    for name in ("notes.TXT", "in/x.xlsx", "archive/2025/c.csv", "_part.csv"):
        write(tmp_path, name, cell="9Z")
    (tmp_path / "old.txt").symlink_to(tmp_path / "nowhere")
    profile = profile_with('ignore = ["*.txt", "*.XLSX", "archive", "_*"]')
    if prefix:
        (tmp_path / "old.txt").unlink()
    assert cells(read(spark, f"{prefix}{tmp_path}", profile)) == {"1A": 1}


@pytest.mark.parametrize(
    "name",
    ["x.xlsx", "notes.txt", "a.csv.zip", "b.parquet.gz", "c.csv.zst", "csv", "d.csv~", "in/e.tsv"],
)
def test_what_is_no_input_is_told_by_name(spark, tmp_path, prefix, name):
    write(tmp_path, "a.csv")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"x")
    told = rf"^samples: cannot be read: \S*/{name} \(no \.csv.*\[inputs.samples\] ignore = "
    with pytest.raises(InputError, match=told):
        read(spark, f"{prefix}{tmp_path}")
    with pytest.raises(InputError, match=told):
        read(spark, f"{prefix}{tmp_path}/{name}")


@pytest.mark.parametrize("name", ["_part.csv", "_old/b.csv", "in/_c.csv.gz"])
def test_names_that_spark_leaves_out_are_told(spark, tmp_path, prefix, name):
    write(tmp_path, "a.csv")
    write(tmp_path, name)
    told = rf"cannot be read: \S*/{name} \(Spark leaves out names that begin with _; rename it\)"
    with pytest.raises(InputError, match=told):
        read(spark, f"{prefix}{tmp_path}")


def test_many_that_are_no_input_are_told_in_one_line(spark, tmp_path):
    for number in range(9):
        write(tmp_path, f"{number}.txt")
    with pytest.raises(InputError, match=r"0.txt \(no .*4.txt .* and 4 more; move") as told:
        read(spark, str(tmp_path))
    assert "\n" not in str(told.value)


def test_a_path_that_does_not_exist_is_told_as_such(spark, tmp_path, prefix):
    write(tmp_path, "a.csv")
    nowhere = f"{prefix}{tmp_path}/nowhere"
    for place in (nowhere, [f"{prefix}{tmp_path}", nowhere]):
        with pytest.raises(InputError, match=f"^samples: {nowhere} does not exist$"):
            read_input(spark, "samples", place, profile_with())


def test_a_folder_without_files_is_told(spark, tmp_path, prefix):
    write(tmp_path, ".hidden.csv")
    for place in (tmp_path, tmp_path / ".hidden.csv"):
        with pytest.raises(
            InputError, match=r"no \.csv or \.parquet file at .* begin with a point, are"
        ):
            read(spark, f"{prefix}{place}")
    assert not has_files(LocalFiles(), str(tmp_path))


def test_a_link_that_leads_nowhere_is_told(spark, tmp_path, prefix):
    write(tmp_path, "a.csv")
    (tmp_path / "b.csv").symlink_to(tmp_path / "gone.csv")
    for place in (tmp_path, tmp_path / "b.csv"):
        with pytest.raises(InputError, match=r"/b.csv \(a link that leads nowhere\)"):
            read(spark, f"{prefix}{place}")


def test_links_to_folders_are_followed_and_circles_told(spark, tmp_path, prefix):
    write(tmp_path, "elsewhere/b.csv", "2B", "2")
    write(tmp_path, "in/a.csv")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "elsewhere")
    assert cells(read(spark, f"{prefix}{tmp_path}/in")) == {"1A": 1, "2B": 2}
    (tmp_path / "elsewhere" / "up").symlink_to(tmp_path / "in")
    with pytest.raises(InputError, match=r"/link/up \(leads back to a folder that it is in\)"):
        read(spark, f"{prefix}{tmp_path}/in")


def test_what_is_neither_a_file_nor_a_folder_is_told(spark, tmp_path, prefix):
    write(tmp_path, "a.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match=r"/pipe.csv \(neither a file nor a folder\)"):
        read(spark, f"{prefix}{tmp_path}")


def test_files_and_folders_that_may_not_be_read_are_told(spark, tmp_path, prefix, monkeypatch):
    write(tmp_path, "a.csv")
    write(tmp_path, "closed/b.csv")
    real_list, real_access = os.listdir, os.access

    def listed(path: str) -> list[str]:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return real_list(path)

    # The superuser, as whom tests may run, is denied nothing.
    monkeypatch.setattr(os, "listdir", listed)
    with pytest.raises(InputError, match=r"/closed \(cannot be listed: Permission denied\)"):
        read(spark, f"{prefix}{tmp_path}")
    monkeypatch.setattr(os, "listdir", real_list)
    monkeypatch.setattr(
        os, "access", lambda path, mode: not str(path).endswith("b.csv") and real_access(path, mode)
    )
    with pytest.raises(InputError, match=r"/closed/b.csv \(permission denied\)"):
        read(spark, f"{prefix}{tmp_path}")


NAMES = [
        "samples[1].csv", "a{b}.csv", "{a,b}.csv", "x*.csv", "who?.csv", "back\\slash.csv",
        "[!a].csv", "per%20cent.csv", "50%.csv", "plus+.csv", "h#sh.csv", " two  blanks .csv",
        "quo\"te'.csv", "dir:with/colon.csv", "two\nlines.csv", "Málaga.csv", "a,b;c.csv",
        "[x]/y.csv", "a[1].csv.gz", "p[1].parquet", "p%{a}\\*.parquet",
]  # fmt: skip
# Each is what a pattern among the names would find as well.
FOUND_BY_PATTERNS = [
    "samples1.csv", "ab.csv", "a.csv", "b.csv", "x1.csv", "whom.csv", "c.csv", "x/y.csv",
    "a1.csv.gz", "p1.parquet", "p%a1.parquet",
]  # fmt: skip


@pytest.mark.parametrize("is_parquet", [False, True], ids=["csv", "parquet"])
def test_a_name_is_a_name_and_no_pattern(spark, tmp_path, prefix, is_parquet):
    names, others = (
        [name for name in of if name.endswith(".parquet") == is_parquet]
        for of in (NAMES, FOUND_BY_PATTERNS)
    )
    for number, name in enumerate([*names, *others]):
        write(tmp_path, name, str(number), str(number))
    every = read(spark, f"{prefix}{tmp_path}")
    assert cells(every) == {str(number): number for number in range(len(names) + len(others))}
    assert every.count() == len(names) + len(others)
    places = [f"{prefix}{tmp_path}/{name}" for name in names]
    of_names = read_input(spark, "samples", places, profile_with())
    assert cells(of_names) == {str(number): number for number in range(len(names))}
    assert of_names.count() == len(names)


def test_two_files_of_which_one_is_a_pattern_for_the_other_are_read_once_each(
    spark, tmp_path, prefix
):
    write(tmp_path, "samples1.csv", "1A", "1")
    write(tmp_path, "samples[1].csv", "2B", "22")
    frame = read(spark, f"{prefix}{tmp_path}")
    assert frame.count() == 2
    assert cells(frame) == {"1A": 1, "2B": 22}


def test_a_name_that_spark_cannot_open_is_told(spark, tmp_path, prefix, monkeypatch):
    write(tmp_path, "PM_2026-11-01T00:15.csv")
    told = r"/PM_2026-11-01T00:15.csv \(Spark cannot open a name with a colon; rename it\)"
    with pytest.raises(InputError, match=told):
        read(spark, f"{prefix}{tmp_path}")
    monkeypatch.chdir(tmp_path)
    if not prefix:
        with pytest.raises(InputError, match=told):
            read(spark, "PM_2026-11-01T00:15.csv")


def test_a_name_of_other_bytes_is_told(spark, tmp_path):
    (tmp_path / os.fsdecode(b"M\xe1laga.csv")).write_text("CellName,s0\n1A,1\n")
    with pytest.raises(InputError, match="its name is not UTF-8; rename it"):
        read(spark, str(tmp_path))


def test_a_relative_path_is_taken_as_this_machine_does(spark, tmp_path, monkeypatch):
    write(tmp_path, "s3:there/2026:11/a.csv")
    (tmp_path / "far" / "away").mkdir(parents=True)
    write(tmp_path, "far/b.csv", "2B", "2")
    (tmp_path / "link").symlink_to(tmp_path / "far" / "away")
    monkeypatch.chdir(tmp_path)
    assert cells(read(spark, "s3:there")) == {"1A": 1}
    assert cells(read(spark, "link/../b.csv")) == {"2B": 2}
    assert cells(read(spark, f"/{tmp_path}/far/b.csv")) == {"2B": 2}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_name_of_a_folder_is_a_cell_as_it_stands(spark, tmp_path, prefix, kind):
    """As Hive and Spark escape them, and otherwise letter for letter."""
    names = {
        "LTE+NR_7": "LTE+NR_7", "50%": "50%", "5%zz": "5%zz", "a%2Fb": "a/b", "007": "007",
        "1e3": "1e3", "a=b": "a=b", "[x]": "[x]", "%C3%A9": "é", "ü": "ü", "a b": "a b",
        "a%25": "a%", "2026-11-01": "2026-11-01",
    }  # fmt: skip
    place = tmp_path / "CellName=above" / "in"
    for number, name in enumerate(names):
        folder = place / f"CellName={name}"
        folder.mkdir(parents=True)
        if kind == "csv":
            (folder / "part.csv").write_text(f"s0\n{number}\n")
        else:
            duckdb.sql(f"copy (select {number} as s0) to '{tmp_path}/p' (format parquet)")
            (tmp_path / "p").rename(folder / "part.parquet")
    expected = {name: float(number) for number, name in enumerate(names.values())}
    assert cells(read(spark, f"{prefix}{place}")) == expected


def test_folders_of_other_columns_may_differ(spark, tmp_path, prefix):
    write(tmp_path, "CellName=1A/a.csv", value="1")
    write(tmp_path, "day one=2026/CellName=2B/a.csv", value="2")
    assert cells(read(spark, f"{prefix}{tmp_path}")) == {"1A": 1, "2B": 2}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("folder", ["CellName=all", "cellname=1A", "S0=7"])
def test_a_column_of_the_files_that_a_folder_names_as_well_is_refused(
    spark, tmp_path, prefix, kind, folder
):
    write(tmp_path, f"of_files/a.{kind}")
    (tmp_path / "of_files").rename(tmp_path / folder)
    column = folder.partition("=")[0]
    with pytest.raises(InputError, match=f"column {column} is in the file and in the name of a fo"):
        read(spark, f"{prefix}{tmp_path}")


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "parquet"])
def test_equal_files_of_two_cells_are_no_copies_and_those_of_two_deliveries_are(
    spark, tmp_path, prefix, kind
):
    for cell in ("1A", "2B"):
        write(tmp_path, f"CellName={cell}/part.{kind}")
    if kind == "parquet":
        for cell in ("1A", "2B"):
            path = tmp_path / f"CellName={cell}" / "part.parquet"
            path.unlink()
            duckdb.sql(f"copy (select 1 as s0) to '{path}' (format parquet)")
    assert cells(read(spark, f"{prefix}{tmp_path}")) == {"1A": 1, "2B": 1}
    other = tmp_path / "other"
    for delivery in ("1", "2"):
        write(other, f"delivery={delivery}/part.{kind}")
    with pytest.raises(InputError, match=f"delivery=2/part.{kind} is a copy of .*delivery=1/part"):
        read(spark, f"{prefix}{other}")


def test_a_file_beside_its_packed_copy_is_refused(spark, tmp_path, prefix):
    write(tmp_path, "a.csv")
    write(tmp_path, "done/A.csv.gz")
    with pytest.raises(InputError, match=r"A.csv.gz is a copy of .*/a.csv; remove one"):
        read(spark, f"{prefix}{tmp_path}")


@pytest.mark.parametrize(
    ("line", "is_open"),
    [
        ("1,2,3", False), ('"1","2",3', False), ('1,"say ""so""",3', False), ('"","2,3",""', False),
        ('"""1""",2,3', False), ('1,2,"3', True), ('1,2,3"', True), ('5" disk,2,"3', True),
        ('5",2,"3', True), ('"1" x,"2,3', True), ('"1,"2","3"', True), ('"1"2,"3"', True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_file_whose_lines_close_their_quotes_is_known(tmp_path, line, is_open, name, ending):
    text = f"a,b,c{ending}{line}{ending}4,5,6{ending}".encode()
    (tmp_path / name).write_bytes(gzip.compress(text) if name.endswith("gz") else text)
    (file,) = LocalFiles().files(str(tmp_path))
    assert LocalFiles().may_run_on(file, ",") == is_open


def test_a_packed_file_that_breaks_off_is_told(spark, tmp_path, prefix):
    rows = "".join(f"{number},{number * 7919 % 65537}\n" for number in range(300_000))
    packed = gzip.compress(f"CellName,s0\n{rows}".encode())
    (tmp_path / "a.csv.gz").write_bytes(packed[:-1000])
    # On this machine before a job begins, and so by name.
    told = "packed file is damaged or broken off" if prefix else "/a.csv.gz: cannot be read: "
    with pytest.raises(InputError, match=told), reading_and_writing("samples"):
        read(spark, f"{prefix}{tmp_path}").count()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv.gz", b"CellName,s0\n1A,1\n"),
        ("a.csv.gz", gzip.compress(b"CellName,s0\n1A,1\n", mtime=0)[:20]),
        ("a.csv.bz2", b"CellName,s0\n1A,1\n"),
        ("a.csv", gzip.compress(b"CellName,s0\n1A,1\n", mtime=0)),
        ("a.csv", b"PK\x03\x04 as a spreadsheet begins"),
        ("a.csv", b"PAR1 as Parquet begins"),
    ],
)
def test_what_is_in_a_file_is_what_its_name_says(spark, tmp_path, prefix, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(
        InputError, match=rf"{name}: .*(cannot be read|is packed|is no text|is empty)"
    ):
        cells(read(spark, f"{prefix}{tmp_path}"))
