"""Whole runs killed at random moments: a reader finds the output before or the new one, whole."""

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from anomaly.schema.tables import CELL_TABLE, CUSTOMER_TABLE, REJECTED_TABLE, SUMMARY_TABLE
from runners.storage.parquet_folder import STAGING
from runners.storage.versions import VERSIONS
from tests.builders.small_inputs import SmallInputs, profile_text

pytestmark = pytest.mark.killed
KILLS = 20
TABLES = (CELL_TABLE, CUSTOMER_TABLE, REJECTED_TABLE, SUMMARY_TABLE)
# From the last table on: the publishing, the removal of the run before, the end.
PUBLISHING_SECONDS = 0.3
POLL_SECONDS = 0.005
ROOT = Path(__file__).parents[2]


class Output(NamedTuple):
    """What a reader finds: the run that all tables name, and a digest of what they say."""

    run_id: str
    digest: str


class Runs:
    """Runs in processes of their own, on two sets of inputs, into one folder."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "out"
        self.profile = folder / "small.toml"
        self.profile.write_text(profile_text())
        self.inputs = {
            name: SmallInputs(seed).write(folder / name) for name, seed in (("A", 1), ("B", 2))
        }
        # What an engine leaves there when it is killed goes with the folder of the test.
        temporary = folder / "tmp"
        temporary.mkdir()
        local = {"SPARK_LOCAL_DIRS": str(temporary), "TMPDIR": str(temporary)}
        self.environment = {**os.environ, **local}

    def start(self, name: str) -> subprocess.Popen[str]:
        """A run on the inputs of that name, in a process group that a JVM belongs to as well."""
        places = self.inputs[name]
        command = [sys.executable, "-m", "runners.cli.main", "run", "--run-date", "2026-11-01"]
        command += ["--profile", str(self.profile), "--out", str(self.out)]
        command += ["--customers", places["customers"], "--samples", places["samples"]]
        command += ["--calls", places["call_statistics"]]
        return subprocess.Popen(
            command,
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def complete(self, name: str) -> Output:
        """The output of a run that is left alone."""
        process = self.start(name)
        told, _ = process.communicate()
        assert process.returncode == 0, told
        return self.read()

    def start_and_stage(self, name: str) -> subprocess.Popen[str]:
        """A run that has staged its last table."""
        earlier = self._staged()
        process = self.start(name)
        while self._staged() <= earlier and not ends_within(POLL_SECONDS, process):
            pass
        return process

    def _staged(self) -> set[str]:
        ends = (self.out / STAGING).glob(f"*/{SUMMARY_TABLE}/*/_SUCCESS")
        return {end.parents[2].name for end in ends}

    def read(self) -> Output:
        """The published tables; fails where they are not all there and of one run."""
        run_ids: set[str] = set()
        digest = hashlib.sha256()
        for name in TABLES:
            table = duckdb.read_parquet(f"{self.out}/{name}/*/*.parquet")
            run_ids.update(run_id for (run_id,) in table.project("run_id").fetchall())
            if name == SUMMARY_TABLE:
                table = table.filter("section != 'seconds'")
            rows = table.project("* exclude (run_id)").fetchall()
            digest.update("\n".join([name, *sorted(map(repr, rows))]).encode())
        assert len(run_ids) == 1, run_ids
        return Output(run_ids.pop(), digest.hexdigest())


def ends_within(seconds: float, process: subprocess.Popen[str]) -> bool:
    """Whether a run, the JVM of Spark included, ends in that time."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def kill(process: subprocess.Popen[str]) -> bool:
    """Kill a run, and the JVM of Spark; False where the run was done before."""
    if process.returncode is None:
        os.killpg(process.pid, signal.SIGKILL)
    # Returns when nobody holds the pipe any more: a JVM is gone as well.
    told, _ = process.communicate()
    assert process.returncode in (0, -signal.SIGKILL), told
    return process.returncode != 0


def test_killed_runs_leave_the_output_before_or_the_new_one(tmp_path):
    chance = random.Random(20)
    runs = Runs(tmp_path)
    digests = {"A": runs.complete("A").digest}
    began = time.monotonic()
    published = runs.complete("B")
    run_seconds = time.monotonic() - began
    digests["B"] = published.digest
    assert digests["A"] != digests["B"]

    found_after_kill: Counter[str] = Counter()
    # A run that is done before the kill arrives does not count.
    for attempt in range(2 * KILLS):
        if found_after_kill.total() == KILLS:
            break
        # Always the inputs that are not published, so that a mixture would show.
        name = "A" if published.digest == digests["B"] else "B"
        # Half of the kills hit the short time in which the outcome is decided.
        if attempt % 2:
            process = runs.start_and_stage(name)
            ends_within(chance.uniform(0, PUBLISHING_SECONDS), process)
        else:
            process = runs.start(name)
            ends_within(chance.uniform(0, run_seconds), process)
        killed = kill(process)
        found = runs.read()
        assert found == published or found.digest == digests[name]
        if killed:
            found_after_kill["old output" if found == published else "new output"] += 1
        published = found

    assert found_after_kill.total() == KILLS
    name = "A" if published.digest == digests["B"] else "B"
    last = runs.complete(name)
    assert last.digest == digests[name]
    (version,) = (runs.out / VERSIONS).iterdir()
    assert version.name.startswith(last.run_id)
    print(f"{KILLS} kills left: {dict(found_after_kill)}")
