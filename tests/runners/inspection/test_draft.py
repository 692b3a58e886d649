"""A draft reads the files it was made from, and says what it cannot tell."""

from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet

from anomaly import parse_profile
from anomaly.cleaning.checks import check_input
from anomaly.schema.inputs import CALL_STATISTICS, CUSTOMERS, SAMPLES, SOURCE_FILE, SOURCE_ROW_ID
from runners.cli.main import main
from runners.storage.inputs import read_input

PROFILE = """
name = "small"
[verdict]
minimum_defects = 1
[kpis.samples]
meanThr_DL = { unit = "Mbps", meaning = "mean throughput, downlink" }
meanThr_UL = { unit = "Mbps", meaning = "mean throughput, uplink" }
PRBUsageDL = { unit = "%", meaning = "physical resource blocks in use, downlink" }
[kpis.call_statistics]
drop_vce_Mean = { unit = "calls", meaning = "dropped voice calls, mean per month" }
[rules.meanThr_DL]
bad_when = "below"
method = "mean"
[alarms]
[alarms.kpis.meanThr_DL]
bad_when = "below"
method = "median_iqr"
smallest_spread = 1
warn = 2
crit = 4
"""
FILES = {
    "zaehler.csv": (
        "Zelle;Beginn;DL Throughput avg (Mbps);UL Throughput avg (Mbps);DL PRB Usage;Temperatur\n"
        "1A;2026-03-01 06:00;12,5;1,25;40,5;20\n"
        "1A;2026-03-01 07:00;11,5;1,5;41,5;21\n"
        "2B;2026-03-01 06:00;8,25;n/a;39;22\n"
        "2B;2026-03-01 07:00;7,5;0,75;38,5;23\n"
    ),
    "kunden.csv": (
        "Kundennummer;Stadt;Tenure (months);Phone Service;Multiple Lines;Internet Service;Ort\n"
        "1001;Köln;5;Yes;No;DSL;1A\n1002;Köln;7;Yes;No;DSL;2B\n1003;Bonn;9;No;No;DSL;2B\n"
    ),
    "anrufe.csv": "Anschluss;Voice Calls dropped (mean)\nA-x1001;2,5\nA-x1002;0,25\nA-x1002;1\n",
}
OPTIONS = {CUSTOMERS: "kunden.csv", SAMPLES: "zaehler.csv", CALL_STATISTICS: "anrufe.csv"}


@pytest.fixture
def folder(tmp_path):
    """Three files that nobody described, and a profile that they are to be judged by."""
    for name, text in FILES.items():
        (tmp_path / "data").mkdir(exist_ok=True)
        (tmp_path / "data" / name).write_text(text, encoding="cp1252")
    (tmp_path / "small.toml").write_text(PROFILE)
    return tmp_path


@pytest.fixture
def drafted(folder, capsys):
    """The draft of a folder or file, as text."""

    def drafted(name: str = "data", *options: str) -> str:
        command = ["inspect", str(folder / name), "--profile", str(folder / "small.toml")]
        assert main([*command, *options]) == 0
        return capsys.readouterr().out

    return drafted


def test_the_draft_reads_every_row_of_files_with_other_names_and_marks(spark, folder, drafted):
    profile = parse_profile(drafted())
    rows = {}
    for source, name in OPTIONS.items():
        raw = read_input(spark, source, str(folder / "data" / name), profile)
        checked = check_input(source, raw, profile).orderBy(SOURCE_FILE, SOURCE_ROW_ID)
        rows[source] = checked.collect()
        assert [row.row_reason for row in rows[source]] == [None] * len(rows[source])
    assert [(row.customerID, row.tenure, row.CellName) for row in rows[CUSTOMERS]] == [
        (1001, 5, "1A"),
        (1002, 7, "2B"),
        (1003, 9, "2B"),
    ]
    assert [(row.CellName, str(row.time)[:16], *row["values"]) for row in rows[SAMPLES]] == [
        ("1A", "2026-03-01 06:00", 12.5, 1.25, 40.5),
        ("1A", "2026-03-01 07:00", 11.5, 1.5, 41.5),
        ("2B", "2026-03-01 06:00", 8.25, None, 39.0),
        ("2B", "2026-03-01 07:00", 7.5, 0.75, 38.5),
    ]
    assert [(row.customerID, *row["values"]) for row in rows[CALL_STATISTICS]] == [
        (1001, 2.5),
        (1002, 0.25),
        (1002, 1.0),
    ]


def test_the_draft_is_a_profile_without_problems(folder, drafted, capsys):
    (folder / "mine.toml").write_text(drafted())
    assert main(["check-config", str(folder / "mine.toml")]) == 0


