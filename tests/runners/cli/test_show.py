"""What `show` prints of published tables: cells, one cell, alarms, and each as CSV."""

import csv
import io
from datetime import date, timedelta

import pytest
from pyspark.sql import functions as F
from rich.console import Console

from anomaly.schema.inputs import HISTORY
from anomaly.schema.tables import CELL_TABLE
from runners.cli.alarms import AlarmInputs, run_alarms
from runners.cli.cell_screen import show_cell
from runners.cli.main import main
from runners.local import run_locally
from runners.storage.places import destination_of
from tests.builders.dated_inputs import DATED_PROFILE, write_days

pytestmark = pytest.mark.slow
MONDAY = date(2026, 1, 12)
SUNDAY = MONDAY - timedelta(days=1)
# On the last two days 1, A has twice the limit of 20 %; 2B sends nothing on the last.
LOADS = {"1, A": [10] * 6 + [40] * 2, "2B": [10] * 7 + [None], "3C": [10] * 8}


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return write_days(tmp_path_factory.mktemp("in"), MONDAY - timedelta(days=7), LOADS)


@pytest.fixture(scope="module")
def out(places, spark, tmp_path_factory):
    """The tables of Sunday and Monday."""
    folder = tmp_path_factory.mktemp("tables") / "out"
    for day in (SUNDAY, MONDAY):
        inputs = {source: path.replace("{run_date}", str(day)) for source, path in places.items()}
        inputs[HISTORY] = places["samples"].replace("/{run_date}", "")
        run_locally(DATED_PROFILE, inputs, destination_of(str(folder)), day)
    return str(folder)


@pytest.fixture
def shown(out, capsys):
    """What a command prints; the lines of CSV as dictionaries."""

    def shown(*options, place=out):
        assert main(["show", place, *options]) == 0
        printed = capsys.readouterr().out
        return [*csv.DictReader(io.StringIO(printed))] if "--csv" in options else printed

    return shown


def test_one_cell_is_shown_with_its_history_and_each_kpi(shown):
    lines = shown("--cell", "1, A").splitlines()
    assert lines[0] == "1, A on 2026-01-12: maintenance Required, rank 1"
    assert "State: NEW since 2026-01-12; maintenance due since 2026-01-12; " in "".join(lines)
    assert "last verdicts: 2026-01-11 Required, 2026-01-12 Required" in "".join(lines)
    head, row = lines[-2:]
    assert head.split() == ["KPI", "status", "value", "limit", "baseline"]
    assert row.split() == ["load", "CRIT", "40", "%", "above", "20", "%", "20", "%", "(fixed)"]


def test_a_cell_that_could_not_be_judged_is_shown_as_that(shown):
    text = shown("--cell", "2B")
    assert text.startswith("2B on 2026-01-12: not judged, rank ")
    assert "State: NO_DATA since 2026-01-12" in text


def test_a_misspelled_cell_is_refused_with_names_like_it(out, capsys):
    assert main(["show", out, "--cell", "2b"]) == 3
    assert "there is no cell '2b'; similar names: 2B" in capsys.readouterr().err


def test_the_cells_to_visit_are_csv_that_scripts_can_read(shown):
    (row,) = shown("--csv")
    assert row.pop("verdict_reason")
    assert row == {
        "severity_rank": "1",
        "CellName": "1, A",
        "failed_families": "",
        "state": "NEW",
        "since": "2026-01-12",
        "customers": "1",
        "defected_count": "1",
        "evaluated_kpis": "1",
        "run_date": "2026-01-12",
    }
    (before,) = shown("--csv", "--run-date", str(SUNDAY))
    assert (before["state"], before["since"]) == ("WATCHED", "2026-01-11")


def test_the_cell_table_alone_has_no_states(shown, out, capsys):
    (row,) = shown("--csv", place=f"{out}/{CELL_TABLE}")
    assert "state" not in row
    assert row["CellName"] == "1, A"
    assert main(["show", f"{out}/{CELL_TABLE}", "--alarms"]) == 3
    assert "give the --out of the run" in capsys.readouterr().err


def test_the_kpis_of_a_cell_are_csv_in_full_precision(shown):
    (kpi,) = shown("--cell", "1, A", "--csv")
    assert [kpi[name] for name in ("kpi", "status", "value", "direction", "bound")] == [
        "load",
        "CRIT",
        "40.0",
        "above",
        "20.0",
    ]


def test_alarms_are_shown_without_the_cells_and_as_csv(shown):
    text = shown("--alarms")
    assert text.startswith("2 alarms in 3.0 cell days, ")
    assert "maintenance" not in text
    alarms = shown("--alarms", "--csv")
    # Of the periods of six hours the second bad one in a row raises an alarm.
    assert [(row["CellName"], row["severity"], row["raised_at"]) for row in alarms] == [
        ("1, A", "CRIT", "2026-01-12 06:00:00"),
        ("2B", "CRIT", "2026-01-12 06:00:00"),
    ]
    assert {row["cleared_at"] for row in alarms} == {""}


def test_alarms_are_shown_where_no_cell_was_judged(places, spark, tmp_path, shown):
    samples = places["samples"].replace("{run_date}", str(MONDAY))
    history = places["samples"].replace("/{run_date}", "")
    run_alarms(DATED_PROFILE, AlarmInputs(samples, history), destination_of(str(tmp_path)), MONDAY)
    assert shown("--alarms", place=str(tmp_path)).startswith("2 alarms in 3.0 cell days, ")


@pytest.mark.parametrize("width", [60, 120])
def test_a_cell_fits_the_screen(out, spark, width):
    cell = spark.read.parquet(f"{out}/{CELL_TABLE}/run_date={MONDAY}").where("CellName = '1, A'")
    row = cell.withColumn("run_date", F.lit(MONDAY)).head()
    screen = io.StringIO()
    show_cell(Console(file=screen, width=width), row, None)
    lines = screen.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0] == "1, A on 2026-01-12: maintenance Required, rank 1"
    assert lines[-1].split() == [
        "load",
        "CRIT",
        "40",
        "%",
        "above",
        "20",
        "%",
        "20",
        "%",
        "(fixed)",
    ]
