"""Runs on a disk that becomes full: what is published stays, and the next run goes on."""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from anomaly.schema.tables import (
    CELL_TABLE,
    CUSTOMER_TABLE,
    HISTORY_TABLE,
    REJECTED_TABLE,
    SUMMARY_TABLE,
)
from runners.engines.choice import SAIL, VARIABLE
from tests.builders.small_inputs import SmallInputs, profile_text

ROOT = Path(__file__).parents[2]
ON_SAIL = pytest.mark.skipif(
    os.environ.get(VARIABLE) != SAIL, reason="Spark may keep in memory what fits there"
)
STAGE = re.compile(r" \d+\.\d s$")
TABLES = (CELL_TABLE, CUSTOMER_TABLE, HISTORY_TABLE, REJECTED_TABLE, SUMMARY_TABLE)
# The disk is there in this shell alone. Between two runs it has so many free bytes and no more. The
# runs before and after that are by Sail, which publishes the same sooner.
SHELL = """
mount -t tmpfs -o size=8m tmpfs disk || exit 99
mkdir disk/tmp
"$@" --engine sail --run-date 2026-11-01 >&2 || exit 98
cp -a disk/out before 2>/dev/null || cp -a out before
dd if=/dev/zero of=disk/fill bs=4k 2>/dev/null
truncate -s -$FREE disk/fill
"$@" --run-date 2026-11-02 2> told
code=$?
cp -a disk/out full 2>/dev/null || cp -a out full
rm disk/fill
"$@" --engine sail --run-date 2026-11-02 >&2 || exit 97
cp -a disk/out after 2>/dev/null || cp -a out after
exit $code
"""


def rows(out: Path, day: str) -> dict[str, list[str]]:
    """The rows of each table of a day, without the name of the run."""
    found = {}
    for table in TABLES:
        files = f"{out}/{table}/run_date={day}/*.parquet"
        read = duckdb.sql(f"select * exclude (run_id) from read_parquet('{files}')")
        found[table] = sorted(map(repr, read.fetchall()))
    return found


def days(out: Path) -> set[str]:
    return {path.name for table in TABLES for path in (out / table).glob("run_date=*")}


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.skipif(os.getuid() != 0, reason="a disk of its own takes the rights of root")
@pytest.mark.parametrize(
    ("out", "temporary", "free"),
    [
        pytest.param("disk/out", "tmp", 8_000, marks=pytest.mark.on_one_spark),
        ("disk/out", "tmp", 90_000),
        pytest.param("out", "disk/tmp", 8_000, marks=ON_SAIL),
    ],
)
def test_a_run_on_a_full_disk_loses_nothing(tmp_path, out, temporary, free):
    (tmp_path / "small.toml").write_text(profile_text())
    (tmp_path / "disk").mkdir()
    (tmp_path / "tmp").mkdir()
    places = SmallInputs().write(tmp_path / "in")
    command = [sys.executable, "-m", "runners.cli.main", "run", "--out", f"{tmp_path}/{out}"]
    command += ["--profile", f"{tmp_path}/small.toml", "--customers", places["customers"]]
    command += ["--samples", places["samples"], "--calls", places["call_statistics"]]
    shell = subprocess.run(
        ["unshare", "--mount", "bash", "-c", SHELL, "bash", *command],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "FREE": str(free),
            "TMPDIR": f"{tmp_path}/{temporary}",
            "SPARK_LOCAL_DIRS": f"{tmp_path}/{temporary}",
        },
        capture_output=True,
        text=True,
    )
    told = (tmp_path / "told").read_text()
    assert shell.returncode == 4, shell.stderr + told
    (error,) = [line for line in told.split("\n") if line and not STAGE.search(line)]
    assert error.startswith("error: ")
    assert "cannot be written" in error
    assert "No space left on device" in error

    before, full, after = (tmp_path / name for name in ("before", "full", "after"))
    assert days(before) == days(full) == {"run_date=2026-11-01"}
    assert rows(full, "2026-11-01") == rows(before, "2026-11-01")
    assert not (full / ".staging").exists()
    assert days(after) == {"run_date=2026-11-01", "run_date=2026-11-02"}
    assert rows(after, "2026-11-01") == rows(before, "2026-11-01")
    assert all(map(len, rows(after, "2026-11-02").values()))
