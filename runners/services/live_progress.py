"""The one live line of a terminal: what happens now, and for how long. It goes when the work ends.

Needs rich, which a cluster lacks: import it only where there is a terminal.
"""

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Bars
from rich.table import Column
from rich.text import Text

from runners.services.progress import Progress, count_of, words_of

# A stage that has ended is shown for so long, with what it counted, while others go on.
SECONDS_SHOWN = 1.0


class Now(ProgressColumn):
    """What happens now, or what has just ended."""

    def __init__(self) -> None:
        # One line, whatever the width.
        super().__init__(Column(no_wrap=True, overflow="ellipsis"))
        self.running, self.ended, self.ended_at = "starting", "", 0.0

    def render(self, task: Task) -> Text:
        """The words as they are: a name is not markup."""
        is_fresh = time.monotonic() - self.ended_at < SECONDS_SHOWN
        return Text(self.ended if is_fresh else self.running)


class LiveLine:
    """The line, and beside it a bar if days are counted. A context, in which it is shown."""

    def __init__(self, console: Console, days: int | None = None) -> None:
        bar = BarColumn(bar_width=12), TextColumn("{task.completed:.0f} of {task.total:.0f} days")
        self.now = Now()
        self._bars = Bars(
            SpinnerColumn(),
            self.now,
            *(bar if days else ()),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            redirect_stdout=False,
        )
        self._task = self._bars.add_task("", total=days)

    def __enter__(self) -> "LiveLine":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def advance(self) -> None:
        """A day is done."""
        self._bars.advance(self._task)


class LiveProgress(Progress):
    """Shows the newest stage that is under way."""

    def __init__(self, line: LiveLine, before: str = "") -> None:
        """before: words in front of each stage, such as a day."""
        super().__init__()
        self._now, self._before = line.now, before

    def show(self) -> None:
        """Show what is under way."""
        if self.running:
            self._now.running = f"{self._before}{words_of(self.running[-1])}"

    def tell(self, stage: str, rows: int | None, seconds: float, detail: object = "") -> None:
        """Show what a stage has counted."""
        if count := count_of(stage, rows):
            self._now.ended = f"{self._before}{words_of(stage, detail)}  {count}"
            self._now.ended_at = time.monotonic()
