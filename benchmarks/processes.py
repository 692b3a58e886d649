"""Runs one command to the end of all its processes; its seconds and the memory that it needed."""

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
SECONDS_BETWEEN_SAMPLES = 0.1
# A JVM may go on for some seconds after its command.
SECONDS_TO_END = 120
CHARACTERS_OF_ERROR = 3000


class FailedCommandError(Exception):
    """A command failed; the message has the end of what it printed."""


@dataclass(frozen=True)
class Usage:
    """Seconds until the command ended, and the most memory that its processes had together.

    The memory is that of the processes alive at one time, each with its own peak.
    """

    seconds: float
    peak_megabytes: float


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Usage:
    """Run a command in the root of the repository, and wait until none of its processes is left.

    Raises FailedCommandError where it fails.
    """
    with tempfile.TemporaryFile() as printed:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            with PeakMemory(process.pid) as memory:
                process.wait()
                seconds = time.monotonic() - started
            _wait_for_others(process.pid)
        except BaseException:
            _kill(process)
            raise
        if process.returncode:
            printed.seek(0)
            end = printed.read().decode(errors="replace")[-CHARACTERS_OF_ERROR:]
            raise FailedCommandError(f"{' '.join(command)} failed:\n{end}")
    return Usage(seconds, memory.megabytes)


class PeakMemory:
    """Watches the memory of a session's processes while its block runs."""

    def __init__(self, session: int) -> None:
        self.megabytes = 0.0
        self._session = session
        self._is_over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PeakMemory":
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._watcher.join()

    def _watch(self) -> None:
        known: set[Path] = set()
        while not self._is_over.wait(SECONDS_BETWEEN_SAMPLES):
            living = set(processes_of(self._session))
            # For a moment a new process shares all memory of the one that starts it.
            peaks = map(_peak_kilobytes, living & known)
            self.megabytes = max(self.megabytes, sum(peaks) / 1024)
            known = living


def processes_of(session: int) -> Iterator[Path]:
    """The folders in /proc of the living processes of a session; the JVM is one of its Python's."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # The name before the last bracket may have blanks.
            state, _, _, its_session, *_ = (folder / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(its_session) == session and state != "Z":
            yield folder


def _peak_kilobytes(process: Path) -> int:
    try:
        lines = (process / "status").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


def _wait_for_others(session: int) -> None:
    latest = time.monotonic() + SECONDS_TO_END
    while left := [folder.name for folder in processes_of(session)]:
        if time.monotonic() > latest:
            raise FailedCommandError(
                f"processes {', '.join(left)} are left {SECONDS_TO_END} s after their command"
            )
        time.sleep(SECONDS_BETWEEN_SAMPLES)


def _kill(process: subprocess.Popen[bytes]) -> None:
    for folder in processes_of(process.pid):
        os.kill(int(folder.name), signal.SIGKILL)
    process.wait()
