"""A profile: the KPI catalogue with its rules and verdict, and what follows from them together.

`anomaly.profile.reader` makes it of a TOML file and reports every problem of the file at once.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from anomaly.profile.alarm_rules import AlarmRules
from anomaly.profile.sections import (
    DerivedKpi,
    Diagnosis,
    Family,
    Formula,
    HistoryRules,
    InputRules,
    JoinRules,
    Kpi,
    Level,
    Limits,
    Peers,
    Rule,
    VerdictRule,
)
from anomaly.schema.inputs import SAMPLES
from anomaly.schema.tables import CELL_LEVEL, CUSTOMER_LEVEL, SAMPLE_COUNT


@dataclass(frozen=True)
class Profile:
    """A whole profile, valid as a whole."""

    name: str
    description: str
    inputs: dict[str, InputRules]
    kpis: tuple[Kpi, ...]
    derived: tuple[DerivedKpi, ...]
    rules: tuple[Rule, ...]
    customer_level: Level
    cell_level: Level
    join: JoinRules
    verdict: VerdictRule
    limits: Limits
    history: HistoryRules = HistoryRules()
    alarms: AlarmRules | None = None
    families: tuple[Family, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    peers: Peers | None = None

    def level(self, name: str) -> Level:
        """The settings of the customer or the cell level."""
        return {CUSTOMER_LEVEL: self.customer_level, CELL_LEVEL: self.cell_level}[name]

    def kpis_of(self, source: str) -> tuple[Kpi, ...]:
        """The measured KPIs that come from one input, in published order."""
        return tuple(kpi for kpi in self.kpis if kpi.source == source)

    @property
    def published_kpis(self) -> "tuple[Kpi | DerivedKpi, ...]":
        """The measured KPIs, then the derived ones, then the count of the samples."""
        return (*self.kpis, *self.derived, SENT_SAMPLES)

    def published_kpi(self, name: str) -> Kpi | DerivedKpi:
        """The measured or derived KPI of a name, or the count of the samples."""
        return next(kpi for kpi in self.published_kpis if kpi.name == name)

    def column_of(self, name: str) -> str:
        """The output column that holds a KPI: avg_NAME if measured, NAME if derived."""
        return next((kpi.average for kpi in self.kpis if kpi.name == name), name)

    def position_of(self, name: str) -> int:
        """The position of a KPI: the measured ones, then the derived ones, then sample_count."""
        return [kpi.name for kpi in self.published_kpis].index(name)

    def derived_kpi(self, name: str) -> DerivedKpi | None:
        """The derived KPI of a name, and None for a measured one."""
        return next((kpi for kpi in self.derived if kpi.name == name), None)

    def range_of(self, name: str) -> tuple[float | None, float | None]:
        """The smallest and the largest value that a KPI can have; None where there is no end."""
        derived = self.derived_kpi(name)
        if derived is None:
            measured = {kpi.name: kpi for kpi in (*self.kpis, SENT_SAMPLES)}
            kpi = measured.get(name)
            return (kpi.minimum, kpi.maximum) if kpi else (None, None)
        lows = [self.range_of(operand)[0] for operand in (derived.first, derived.second)]
        is_positive = all(low is not None and low >= 0 for low in lows)
        if derived.formula is Formula.DIFFERENCE or not is_positive:
            return None, None
        return (0.0, 1.0 if derived.formula is Formula.SHORTFALL else None)

    def rests_on_samples(self, name: str) -> bool:
        """Whether a KPI is computed from samples (else from call statistics)."""
        derived = self.derived_kpi(name)
        kpi = self.published_kpi(derived.first if derived else name)
        return isinstance(kpi, Kpi) and kpi.source == SAMPLES

    def has_standard_error(self, rule: Rule) -> bool:
        """Whether the KPI of a rule, as a cell's, has a standard error that widens its limits."""
        is_of_calls = not self.rests_on_samples(rule.kpi)
        return self.cell_level.standard_errors and rule.method.has_spread and is_of_calls

    def for_alarms(self) -> "Profile":
        """The same with no more KPIs than the alarms need, so that others may be missing."""
        needed = {name for kpi in (self.alarms.kpis if self.alarms else ()) for name in kpi.sources}
        kpis = (kpi for kpi in self.kpis_of(SAMPLES) if kpi.name in needed)
        return replace(self, kpis=tuple(kpis))

    @property
    def time_zone(self) -> str:
        """The zone of times without an offset, and of days."""
        return self.alarms.time_zone if self.alarms else "UTC"

    @property
    def period_seconds(self) -> int:
        """How often a cell reports, in seconds: each quarter hour where the profile is silent."""
        return 60 * (self.alarms or AlarmRules(())).period_minutes

    @property
    def fingerprint(self) -> str:
        """Name and a hash of every setting: equal only for profiles that judge alike."""
        settings = json.dumps(asdict(self), sort_keys=True, default=str)
        return f"{self.name}@{hashlib.sha256(settings.encode()).hexdigest()[:12]}"


# How many samples a cell sent is a KPI that needs no column: rules may judge it.
SENT_SAMPLES = Kpi(
    SAMPLE_COUNT.name, SAMPLES, SAMPLE_COUNT.name, SAMPLE_COUNT.unit, "samples sent", minimum=0.0
)
