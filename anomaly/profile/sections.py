"""The tables of a profile as dataclasses: each setting with its type, default, unit and meaning."""

import re
from dataclasses import dataclass, field, fields
from enum import Enum

from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.settings import OF_KPI, SHARE, about, setting
from anomaly.profile.thresholds import Baseline, Threshold
from anomaly.profile.toml_section import TEXT, Kind, Section, list_of
from anomaly.schema.inputs import SAMPLES

# A column, an operator, and the value that the column is compared with.
Condition = tuple[str, str, str | float]

CONDITION_TEXT = re.compile(r"(=|!=|>=|<=|>|<)\s*(.+)")


class Formula(str, Enum):
    """How a derived KPI follows from two measured ones."""

    RATIO = "ratio"
    DIFFERENCE = "difference"
    SHORTFALL = "shortfall"


class SilentCells(str, Enum):
    """What a cell is that has customers and sends no samples while other cells do."""

    NO_VERDICT = "no_verdict"
    REQUIRED = "required"
    JUDGED_BY_CALLS = "judged_by_calls"


class StandingAlarms(str, Enum):
    """Which alarms, standing at the end of what was judged, make a cell Required."""

    NONE = "none"
    CRIT = "CRIT"
    WARN = "WARN"


class MissingPolicy(str, Enum):
    """What a missing KPI average counts as."""

    NO_DATA = "no_data"
    ZERO_BEFORE_BASELINE = "zero_before_baseline"
    HEALTHY = "healthy"


def _condition(found: object) -> tuple[str, str | float] | None:
    matched = CONDITION_TEXT.fullmatch(found.strip()) if isinstance(found, str) else None
    if not matched:
        return None
    operator, value = matched.groups()
    try:
        return operator, float(value)
    except ValueError:
        return operator, value


def _lower(found: object) -> str | None:
    return found.lower() if isinstance(found, str) else None


CONDITION: Kind[tuple[str, str | float]] = Kind(
    'an operator and a value, such as "> 1000" or "= Yes"', _condition, ("=", "")
)


def _conditions(table: Section) -> tuple[Condition, ...]:
    return tuple((column, *found) for column, found in table.all_values(CONDITION).items())


def _names(table: Section) -> tuple[tuple[str, str], ...]:
    return tuple(table.all_values(TEXT).items())


@dataclass(frozen=True)
class InputRules:
    """How one input is read and which of its rows count."""

    rows_per_key: int = setting(
        0, "use only the first rows of each key, in file order; 0 uses all", "rows", least=0
    )
    keep_where: tuple[Condition, ...] = setting(
        (),
        "column = condition, such as `Index = '> 1000'`; rows where one fails do not count",
        table=_conditions,
    )
    suspect_where: tuple[Condition, ...] = setting(
        (), "likewise, of any column; rows where one holds do not count", table=_conditions
    )
    reject_duplicates: bool = setting(
        True, "a customer counts once, and so does a cell at a time with a date"
    )
    missing_texts: tuple[str, ...] = setting(
        ("n/a", "na", "null", "none", "nil", "-", "--", "?"),
        "texts, in any case, that stand for no value",
        kind=list_of(Kind(TEXT.words, _lower, "")),
    )
    decimal: str = setting(".", "decimal mark of numbers that are texts: `.` or `,`")
    delimiter: str = setting(",", "the character between the fields of a CSV file")
    encoding: str = setting("UTF-8", "encoding of CSV files; a byte order mark takes precedence")
    ignore: tuple[str, ...] = setting(
        (), "files and folders to leave out, such as `*.xlsx`; `*` and `?` are wildcards"
    )
    columns: tuple[tuple[str, str], ...] = setting(
        (),
        'column = its name in the files, where that differs; `""` where there is none',
        table=_names,
    )


@dataclass(frozen=True)
class Kpi:
    """A measured KPI: one column of the samples or of the call statistics."""

    column: str
    source: str
    name: str = field(
        default="",
        metadata=about(
            "what it is published as; letters, digits and underscores", default="the column"
        ),
    )
    unit: str = setting("", "unit of its values")
    meaning: str = setting("", "what it measures")
    minimum: float | None = setting(None, "smallest possible value", OF_KPI)
    maximum: float | None = setting(None, "largest possible value", OF_KPI)
    sentinels: tuple[float, ...] = setting((), "numbers that mean no value")

    def __post_init__(self) -> None:
        # Frozen, so not by assignment.
        object.__setattr__(self, "name", self.name or self.column)

    @property
    def average(self) -> str:
        """Name of the column that holds its average."""
        return f"avg_{self.name}"