def test_each_setting_stands_beside_its_evidence(drafted):
    lines = [line for line in drafted().splitlines() if " = " in line and line[0] != "#"]
    assert all("  # " in line for line in lines)
    told = dict(line.split("  # ", 1) for line in lines)
    assert told['delimiter = ";"'] == "2 fields in the header and in 3 of 3 rows"
    assert told['CellTower = "Ort"'] == "2 of its 2 names are cells of the samples"
    assert told['Customer_ID = "Anschluss"'].startswith("from the fourth character on, 2 of its 2")
    assert told["period_minutes = 60"] == "2 of 2 steps between samples of a cell"


def test_a_customer_number_without_a_prefix_is_told(folder, drafted):
    file = folder / "data" / "anrufe.csv"
    file.write_text(file.read_text().replace("A-x", ""))
    (told,) = [line for line in drafted().splitlines() if line.startswith("Customer_ID = ")]
    assert "with customer_id_prefix = 0, 2 of its 2 numbers are customers" in told


def test_what_no_profile_reads_is_listed_and_customers_are_not_quoted(drafted):
    text = drafted()
    assert "# Not read, candidates for KPIs: Temperatur (20 to 23)" in text
    assert "# Not read: Stadt" in text
    for value in ("1001", "1003", "Bonn"):
        assert value not in text


def test_what_cannot_be_told_is_not_set_but_listed(folder, drafted):
    file = folder / "data" / "zaehler.csv"
    # Two columns say cell, and two have the words of one KPI.
    head, rows = FILES["zaehler.csv"].split("\n", 1)
    head = head.replace("Zelle", "Cell").replace("Temperatur", "mean Throughput DL")
    rows = "".join(f"{row};{row[:2]}\n" for row in rows.splitlines())
    file.write_text(f"{head};cell_id\n{rows}")
    text = drafted("data/zaehler.csv", "--as", SAMPLES)
    (cell,) = [line for line in text.splitlines() if "CellName = " in line]
    assert cell.startswith(
        "# CellName = cannot tell (needed): 2 columns may be; candidates: Cell ("
    )
    (kpi,) = [line for line in text.splitlines() if "meanThr_DL = " in line]
    assert kpi.startswith(
        '# meanThr_DL = cannot tell (mean throughput, downlink; Mbps; "" leaves it out): '
        "several columns have a similar name; "
    )
    assert "DL Throughput avg (Mbps) (4 numbers from 7.5 to 12.5)" in kpi
    assert "mean Throughput DL (4 numbers from 20 to 23)" in kpi


GIVEN = {CUSTOMERS: "--customers", SAMPLES: "--samples", CALL_STATISTICS: "--calls"}


@pytest.fixture
def unlike(folder):
    """The files of the folder, with names and columns that show nothing."""
    places = {}
    for number, (source, name) in enumerate(OPTIONS.items()):
        header, rows = FILES[name].split("\n", 1)
        fields = ";".join(f"F{number}{place}" for place in range(header.count(";") + 1))
        places[source] = folder / "data" / f"{number}.csv"
        (folder / "data" / name).unlink()
        places[source].write_text(f"{fields}\n{rows}", encoding="cp1252")
    return places


def test_files_that_show_nothing_of_what_they_are_are_drafted_together(folder, unlike, capsys):
    command = ["inspect", "--profile", str(folder / "small.toml")]
    for source, place in unlike.items():
        command += [GIVEN[source], str(place)]
    assert main(command) == 0
    text = capsys.readouterr().out
    lines = text.splitlines()
    for source, place in unlike.items():
        assert f"# {source}: as given; read it with {GIVEN[source]} {place}" in lines
    settings = [line.partition("  #")[0] for line in lines]
    assert [settings.count(f'delimiter = "{mark}"') for mark in ";,"] == [3, 0]
    # Found by the keys of the others: the cells of customers, and the customers of calls.
    assert 'CellTower = "F06"' in settings
    assert 'Customer_ID = "F20"' in settings
    assert list(parse_profile(text).inputs) == [CUSTOMERS, SAMPLES, CALL_STATISTICS]


def test_of_a_folder_only_the_files_need_to_be_named_that_cannot_be_told(folder, unlike, drafted):
    samples = str(unlike[SAMPLES])
    text = drafted("data", "--samples", samples)
    assert f"# samples: as given; read it with --samples {samples}" in text
    assert text.count(f"# {samples}: 1 file") == 1
    assert text.count("cannot tell which input it is") == 2
    assert "; give it as one of --customers, --samples, --calls" in text


def test_a_draft_names_files_from_the_folder_in_which_it_is_made(folder, monkeypatch, capsys):
    monkeypatch.chdir(folder)
    assert main(["inspect", "data", "--profile", "small.toml"]) == 0
    text = capsys.readouterr().out
    assert str(folder) not in text
    assert 'extends = "small.toml"  # what is judged, and how; a path from the folder' in text
    assert "read it with --samples data/zaehler.csv" in text
    Path("mine.toml").write_text(text)
    assert main(["check-config", "mine.toml"]) == 0


