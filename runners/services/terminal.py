"""How a command talks to people and scripts: its progress on stderr, one summary on stdout.

On a terminal progress is one live line, and the summary has tables and colours. Elsewhere, and
without rich, which a cluster lacks, both are plain lines.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TextIO

from runners.engines.command_log import show_only_errors
from runners.services.console import plain_text
from runners.services.days_done import DaysDone
from runners.services.outcome import Outcome
from runners.services.progress import NoProgress, Progress


@dataclass(frozen=True)
class Following:
    """The progress of one command.

    progress: makes the progress of a run, from the words in front of each of its stages. say: tells
    a line of its own. advance: a day is done.
    """

    progress: Callable[[str], Progress]
    say: Callable[[str], None]
    advance: Callable[[], None]


def _print_line(words: str) -> None:
    with suppress(OSError):
        print(words, file=sys.stderr, flush=True)


def _nothing(*_: object) -> None:
    """Nobody is told anything."""


PLAIN = Following(lambda _: Progress(), _print_line, _nothing)
SILENT = Following(lambda _: NoProgress(), _nothing, _nothing)


@dataclass(frozen=True)
class Terminal:
    """Where a command prints, and how much of it."""

    is_quiet: bool = False
    is_json: bool = False

    @classmethod
    def of(cls, options: argparse.Namespace) -> "Terminal":
        """As the arguments say."""
        return cls(options.quiet, options.json)

    @contextmanager
    def following(self, days: int | None = None) -> Iterator[Following]:
        """Follow a command, with a bar if it does a number of days."""
        if self.is_quiet:
            show_only_errors()
            yield SILENT
        elif is_terminal(sys.stderr):
            from rich.console import Console

            from runners.services.live_progress import LiveLine, LiveProgress

            with LiveLine(Console(stderr=True, highlight=False), days) as line:
                yield Following(lambda words: LiveProgress(line, words), _nothing, line.advance)
        else:
            yield PLAIN

    def show(self, done: Outcome | DaysDone) -> None:
        """Print what a command has done, in the form that suits stdout."""
        if self.is_json:
            print(json.dumps(done.as_json(), indent=2, ensure_ascii=False))
        elif self.is_quiet:
            return
        elif is_terminal(sys.stdout):
            from rich.console import Console

            from runners.services.rich_summary import show_days, show_outcome

            console = Console(highlight=False)
            if isinstance(done, DaysDone):
                show_days(console, done)
            else:
                show_outcome(console, done)
        else:
            print(done.plain_text() if isinstance(done, DaysDone) else plain_text(done))


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a stream shows colours and moves its cursor, and rich is there to do so."""
    is_one = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    return is_one and find_spec("rich") is not None
