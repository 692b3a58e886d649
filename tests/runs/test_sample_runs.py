"""Made-up data is run on where it is asked for alone, and is told from real data ever after."""

from pathlib import Path

import pytest

from anomaly.pipeline.output_tables import TABLES_OF_A_RUN
from anomaly.schema.tables import CELL_TABLE, HISTORY_TABLE, SUMMARY_TABLE
from runners.cli.main import main
from runners.services.arguments import INPUT_OPTIONS
from runners.services.console import MADE_UP_WORDS
from tests.builders.small_inputs import SmallInputs, profile_text

DAY, OTHER_DAY = "2026-11-01", "2026-11-02"


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ([], ["customers", "samples", "call_statistics"]),
        (["--samples", "there.csv"], ["customers", "call_statistics"]),
    ],
)
def test_inputs_that_are_not_named_are_never_made_up(given, told, tmp_path, capsys, monkeypatch):
    for start in ("start", "session_at"):
        monkeypatch.setattr(f"runners.local.{start}", None)
    assert main(["run", "--out", f"{tmp_path}/out", "--run-date", DAY, *given]) == 2
    error = capsys.readouterr().err
    assert [source for source, option in INPUT_OPTIONS.items() if f"{option} PATH" in error] == told
    assert ("made-up data: --sample" in error) == (not given)
    assert not (tmp_path / "out").exists()


def test_made_up_data_does_not_mix_with_inputs_that_are_named(tmp_path, capsys):
    assert main(["run", "--out", str(tmp_path), "--sample", "--calls", "c", "--history", "h"]) == 2
    error = capsys.readouterr().err
    assert "--sample makes its own data: leave out the call_statistics input" in error
    assert "leave out the history input" in error


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Runs on small inputs, or on made-up data, into a folder."""
    folder = tmp_path_factory.mktemp("inputs")
    inputs = SmallInputs().write(folder)
    (folder / "small.toml").write_text(profile_text())
    real = ["--customers", inputs["customers"], "--samples", inputs["samples"]]
    real += ["--calls", inputs["call_statistics"], "--profile", f"{folder}/small.toml"]

    def run(out: Path, day: str, *options: str) -> int:
        named = ["--sample"] if "--sample" in options else real
        others = [one for one in options if one != "--sample"]
        return main(["run", *named, "--out", str(out), "--run-date", day, *others])

    return run


@pytest.mark.slow
def test_what_rests_on_made_up_data_says_so_and_never_mixes_with_real_days(
    run, spark, tmp_path, capfd
):
    out, page = tmp_path / "out", tmp_path / "page.html"

    def run_ids(table, day):
        rows = spark.read.parquet(f"{out}/{table}").where(f"run_date = '{day}'")
        return [row.run_id for row in rows.select("run_id").distinct().collect()]

    assert run(out, DAY, "--sample", "--report", str(page)) == 0
    assert capfd.readouterr().out.startswith(MADE_UP_WORDS)
    assert "Made-up sample data" in page.read_text(encoding="utf-8")
    for table in TABLES_OF_A_RUN:
        assert all(found.startswith("sample") for found in run_ids(table, DAY)), table
    assert main(["show", str(out)]) == 0
    assert capfd.readouterr().out.startswith(MADE_UP_WORDS)

    # Inputs come: what was made up has no part in their history.
    assert run(out, OTHER_DAY, "--add-columns", "--report", str(page)) == 0
    assert MADE_UP_WORDS not in capfd.readouterr().out
    assert "Made-up sample data" not in page.read_text(encoding="utf-8")
    (run_id,) = run_ids(SUMMARY_TABLE, OTHER_DAY)
    assert not run_id.startswith("sample")
    history = spark.read.parquet(f"{out}/{HISTORY_TABLE}").where(f"run_date = '{OTHER_DAY}'")
    # The made-up network has 52.
    assert history.count() == 12
    assert main(["diff", f"{out}@{DAY}", f"{out}@{OTHER_DAY}"]) == 0
    named = f"from {out}@{DAY} (made-up sample data) to {out}@{OTHER_DAY}\n"
    assert named in capfd.readouterr().out

    for day in (DAY, OTHER_DAY):
        assert run(out, day, "--sample") == 2
        told = capfd.readouterr().err
        assert f"{out} holds a day of real data, the last {OTHER_DAY}" in told
    assert run_ids(CELL_TABLE, OTHER_DAY) == [run_id]
