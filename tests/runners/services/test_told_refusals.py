"""A run that is refused says what was left out, where and why, and keeps the rejected rows."""

import csv
import re
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from pyspark.sql import Row

from runners.cli.main import main
from runners.services.console import alarm_headline
from runners.services.notices import notices
from runners.services.rejections import LONGEST_TEXT, Rejections, _shortened, cure
from runners.services.run_summary import RunSummary
from tests.builders.small_inputs import SmallInputs, families_text, profile_text

pytestmark = pytest.mark.slow

Change = Callable[[str, int], str]


class Inputs:
    """Small inputs in a folder, whose samples can be changed, and the run of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out = folder, folder / "out"
        self.places = SmallInputs().write(folder / "in")
        (folder / "profile.toml").write_text(profile_text())

    def change(self, source: str, changed: Change, *columns: str) -> Path:
        """Change the texts of columns of an input, each with the number of its row."""
        file = Path(self.places[source]) / "0.csv"
        with file.open(newline="") as opened:
            header, *rows = csv.reader(opened)
        for number, row in enumerate(rows, 1):
            for column in columns:
                place = header.index(column)
                row[place] = changed(row[place], number)
        with file.open("w", newline="") as opened:
            csv.writer(opened, lineterminator="\n").writerows([header, *rows])
        return file

    def run(self, *more: str) -> int:
        named = {
            "profile": f"{self.folder}/profile.toml",
            "customers": self.places["customers"],
            "samples": self.places["samples"],
            "calls": self.places["call_statistics"],
            "out": str(self.out),
        }
        arguments = (part for name, path in named.items() for part in (f"--{name}", path))
        return main(["run", *arguments, "--run-date", "2026-11-01", *more])


@pytest.fixture
def inputs(spark, tmp_path) -> Inputs:
    return Inputs(tmp_path)


def test_decimal_commas_are_refused_with_column_texts_and_cure(inputs, capfd):
    # s0 has whole numbers in every third row, which would be read, and be all that is left of it.
    file = inputs.change("samples", lambda _, row: "5" if row % 3 == 0 else "12,5", "s0")
    inputs.change("samples", lambda _, row: f"{row},5", "s1")
    assert inputs.run() == 3
    told = capfd.readouterr().err
    assert "samples: 100.0% of the values of column s1 were left out" in told
    assert "largest_left_out_share of 10.0%" in told
    assert f"1 time not_a_number, first '1,5' in file://{file}, row 1" in told
    assert told.count(" time not_a_number") == 3
    assert 'decimal commas? Set decimal = "," in [inputs.samples]' in told
    assert "likewise columns s0 (66.7%)" in told
    # What was rejected is there to be looked at, although nothing was published.
    kept = f"{inputs.out}-refused/rejected_rows"
    assert f"the rejected rows are in {kept}" in told
    found = duckdb.sql(
        f"select raw_value, source_row from '{kept}/*.parquet' "
        "where \"column\" = 's1' order by source_row"
    ).fetchall()
    assert found == [(f"{row},5", row) for row in range(1, 61)]
    assert not (inputs.out / "cell_tower_performance_data").exists()


@pytest.mark.parametrize("text", ["40 %", "12.5 Mbps", "3GB"])
def test_units_in_the_values_are_refused_with_their_cure(inputs, capfd, text):
    inputs.change("call_statistics", lambda _, row: text, "c0")
    assert inputs.run() == 3
    told = capfd.readouterr().err
    assert "call_statistics: 100.0% of the values of column c0 were left out" in told
    assert f"150 times not_a_number, first '{text}' in" in told
    assert "a unit in the values? Write only the number" in told


def test_a_few_rows_may_spoil_a_column_and_an_empty_one_is_told(inputs, caplog):
    inputs.change("samples", lambda text, row: "12,5" if row <= 4 else "7", "s0")
    inputs.change("samples", lambda *_: "", "s1")
    assert inputs.run() == 0
    assert "samples: column s1 is empty: none of 60 rows has a value" in caplog.messages
    figures = duckdb.sql(
        f"select item, value from '{inputs.out}/run_summary/*/*.parquet' "
        "where section = 'column' and subject = 'samples' and item in ('s0', 's1')"
    )
    assert dict(figures.fetchall()) == {"s0": 56, "s1": 0}


@pytest.mark.parametrize(
    ("name", "other", "alike"),
    [("1ALTE", "1\u0410LTE", "1ALTE"), ("1ALTE", "1alte", "1ALTE"), ("1A-L", "1A\u2013L", "1A-L")],
    ids=["two alphabets", "case", "dashes"],
)
def test_names_that_people_may_take_for_one_are_told(inputs, caplog, name, other, alike):
    # So is the cell of every third sample written.
    written = {0: other, 1: name, 2: name}
    inputs.change(
        "samples", lambda cell, row: written[row % 3] if cell == "1ALTE" else cell, "CellName"
    )
    assert inputs.run() == 0
    assert f"cells {name}, {other} count as different cells, but their names differ" in caplog.text
    figures = duckdb.sql(
        f"select subject, item, value from '{inputs.out}/run_summary/*/*.parquet' "
        "where section = 'look_alike'"
    )
    assert figures.fetchall() == [(alike, f"{name}, {other}", 2)]


@pytest.mark.parametrize(("column", "compared"), [("Band", 10), ("Vendor", 0)])
def test_cells_that_are_all_peers_for_want_of_a_column_are_told_once(
    inputs, caplog, column, compared
):
    """Ten of twelve cells send samples, three or four of each band, and three are enough."""
    text = families_text().replace('column = "Band"', f'column = "{column}"\nrequired = false')
    (inputs.folder / "profile.toml").write_text(text)
    assert inputs.run() == 0
    told = [message for message in caplog.messages if message.startswith("no cell is compared")]
    assert told == [
        "no cell is compared with those of its own Vendor, but with all cells: the column is "
        "missing or empty, or too few cells have the same text in it"
    ] * (not compared)
    figures = duckdb.sql(
        f"select subject, item, value from '{inputs.out}/run_summary/*/*.parquet' "
        "where section = 'peers'"
    )
    assert figures.fetchall() == [("cell", column, compared)]


def test_it_is_told_where_nothing_says_what_is_usual():
    """Of 100 periods none raises an alarm, and of most nobody knows whether one should."""
    row = Row("section", "subject", "item", "value")
    few, most = (
        [
            row("alarm_kpi", "load", "OK", 100 - count),
            row("alarm_kpi", "load", "NO_BASELINE", count),
        ]
        for count in (50, 60)
    )
    assert notices(RunSummary(few)) == []
    (told,) = notices(RunSummary(most))
    assert "60.0% of the values could not be judged for alarms" in told
    alarms = [
        Row(*row, "detail")("alarms", "judged", *one)
        for one in (("cell days", 1.0, None), ("from", None, "begin"), ("until", None, "end"))
    ]
    assert alarm_headline(RunSummary([*alarms, *few])).endswith("end UTC; 0 active")
    assert alarm_headline(RunSummary([*alarms, *most])).endswith(
        "end UTC; 0 active; 60% of the values had no baseline"
    )


def test_a_long_row_is_told_by_both_of_its_ends():
    shown = _shortened(f"first,{'0,' * 200}last")
    assert (shown[:6], shown[-5:], len(shown)) == ("first,", ",last", LONGEST_TEXT + len("..."))


def test_values_that_a_column_lacks_do_not_hide_those_left_out(inputs, capfd):
    # 42 of 60 rows have nothing; of the 18 values 6 are spoilt.
    texts = {0: "1,5", 1: "5", 2: "5"}
    inputs.change("samples", lambda _, row: texts.get(row % 10, "N/A"), "s0")
    assert inputs.run() == 3
    assert "33.3% of the values of column s0 were left out" in capfd.readouterr().err


def test_a_log_that_many_read_has_no_texts_of_persons(spark):
    rejected = spark.createDataFrame(
        [
            ("customers", "c.csv", 7, "row", "Index", "missing_key", None, ",5,Yes,No,DSL,3BLTE"),
            ("samples", "s.csv", 8, "row", "Time", "bad_time", None, "late,3BLTE,1"),
            ("call_statistics", "k.csv", 9, "value", "c0", "not_a_number", "4 calls", "1000001,4"),
            ("call_statistics", "k.csv", 3, "row", None, "beyond_row_limit", None, None),
        ],
        "source string, source_file string, source_row long, scope string, column string, "
        "reason string, raw_value string, raw_row string",
    )
    asked = Rejections(rejected, tells_persons=False)
    told = asked.commonest_rows("customers")
    assert told.startswith("1 row: missing_key in column Index")
    assert told.endswith("first (text withheld) in c.csv, row 7")
    assert asked.commonest_rows("samples").endswith("first 'late,3BLTE,1' in s.csv, row 8")
    # Such a row has no text, so none is withheld.
    assert asked.commonest_rows("call_statistics").endswith("first in k.csv, row 3")
    told, texts = asked.commonest_values("call_statistics", "c0")
    assert told == "1 time not_a_number, first (text withheld) in k.csv, row 9"
    assert texts == []


def test_a_limit_of_the_profile_is_the_one_that_counts(inputs):
    profile = inputs.folder / "profile.toml"
    profile.write_text(profile.read_text() + "\n[limits]\nlargest_left_out_share = 1\n")
    inputs.change("samples", lambda _, row: f"{row},5", "s1")
    assert inputs.run() == 0


def test_where_no_row_is_usable_reason_file_row_and_text_are_told(inputs, capfd):
    file = inputs.change("samples", lambda *_: " ", "CellName")
    assert inputs.run() == 3
    told = capfd.readouterr().err
    assert "samples: none of 60 rows can be used: 60 rows: missing_key in column CellName" in told
    assert f"in file://{file}, row 1" in told
    assert f"the rejected rows are in {inputs.out}-refused/rejected_rows" in told


def test_a_run_in_which_too_few_cells_are_judged_is_refused_with_what_lacks(inputs, capfd):
    profile = inputs.folder / "profile.toml"
    text = profile.read_text().replace("[verdict]", "[verdict]\nminimum_evaluated = 50")
    profile.write_text(text)
    assert inputs.run() == 3
    assert (
        "12 of 12 cells could not be judged, more than the profile's largest_unjudged_share of "
        "90.0%: 10 send samples, of which too few KPIs can be judged, 2 send no samples"
    ) in capfd.readouterr().err
    profile.write_text(f"{text}\n[limits]\nlargest_unjudged_share = 1\n")
    assert inputs.run() == 0
    told = capfd.readouterr().out
    assert told.startswith("0 of 12 cells need maintenance, 12 could not be judged")


def test_where_nothing_matches_examples_of_both_keys_are_told(inputs, capfd):
    profile = inputs.folder / "profile.toml"
    profile.write_text(profile.read_text() + "\n[limits]\nsmallest_match_rate = 0.05\n")
    inputs.change("samples", lambda cell, _: f"eNB-{cell}", "CellName")
    inputs.change("call_statistics", lambda _, row: f"100{7000 + row}", "Customer_ID")
    assert inputs.run() == 3
    told = capfd.readouterr().err
    assert "0.0% of the customers have samples and call statistics" in told
    assert "callers who are not customers: '7001', '7002', '7003'" in told
    assert "customers without calls: '1', '10', '11'" in told
    assert "cells without customers: 'eNB-1ALTE', 'eNB-1BLTE', 'eNB-1CLTE'" in told
    assert re.search("cells without samples: '[1-4][ABC]LTE', '", told)


def test_where_calls_match_no_customer_the_setting_of_their_number_is_told(inputs, capfd):
    profile, text = inputs.folder / "profile.toml", f"{profile_text()}\n[limits]\n"
    text += "smallest_match_rate = 0.05\n[inputs.call_statistics]\n"
    profile.write_text(text)
    # Six characters stand before the number, and not three: 0001000042 is the customer 42.
    inputs.change("call_statistics", lambda number, _: f"000{number}", "Customer_ID")
    assert inputs.run() == 3
    assert (
        "; does the customer number begin elsewhere in Customer_ID? Set customer_id_prefix in "
        "[inputs.call_statistics], which is 3: the number of characters before it"
    ) in capfd.readouterr().err
    profile.write_text(f"{text}customer_id_prefix = 6\n")
    assert inputs.run() == 0


def test_where_calls_match_their_customers_it_is_not(inputs, capfd):
    profile = inputs.folder / "profile.toml"
    profile.write_text(profile.read_text() + "\n[limits]\nsmallest_match_rate = 0.05\n")
    inputs.change("samples", lambda cell, _: f"eNB-{cell}", "CellName")
    assert inputs.run() == 3
    told = capfd.readouterr().err
    assert "0.0% of the customers have samples and call statistics" in told
    assert "customer_id_prefix" not in told


@pytest.mark.parametrize(("mark", "told"), [(";", '";"'), ("\t", '"\\t"'), ("|", '"|"')])
def test_a_file_of_one_column_gets_the_hint_to_its_delimiter(inputs, capfd, mark, told):
    file = Path(inputs.places["samples"]) / "0.csv"
    file.write_text(file.read_text().replace(",", mark))
    assert inputs.run() == 3
    said = capfd.readouterr().err
    assert f"It is one column with {told} in it: set delimiter = {told} in the profile" in said
    assert "Columns that are there: CellName" in said
    assert "source_file" not in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("0,5", 'decimal = ","'),
        ("-12,25", 'decimal = ","'),
        ("40 %", "unit"),
        ("1,5 Mbps", "unit"),
        ("NaN", "missing_texts"),
        ("abc", "correct the values"),
        ("250", "range"),
    ],
)
def test_the_likely_cure_follows_from_the_texts(text, said):
    assert said in cure([text], "samples")
