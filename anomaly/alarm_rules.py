"""The part of a profile that is about time: what of a cell's dated samples raises an alarm.

The dataclasses here are what runs; `anomaly.alarm_rules_reader` makes them of the profile's table
`[alarms]`.
"""

from dataclasses import dataclass
from enum import Enum

from anomaly.methods import Direction, Method, Scale

DAY_MINUTES = 24 * 60


class Group(str, Enum):
    """What the samples of one baseline have in common; without any, they are those of all cells.

    CELL: the cell; PEERS: the value of the column that the profile names (region, vendor); SLOT:
    the period of the day; HOUR: the hour of the day; DAY_TYPE: weekday or weekend.
    """

    CELL = "cell"
    PEERS = "peers"
    SLOT = "slot"
    HOUR = "hour"
    DAY_TYPE = "day_type"


@dataclass(frozen=True)
class Grouping:
    """The groups of a baseline; a slot takes so many neighbours on either side along."""

    groups: tuple[Group, ...]
    neighbouring_slots: int = 0


@dataclass(frozen=True)
class AlarmKpi:
    """How one KPI of the samples is judged over time.

    value = mean of the KPIs `of`, divided by the mean of those `relative_to`, if any; on the scale
    `log` means are geometric, and `offset` is added to each KPI before (and `relative_offset` to
    those that it is relative to), so that zeros and what is next to zero count little. Not judged
    where a KPI is missing, or the mean of `relative_to` is below `minimum_denominator`.

    deviation = (value - baseline) / max(spread, smallest_spread), on the scale; `warn` and `crit`
    are levels of it. For the method `static` the baseline is `fixed`, for `quantile` the quantile
    `q`. Static floors: bad above only from `at_least` on, bad below only up to `at_most`, and never
    where the value differs from its baseline by less than `ignore_below` (all three in `unit`).

    family: the KPI family that fails while an alarm of this KPI stands.
    """

    name: str
    unit: str
    meaning: str
    of: tuple[str, ...]
    bad_when: Direction
    method: Method
    smallest_spread: float
    warn: float
    crit: float
    relative_to: tuple[str, ...] = ()
    scale: Scale = Scale.LINEAR
    offset: float = 0.0
    relative_offset: float = 0.0
    grouping: Grouping = Grouping((Group.CELL,))
    q: float | None = None
    fixed: float | None = None
    minimum_samples: int = 1
    minimum_denominator: float = 0.0
    at_least: float | None = None
    at_most: float | None = None
    ignore_below: float = 0.0
    family: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The KPIs of the samples that it is computed from."""
        return (*self.of, *self.relative_to)


@dataclass(frozen=True)
class AlarmRules:
    """How the samples of a cell become alarms.

    period_minutes: how often a cell reports; what it reports more often is averaged.
    time_zone: in which slots, hours and weekends are told.
    peers_column: the column of the samples that the group `peers` goes by; empty for none.
    baseline_days: so long a baseline is used, in steps that begin with a Monday; it rests on the
    history_days before, so nothing that is judged, and no future, has a part in it.
    smoothed_periods: deviations are averaged over so many periods.
    largest_deviation: a single deviation counts as this much at most.
    raise_periods, raise_within: an alarm is raised when so many of the last periods are bad.
    silent_periods: or when so many in a row have no sample.
    clear_periods, clear_level: it is cleared when in so many periods in a row, with samples, the
    deviation of every KPI is below this level.
    """

    kpis: tuple[AlarmKpi, ...]
    period_minutes: int = 15
    time_zone: str = "UTC"
    peers_column: str = ""
    baseline_days: int = 7
    history_days: int = 21
    smoothed_periods: int = 4
    largest_deviation: float = 8.0
    raise_periods: int = 2
    raise_within: int = 3
    silent_periods: int = 2
    clear_periods: int = 3
    clear_level: float = 1.5

    @property
    def periods_a_day(self) -> int:
        """How many periods a day has, and so how many slots."""
        return DAY_MINUTES // self.period_minutes

    @property
    def baselines_back(self) -> int:
        """On the samples of so many steps of baseline_days a baseline rests."""
        return self.history_days // self.baseline_days

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """The groupings that baselines are taken of, each once."""
        used = (kpi.grouping for kpi in self.kpis if kpi.method is not Method.STATIC)
        return tuple(dict.fromkeys(used))

    def positions_of(self, grouping: Grouping) -> list[int]:
        """The positions of the KPIs whose baselines are taken of a grouping."""
        return [
            position
            for position, kpi in enumerate(self.kpis)
            if kpi.grouping == grouping and kpi.method is not Method.STATIC
        ]
