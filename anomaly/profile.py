"""A profile: the KPI catalogue with its rules and verdict, loaded from one TOML file.

The dataclasses here are what runs; `anomaly.profile_reader` turns a file into them and reports
every fault of the file at once.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from enum import Enum

from anomaly.alarm_rules import AlarmRules
from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL, SAMPLE_COUNT, SAMPLES
from anomaly.methods import Direction, Method, Scale

# A column, an operator, and the value that the column is compared with.
Condition = tuple[str, str, str | float]


class Formula(str, Enum):
    """How a derived KPI follows from two measured ones."""

    RATIO = "ratio"
    DIFFERENCE = "difference"
    SHORTFALL = "shortfall"


class SilentCells(str, Enum):
    """What a cell is that has customers and sends no samples while other cells do.

    NO_VERDICT: not judged, unless what its customers' calls say makes it Required. REQUIRED: in
    need of maintenance. JUDGED_BY_CALLS: judged by what is there, as any other cell.
    """

    NO_VERDICT = "no_verdict"
    REQUIRED = "required"
    JUDGED_BY_CALLS = "judged_by_calls"


class StandingAlarms(str, Enum):
    """Which alarms, standing at the end of what was judged, make a cell Required."""

    NONE = "none"
    CRIT = "CRIT"
    WARN = "WARN"


class MissingPolicy(str, Enum):
    """What a missing KPI average counts as.

    NO_DATA leaves it out of the judgement. The two others exist to reproduce the published lab:
    ZERO_BEFORE_BASELINE makes it 0 before the baselines are taken, HEALTHY gives it the flag 0 and
    publishes it as 0.
    """

    NO_DATA = "no_data"
    ZERO_BEFORE_BASELINE = "zero_before_baseline"
    HEALTHY = "healthy"


@dataclass(frozen=True)
class InputRules:
    """How one input is read and which of its rows count.

    rows_per_key: use only the first rows of each key in file order; 0 uses all.
    keep_where: column -> condition on it, as (operator, value); rows where it fails do not count.
    suspect_where: likewise of any column of the input; rows where it holds do not count.
    reject_duplicates: a customer counts once, and so does a cell at a time with a date.
    missing_texts: texts, in any case, that stand for no value.
    decimal: the mark before the decimals of a number that is a text.
    delimiter, encoding: of CSV files; a byte order mark counts more than the encoding.
    ignore: files and folders that are left out, such as "*.xlsx"; * and ? stand for any text.
    columns: columns that have another name in the files, with that name; "" where there is none.
    """

    rows_per_key: int = 0
    keep_where: tuple[Condition, ...] = ()
    suspect_where: tuple[Condition, ...] = ()
    reject_duplicates: bool = True
    missing_texts: tuple[str, ...] = ("n/a", "na", "null", "none", "nil", "-", "--", "?")
    decimal: str = "."
    delimiter: str = ","
    encoding: str = "UTF-8"
    ignore: tuple[str, ...] = ()
    columns: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Kpi:
    """A measured KPI: one column of the samples or of the call statistics.

    column: its name in the input; name: what it is published as (a legal BigQuery name).
    minimum, maximum: its physical range in `unit`; sentinels: numbers that mean no value.
    """

    column: str
    name: str
    source: str
    unit: str
    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    sentinels: tuple[float, ...] = ()

    @property
    def average(self) -> str:
        """Name of the column that holds its average."""
        return f"avg_{self.name}"


@dataclass(frozen=True)
class DerivedKpi:
    """A KPI computed from the averages of two measured ones.

    ratio: first / second; difference: first - second; shortfall: (first - second) / first, the
    share of `first` that `second` lacks, 0 where it lacks none. Of a cell both are means over the
    same rows, so a ratio of them is a ratio of sums (3GPP TS 32.450: dropped or blocked calls,
    added up, for each attempt). What is divided by is the denominator; the KPI is missing where
    that is 0, or below minimum_denominator: what rests on next to nothing says nothing. For a
    cell's call statistics the denominators of its customers are added up before that comparison.
    """

    name: str
    formula: Formula
    first: str
    second: str
    unit: str
    meaning: str
    minimum_denominator: float = 0.0

    @property
    def denominator(self) -> str | None:
        """The measured KPI that is divided by; None for a difference."""
        names = {Formula.RATIO: self.second, Formula.SHORTFALL: self.first}
        return names.get(self.formula)


@dataclass(frozen=True)
class Rule:
    """How one KPI is judged.

    On the scale `linear`

        bound = baseline +/- max(k x spread, ignore_below)

    on the side that `bad_when` names; `both` is the side of the baseline on which the value lies.
    On the scale `log`, for KPIs that cannot be negative, baseline and spread are those of
    ln(value + offset), and the distance from the baseline is at least ln(smallest_factor), too;
    `offset` is what counts as next to nothing. For the method `static` the baseline is `value`, for
    `quantile` it is the quantile `q`.

    A bound above is never lower than `at_least`, a bound below never higher than `at_most`. Beyond
    `limit` a value is a defect whatever its peers, and even where there is no baseline. A value
    that is not beyond its bound, but would be with `warn_k` for k, is a warning and no defect.
    offset, ignore_below, at_least, at_most and limit are in the unit of the KPI.

    family: what the KPI says about service; in a family correlated KPIs are one voice.
    """

    kpi: str
    flag: str
    bad_when: Direction
    method: Method
    k: float = 0.0
    q: float | None = None
    value: float | None = None
    ignore_below: float = 0.0
    at_least: float | None = None
    at_most: float | None = None
    warn_k: float | None = None
    scale: Scale = Scale.LINEAR
    offset: float = 0.0
    smallest_factor: float = 1.0
    limit: float | None = None
    family: str | None = None


@dataclass(frozen=True)
class Family:
    """KPIs that say the same about service (3GPP TS 32.450, TS 28.554): they fail together.

    A family fails with minimum_defects of its KPIs, or where minimum_warnings of them are at least
    warnings (0: warnings do not count). decides: whether a verdict follows from it, or whether it
    is there to be looked at alone.
    """

    name: str
    decides: bool = True
    minimum_defects: int = 1
    minimum_warnings: int = 0


@dataclass(frozen=True)
class Diagnosis:
    """What a cell that needs maintenance looks like.

    The first one fits of which any KPI of `failed` is a defect and none of `sound` is.
    """

    words: str
    failed: tuple[str, ...]
    sound: tuple[str, ...] = ()


@dataclass(frozen=True)
class Peers:
    """Which cells are alike: those with the same text in a column of the samples or customers.

    A KPI of a cell is compared with the cells of its group if minimum_cells of them have a value,
    and else with all cells. required: whether the column must be there; where it may be missing and
    is, all cells are peers.
    """

    input: str
    column: str
    minimum_cells: int = 8
    required: bool = True


@dataclass(frozen=True)
class Level:
    """What differs between customers and cells.

    derived: derived KPIs in the order in which they are published.
    minimum_baseline_count: fewer customers or cells than this give no baseline.
    standard_errors: of a cell's call statistics the spread of a KPI is that between cells together
    with the standard error of the cell's own mean, so that few customers have wider limits
    (D. J. Spiegelhalter, Funnel plots for comparing institutional performance, 2005).
    """

    missing: MissingPolicy
    derived: tuple[str, ...]
    minimum_baseline_count: int = 1
    standard_errors: bool = False


@dataclass(frozen=True)
class JoinRules:
    """What becomes of rows without a partner, and the fewest rows an average may rest on.

    Customers without call statistics are never published: nothing is known of their service.
    minimum_customers: of a cell with fewer the call statistics are not judged.
    """

    keep_customers_without_samples: bool = False
    keep_cells_without_customers: bool = False
    minimum_samples: int = 1
    minimum_call_rows: int = 1
    minimum_customers: int = 1


@dataclass(frozen=True)
class VerdictRule:
    """When a cell needs maintenance.

    By failed families, by a number of defects, or by their share of what was judged: exactly one of
    minimum_failed_families, minimum_defects and minimum_defect_share is set. With fewer than
    minimum_evaluated judged KPIs there is no verdict, unless enough families have failed.
    silent_cells: what a cell is that sends no samples while others do; silent_family: the family
    that fails by it, and by an alarm for silence.
    """

    minimum_failed_families: int | None = None
    minimum_defects: int | None = None
    minimum_defect_share: float | None = None
    minimum_evaluated: int = 0
    silent_cells: SilentCells = SilentCells.JUDGED_BY_CALLS
    silent_family: str | None = None
    standing_alarms: StandingAlarms = StandingAlarms.NONE


@dataclass(frozen=True)
class HistoryRules:
    """From the verdicts of days to what lasts: a single day, good or bad, changes nothing.

    raise_days, raise_within: maintenance is due when so many of the last days said Required.
    clear_days: and no longer when so many days in a row said Not Required.
    flapping_days: due again within so many days after that, a cell is flapping.
    forgotten_days: a cell without data for so many days is no longer expected.
    Days are those with a run.
    """

    raise_days: int = 2
    raise_within: int = 3
    clear_days: int = 2
    flapping_days: int = 7
    forgotten_days: int = 30


@dataclass(frozen=True)
class Limits:
    """Beyond these a run stops before it publishes anything.

    largest_rejected_share: of the rows of an input, those rejected for a fault (rows that the
    profile itself leaves out do not count). largest_left_out_share: of the values that a column of
    an input has, those left out for a fault; nothing (empty, missing_texts) and sentinels are no
    values, and a column that spoils one row in a hundred at most is let be. smallest_match_rate:
    of the customers, those with samples of their cell and with call statistics.
    largest_unjudged_share: of the cells, those without a verdict.
    """

    largest_rejected_share: float = 1.0
    largest_left_out_share: float = 0.1
    smallest_match_rate: float = 0.0
    largest_unjudged_share: float = 0.9


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
    SAMPLE_COUNT.name, SAMPLE_COUNT.name, SAMPLES, SAMPLE_COUNT.unit, "samples sent", minimum=0.0
)
