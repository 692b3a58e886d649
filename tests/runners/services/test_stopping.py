"""Ctrl-C and the like, sent to commands in processes of their own."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from anomaly.schema.tables import CELL_TABLE
from runners.services.stopping import publishing, stoppable
from tests.builders.small_inputs import SmallInputs, profile_text

ROOT = Path(__file__).parents[3]
NOTHING = "stopped; nothing was published"
# A command of which PUBLISH is replaced in the process that is to be stopped.
SLOW_PUBLISHING = """
import sys, signal, os
from runners.cli import main as command
from runners.storage.versions import Versions
publish = Versions.publish
def asked_meanwhile(*arguments):
    os.kill(os.getpid(), signal.SIGINT)
    publish(*arguments)
Versions.publish = asked_meanwhile
sys.exit(command.main())
"""


class Runs:
    """Runs on small inputs into one folder."""

    def __init__(self, folder: Path) -> None:
        inputs = SmallInputs().write(folder / "in")
        (folder / "small.toml").write_text(profile_text())
        self.out = folder / "out"
        self.arguments = ["run", "--out", str(self.out), "--profile", f"{folder}/small.toml"]
        self.arguments += ["--customers", inputs["customers"], "--samples", inputs["samples"]]
        self.arguments += ["--calls", inputs["call_statistics"]]

    def start(self, day: str, *python: str) -> subprocess.Popen[str]:
        command = [sys.executable, *(python or ("-m", "runners.cli.main")), *self.arguments]
        return subprocess.Popen(
            [*command, "--run-date", day],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    @property
    def temporary(self) -> Path:
        """What a run leaves in the folder for temporary files."""
        folder = self.out.parent / "tmp"
        folder.mkdir(exist_ok=True)
        return folder

    def days(self) -> set[str]:
        rows = duckdb.read_parquet(f"{self.out}/{CELL_TABLE}/*/*.parquet", hive_partitioning=True)
        return {str(day) for (day,) in rows.project("run_date").distinct().fetchall()}


@pytest.fixture(autouse=True)
def hears_ctrl_c():
    """Shells start what runs in the background deaf to Ctrl-C, and so are its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def runs(tmp_path):
    return Runs(tmp_path)


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.parametrize(
    "sent", [pytest.param(signal.SIGINT, marks=pytest.mark.on_one_spark), signal.SIGTERM]
)
@pytest.mark.parametrize(
    "stage", ["starting the", "opening the", "preparing the", "accounting for"]
)
def test_a_run_that_is_stopped_says_so_in_one_line_and_leaves_nothing(runs, stage, sent):
    run = runs.start("2026-11-01")
    told = []
    for line in run.stderr:
        told.append(line)
        if line.startswith(stage):
            # To all processes of the terminal, Java among them.
            os.killpg(run.pid, sent)
            break
    _, rest = run.communicate(timeout=60)
    others = [line for line in rest.splitlines() if not line.endswith(" s")]
    assert others == [NOTHING], "".join((*told, rest))
    assert run.returncode == 128 + sent
    assert not (runs.out / CELL_TABLE).exists()
    assert not (runs.out / ".staging").exists()
    assert not [*runs.temporary.iterdir()]


@pytest.mark.slow
@pytest.mark.on_one_spark
@pytest.mark.spark
def test_a_run_that_is_publishing_ends_that_first_and_says_so(runs):
    run = runs.start("2026-11-02", "-c", SLOW_PUBLISHING)
    _, told = run.communicate(timeout=200)
    assert run.returncode == 130
    last = told.splitlines()[-1]
    assert last == f"stopped; published before: {runs.out}, 2026-11-02"
    assert runs.days() == {"2026-11-02"}


def test_what_is_published_before_is_told(monkeypatch):
    # The engine of this process is that of other tests.
    monkeypatch.setattr("runners.services.stopping.end_engine", lambda: None)
    with pytest.raises(KeyboardInterrupt), stoppable() as stopping:
        with publishing("out", "2026-11-01"):
            pass
        with publishing("out", "2026-11-02"):
            signal.raise_signal(signal.SIGINT)
        raise AssertionError
    assert stopping.words == "stopped; published before: out, 2026-11-01, out, 2026-11-02"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_what_fails_while_it_is_published_is_not_told_as_published():
    full = pytest.raises(OSError, match="disk full")
    with full, stoppable() as stopping, publishing("out", "2026-11-01"):
        raise OSError("disk full")
    assert stopping.words == NOTHING


def test_a_signal_that_the_process_ignores_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)
