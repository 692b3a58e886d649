"""The faults: what each kind does to the samples of a cell, and where it can be seen."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.random import Generator

from benchmarks.detection.kpis import (
    KPIS,
    MEAN_THROUGHPUT,
    MEAN_THROUGHPUT_DL,
    MOST_USERS_DL,
    PRB_DL,
    PRB_UL,
    THROUGHPUT_DL,
    THROUGHPUT_UL,
    USERS,
)
from benchmarks.detection.times import (
    DAYS,
    HISTORY_DAYS,
    JUDGED_FROM,
    JUDGED_PERIODS,
    QUARTER_HOUR,
    SLOTS,
)
from benchmarks.detection.timetable import Timetable

EVENTS_PER_KIND = 10
DURATIONS = (4, 32)  # quarter hours, both included: one to eight hours
MARGIN = 16  # a cell is well for four hours before its next fault
TRIES = 100_000

Effect = Callable[[pd.DataFrame, Generator], pd.DataFrame]


@dataclass(frozen=True)
class Kind:
    """A kind of fault, and when it shows: where the usual value of a KPI is high enough."""

    effect: Effect
    seen_in: str = KPIS[0]
    usually_at_least: float = 0.0


@dataclass(frozen=True)
class Event:
    """A fault of a cell from period `first` of the judged week to before `end`."""

    kind: str
    cell: int
    first: int
    end: int

    @property
    def rows(self) -> slice:
        """Where the event lies in samples that are complete and ordered by cell and time."""
        week = (self.cell * DAYS + HISTORY_DAYS) * SLOTS
        return slice(week + self.first, week + self.end)


def sleeping_cell(rows: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Traffic and users are nearly gone; the cell goes on reporting, and raises no alarm itself."""
    rows[KPIS] *= generator.uniform(0.0, 0.08)
    return rows


def outage(rows: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Nothing is reported."""
    rows[KPIS] = np.nan
    return rows


def congestion(rows: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """A crowd fills the downlink, which carries no more than before: each user gets less."""
    crowd = generator.uniform(1.5, 2.5)
    rows[USERS] *= crowd
    rows[PRB_UL] *= crowd
    rows[PRB_DL] = generator.uniform(90, 97) + generator.normal(0, 2, len(rows))
    rows[MEAN_THROUGHPUT] *= generator.uniform(0.6, 1.0)
    return rows


def throughput_collapse(rows: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Transport or radio lets little through to as many users."""
    rows[THROUGHPUT_DL] *= generator.uniform(0.1, 0.4)
    return rows


def uplink_interference(rows: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """A strange transmitter: more resource blocks are spent, and less comes through."""
    rows[PRB_UL] *= generator.uniform(1.5, 3.0)
    rows[THROUGHPUT_UL] *= generator.uniform(0.2, 0.5)
    return rows


def surge_of_users(rows: pd.DataFrame, generator: Generator) -> pd.DataFrame:
    """Users come in from a neighbour that is down, or from a crowd that is not expected."""
    rows[USERS] *= generator.uniform(2.5, 4.0)
    return rows


# What changes nothing that can be seen is no fault: a cell without users does not fall asleep.
# So a fault may only lie where, in each of its quarter hours, the usual value (the median of the
# clean weeks in that cell and slot) of the KPI it is seen in is well away from the faulty value:
# at least so many users, megabits or per cent, for from less it can fall or grow to nothing much.
# An outage shows anywhere. Full resource blocks show anywhere, but do not come about without users.
KINDS = {
    "sleeping_cell": Kind(sleeping_cell, MOST_USERS_DL, 3),
    "outage": Kind(outage),
    "congestion": Kind(congestion, MOST_USERS_DL, 3),
    "throughput_collapse": Kind(throughput_collapse, MEAN_THROUGHPUT_DL, 0.1),
    "uplink_interference": Kind(uplink_interference, PRB_UL, 2),
    "surge_of_users": Kind(surge_of_users, MOST_USERS_DL, 2),
}


def with_faults(
    samples: pd.DataFrame, timetable: Timetable, generator: Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the samples with faults in the judged week, missing rows as NaN, and their truth.

    The truth has a row for each fault: event, CellName, kind, start and end, the first time that is
    well again.
    """
    faulty = samples.copy()
    cells = samples["CellName"].unique()
    events = sorted(_events(samples, timetable, generator), key=lambda e: (e.cell, e.first))
    for event in events:
        effect = KINDS[event.kind].effect
        faulty.iloc[event.rows] = effect(faulty.iloc[event.rows].copy(), generator)
    truth = pd.DataFrame(
        {
            "event": range(1, len(events) + 1),
            "CellName": [cells[event.cell] for event in events],
            "kind": [event.kind for event in events],
            "start": [JUDGED_FROM + event.first * QUARTER_HOUR for event in events],
            "end": [JUDGED_FROM + event.end * QUARTER_HOUR for event in events],
        }
    )
    return faulty, truth


def _events(samples: pd.DataFrame, timetable: Timetable, generator: Generator) -> Iterator[Event]:
    """Find a place for each fault; those of a kind are in different cells."""
    history = samples[samples["Time"] < JUDGED_FROM]
    slot = history["Time"].dt.hour * 4 + history["Time"].dt.minute // 15
    usual = history.groupby(["CellName", slot])[KPIS].median()
    for name, kind in KINDS.items():
        # cells × slots of the day, whether the fault would be seen
        seen = usual[kind.seen_in].to_numpy().reshape(-1, SLOTS) >= kind.usually_at_least
        cells = set(range(len(seen)))
        for _ in range(EVENTS_PER_KIND):
            event = _placed(name, sorted(cells), seen, timetable, generator)
            cells.remove(event.cell)
            yield event


def _placed(
    kind: str, cells: list[int], seen: np.ndarray, timetable: Timetable, generator: Generator
) -> Event:
    """Try places until one is free and the fault can be seen in it."""
    for _ in range(TRIES):
        cell = int(generator.choice(cells))
        duration = int(generator.integers(*DURATIONS, endpoint=True))
        first = int(generator.integers(0, JUDGED_PERIODS - duration, endpoint=True))
        end = first + duration
        shown = seen[cell, np.arange(first, end) % SLOTS].all()
        if shown and timetable.take(cell, first, end, MARGIN):
            return Event(kind, cell, first, end)
    raise RuntimeError(f"no place for another {kind}")
