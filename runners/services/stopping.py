"""Ctrl-C: a command stops soon, removes what it staged, and says what it has published."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import FrameType

from runners.engines.choice import end_engine

# Sent by Ctrl-C, and by a shell or a container that ends its processes.
SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopping:
    """Whether a command was asked to stop, and what it had published by then."""

    def __init__(self) -> None:
        self.asked_by = 0
        self._published: list[str] = []
        self._is_publishing = False

    def ask(self, number: int, _: FrameType | None) -> None:
        """Stop now, or after what is being published is complete."""
        self.asked_by = number
        if not self._is_publishing:
            self._stop()

    @contextmanager
    def publishing(self, place: str) -> Iterator[None]:
        """Let this block finish before the command stops, and remember what it published."""
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
        """What was published, in words."""
        if not self._published:
            return "stopped; nothing was published"
        return f"stopped; published before: {', '.join(self._published)}"

    def _stop(self) -> None:
        # Further signals must not interrupt the cleaning up.
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        # First of all: it would go on writing into folders that are being removed.
        end_engine()
        raise KeyboardInterrupt


# The command that is running, if any.
_RUNNING: list[Stopping] = []


@contextmanager
def stoppable() -> Iterator[Stopping]:
    """Let signals stop the block; signals that the process ignores stay ignored."""
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
    """Publish in this block; a command that is asked to stop meanwhile stops after it."""
    published = f"{place}, {what}"
    with _RUNNING[-1].publishing(published) if _RUNNING else nullcontext():
        yield
