"""The real inputs with faults laid over some cells, and with cells that only look unusual."""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.random import Generator

from benchmarks.verdicts.averages import cell_averages
from benchmarks.verdicts.case import Case, Truth
from benchmarks.verdicts.changes import Change, changed
from benchmarks.verdicts.inputs import Inputs, real_inputs

# One cell of each. Their samples and calls are multiplied by these at full strength, and by the
# square roots at half.
KINDS = {
    "sleeping": Change(
        users=0.02, blocks_dl=0.03, blocks_ul=0.03, throughput_dl=0.02, throughput_ul=0.02
    ),
    "congestion": Change(
        users=4, blocks_dl=40, blocks_ul=14, throughput_dl=0.35, throughput_ul=0.35
    ),
    "uplink_interference": Change(blocks_ul=12, throughput_ul=0.12),
    "throughput_collapse": Change(throughput_dl=0.12, throughput_ul=0.12),
    "dropped_calls": Change(dropped=8),
    "blocked_calls": Change(blocked=10),
    "calls_not_completed": Change(incomplete=4),
}
EXPONENTS = {"full": 1.0, "half": 0.5}

# Cells that are faulty in the real inputs as they are: no fault is laid over them, and they are
# counted neither as healthy nor as found.
DEFENDED = {
    "2ALTE": "hardly any traffic: its highest downlink throughput is 1.2 Mbps where 15 are usual",
}

BUSY, FEW_CUSTOMERS, OF_BAND, AS_IT_IS = "busy", "few customers", "of the band", "faulty as it is"
BUSY_CELLS = 4
# More of everything and a rate of failed calls as ever: a cell at a station, not a fault.
BUSY_CHANGE = Change(users=2, blocks_dl=3, blocks_ul=3, throughput_dl=3, throughput_ul=3, calls=2.5)
# The averages of so few customers scatter widely; no fewer make a cell one that can have a fault.
FEW_CUSTOMERS_CELLS = 2
FEWEST_CUSTOMERS = 6

# A band reaches far and has a narrow carrier: a block carries about a third of what others carry.
BAND_CELLS = 12
FAULTY_BAND_CELLS = 3  # of the seven, so that there are faults in both bands
BAND_CHANGE = Change(users=2, blocks_dl=1.6, blocks_ul=1.6, throughput_dl=0.5, throughput_ul=0.5)
BAND, OTHER_BAND = "L800", "L1800"


@dataclass(frozen=True)
class Draw:
    """The cells of a seed; the same whatever the strength of the faults, with bands or without.

    `faults` has the kind of each faulty cell, `few_customers` the customers that a cell keeps.
    """

    faults: Mapping[str, str]
    busy: Sequence[str]
    few_customers: Mapping[str, Sequence[int]]
    band: Sequence[str]


def draw(inputs: Inputs, seed: int) -> Draw:
    """Draw cells for the faults and for what is no fault, all different; and those of the band."""
    # A generator for each part: a change of one leaves the draws of the others as they are.
    of_cells, of_customers, of_band = np.random.default_rng(seed).spawn(3)
    callers = inputs.customers_with_calls.groupby("CellTower")["Index"]
    sampled = sorted(set(inputs.samples["CellName"]) - set(DEFENDED))
    enough = callers.size() >= FEWEST_CUSTOMERS
    candidates = [cell for cell in sampled if enough.get(cell, False)]
    cells = iter(of_cells.permutation(candidates).tolist())
    faults = {next(cells): kind for kind in KINDS}
    busy = [next(cells) for _ in range(BUSY_CELLS)]
    few = {
        cell: of_customers.choice(callers.get_group(cell), FEWEST_CUSTOMERS, replace=False)
        for cell in (next(cells) for _ in range(FEW_CUSTOMERS_CELLS))
    }
    return Draw(faults, busy, few, _band(sampled, [*faults], of_band))


def _band(sampled: Sequence[str], faulty: Sequence[str], generator: Generator) -> list[str]:
    others = [cell for cell in sampled if cell not in faulty]
    some_faulty = generator.choice(faulty, FAULTY_BAND_CELLS, replace=False)
    some_others = generator.choice(others, BAND_CELLS - FAULTY_BAND_CELLS, replace=False)
    return [*some_faulty.tolist(), *some_others.tolist()]


def world(inputs: Inputs, drawn: Draw, exponent: float, in_bands: bool) -> Inputs:
    """Return the inputs with all that was drawn; bands are there before anything else happens."""
    changes = [(cell, BAND_CHANGE) for cell in drawn.band] if in_bands else []
    changes += [(cell, BUSY_CHANGE) for cell in drawn.busy]
    changes += [(cell, KINDS[kind].to_the_power(exponent)) for cell, kind in drawn.faults.items()]
    after = changed(inputs, changes)
    customers, samples = after.customers, after.samples
    for cell, kept in drawn.few_customers.items():
        is_kept = (customers["CellTower"] != cell) | customers["Index"].isin(kept)
        customers = customers[is_kept]
    if in_bands:
        is_of_band = samples["CellName"].isin(drawn.band)
        samples = samples.assign(Band=np.where(is_of_band, BAND, OTHER_BAND))
    return Inputs(customers, samples, after.calls)


def truth(drawn: Draw, in_bands: bool) -> Truth:
    """Say what the cells are; a cell of the band that was drawn for more is counted as that."""
    others = dict.fromkeys(drawn.band, OF_BAND) if in_bands else {}
    others |= dict.fromkeys(drawn.busy, BUSY) | dict.fromkeys(drawn.few_customers, FEW_CUSTOMERS)
    others |= dict.fromkeys(DEFENDED, AS_IT_IS)
    return Truth(drawn.faults, others)


def real_cases(seeds: Iterable[int], strength: str, in_bands: bool = False) -> Iterator[Case]:
    """Make the case of each seed; its folder lasts until the next one is asked for."""
    inputs = real_inputs()
    for seed in seeds:
        drawn = draw(inputs, seed)
        after = world(inputs, drawn, EXPONENTS[strength], in_bands)
        with tempfile.TemporaryDirectory() as folder:
            after.write(Path(folder))
            yield Case(seed, Path(folder), cell_averages(after), truth(drawn, in_bands))