@dataclass(frozen=True)
class DerivedKpi:
    """A KPI computed from the averages of two measured ones.

    ratio: first / second; difference: first - second; shortfall: (first - second) / first, the
    share of `first` that `second` lacks, 0 where it lacks none. For a cell both are means over the
    same rows, so a ratio of them is a ratio of sums (3GPP TS 32.450: dropped or blocked calls,
    added up, for each attempt). The denominator is what is divided by: `second` of a ratio, `first`
    of a shortfall. The KPI is missing where that is 0.
    """

    name: str
    first: str = field(metadata=about("a measured KPI"))
    second: str = field(metadata=about("a measured KPI"))
    formula: Formula = setting(Formula.RATIO, "how the KPI follows from the two")
    unit: str = setting("", "unit of its values")
    meaning: str = setting("", "what it measures")
    minimum_denominator: float = setting(
        0.0,
        "below this denominator the KPI is missing; for the call statistics of a cell the "
        "denominators of its customers are added up first",
        "unit of the denominator",
        least=0,
    )

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
    ln(value + offset), and the distance from the baseline is at least ln(smallest_factor), too.
    """

    kpi: str
    flag: str = field(metadata=about("name of the flag's column", default="KPI_Thrsld"))
    bad_when: Direction = field(metadata=about("the side of the bound on which the KPI is bad"))
    method: Method = field(metadata=about("how the baseline and the spread are found"))
    k: float = setting(0.0, "distance of the bound from the baseline", "spreads")
    q: float | None = setting(
        None, "method quantile: the baseline is this quantile", SHARE, least=0, most=1
    )
    value: float | None = setting(None, "method static: the baseline", OF_KPI)
    ignore_below: float = setting(0.0, "smallest distance of bound and baseline", OF_KPI)
    at_least: float | None = setting(None, "a bound above is never lower", OF_KPI)
    at_most: float | None = setting(None, "a bound below is never higher", OF_KPI)
    warn_k: float | None = setting(
        None, "k of a second bound: a value between the two is a warning, no defect", "spreads"
    )
    scale: Scale = setting(Scale.LINEAR, "whether differences or factors count")
    offset: float = setting(0.0, "scale log: what counts as next to nothing", OF_KPI)
    smallest_factor: float = setting(
        1.0, "scale log: smallest factor between bound and baseline", "factor"
    )
    limit: float | None = setting(
        None, "beyond it a value is a defect whatever its peers, even without a baseline", OF_KPI
    )
    family: str | None = setting(None, "the KPI family; in it correlated KPIs are one voice")

    @classmethod
    def of(
        cls, kpi: str, threshold: Threshold, *, flag: str | None = None, family: str | None = None
    ) -> "Rule":
        """The rule that judges a KPI by a threshold (profile.thresholds), as code writes it."""
        settings = {one.name: getattr(threshold, one.name) for one in fields(threshold)}
        baseline: Baseline = settings.pop("baseline")
        settings |= {one.name: getattr(baseline, one.name) for one in fields(baseline)}
        return cls(kpi, flag or f"{kpi}_Thrsld", family=family, **settings)


@dataclass(frozen=True)
class Family:
    """KPIs that say the same about service (3GPP TS 32.450, TS 28.554): they fail together."""

    name: str
    decides: bool = setting(True, "whether a verdict follows from it, or it is only shown")
    minimum_defects: int = setting(1, "it fails with so many defects", "KPIs", least=1)
    minimum_warnings: int = setting(
        0, "or with so many warnings or defects; 0: warnings do not count", "KPIs", least=0
    )


@dataclass(frozen=True)
class Diagnosis:
    """What a cell that needs maintenance looks like; the first diagnosis that fits is published."""

    words: str = field(metadata=about("the diagnosis in words"))
    failed: tuple[str, ...] = field(metadata=about("KPIs of which any is a defect or a warning"))
    sound: tuple[str, ...] = setting((), "KPIs of which none is")


@dataclass(frozen=True)
class Peers:
    """Which cells are alike: those with the same text in a column."""

    column: str = field(metadata=about("the column"))
    input: str = setting(SAMPLES, "the input of the column: samples or customers")
    minimum_cells: int = setting(
        8, "a group with fewer values of a KPI is compared with all cells", "cells", least=2
    )
    required: bool = setting(
        True, "whether the column must be there; if it may be missing and is, all cells are peers"
    )


@dataclass(frozen=True)
class Level:
    """What differs between customers and cells."""

    derived: tuple[str, ...] = field(
        metadata=about("the derived KPIs in published order", default="all, as in the file")
    )
    missing: MissingPolicy = setting(
        MissingPolicy.NO_DATA,
        "what a missing average counts as. `no_data`: it is not judged. To reproduce the published "
        "lab, `zero_before_baseline`: it is 0 before baselines are found; `healthy`: it gets the "
        "flag 0 and is published as 0",
    )
    minimum_baseline_count: int = setting(
        1, "fewer values than this give no baseline", "customers or cells", least=1
    )
    standard_errors: bool = setting(
        False,
        "whether the spread of a cell's call statistics is that between cells together with the "
        "standard error of the cell's own mean, so that few customers have wider limits "
        "(D. J. Spiegelhalter, Funnel plots for comparing institutional performance, 2005)",
    )


@dataclass(frozen=True)
class JoinRules:
    """What becomes of rows without a partner, and the fewest rows that an average may rest on.

    Customers without call statistics are never published: nothing is known of their service.
    """

    keep_customers_without_samples: bool = setting(
        False, "whether customers whose cell sends no samples are published"
    )
    keep_cells_without_customers: bool = setting(
        False, "whether cells without customers are published"
    )
    minimum_samples: int = setting(1, "with fewer the samples are not judged", "samples", least=0)
    minimum_call_rows: int = setting(
        1, "with fewer the call statistics are not judged", "rows", least=0
    )
    minimum_customers: int = setting(
        1, "with fewer the call statistics of a cell are not judged", "customers", least=0
    )


@dataclass(frozen=True)
class VerdictRule:
    """When a cell needs maintenance.

    By failed families, by a number of defects, or by their share of what was judged: exactly one of
    minimum_failed_families, minimum_defects and minimum_defect_share is set.
    """

    minimum_failed_families: int | None = setting(
        None, "so many of the families that decide have failed", "families"
    )
    minimum_defects: int | None = setting(None, "so many KPIs are defects", "KPIs", least=0)
    minimum_defect_share: float | None = setting(
        None, "this share of the judged KPIs are defects", SHARE
    )
    minimum_evaluated: int = setting(
        0,
        "with fewer judged KPIs there is no verdict, unless enough families have failed",
        "KPIs",
        least=0,
    )
    silent_cells: SilentCells = setting(
        SilentCells.JUDGED_BY_CALLS,
        "what a cell is that has customers and sends no samples while other cells do. "
        "`no_verdict`: not judged, unless its customers' calls make it Required; `required`: in "
        "need of maintenance; `judged_by_calls`: judged by what is there",
    )
    silent_family: str | None = setting(
        None, "the family that fails by such silence, or by an alarm for silence"
    )
    standing_alarms: StandingAlarms = setting(
        StandingAlarms.NONE,
        "which alarms, standing at the end of what was judged, make a cell Required; `WARN` "
        "includes CRIT",
    )


@dataclass(frozen=True)
class HistoryRules:
    """From daily verdicts to lasting ones: a single day, good or bad, changes nothing.

    Only days with a run count.
    """

    raise_days: int = setting(
        2, "maintenance is due when at least so many recent verdicts are Required", "days", least=1
    )
    raise_within: int = setting(3, "how many recent verdicts that looks at", "days", least=1)
    clear_days: int = setting(
        2, "it is due no longer after so many days in a row with Not Required", "days", least=1
    )
    flapping_days: int = setting(
        7, "a cell that is due again within so many days is flapping", "days", least=0
    )
    forgotten_days: int = setting(
        30, "a cell without data for so many days is no longer expected", "days", least=1
    )


@dataclass(frozen=True)
class Limits:
    """Beyond these a run stops before it publishes anything."""

    largest_rejected_share: float = setting(
        1.0,
        "of the rows of an input, rejected; without those that the profile leaves out",
        SHARE,
        least=0,
        most=1,
    )
    largest_left_out_share: float = setting(
        0.1,
        "of the values of a column, left out because they are wrong; without empty ones, "
        "`missing_texts` and sentinels, and where more than one row in a hundred is affected",
        SHARE,
        least=0,
        most=1,
    )
    smallest_match_rate: float = setting(
        0.0,
        "of the customers, with samples of their cell and with call statistics",
        SHARE,
        least=0,
        most=1,
    )
    largest_unjudged_share: float = setting(
        0.9, "of the cells, without a verdict", SHARE, least=0, most=1
    )
