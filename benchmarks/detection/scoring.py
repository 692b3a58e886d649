"""How well alarms find known events: recall, false alarms and delay.

An alarm belongs to an event of its cell if it was raised between the start of the event and four
quarter hours after its end: what a fault leaves behind is not a second fault. It finds the event
if it was raised until two quarter hours after the end; later it is of no use. An alarm that belongs
to no event is false, also one that was raised before an event began and is still there: nobody
foresees a fault. So it only counts when alarms are raised; one that is never cleared is punished by
the later events that it does not find.
"""

from dataclasses import dataclass

import pandas as pd

from benchmarks.detection.times import QUARTER_HOUR

FOUND_UNTIL = 2 * QUARTER_HOUR  # after the end of an event
AFTERMATH = 4 * QUARTER_HOUR


@dataclass(frozen=True)
class Score:
    """Shares of the events that were found, false alarms per cell and day, delays in slots."""

    recall: float
    recall_by_kind: dict[str, float]
    false_alarms: float
    median_delay: float
    late_delay: float  # nine of ten events that were found were found as soon as this


def score(alarms: pd.DataFrame, truth: pd.DataFrame, cell_days: int) -> Score:
    """Compare alarms (CellName, raised_at) with events (event, CellName, kind, start, end)."""
    events = with_first_alarm(alarms, truth)
    found = events["raised_at"].notna()
    slots = (events["raised_at"] - events["start"]) / QUARTER_HOUR
    return Score(
        recall=float(found.mean()),
        recall_by_kind=found.groupby(events["kind"]).mean().to_dict(),
        false_alarms=len(false_alarms(alarms, truth)) / cell_days,
        median_delay=float(slots.median()),
        late_delay=float(slots.quantile(0.9)),
    )


def raised_within(alarms: pd.DataFrame, truth: pd.DataFrame, after: pd.Timedelta) -> pd.DataFrame:
    """Return the pairs of alarm (by its index) and event that were raised until `after` its end."""
    pairs = alarms.rename_axis("alarm").reset_index().merge(truth, on="CellName")
    since_start = pairs["raised_at"] >= pairs["start"]
    # The end is the first time that is well again, so it does not belong to the event.
    return pairs[since_start & (pairs["raised_at"] < pairs["end"] + after)]


def with_first_alarm(alarms: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Add raised_at to each event: of the first alarm that found it, NaT where none did."""
    pairs = raised_within(alarms, truth, FOUND_UNTIL)
    first = pairs.groupby("event")["raised_at"].min()
    return truth.merge(first, left_on="event", right_index=True, how="left")


def false_alarms(alarms: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Return the alarms that belong to no event."""
    return alarms.drop(index=raised_within(alarms, truth, AFTERMATH)["alarm"].unique())
