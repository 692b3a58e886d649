"""The code of the documentation: fenced blocks of pages, and what can be done with each."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(
    r'^(?P<indent> *)```(?P<language>\w*)(?: title="(?P<title>[^"]+)")?\n'
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
EXIT_CODE = re.compile(r"^# exit code (\d+)$", re.MULTILINE)
# What needs services of Google, or the network, or changes the machine.
ELSEWHERE = re.compile(
    r"\b(gs|bq)://|my\.toml|^(docker|gcloud|bq|pip|jupyter|spark-submit) |^make (jars|cloud)\b",
    re.MULTILINE,
)


class Snippet(NamedTuple):
    """A fenced block."""

    language: str
    title: str | None
    text: str

    @property
    def runs_here(self) -> bool:
        """Whether this machine can execute it."""
        if self.language == "bash":
            return not ELSEWHERE.search(self.text)
        return self.language == "python" or bool(self.title)

    @property
    def exit_code(self) -> int:
        """The exit code that it says that it ends with."""
        said = EXIT_CODE.search(self.text)
        return int(said[1]) if said else 0

    @property
    def commands(self) -> list[list[str]]:
        """The commands of a block of bash, each as its words, without where their output goes."""
        lines = re.sub(r"\\\n| > \S+$", " ", self.text, flags=re.MULTILINE).splitlines()
        return [words for line in lines if (words := shlex.split(line, comments=True))]


def snippets(page: Path) -> Iterator[Snippet]:
    """The blocks of a page, in order."""
    for found in BLOCK.finditer(page.read_text(encoding="utf-8")):
        text = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
        yield Snippet(found["language"], found["title"], text)
