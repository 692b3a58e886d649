"""What commands are, and what is left of them where nothing but the base is installed."""

import subprocess
import sys
from pathlib import Path
from pkgutil import resolve_name

import pytest

import anomaly
from runners.cli.main import COMMANDS, main
from runners.services.exit_codes import UNEXPECTED

ROOT = Path(__file__).parents[3]
# Runs `main` on each line of its input, where none of the packages of the extras can be imported.
BASE_INSTALL = """
import sys
for package in ("altair", "google", "pandas", "pyarrow", "pysail", "pyspark"):
    sys.modules[package] = None
from runners.cli.main import main
for line in sys.stdin:
    try:
        code = main(line.split())
    except SystemExit as ended:
        code = ended.code
    print("exit code", code)
"""


def in_base_install(*lines: str) -> str:
    """The output of commands, in which errors come with the exit code."""
    done = subprocess.run(
        [sys.executable, "-c", BASE_INSTALL],
        input="\n".join(lines),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_what_runs_a_command_exists(command):
    assert callable(resolve_name(command.run))


def test_help_of_every_command_needs_no_package_of_the_extras():
    told = in_base_install("--help", *(f"{name} --help" for name in COMMANDS))
    assert told.count("exit code 0") == 1 + len(COMMANDS)
    assert told.count("usage: ") == 1 + len(COMMANDS)


def test_profiles_are_checked_without_a_package_of_the_extras(tmp_path):
    (tmp_path / "wrong.toml").write_text("no_setting = 1\n")
    told = in_base_install(
        "--version",
        "check-config default",
        "check-config lab",
        f"check-config {tmp_path / 'wrong.toml'}",
    )
    assert [line[10:] for line in told.splitlines() if line.startswith("exit code")] == list("0002")
    assert told.startswith(f"cell-tower-anomaly {anomaly.__version__}\n")
    assert told.count("no problems") == 2
    assert told.count("\nNo input files were looked at; a run checks them first.\n") == 2
    assert "no_setting" in told


GS = "--customers gs://b/c --samples gs://b/s --calls gs://b/k --out gs://b/o"
BATCHES = "--settings conf/dataproc.toml"


@pytest.mark.parametrize(
    ("line", "extras"),
    [
        ("run --sample", "local"),
        ("backfill --from 2026-11-01 --to 2026-11-02", "local"),
        ("show out", "local"),
        ("report out --out report.html", "local,report"),
        (f"submit {BATCHES} {GS}", "gcp"),
        (f"status {BATCHES} batch", "gcp"),
    ],
)
def test_a_command_says_which_extras_it_needs(line, extras):
    told = in_base_install(line)
    assert f"pip install 'cell-tower-anomaly[{extras}]'" in told
    assert told.endswith("exit code 2\n")
    assert "Traceback" not in told


def test_a_module_of_ours_that_cannot_be_imported_is_no_missing_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "runners.cli.show", None)
    assert main(["show", "out"]) == UNEXPECTED
    assert "pip install" not in capsys.readouterr().err
