"""A profile: the KPI catalogue with its rules and verdict, loaded from one TOML file.

The dataclasses here are what runs; `anomaly.profile_reader` turns a file into them and reports
every fault of the file at once.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from enum import Enum

from anomaly.alarm_rules import AlarmRules
from anomaly.contracts import CELL_LEVEL, CUSTOMER_LEVEL, SAMPLES
from anomaly.methods import Direction, Method

# A column, an operator, and the value that the column is compared with.
Condition = tuple[str, str, str | float]


class Formula(str, Enum):
    """How a derived KPI follows from two measured ones."""

    RATIO = "ratio"
    DIFFERENCE = "difference"


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
    """

    rows_per_key: int = 0
    keep_where: tuple[Condition, ...] = ()
    suspect_where: tuple[Condition, ...] = ()
    reject_duplicates: bool = True
    missing_texts: tuple[str, ...] = ("n/a", "na", "null", "none", "nil", "-", "--", "?")
    decimal: str = "."
    delimiter: str = ","
    encoding: str = "UTF-8"


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
    """A KPI computed from the averages of two measured ones: first / second or first - second.

    A ratio is missing where `second` is 0, or below minimum_denominator (in the unit of `second`):
    what rests on next to nothing says nothing.
    """

    name: str
    formula: Formula
    first: str
    second: str
    unit: str
    meaning: str
    minimum_denominator: float = 0.0


@dataclass(frozen=True)
class Rule:
    """How one KPI is judged.

    bound = baseline +/- max(k x spread, ignore_below), on the side that `bad_when` names; `both`
    is the side of the baseline on which the value lies. For the method `static` the baseline is
    `value`, for `quantile` it is the quantile `q`. Static floors: a bound above is never lower than
    `at_least`, a bound below never higher than `at_most`. A value that is not beyond its bound, but
    would be with `warn_k` for k, is a warning and no defect. ignore_below, at_least and at_most are
    in the unit of the KPI.
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


@dataclass(frozen=True)
class Level:
    """What differs between customers and cells.

    derived: derived KPIs in the order in which they are published.
    minimum_baseline_count: fewer customers or cells than this give no baseline.
    """

    missing: MissingPolicy
    derived: tuple[str, ...]
    minimum_baseline_count: int = 1


@dataclass(frozen=True)
class JoinRules:
    """What becomes of rows without a partner, and the fewest rows an average may rest on.

    Customers without call statistics are never published: nothing is known of their service.
    """

    keep_customers_without_samples: bool = False
    keep_cells_without_customers: bool = False
    minimum_samples: int = 1
    minimum_call_rows: int = 1


@dataclass(frozen=True)
class VerdictRule:
    """When a cell needs maintenance: by a number of defects, or by their share of what was judged.

    Exactly one of minimum_defects and minimum_defect_share is set. With fewer than
    minimum_evaluated judged KPIs there is no verdict.
    """

    minimum_defects: int | None = None
    minimum_defect_share: float | None = None
    minimum_evaluated: int = 0


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
    profile itself leaves out do not count). smallest_match_rate: of the customers, those with
    samples of their cell and with call statistics.
    """

    largest_rejected_share: float = 1.0
    smallest_match_rate: float = 0.0


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

    def level(self, name: str) -> Level:
        """The settings of the customer or the cell level."""
        return {CUSTOMER_LEVEL: self.customer_level, CELL_LEVEL: self.cell_level}[name]

    def kpis_of(self, source: str) -> tuple[Kpi, ...]:
        """The measured KPIs that come from one input, in published order."""
        return tuple(kpi for kpi in self.kpis if kpi.source == source)

    def unit_of(self, name: str) -> str:
        """The unit of a measured or derived KPI."""
        measured = {kpi.name: kpi.unit for kpi in self.kpis}
        return (measured | {kpi.name: kpi.unit for kpi in self.derived})[name]

    def column_of(self, name: str) -> str:
        """The output column that holds a KPI: avg_NAME if measured, NAME if derived."""
        return next((kpi.average for kpi in self.kpis if kpi.name == name), name)

    def position_of(self, name: str) -> int:
        """The position of a KPI among the measured and, behind them, the derived ones."""
        measured = [kpi.name for kpi in self.kpis]
        return [*measured, *(kpi.name for kpi in self.derived)].index(name)

    def ratio(self, name: str) -> DerivedKpi | None:
        """The derived KPI of a name if it is a ratio, and None if not."""
        ratios = (kpi for kpi in self.derived if kpi.formula is Formula.RATIO)
        return next((kpi for kpi in ratios if kpi.name == name), None)

    def rests_on_samples(self, name: str) -> bool:
        """Whether a KPI is computed from samples (else from call statistics)."""
        measured = {kpi.name: kpi.source for kpi in self.kpis}
        first = next((kpi.first for kpi in self.derived if kpi.name == name), name)
        return measured[first] == SAMPLES

    def for_alarms(self) -> "Profile":
        """The same with no more KPIs than the alarms need, so that others may be missing."""
        needed = {name for kpi in (self.alarms.kpis if self.alarms else ()) for name in kpi.sources}
        kpis = (kpi for kpi in self.kpis_of(SAMPLES) if kpi.name in needed)
        return replace(self, kpis=tuple(kpis))

    @property
    def fingerprint(self) -> str:
        """Name and a hash of every setting: equal only for profiles that judge alike."""
        settings = json.dumps(asdict(self), sort_keys=True, default=str)
        return f"{self.name}@{hashlib.sha256(settings.encode()).hexdigest()[:12]}"
