"""Machines that are not as ours: commands in processes of their own, some seconds each."""

import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tests.campaign.case import Case, fill
from tests.campaign.commands import Ended
from tests.campaign.oracle import faults_of, faults_of_words
from tests.campaign.oracle import published as tables

ROOT = Path(__file__).parents[2]
# "$@" is the command, "$0" a folder that may be used.
DEFAULT_PUBLISHING = 'exec "$@"'


@dataclass(frozen=True)
class Machine:
    """An environment, what a shell does around the command, and whether the command can work."""

    name: str
    variables: dict[str, str] = field(default_factory=dict)
    shell: str = DEFAULT_PUBLISHING
    command: str = "run"
    codes: tuple[int, ...] = (0,)


MACHINES = (
    Machine("locale C", {"LC_ALL": "C"}),
    Machine("latin-1 console", {"PYTHONIOENCODING": "latin-1", "LC_ALL": "C"}),
    Machine("Tokyo", {"TZ": "Asia/Tokyo"}),
    Machine("Turkish", {"JAVA_TOOL_OPTIONS": "-Duser.language=tr -Duser.country=TR"}),
    Machine("Arabic digits", {"JAVA_TOOL_OPTIONS": "-Duser.language=ar -Duser.country=EG"}),
    Machine("latin-1 Java", {"JAVA_TOOL_OPTIONS": "-Dfile.encoding=ISO-8859-1"}),
    Machine("no HOME", shell='unset HOME; exec "$@"', command="show"),
    Machine("HOME that is not there", {"HOME": "/proc/nowhere"}, command="show"),
    Machine("no TMPDIR", {"TMPDIR": "/proc/nowhere"}, codes=(0, 2, 4)),
    Machine("no JAVA_HOME", {"JAVA_HOME": "/proc/nowhere"}, command="show", codes=(2,)),
    Machine("other SPARK_HOME", {"SPARK_HOME": "/proc/nowhere"}, command="show", codes=(2,)),
    Machine("other Java options", {"JAVA_TOOL_OPTIONS": "-XX:Nonsense"}, command="show",
            codes=(2,)),
    Machine("too much memory", {"SPARK_DRIVER_MEMORY": "999999g"}, command="show", codes=(2,)),
    Machine("memory that is none", {"SPARK_DRIVER_MEMORY": "lots"}, command="show", codes=(2,)),
    Machine("other master", {"SPARK_MASTER": "nonsense"}, command="show", codes=(2,)),
    Machine("no SPARK_LOCAL_DIRS", {"SPARK_LOCAL_DIRS": "/proc/nowhere"}, codes=(0, 2, 4)),
    Machine("no log", {"CELL_TOWER_LOG": "/proc/nowhere/log"}, command="show", codes=(0, 2, 4)),
    Machine("hash key that is none", {"CELL_TOWER_HASH_KEY": "short"}, command="hash", codes=(2,)),
    Machine("full screen", shell='exec "$@" > /dev/full', command="show", codes=(0, 4)),
    Machine("screen that is gone", shell='"$@" | true; exit ${PIPESTATUS[0]}', command="show",
            codes=(0, 4, 141)),
    Machine("closed screen", shell='exec "$@" >&- 2>&-', command="show", codes=(0, 4)),
    Machine("folder that is gone", shell='mkdir "$0/x"; cd "$0/x"; rmdir "$0/x"; exec "$@"',
            command="show"),
    Machine("few open files", shell='ulimit -n 64; exec "$@"', codes=(0, 2, 3, 4)),
    Machine("small files only", shell='ulimit -f 8; exec "$@"', codes=(2, 3, 4)),
    Machine("umask", shell='umask 0777; exec "$@"', codes=(0, 2, 3, 4)),
    Machine("optimized Python", {"PYTHONOPTIMIZE": "2"}, command="show"),
    Machine("warnings are errors", {"PYTHONWARNINGS": "error"}, command="show"),
)  # fmt: skip


def clean_case(folder: Path) -> Case:
    """A case without any mutation."""
    return fill(Case(0, random.Random(0), folder))


def ended_on(machine: Machine, published: Path, folder: Path) -> tuple[Ended, list[str]]:
    """A command on a machine, the run of a case or a look at a published folder, and its faults."""
    case = clean_case(folder / f"Málaga {machine.name}")
    case.write()
    done = _in_a_process(machine, case, published)
    faults = [fault for fault in faults_of_words(done) if fault != f"exit {done.code}"]
    if done.code not in machine.codes:
        faults.append(f"exit {done.code}")
    elif machine.command == "run" and done.code == 0:
        faults += faults_of(case, done, set())
    if done.code and tables(case):
        faults.append("refused, and something was published")
    return done, faults


def _in_a_process(machine: Machine, case: Case, published: Path) -> Ended:
    commands = {
        "run": case.arguments(),
        "hash": [*case.arguments(), "--hash-customers"],
        "show": ["show", str(published)],
    }
    arguments = commands[machine.command]
    command = [sys.executable, "-m", "runners.cli.main", *arguments]
    done = subprocess.run(
        ["bash", "-c", machine.shell, str(case.folder), *command],
        env={**os.environ, "PYTHONPATH": str(ROOT), **machine.variables},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=300,
    )
    out, err = (text.decode("utf-8", "replace") for text in (done.stdout, done.stderr))
    return Ended(tuple(arguments), done.returncode, out, err)