def test_a_draft_of_files_elsewhere_names_them_in_full(folder, monkeypatch, drafted):
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    text = drafted()
    assert f'extends = "{folder}/small.toml"  # what is judged, and how\n' in text
    assert f"read it with --samples {folder}/data/zaehler.csv" in text


def test_a_draft_extends_a_shipped_profile_by_its_name(folder, capsys):
    assert main(["inspect", str(folder / "data")]) == 0
    assert 'extends = "default"  # what is judged, and how\n' in capsys.readouterr().out


def test_inspect_needs_something_to_look_at(capsys):
    assert main(["inspect"]) == 2
    told = "give a folder or file, or any of --customers, --samples, --calls"
    assert told in capsys.readouterr().err


SETTLED = """
[inputs.samples]
encoding = "cp1250"
delimiter = ";"
decimal = ","
[inputs.samples.columns]
CellName = "Ort Zelle"
Time = "Beginn"
Date = ""
meanThr_DL = "Durchsatz"
"""


def test_what_the_profile_says_of_a_file_is_taken_from_it_and_no_longer_open(folder, drafted):
    with (folder / "small.toml").open("a") as profile:
        profile.write(SETTLED)
    (folder / "data" / "zaehler.csv").write_text(
        # Each of them is a doubt without the profile.
        "ORT ZELLE;Zelle;Beginn;Ende;Durchsatz;Köln\n"
        "1A;1A;06:00;06:15;1,250;1\n1A;1A;06:15;06:30;2,500;1\n",
        encoding="cp1250",
    )
    told = [line.partition("#") for line in drafted("data/zaehler.csv").splitlines()]
    settings = {setting.strip(): why.strip() for setting, _, why in told if setting}
    assert settings['CellName = "ORT ZELLE"'] == "as in the profile"
    assert settings['Time = "Beginn"'] == "as in the profile"
    assert settings['meanThr_DL = "Durchsatz"'] == "as in the profile"
    assert settings['encoding = "cp1250"'].startswith("as in the profile; not UTF-8")
    assert settings['delimiter = ";"'].startswith("as in the profile; 6 fields")
    assert settings['decimal = ","'] == "as in the profile; as in 1,250; 2 numbers have it, 0 '.'"
    open_ones = [why.split(" = ")[0].strip() for *_, why in told if " = cannot tell" in why]
    assert open_ones == ["meanThr_UL", "PRBUsageDL"]


def test_a_column_that_the_profile_names_and_a_file_lacks_is_looked_for(folder, drafted):
    with (folder / "small.toml").open("a") as profile:
        profile.write(SETTLED)
    lines = drafted("data/zaehler.csv").splitlines()
    (cell,) = [line for line in lines if line.startswith("CellName = ")]
    assert cell.startswith('CellName = "Zelle"  # its name says so')
    assert 'Time = "Beginn"  # as in the profile' in lines


def test_a_table_that_is_like_no_input_is_described_and_not_drafted(folder, drafted):
    (folder / "data" / "notes.csv").write_text("author;words\nA;12\nB;15\n")
    (folder / "data" / "plan.xlsx").write_bytes(b"PK\x03\x04")
    text = drafted()
    assert f"# Not looked at: {folder}/data/plan.xlsx (no CSV or Parquet)" in text
    assert "# cannot tell which input it is (" in text
    assert "#   words: 2 numbers from 12 to 15" in text
    assert parse_profile(text)


def test_times_that_a_run_cannot_read_are_named(folder, drafted):
    file = folder / "data" / "zaehler.csv"
    file.write_text(FILES["zaehler.csv"].replace("2026-03-01", "01.03.2026"))
    text = drafted("data/zaehler.csv")
    assert "a date in a form that a run does not read" in text
    assert "granularity period: cannot tell" in text


def test_parquet_needs_no_dialect(folder, drafted):
    table = pyarrow.table({"Cell": ["1A", "1A"], "Time": ["06:00", "06:15"], "temp": [1.5, 2.5]})
    parquet.write_table(table, folder / "cells.parquet")
    text = drafted("cells.parquet", "--as", SAMPLES)
    assert "# Parquet needs no delimiter" in text
    assert 'CellName = "Cell"  # its name says so; 1 name such as' in text
    assert "# granularity period: 15 minutes, as in the profile" in text


@pytest.mark.parametrize(
    ("name", "code", "told"),
    [
        ("nowhere", 3, "does not exist"),
        ("empty", 3, "no .csv or .parquet file there"),
        ("empty.csv", 3, "is empty"),
        ("gs://bucket/folder", 2, "on this machine"),
    ],
)
def test_what_cannot_be_looked_at_is_refused(name, code, told, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty.csv").write_text("")
    place = name if "://" in name else str(Path(tmp_path, name))
    assert main(["inspect", place]) == code
    assert told in capsys.readouterr().err
