"""Ctrl-C: a command ends soon, removes what it staged, and tells what it has published."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from runners.engines.java_process import end_java

# Of Ctrl-C, and of those who end processes: a shell, a container.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether a command was asked to stop, and what it has published by then."""

    def __init__(self) -> None:
        self.asked_by = 0
        self._published: list[str] = []
        self._is_publishing = False

    def ask(self, number: int, _: FrameType | None) -> None:
        """Stop now, or as soon as all is there that is being published."""
        self.asked_by = number
        if not self._is_publishing:
            self._stop()

    @contextmanager
    def publishing(self, place: str) -> Iterator[None]:
        """What this block publishes is published as a whole, and known to be."""
        self._is_publishing = True
        try:
            yield
            self._published.append(place)
        finally:
            self._is_publishing = False
        if self.asked_by:
            self._stop()

    @property
    def words(self) -> str:
        """What became of the output."""
        if not self._published:
            return "stopped; nothing was published"
        return f"stopped; published before: {', '.join(self._published)}"

    def _stop(self) -> None:
        # Once is enough, and what is removed now is to be removed whole.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        # Java first, which would go on writing to what is removed.
        end_java()
        raise KeyboardInterrupt


# That of the command that runs.
_RUNNING: list[Stopping] = []


@contextmanager
def stoppable() -> Iterator[Stopping]:
    """Have signals stop the block; those that the process ignores stay ignored."""
    stopping = Stopping()
    in_main_thread = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in SIGNALS if in_main_thread}
    handled = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    _RUNNING.append(stopping)
    try:
        for number in handled:
            signal.signal(number, stopping.ask)
        yield stopping
    finally:
        _RUNNING.pop()
        for number in handled:
            signal.signal(number, before[number])


@contextmanager
def publishing(place: str, what: str) -> Iterator[None]:
    """Publish in this block; a command that is asked to stop meanwhile does so behind it."""
    told = f"{place}, {what}"
    with _RUNNING[-1].publishing(told) if _RUNNING else nullcontext():
        yield
