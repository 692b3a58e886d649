"""A profile: the KPI catalogue with its rules and verdict.

`anomaly.profile.reader` builds it from a TOML file and reports all problems of the file at once.
"""

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from anomaly.errors import ConfigurationError
from anomaly.profile.alarm_rules import AlarmRules, Group
from anomaly.profile.choices import Formula
from anomaly.profile.sections import (
    DerivedKpi,
    Diagnosis,
    Family,
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
from anomaly.schema.inputs import INPUT_CONTRACTS, SAMPLES
from anomaly.schema.tables import CELL_LEVEL, CUSTOMER_LEVEL, SAMPLE_COUNT
from anomaly.suggestions import did_you_mean


@dataclass(frozen=True)
class Profile:
    """A complete profile. A loaded one is valid; `validate` checks one built in Python."""

    name: str
    kpis: tuple[Kpi, ...]
    rules: tuple[Rule, ...]
    verdict: VerdictRule
    description: str = ""
    inputs: dict[str, InputRules] = field(
        default_factory=lambda: dict.fromkeys(INPUT_CONTRACTS, InputRules())
    )
    derived: tuple[DerivedKpi, ...] = ()
    customer_level: Level = Level(derived=())
    cell_level: Level = Level(derived=())
    join: JoinRules = JoinRules()
    limits: Limits = Limits()
    history: HistoryRules = HistoryRules()
    alarms: AlarmRules | None = None
    families: tuple[Family, ...] = ()
    diagnoses: tuple[Diagnosis, ...] = ()
    peers: Peers | None = None

    @classmethod
    def load(cls, source: str | Path) -> "Profile":
        """Load a profile from a TOML file, or a shipped one by its name ("default", "lab").

        Raises ConfigurationError, which lists every problem of the file.
        """
        from anomaly.profile.reader import load_profile

        return load_profile(source)

    @classmethod
    def parse(cls, text: str) -> "Profile":
        """Build a profile from TOML text.

        Raises ConfigurationError, which lists every problem of the text.
        """
        from anomaly.profile.reader import parse_profile

        return parse_profile(text)

    def to_toml(self) -> str:
        """The profile as self-contained TOML with all settings."""
        from anomaly.profile.writer import profile_to_toml

        return profile_to_toml(self)

    def validate(self) -> "Profile":
        """The profile itself, after validating it like one from a file.

        Raises ConfigurationError, which lists every problem.
        """
        from anomaly.profile.reader import parse_profile

        parse_profile(self.to_toml(), f"profile {self.name}")
        return self

    def with_rules(self, *rules: Rule) -> "Profile":
        """The profile with these rules, which replace existing rules for the same KPIs.

        Raises ConfigurationError if the result is not valid.
        """
        by_kpi = {rule.kpi: rule for rule in (*self.rules, *rules)}
        return replace(self, rules=tuple(by_kpi.values())).validate()

    def without(self, *kpis: str) -> "Profile":
        """The profile without these KPIs and everything that uses them.

        That is derived KPIs, rules, and parts of diagnoses and alarms. Raises ConfigurationError
        for an unknown KPI, and if the result is not valid.
        """
        return without_kpis(self, kpis).validate()

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

    def derived_kpi(self, name: str) -> DerivedKpi | None:
        """The derived KPI of a name, and None for a measured one."""
        return next((kpi for kpi in self.derived if kpi.name == name), None)

    def range_of(self, name: str) -> tuple[float | None, float | None]:
        """The smallest and the largest value that a KPI can have; None if it is unbounded."""
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
        """The same profile with only the KPIs that alarms need, so that others may be missing."""
        needed = {name for kpi in (self.alarms.kpis if self.alarms else ()) for name in kpi.sources}
        kpis = (kpi for kpi in self.kpis_of(SAMPLES) if kpi.name in needed)
        return replace(self, kpis=tuple(kpis))

    @property
    def time_zone(self) -> str:
        """The time zone of times without an offset, and of days."""
        return self.alarms.time_zone if self.alarms else "UTC"

    @property
    def period_seconds(self) -> int:
        """The granularity period in seconds; 15 minutes if the profile does not set it."""
        return 60 * (self.alarms or AlarmRules(())).period_minutes

    @property
    def fingerprint(self) -> str:
        """The name and a hash of all settings: equal only for profiles that judge alike."""
        settings = json.dumps(
            asdict(self, dict_factory=_without_later_defaults), sort_keys=True, default=str
        )
        return f"{self.name}@{hashlib.sha256(settings.encode()).hexdigest()[:12]}"


# Settings that came later, with their defaults: they count where they are set, so that profiles
# keep their fingerprints.
LATER_DEFAULTS = {"customer_id_prefix": InputRules().customer_id_prefix}


def _without_later_defaults(settings: Iterable[tuple[str, object]]) -> dict[str, object]:
    return {
        name: value
        for name, value in settings
        if name not in LATER_DEFAULTS or value != LATER_DEFAULTS[name]
    }


# The number of samples of a cell is a KPI without a column; rules may judge it.
SENT_SAMPLES = Kpi(
    SAMPLE_COUNT.name, SAMPLES, SAMPLE_COUNT.name, SAMPLE_COUNT.unit, "samples sent", minimum=0.0
)


def without_kpis(profile: Profile, kpis: Collection[str]) -> Profile:
    """The profile without some KPIs and everything that uses them; it may be invalid."""
    unknown = sorted(set(kpis) - {kpi.name for kpi in profile.published_kpis})
    if unknown:
        known = [kpi.name for kpi in profile.published_kpis]
        problems = [
            f"unknown KPI {name!r}; use one of: {', '.join(known)}{did_you_mean(name, known)}"
            for name in unknown
        ]
        raise ConfigurationError(f"profile {profile.name}", problems)
    derived = tuple(
        kpi for kpi in profile.derived if not {kpi.name, kpi.first, kpi.second} & set(kpis)
    )
    removed = {*kpis, *(kpi.name for kpi in profile.derived if kpi not in derived)}

    def remaining(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name not in removed)

    diagnoses = (
        replace(one, failed=remaining(one.failed), sound=remaining(one.sound))
        for one in profile.diagnoses
    )
    kpis_left = tuple(kpi for kpi in profile.kpis if kpi.name not in removed)
    return replace(
        profile,
        inputs={
            source: _without_columns(
                rules, _columns(profile.kpis, source) - _columns(kpis_left, source)
            )
            for source, rules in profile.inputs.items()
        },
        kpis=kpis_left,
        derived=derived,
        rules=tuple(rule for rule in profile.rules if rule.kpi not in removed),
        customer_level=replace(
            profile.customer_level, derived=remaining(profile.customer_level.derived)
        ),
        cell_level=replace(profile.cell_level, derived=remaining(profile.cell_level.derived)),
        diagnoses=tuple(one for one in diagnoses if one.failed),
        alarms=profile.alarms and _alarms_without(profile.alarms, removed),
    )


def _alarms_without(rules: AlarmRules, removed: Collection[str]) -> AlarmRules | None:
    """The rules of alarms without what uses removed KPIs; None if no KPI is left."""
    kpis = tuple(kpi for kpi in rules.kpis if not {*removed}.intersection(kpi.sources))
    has_peers = any(Group.PEERS in kpi.grouping.groups for kpi in kpis)
    peers_column = rules.peers_column if has_peers else ""
    return replace(rules, kpis=kpis, peers_column=peers_column) if kpis else None


def _columns(kpis: Iterable[Kpi], source: str) -> set[str]:
    """The columns of one input that KPIs are read from."""
    return {kpi.column for kpi in kpis if kpi.source == source}


def _without_columns(rules: InputRules, columns: Collection[str]) -> InputRules:
    """The rules without the names of columns that nobody reads."""
    return replace(rules, columns=tuple(one for one in rules.columns if one[0] not in columns))
