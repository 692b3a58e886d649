"""The verdicts of this library, from a process of its own environment that stays warm."""

import json
import subprocess
import tempfile
from typing import IO, Any

import pandas as pd

from benchmarks.commands import SPARK_3
from benchmarks.processes import CHARACTERS_OF_ERROR, ROOT, FailedCommandError
from benchmarks.verdicts.case import Case

REQUIRED = "Required"


class Product:
    """This library with one profile; its process runs while the block does."""

    def __init__(self, profile: str) -> None:
        """Name the profile, a file or the name of one that comes along."""
        self._command = [SPARK_3, "-m", "benchmarks.verdicts.product_worker", profile]

    def __enter__(self) -> "Product":
        """Start the process."""
        self._printed: IO[bytes] = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            self._command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        """Let the process end."""
        self._process.communicate()
        self._printed.close()

    def verdicts(self, case: Case) -> pd.DataFrame:
        """Return required, severity and reason by cell; raise FailedCommandError."""
        answer = self._answer(str(case.folder))
        cells: list[dict[str, Any]] = json.loads(answer)
        return pd.DataFrame(
            {
                "required": [cell["Maintainence_Required"] == REQUIRED for cell in cells],
                "severity": [-cell["severity_rank"] for cell in cells],
                "reason": [_reason(cell) for cell in cells],
            },
            index=[cell["CellName"] for cell in cells],
        )

    def _answer(self, question: str) -> str:
        """Hand over a line and wait for one."""
        assert self._process.stdin
        assert self._process.stdout
        try:
            print(question, file=self._process.stdin, flush=True)
            answer = self._process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self._process.wait()
            self._printed.seek(0)
            end = self._printed.read().decode(errors="replace")[-CHARACTERS_OF_ERROR:]
            raise FailedCommandError(f"{' '.join(self._command)} failed:\n{end}")
        return answer


def _reason(cell: dict[str, Any]) -> str:
    """Return the failed families of KPIs and the reason in words, as far as they are published."""
    families = ", ".join(cell.get("failed_families") or [])
    return "; ".join(part for part in (families, cell.get("verdict_reason")) if part)
