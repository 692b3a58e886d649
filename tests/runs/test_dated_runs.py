"""A run on dated samples raises alarms, too; on others it does not."""

from datetime import date, timedelta

import pytest

from anomaly import ConfigurationError
from anomaly.pipeline.output_tables import TABLES_OF_A_RUN, TABLES_OF_ALARMS
from anomaly.schema.inputs import HISTORY, SAMPLES
from anomaly.schema.tables import ALARMS_TABLE, ANOMALIES_TABLE, CELL_TABLE
from runners.cli.alarms import AlarmInputs, run_alarms
from runners.cli.main import main
from runners.local import run_locally
from runners.storage.places import destination_of
from tests.builders.dated_inputs import DATED_PROFILE, PROFILE_TEXT, write_days
from tests.builders.small_inputs import write_csv

pytestmark = pytest.mark.slow
# A Monday, with which baselines begin to be used.
MONDAY = date(2026, 1, 12)
OF_RUN = ("run_id", "profile")
LOADS = {"1A": [10] * 7 + [40], "2B": [10] * 7 + [None], "3C": [10] * 8}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Seven days, and the Monday after them: 1A is loaded, 2B is silent."""
    places = write_days(tmp_path_factory.mktemp("in"), MONDAY - timedelta(days=7), LOADS)
    found = {source: path.replace("{run_date}", str(MONDAY)) for source, path in places.items()}
    # The days before lie in the same folder as the Monday; its own rows count once.
    return found | {HISTORY: places["samples"].replace("/{run_date}", "")}


def rows(spark, folder, table):
    frame = spark.read.parquet(f"{folder}/{table}").drop(*OF_RUN)
    return sorted((row.asDict(recursive=True) for row in frame.collect()), key=str)


def test_a_run_on_dated_samples_has_the_alarms_of_the_command(spark, inputs, tmp_path):
    run_locally(DATED_PROFILE, inputs, destination_of(f"{tmp_path}/run"), MONDAY)
    assert {path.name for path in tmp_path.glob("run/[!.]*")} == {
        *TABLES_OF_A_RUN,
        *TABLES_OF_ALARMS,
    }
    alarms = rows(spark, f"{tmp_path}/run", ALARMS_TABLE)
    assert {(row["CellName"], row["severity"]) for row in alarms} == {
        ("1A", "CRIT"),
        ("2B", "CRIT"),
    }
    run_alarms(
        DATED_PROFILE,
        AlarmInputs(inputs["samples"], inputs[HISTORY]),
        destination_of(f"{tmp_path}/alone"),
        MONDAY,
    )
    for table in (ALARMS_TABLE, ANOMALIES_TABLE):
        assert rows(spark, f"{tmp_path}/alone", table) == rows(spark, f"{tmp_path}/run", table)


def test_the_terminal_has_the_alarms_below_the_cells_and_so_has_show(inputs, tmp_path, capfd):
    (tmp_path / "dated.toml").write_text(PROFILE_TEXT)
    out, day = f"{tmp_path}/out", str(MONDAY)
    command = ["run", "--profile", f"{tmp_path}/dated.toml", "--out", out, "--run-date", day]
    command += ["--customers", inputs["customers"], "--samples", inputs["samples"]]
    command += ["--calls", inputs["call_statistics"], "--history", inputs[HISTORY]]
    assert main(command) == 0
    told = capfd.readouterr().out
    cells, alarms = told.split(
        "2 alarms in 3.0 cell days, from 2026-01-12 00:00:00 to 2026-01-13 00:00:00 UTC; "
    )
    assert cells.startswith("1 of 3 cells needs maintenance")
    alarms, _, _ = alarms.partition("Tables:")
    first, *lines = alarms.splitlines()
    assert first == "2 active; active ones first, then the newest:"
    assert [line[:16] for line in lines if line.startswith("  CRIT")] == [
        "  CRIT  1A since",
        "  CRIT  2B since",
    ]
    assert main(["show", out]) == 0
    assert alarms in capfd.readouterr().out
    # Of the cell table alone it is not known.
    assert main(["show", f"{out}/{CELL_TABLE}"]) == 0
    assert "alarms in" not in capfd.readouterr().out


@pytest.mark.parametrize("time", ["Time,06:15", ""], ids=["times of day", "no times"])
def test_without_dates_there_are_no_alarms_and_no_history(spark, inputs, tmp_path, time):
    name, _, value = time.partition(",")
    header = [*filter(None, [name]), "CellName", "load"]
    write_csv(tmp_path / "samples.csv", header, [[*filter(None, [value]), "1A", 40]])
    undated = inputs | {SAMPLES: f"{tmp_path}/samples.csv"}
    with pytest.raises(ConfigurationError, match="only alarms use it"):
        run_locally(DATED_PROFILE, undated, destination_of(f"{tmp_path}/out"), MONDAY)
    del undated[HISTORY]
    run_locally(DATED_PROFILE, undated, destination_of(f"{tmp_path}/out"), MONDAY)
    assert {path.name for path in tmp_path.glob("out/[!.]*")} == {*TABLES_OF_A_RUN}
