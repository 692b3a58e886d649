"""The states of the KPI families of a cell, derived from the row of the cell."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from pyspark.sql import Row

from anomaly.thresholds.compare import CRIT, WARN

# The name of the one group of KPIs if the profile has no families.
NO_FAMILY = "KPIs"


class State(str, Enum):
    """The state of a family, or of one KPI, in words; the worst first.

    DEFECT: a KPI is beyond its limit but the family does not fail, because that takes more KPIs, or
    because the family does not decide.
    """

    FAILS = "fails"
    DEFECT = "beyond a limit"
    NEAR = "near a limit"
    FINE = "fine"
    NOT_JUDGED = "not judged"


@dataclass(frozen=True)
class FamilyState:
    """A KPI family of a cell with its KPIs, the worst first."""

    name: str
    state: State
    kpis: tuple[Row, ...]

    @property
    def worst(self) -> Row | None:
        """The worst KPI; None if only an alarm names the family."""
        return next(iter(self.kpis), None)

    @property
    def bad(self) -> list[Row]:
        """The KPIs that are beyond their limits or near them."""
        return [kpi for kpi in self.kpis if kpi.status in (CRIT, WARN)]


def families_of(row: Row) -> list[FamilyState]:
    """The families of a cell in the order of its evidence, then those that only alarms name."""
    kpis: dict[str, list[Row]] = defaultdict(list)
    for kpi in row.evidence or []:
        kpis[kpi.family or NO_FAMILY].append(kpi)
    failed = row.failed_families or []
    return [
        _family(name, tuple(sorted(kpis[name], key=_worst_first)), name in failed)
        for name in dict.fromkeys([*kpis, *failed])
    ]


def has_families(rows: Sequence[Row]) -> bool:
    """Whether the profile that judged the rows groups its KPIs into families."""
    return any(kpi.family for row in rows for kpi in row.evidence or [])


def _family(name: str, kpis: tuple[Row, ...], fails: bool) -> FamilyState:
    if fails:
        return FamilyState(name, State.FAILS, kpis)
    return FamilyState(name, state_of_kpi(kpis[0]), kpis)


def state_of_kpi(kpi: Row) -> State:
    """The state of one KPI."""
    if kpi.flag is None:
        return State.NOT_JUDGED
    return {CRIT: State.DEFECT, WARN: State.NEAR}.get(kpi.status, State.FINE)


def _worst_first(kpi: Row) -> tuple[int, float]:
    return list(State).index(state_of_kpi(kpi)), -(worse(kpi) or 0.0)


def worse(kpi: Row) -> float | None:
    """How far a KPI is beyond its baseline on the bad side, in spreads; None if unknown."""
    if kpi.flag is None or kpi.deviation is None:
        return None
    toward_bad = {"above": kpi.deviation, "below": -kpi.deviation}
    return distance(kpi, toward_bad.get(kpi.direction, abs(kpi.deviation)))


def distance(kpi: Row, deviation: float) -> float:
    """A deviation, comparable between KPIs: 100 % of a limit count as one spread."""
    return deviation / 100 if kpi.deviation_unit == "%" else deviation
