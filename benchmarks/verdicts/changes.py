"""What faults, and other things that make cells differ, do to the rows of a cell."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass

import pandas as pd

from benchmarks.detection.kpis import PRB_DL, PRB_UL, THROUGHPUT_DL, THROUGHPUT_UL, USERS
from benchmarks.verdicts.inputs import Inputs

ATTEMPTED = ["plcd_vce_Mean", "plcd_dat_Mean"]
COMPLETED = ["comp_vce_Mean", "comp_dat_Mean"]
DROPPED = ["drop_vce_Mean", "drop_dat_Mean"]
BLOCKED = ["blck_vce_Mean", "blck_dat_Mean"]
PEAK_AND_OFF_PEAK = ["peak_vce_Mean", "peak_dat_Mean", "opk_vce_Mean", "opk_dat_Mean"]
CALLS = [*ATTEMPTED, *COMPLETED, *DROPPED, *BLOCKED, *PEAK_AND_OFF_PEAK]
# Published beside their parts, whose sums they are.
TOTALS = {
    "drop_blk_Mean": [*DROPPED, *BLOCKED],
    "attempt_Mean": ATTEMPTED,
    "complete_Mean": COMPLETED,
}


@dataclass(frozen=True)
class Change:
    """How many times the usual the samples of a cell, and the calls of its customers, show.

    `blocks` multiply the demand for resource blocks, of which no more than all can be in use.
    `incomplete` multiplies the calls that were attempted and not completed.
    """

    users: float = 1.0
    blocks_dl: float = 1.0
    blocks_ul: float = 1.0
    throughput_dl: float = 1.0
    throughput_ul: float = 1.0
    calls: float = 1.0
    dropped: float = 1.0
    blocked: float = 1.0
    incomplete: float = 1.0

    def to_the_power(self, exponent: float) -> "Change":
        """Return a weaker change for an exponent below one: half as strong for a half."""
        return Change(*(factor**exponent for factor in astuple(self)))


def changed(inputs: Inputs, changes: Iterable[tuple[str, Change]]) -> Inputs:
    """Return the inputs with changes laid over cells, in turn; a cell may have several."""
    samples, calls = inputs.samples.copy(), inputs.calls.copy()
    cells_of_calls = inputs.cells_of_calls
    for cell, change in changes:
        of_cell = samples["CellName"] == cell
        samples.loc[of_cell] = _changed_samples(samples[of_cell], change)
        of_cell = cells_of_calls == cell
        calls.loc[of_cell] = _changed_calls(calls[of_cell], change)
    return Inputs(inputs.customers, samples, calls)


def _changed_samples(rows: pd.DataFrame, change: Change) -> pd.DataFrame:
    after = rows.copy()
    after[USERS] *= change.users
    after[THROUGHPUT_DL] *= change.throughput_dl
    after[THROUGHPUT_UL] *= change.throughput_ul
    after[PRB_DL] = _with_demand(rows[PRB_DL], change.blocks_dl)
    after[PRB_UL] = _with_demand(rows[PRB_UL], change.blocks_ul)
    return after


def _with_demand(usage: pd.Series, factor: float) -> pd.Series:
    """Return the resource blocks in use (%) for so many times the demand.

    Usage is 100 * (1 - exp(-demand / 100)), so that the share of free blocks is raised to the power
    of the factor.
    """
    return 100 * (1 - (1 - usage / 100) ** factor)


def _changed_calls(rows: pd.DataFrame, change: Change) -> pd.DataFrame:
    after = rows.copy()
    after[CALLS] *= change.calls
    after[DROPPED] *= change.dropped
    after[BLOCKED] *= change.blocked
    for attempted, completed in zip(ATTEMPTED, COMPLETED, strict=True):
        more = (after[attempted] - after[completed]) * (change.incomplete - 1)
        after[completed] = (after[completed] - more).clip(lower=0)
    for total, parts in TOTALS.items():
        after[total] += (after[parts] - rows[parts]).sum(axis=1)
    return after
