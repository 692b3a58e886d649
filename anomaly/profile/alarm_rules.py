"""The part of a profile that is about time: what of a cell's dated samples raises an alarm.

`anomaly.profile.reader` makes the dataclasses of the profile's table `[alarms]`.
"""

from dataclasses import dataclass, field
from enum import Enum

from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.settings import OF_KPI, SHARE, about, setting

DAY_MINUTES = 24 * 60


class Group(str, Enum):
    """What the samples of one baseline have in common."""

    CELL = "cell"
    PEERS = "peers"
    SLOT = "slot"
    HOUR = "hour"
    DAY_TYPE = "day_type"


@dataclass(frozen=True)
class Grouping:
    """Which samples a baseline rests on."""

    groups: tuple[Group, ...] = setting(
        (Group.CELL,),
        "what the samples of one baseline have in common. `cell`: the cell; `peers`: the value of "
        "`peers_column` (region, vendor); `slot`: the period of the day; `hour`: the hour of the "
        "day; `day_type`: weekday or weekend; an empty list: nothing, so those of all cells",
    )
    neighbouring_slots: int = setting(
        0, "so many slots on either side are taken along; for the group `slot`", "slots"
    )


@dataclass(frozen=True)
class AlarmKpi:
    """How one KPI of the samples is judged over time.

    value = mean of the KPIs `of`, divided by the mean of those `relative_to`, if any; on the scale
    `log` means are geometric, so that zeros and what is next to zero count little. Not judged where
    a KPI is missing.

        deviation = (value - baseline) / max(spread, smallest_spread)

    on the scale.
    """

    name: str
    meaning: str = field(metadata=about("what it measures", default="the name"))
    of: tuple[str, ...] = field(metadata=about("KPIs of the samples", default="the name alone"))
    bad_when: Direction = field(metadata=about("the side of the baseline on which it is bad"))
    method: Method = field(metadata=about("how the baseline and the spread are found"))
    smallest_spread: float = field(
        metadata=about("the spread counts as this much at least", "on the scale")
    )
    warn: float = field(metadata=about("deviation of a warning", "spreads"))
    crit: float = field(metadata=about("deviation of a critical alarm", "spreads"))
    grouping: Grouping = Grouping()
    unit: str = setting("", "unit of its values")
    relative_to: tuple[str, ...] = setting((), "KPIs of the samples that it is divided by")
    scale: Scale = setting(Scale.LINEAR, "whether differences or factors count")
    offset: float = setting(0.0, "scale log: added to each KPI of `of`", OF_KPI)
    relative_offset: float = setting(0.0, "scale log: added to each KPI of `relative_to`", OF_KPI)
    q: float | None = setting(
        None, "method quantile: the baseline is this quantile", SHARE, least=0, most=1
    )
    fixed: float | None = setting(None, "method static: the baseline", OF_KPI)
    minimum_samples: int = setting(1, "fewer samples give no baseline", "samples", least=1)
    minimum_denominator: float = setting(
        0.0, "not judged where the mean of `relative_to` is smaller", OF_KPI
    )
    at_least: float | None = setting(None, "bad above only from this value on", OF_KPI)
    at_most: float | None = setting(None, "bad below only up to this value", OF_KPI)
    ignore_below: float = setting(0.0, "smaller distances from the baseline are not bad", OF_KPI)
    family: str | None = setting(None, "the KPI family that fails while its alarm stands")

    @property
    def sources(self) -> tuple[str, ...]:
        """The KPIs of the samples that it is computed from."""
        return (*self.of, *self.relative_to)


@dataclass(frozen=True)
class AlarmRules:
    """How the samples of a cell become alarms."""

    kpis: tuple[AlarmKpi, ...]
    period_minutes: int = setting(
        15, "how often a cell reports; what it reports more often is averaged", "minutes"
    )
    time_zone: str = setting("UTC", "zone of slots, hours and weekends")
    peers_column: str = setting(
        "", "column of the samples that the group `peers` goes by; empty: none"
    )
    baseline_days: int = setting(
        7, "how long a baseline is used, in steps that begin with a Monday", "days", least=1
    )
    history_days: int = setting(
        21,
        "how many days before that it rests on, so that nothing that is judged, and no "
        "future, has a part in it",
        "days",
        least=1,
    )
    smoothed_periods: int = setting(
        4, "deviations are averaged over so many periods", "periods", least=1
    )
    largest_deviation: float = setting(
        8.0, "a single deviation counts as this much at most", "spreads"
    )
    raise_periods: int = setting(
        2, "an alarm is raised when so many recent periods are bad", "periods", least=1
    )
    raise_within: int = setting(3, "how many recent periods that looks at", "periods")
    silent_periods: int = setting(
        2, "it is also raised when so many periods in a row have no sample", "periods", least=1
    )
    clear_periods: int = setting(
        3, "it is cleared after so many good periods in a row, with samples", "periods", least=1
    )
    clear_level: float = setting(
        1.5, "in a good period the deviation of every KPI is below this level", "spreads"
    )

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
