"""Columns that have other names in the files, and times that stand in other columns or forms."""

import pyarrow
import pytest
from pyarrow import parquet

from anomaly import ConfigurationError, InputError, parse_profile
from anomaly.cleaning.checks import check_input
from runners.storage.inputs import read_input
from tests.builders.dated_inputs import PROFILE_TEXT
from tests.builders.small_inputs import write_csv


def profile_of(source="samples", **names):
    columns = "\n".join(f'{column} = "{name}"' for column, name in names.items())
    return parse_profile(f"{PROFILE_TEXT}\n[inputs.{source}.columns]\n{columns}")


def checked(spark, folder, header, *rows, source="samples", **names):
    write_csv(folder / "input.csv", header, rows)
    profile = profile_of(source, **names)
    raw = read_input(spark, source, str(folder), profile)
    return check_input(source, raw, profile).orderBy("source_row_id").collect()


NOON = 1767873600


@pytest.mark.parametrize(
    ("header", "row", "names"),
    [
        (["Date", "Time", "CellName", "load"], ["2026-01-08", "12:00", "1A", 5], {}),
        (
            ["Day", "Hour", "Cell Id", "UL load"],
            ["2026-01-08", "12:00", "1A", 5],
            {"Date": "Day", "Time": "Hour", "CellName": "cell id", "load": "UL load"},
        ),
        (["DateTime", "CellName", "load"], ["2026-01-08 12:00", "1A", 5], {"Time": "DateTime"}),
        # What is named is read, though there is a column of its own name.
        (["Time", "Stamp", "CellName", "load"], ["11:00", NOON, "1A", 5], {"Time": "Stamp"}),
        (["Timestamp", "CellName", "load"], [NOON * 1000, "1A", 5], {"Time": "Timestamp"}),
    ],
)
def test_times_are_read_from_where_they_stand(spark, tmp_path, header, row, names):
    (found,) = checked(spark, tmp_path, header, row, **names)
    assert (int(found.time.timestamp()), found.CellName, found["values"].load) == (NOON, "1A", 5)


@pytest.mark.parametrize(
    ("seconds", "kind"),
    [(NOON, pyarrow.int64()), (NOON * 1000, pyarrow.int64()), (NOON, pyarrow.uint32())],
)
def test_whole_numbers_of_parquet_are_times_since_1970(spark, tmp_path, seconds, kind):
    times = pyarrow.array([seconds], kind)
    table = pyarrow.table({"Stamp": times, "CellName": ["1A"], "load": [5.0]})
    parquet.write_table(table, tmp_path / "samples.parquet")
    profile = profile_of(Time="Stamp")
    (found,) = check_input(
        "samples", read_input(spark, "samples", str(tmp_path), profile), profile
    ).collect()
    assert int(found.time.timestamp()) == NOON


def test_a_fraction_is_no_time(spark, tmp_path):
    table = pyarrow.table({"Time": [NOON + 0.5], "CellName": ["1A"], "load": [5.0]})
    parquet.write_table(table, tmp_path / "samples.parquet")
    with pytest.raises(InputError, match="column Time is of type double; give texts, timestamps"):
        read_input(spark, "samples", str(tmp_path), profile_of())


def test_each_input_may_have_its_names(spark, tmp_path):
    (found,) = checked(
        spark, tmp_path, ["Caller", "n"], ["1000042", 7],
        source="call_statistics", Customer_ID="Caller", calls="n",
    )  # fmt: skip
    assert (found.customerID, found["values"].calls) == (42, 7)


def test_what_is_asked_of_a_column_is_asked_of_it_under_the_name_in_the_files(spark, tmp_path):
    """Equal files of two cells are no copies, and a value that a line break parts is rejected."""
    profile = profile_of(CellName="Cell Id", load="UL load")
    for cell in ("1A", "2B"):
        write_csv(tmp_path / "in" / f"Cell Id={cell}" / "a.csv", ["UL load"], [[5]])
    found = read_input(spark, "samples", str(tmp_path / "in"), profile)
    assert sorted(row.CellName for row in found.collect()) == ["1A", "2B"]
    write_csv(tmp_path / "in" / "Cell Id=1A" / "b.csv", ["UL load", "Cell Id"], [[6, "3C"]])
    with pytest.raises(
        InputError, match="column Cell Id is in the file and in the name of a folder"
    ):
        read_input(spark, "samples", str(tmp_path / "in"), profile)
    header, row = ["Cell Id", "UL load", "Note"], ["1\nA", 5, ""]
    (found,) = checked(spark, tmp_path / "other", header, row, CellName="Cell Id", load="UL load")
    assert found.row_reason == "malformed_line"


def test_a_column_that_is_not_there_under_its_name_is_told(spark, tmp_path):
    with pytest.raises(InputError, match="column Time, which the profile says is named 'Clock'"):
        checked(spark, tmp_path, ["CellName", "load"], ["1A", 5], Time="Clock")


def test_a_date_that_is_none_is_told_or_not_read(spark, tmp_path):
    header, row = ["Date", "Time", "CellName", "load"], ["08.01.2026", "12:00", "1A", 5]
    assert [one.row_reason for one in checked(spark, tmp_path, header, row)] == ["bad_time"]
    assert [one.row_reason for one in checked(spark, tmp_path, header, row, Date="")] == [None]


def test_a_column_that_looks_like_a_time_and_is_not_read_is_told(spark, tmp_path, caplog):
    checked(spark, tmp_path, ["DateTime", "CellName", "load"], ["2026-01-08 12:00", "1A", 5])
    assert "column DateTime is named like a time and not read" in caplog.text
    assert '[inputs.samples.columns] Time = "DateTime"' in caplog.text


def test_names_that_cannot_be_are_refused():
    with pytest.raises(ConfigurationError) as raised:
        profile_of(Tme="x", Time="CellName", CellName="load", load="y", Date="Y")
    told = str(raised.value)
    for part in (
        "[inputs.samples.columns] has no column 'Tme'; use CellName, Time, Date, load",
        "Time = 'CellName': this is the name of another column",
        "CellName = 'load': this is the name of another column",
        "load = 'y': duplicate name",
    ):
        assert part in told
