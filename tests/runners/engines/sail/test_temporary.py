"""Temporary files of this process, and of those that were killed."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[4]
MAKES_A_FOLDER = """
from runners.engines.sail.temporary import temporary_folder
(temporary_folder() / "rows").write_text("of a customer")
print("made", flush=True)
input()
"""


def process(temporary: Path) -> subprocess.Popen[str]:
    """A process that has made a temporary folder, and ends when it is told."""
    started = subprocess.Popen(
        [sys.executable, "-c", MAKES_A_FOLDER],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "made\n"
    return started


def test_what_a_killed_process_left_is_removed_by_the_next_one(tmp_path):
    of_others = tmp_path / "cell-tower-anomaly-1.log"
    of_others.touch()
    killed = process(tmp_path)
    (left,) = {*tmp_path.iterdir()} - {of_others}
    living = process(tmp_path)
    (kept,) = {*tmp_path.iterdir()} - {of_others, left}
    killed.kill()
    killed.communicate()
    assert (left / "lock").exists()

    process(tmp_path).communicate("end\n")
    assert {*tmp_path.iterdir()} == {of_others, kept}

    living.communicate("end\n")
    assert {*tmp_path.iterdir()} == {of_others}
