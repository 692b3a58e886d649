"""What a run is doing: its stages in plain words, and how long each of them took."""

import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from threading import Lock
from typing import NamedTuple

from anomaly.run import Frame
from anomaly.schema.tables import HISTORY_TABLE, SUMMARY_TABLE
from runners.services.plurals import counted

ENGINE, SAMPLE, INPUTS, DESTINATION = "engine", "sample", "inputs", "destination"
PUBLISHED, REPORT = "published", "report"


class Stage(NamedTuple):
    """What happens in a stage, in words, and what it counts; nothing if its rows mean little."""

    words: str
    noun: str = ""


STAGES: Mapping[str, Stage] = {
    ENGINE: Stage("starting the engine"),
    SAMPLE: Stage("making up sample data"),
    INPUTS: Stage("opening the inputs"),
    DESTINATION: Stage("preparing the output"),
    Frame.CHECKED_CUSTOMERS: Stage("checking customers", "row"),
    Frame.CHECKED_SAMPLES: Stage("checking samples", "row"),
    Frame.CHECKED_CALLS: Stage("checking call statistics", "row"),
    Frame.CHECKED_HISTORY: Stage("checking older samples", "row"),
    Frame.REJECTED: Stage("listing rejected rows and values", "row"),
    Frame.JOINED: Stage("matching customers, cells and calls"),
    Frame.INPUT_FIGURES: Stage("accounting for every row"),
    Frame.LIMITS: Stage("finding what is usual"),
    Frame.JUDGED_CELLS: Stage("judging cells", "cell"),
    Frame.JUDGED_CUSTOMERS: Stage("judging customers", "customer"),
    Frame.CELLS: Stage("ranking cells", "cell"),
    Frame.CUSTOMERS: Stage("ranking customers", "customer"),
    HISTORY_TABLE: Stage("comparing with earlier days", "row"),
    Frame.JUDGED_SPAN: Stage("finding the time to judge"),
    Frame.ALARM_PERIODS: Stage("averaging samples by period", "period"),
    Frame.ALARM_STATES: Stage("comparing periods with the baseline", "value"),
    Frame.ALARMS: Stage("raising alarms", "alarm"),
    Frame.ANOMALIES: Stage("listing anomalies", "row"),
    SUMMARY_TABLE: Stage("summing up"),
    PUBLISHED: Stage("publishing the tables"),
    REPORT: Stage("writing the report"),
}


class Progress:
    """Prints a line for each stage that ends, with what it counted and the seconds it took.

    tells_persons: whether a message may name customers and what their rows say.
    """

    tells_persons = True

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.monotonic()
        self._begun: dict[str, float] = {}
        # A run reports from several threads.
        self._lock = Lock()

    def begin(self, stage: str) -> None:
        """A stage begins, perhaps beside others."""
        with self._lock:
            self._begun[stage] = time.monotonic()
            self.show()

    def done(self, stage: str, rows: int | None = None, detail: object = "") -> None:
        """A stage has ended. If its beginning was not reported, it began when the last one ended.

        detail: further words, such as the engine that was started.
        """
        with self._lock:
            now = time.monotonic()
            self.seconds[stage] = seconds = now - self._begun.pop(stage, self._last)
            self._last = now
            self.tell(stage, rows, seconds, detail)
            self.show()

    def drop(self, stage: str) -> None:
        """Nothing was computed in a stage: the engine does so later, with another one."""
        with self._lock:
            self._begun.pop(stage, None)
            self.show()

    @property
    def running(self) -> list[str]:
        """The stages that are under way, the newest last."""
        return [*self._begun]

    def show(self) -> None:
        """Show what is under way; lines are for what has ended."""

    def tell(self, stage: str, rows: int | None, seconds: float, detail: object = "") -> None:
        """Print one line to stderr."""
        words = words_of(stage, detail)
        # A terminal that cannot be written to is no reason to stop.
        with suppress(OSError):
            print(f"{words:48}{count_of(stage, rows):>18}{seconds:8.1f} s", file=sys.stderr)


class NoProgress(Progress):
    """Measures the stages, and prints nothing."""

    def tell(self, stage: str, rows: int | None, seconds: float, detail: object = "") -> None:
        """Print nothing."""


def words_of(stage: str, detail: object = "") -> str:
    """What happens in a stage, in words."""
    words = STAGES[stage].words if stage in STAGES else stage.replace("_", " ")
    return f"{words}: {detail}" if detail else words


def count_of(stage: str, rows: int | None) -> str:
    """What a stage counted, with its noun; empty if that means nothing to a person."""
    noun = STAGES[stage].noun if stage in STAGES else "row"
    return counted(rows, noun) if noun and rows is not None else ""
