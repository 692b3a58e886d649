"""The part of a profile about time: when dated samples of a cell raise an alarm.

`anomaly.profile.reader` builds these dataclasses from the table `[alarms]` of the profile.
"""

from dataclasses import dataclass, field
from enum import Enum

from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.settings import OF_KPI, SHARE, about, setting

DAY_MINUTES = 24 * 60


class Group(str, Enum):
    """What the samples behind one baseline have in common."""

    CELL = "cell"
    PEERS = "peers"
    SLOT = "slot"
    HOUR = "hour"
    DAY_TYPE = "day_type"


@dataclass(frozen=True)
class Grouping:
    """Which samples are behind a baseline."""

    groups: tuple[Group, ...] = setting(
        (Group.CELL,),
        "what the samples behind one baseline have in common. `cell`: the cell; `peers`: the value "
        "of `peers_column` (region, vendor); `slot`: the period of the day; `hour`: the hour of "
        "the day; `day_type`: weekday or weekend. An empty list: one baseline for all cells",
    )
    neighbouring_slots: int = setting(
        0, "the number of slots on either side that count as well; needs the group `slot`", "slots"
    )


@dataclass(frozen=True)
class AlarmKpi:
    """How one KPI of the samples is judged over time.

    value = mean of the KPIs `of`, divided by the mean of the KPIs `relative_to`, if any. On the
    scale `log` means are geometric, with the offsets added, so that values near zero count little.
    The value is missing if one of the KPIs is.

        deviation = (value - baseline) / max(spread, smallest_spread)

    on that scale.
    """

    name: str
    meaning: str = field(metadata=about("what it measures", default="the name"))
    of: tuple[str, ...] = field(metadata=about("KPIs of the samples", default="the name"))
    bad_when: Direction = field(metadata=about("the side of the baseline on which it is bad"))
    method: Method = field(metadata=about("the method that finds baseline and spread"))
    smallest_spread: float = field(metadata=about("smallest spread", "on the scale"))
    warn: float = field(metadata=about("deviation that is a warning (WARN)", "spreads"))
    crit: float = field(metadata=about("deviation that is critical (CRIT)", "spreads"))
    grouping: Grouping = Grouping()
    unit: str = setting("", "unit of its values")
    relative_to: tuple[str, ...] = setting((), "KPIs of the samples in the denominator")
    scale: Scale = setting(Scale.LINEAR, "whether values or their logarithms are compared")
    offset: float = setting(0.0, "scale log: added to each KPI of `of`", OF_KPI)
    relative_offset: float = setting(0.0, "scale log: added to each KPI of `relative_to`", OF_KPI)
    q: float | None = setting(
        None, "method quantile: the quantile that is the baseline", SHARE, least=0, most=1
    )
    fixed: float | None = setting(None, "method static: the baseline", OF_KPI)
    minimum_samples: int = setting(1, "fewer samples give no baseline", "samples", least=1)
    minimum_denominator: float = setting(
        0.0, "with a smaller mean of `relative_to` the value is missing", OF_KPI
    )
    at_least: float | None = setting(None, "an upper limit is never lower than this", OF_KPI)
    at_most: float | None = setting(None, "a lower limit is never higher than this", OF_KPI)
    ignore_below: float = setting(0.0, "smallest distance from the baseline that is bad", OF_KPI)
    family: str | None = setting(
        None, "the KPI family that fails while an alarm of the KPI is active"
    )

    @property
    def sources(self) -> tuple[str, ...]:
        """The KPIs of the samples that it is computed from."""
        return (*self.of, *self.relative_to)


@dataclass(frozen=True)
class AlarmRules:
    """How the samples of a cell become alarms."""

    kpis: tuple[AlarmKpi, ...]
    period_minutes: int = setting(
        15, "granularity period: how often a cell reports; more samples are averaged", "minutes"
    )
    time_zone: str = setting("UTC", "time zone of local times, days, slots, hours and weekends")
    peers_column: str = setting("", "column of the samples for the group `peers`; empty: none")
    baseline_days: int = setting(
        7, "how long a baseline holds; a baseline week begins on Monday", "days", least=1
    )
    history_days: int = setting(
        21,
        "number of days of baseline samples before that, so that neither the judged samples nor "
        "later ones are part of their own baseline",
        "days",
        least=1,
    )
    smoothed_periods: int = setting(
        4, "deviations are averaged over this many periods", "periods", least=1
    )
    largest_deviation: float = setting(8.0, "larger single deviations count as this", "spreads")
    raise_periods: int = setting(
        2,
        "an alarm is raised when raise_periods of the last raise_within periods are bad",
        "periods",
        least=1,
    )
    raise_within: int = setting(3, "the number of recent periods for raise_periods", "periods")
    silent_periods: int = setting(
        2, "it is also raised after this many periods in a row without a sample", "periods", least=1
    )
    clear_periods: int = setting(
        3,
        "it is cleared after this many good periods in a row; a missing sample is never good",
        "periods",
        least=1,
    )
    clear_level: float = setting(
        1.5, "in a good period, the deviation of every KPI is below this level", "spreads"
    )

    @property
    def periods_a_day(self) -> int:
        """The number of periods, and of slots, in a day."""
        return DAY_MINUTES // self.period_minutes

    @property
    def baselines_back(self) -> int:
        """The number of baseline periods (baseline_days each) behind a baseline."""
        return self.history_days // self.baseline_days

    @property
    def groupings(self) -> tuple[Grouping, ...]:
        """The distinct groupings that have baselines."""
        used = (kpi.grouping for kpi in self.kpis if kpi.method is not Method.STATIC)
        return tuple(dict.fromkeys(used))

    def kpis_of(self, grouping: Grouping) -> list[AlarmKpi]:
        """The KPIs with baselines of a grouping."""
        return [
            kpi for kpi in self.kpis if kpi.grouping == grouping and kpi.method is not Method.STATIC
        ]
