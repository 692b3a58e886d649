"""The tables of a profile as dataclasses: each setting with its type, default, unit and meaning."""

import math
import re
from contextlib import suppress
from dataclasses import dataclass, field, fields

from anomaly.profile.choices import Formula, MissingPolicy, SilentCells, StandingAlarms
from anomaly.profile.methods import Direction, Method, Scale
from anomaly.profile.settings import OF_KPI, SHARE, about, setting
from anomaly.profile.thresholds import Baseline, Threshold
from anomaly.profile.toml_section import TEXT, Kind, Section, list_of
from anomaly.schema.inputs import SAMPLES

# A column, an operator, and the value that the column is compared with.
Condition = tuple[str, str, str | float]

CONDITION_TEXT = re.compile(r"(=|!=|>=|<=|>|<)\s*(.+)")


def _condition(found: object) -> tuple[str, str | float] | None:
    matched = CONDITION_TEXT.fullmatch(found.strip()) if isinstance(found, str) else None
    if not matched:
        return None
    operator, value = matched.groups()
    with suppress(ValueError):
        # SQL has no numbers for nan and infinity; they are texts, as any other word is.
        if math.isfinite(number := float(value)):
            return operator, number
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
        0, "use only the first rows of each key, in file order; 0: all", "rows", least=0
    )
    keep_where: tuple[Condition, ...] = setting(
        (),
        "column = condition, such as `Index = '> 1000'`; rows that fail a condition are rejected",
        table=_conditions,
    )
    suspect_where: tuple[Condition, ...] = setting(
        (), "the same for any column; rows that meet a condition are rejected", table=_conditions
    )
    reject_duplicates: bool = setting(
        True, "whether repeated customers, and repeated dated samples of a cell, are rejected"
    )
    missing_texts: tuple[str, ...] = setting(
        ("n/a", "na", "null", "none", "nil", "-", "--", "?"),
        "texts that mean a missing value; case does not matter",
        kind=list_of(Kind(TEXT.words, _lower, "")),
    )
    decimal: str = setting(".", "decimal mark of numbers in text: `.` or `,`")
    delimiter: str = setting(",", "the character between the fields of CSV files")
    encoding: str = setting("UTF-8", "encoding of CSV files; a byte order mark takes precedence")
    ignore: tuple[str, ...] = setting(
        (), "files and folders to ignore, such as `*.xlsx`; `*` and `?` are wildcards"
    )
    customer_id_prefix: int = setting(
        3,
        "of call statistics: what stands in `Customer_ID` before the customer number; 0: nothing",
        "characters",
        least=0,
    )
    columns: tuple[tuple[str, str], ...] = setting(
        (),
        'column = its name in the files, if that differs; `""`: the files do not have it, and '
        "a KPI of it is left out with everything that uses it",
        table=_names,
    )


@dataclass(frozen=True)
class Kpi:
    """A measured KPI: one column of the samples or of the call statistics."""

    column: str
    source: str
    name: str = field(
        default="",
        metadata=about("its published name; letters, digits and underscores", default="the column"),
    )
    unit: str = setting("", "unit of its values")
    meaning: str = setting("", "what it measures")
    minimum: float | None = setting(None, "smallest valid value", OF_KPI)
    maximum: float | None = setting(None, "largest valid value", OF_KPI)
    sentinels: tuple[float, ...] = setting((), "numbers that mean a missing value")

    def __post_init__(self) -> None:
        # Frozen, so not by assignment.
        object.__setattr__(self, "name", self.name or self.column)

    @property
    def average(self) -> str:
        """The column of its average."""
        return f"avg_{self.name}"


@dataclass(frozen=True)
class DerivedKpi:
    """A KPI computed from the averages of two measured KPIs.

    ratio: first / second; difference: first - second; shortfall: (first - second) / first, the
    share of `first` that is not in `second`, at least 0. For a cell both are means over the same
    rows, so their ratio is a ratio of sums (3GPP TS 32.450: the sum of dropped or blocked calls
    per attempt). The denominator is `second` of a ratio, and `first` of a shortfall. The KPI is
    missing if it is 0.
    """

    name: str
    first: str = field(metadata=about("a measured KPI"))
    second: str = field(metadata=about("a measured KPI"))
    formula: Formula = setting(Formula.RATIO, "the formula")
    unit: str = setting("", "unit of its values")
    meaning: str = setting("", "what it measures")
    minimum_denominator: float = setting(
        0.0,
        "smaller denominators make the KPI missing; for the call statistics of a cell, the "
        "denominator is the sum over its customers",
        "unit of the denominator",
        least=0,
    )

    @property
    def denominator(self) -> str | None:
        """The measured KPI in the denominator; None for a difference."""
        names = {Formula.RATIO: self.second, Formula.SHORTFALL: self.first}
        return names.get(self.formula)


@dataclass(frozen=True)
class Rule:
    """How one KPI is judged.

    On the scale `linear`

        limit = baseline +/- max(k x spread, ignore_below)

    on the side that `bad_when` names; with `both`, on the side of the baseline where the value is.
    On the scale `log`, for KPIs that cannot be negative, baseline and spread are those of
    ln(value + offset), and the distance from the baseline is also at least ln(smallest_factor).
    """

    kpi: str
    flag: str = field(metadata=about("column of the flag", default="KPI_Thrsld"))
    bad_when: Direction = field(metadata=about("the side of the limit on which the KPI is bad"))
    method: Method = field(metadata=about("the method that finds baseline and spread"))
    k: float = setting(0.0, "distance of the limit from the baseline", "spreads")
    q: float | None = setting(
        None, "method quantile: the quantile that is the baseline", SHARE, least=0, most=1
    )
    value: float | None = setting(None, "method static: the baseline", OF_KPI)
    ignore_below: float = setting(0.0, "smallest distance of the limit from the baseline", OF_KPI)
    at_least: float | None = setting(None, "an upper limit is never lower than this", OF_KPI)
    at_most: float | None = setting(None, "a lower limit is never higher than this", OF_KPI)
    warn_k: float | None = setting(
        None, "k of the warning limit: a value between both limits is a warning", "spreads"
    )
    scale: Scale = setting(Scale.LINEAR, "whether values or their logarithms are compared")
    offset: float = setting(
        0.0, "scale log: added to the value; a size that is next to nothing", OF_KPI
    )
    smallest_factor: float = setting(
        1.0, "scale log: smallest factor between limit and baseline", "factor"
    )
    limit: float | None = setting(
        None,
        "fixed limit: a value beyond it is a defect whatever the baseline, or without one",
        OF_KPI,
    )
    family: str | None = setting(None, "the KPI family; correlated KPIs belong to one family")

    @classmethod
    def of(
        cls, kpi: str, threshold: Threshold, *, flag: str | None = None, family: str | None = None
    ) -> "Rule":
        """The rule that judges a KPI by a threshold (profile.thresholds), for use in code."""
        settings = {one.name: getattr(threshold, one.name) for one in fields(threshold)}
        baseline: Baseline = settings.pop("baseline")
        settings |= {one.name: getattr(baseline, one.name) for one in fields(baseline)}
        return cls(kpi, flag or f"{kpi}_Thrsld", family=family, **settings)


@dataclass(frozen=True)
class Family:
    """KPIs that describe one aspect of service (3GPP TS 32.450, TS 28.554), and fail together."""

    name: str
    decides: bool = setting(True, "whether it decides verdicts, or is only shown")
    minimum_defects: int = setting(1, "it fails with this many defects", "KPIs", least=1)
    minimum_warnings: int = setting(
        0,
        "or with this many warnings and defects together; 0: warnings do not count",
        "KPIs",
        least=0,
    )


@dataclass(frozen=True)
class Diagnosis:
    """What a cell that needs maintenance looks like; the first diagnosis that fits is published."""

    words: str = field(metadata=about("the diagnosis in words"))
    failed: tuple[str, ...] = field(
        metadata=about("at least one of these KPIs is a defect or a warning")
    )
    sound: tuple[str, ...] = setting((), "none of these KPIs is")


@dataclass(frozen=True)
class Peers:
    """Which cells are peers: those with the same text in a column."""

    column: str = field(metadata=about("the column"))
    input: str = setting(SAMPLES, "the input that has the column: samples or customers")
    minimum_cells: int = setting(
        8,
        "cells of a group with fewer values of a KPI are compared with all cells",
        "cells",
        least=2,
    )
    required: bool = setting(
        True, "whether the column is required; without it, all cells are peers"
    )


@dataclass(frozen=True)
class Level:
    """Settings that may differ between customers and cells."""

    derived: tuple[str, ...] = field(
        metadata=about(
            "the derived KPIs in published order", default="all, in the order of the file"
        )
    )
    missing: MissingPolicy = setting(
        MissingPolicy.NO_DATA,
        "what a missing average counts as. `no_data`: it is not judged. To reproduce the published "
        "lab: `zero_before_baseline`: 0, before baselines are found; `healthy`: flag 0, and "
        "published as 0",
    )
    minimum_baseline_count: int = setting(
        1, "fewer values give no baseline", "customers or cells", least=1
    )
    standard_errors: bool = setting(
        False,
        "whether the spread of a cell's call statistics includes the standard error of the cell's "
        "own mean, so that limits are wider for cells with few customers "
        "(D. J. Spiegelhalter, Funnel plots for comparing institutional performance, 2005)",
    )


@dataclass(frozen=True)
class JoinRules:
    """Rows without a match, and the smallest number of rows behind an average.

    Customers without call statistics are never published: nothing is known about their service.
    """

    keep_customers_without_samples: bool = setting(
        False, "whether to publish customers whose cell sends no samples"
    )
    keep_cells_without_customers: bool = setting(
        False, "whether to publish cells without customers"
    )
    minimum_samples: int = setting(
        1, "with fewer, the KPIs of the samples are not judged", "samples", least=0
    )
    minimum_call_rows: int = setting(
        1, "with fewer, the KPIs of the call statistics are not judged", "rows", least=0
    )
    minimum_customers: int = setting(
        1, "with fewer, the call statistics of a cell are not judged", "customers", least=0
    )


@dataclass(frozen=True)
class VerdictRule:
    """When a cell needs maintenance.

    By failed families, by the number of defects, or by their share of the judged KPIs: set exactly
    one of minimum_failed_families, minimum_defects and minimum_defect_share.
    """

    minimum_failed_families: int | None = setting(
        None, "at least this many deciding families have failed", "families"
    )
    minimum_defects: int | None = setting(
        None, "at least this many KPIs are defects", "KPIs", least=0
    )
    minimum_defect_share: float | None = setting(
        None, "at least this share of the judged KPIs are defects", SHARE
    )
    minimum_evaluated: int = setting(
        0,
        "with fewer judged KPIs there is no verdict, unless enough families have failed",
        "KPIs",
        least=0,
    )
    silent_cells: SilentCells = setting(
        SilentCells.JUDGED_BY_CALLS,
        "the verdict of a cell that has customers and sends no samples while other cells do. "
        "`no_verdict`: none, unless the calls of its customers make it Required; `required`: "
        "Required; `judged_by_calls`: by the KPIs that it has",
    )
    silent_family: str | None = setting(
        None, "the family that fails if a cell is silent, or has an alarm for silence"
    )
    standing_alarms: StandingAlarms = setting(
        StandingAlarms.NONE,
        "which alarms make a cell Required if they are active at the end of the judged time; "
        "`WARN` includes CRIT",
    )


@dataclass(frozen=True)
class HistoryRules:
    """From daily verdicts to lasting ones: a single day, good or bad, changes nothing.

    Only days with a run count.
    """

    raise_days: int = setting(
        2,
        "maintenance is due when at least raise_days of the last raise_within verdicts are "
        "Required",
        "days",
        least=1,
    )
    raise_within: int = setting(3, "the number of recent verdicts for raise_days", "days", least=1)
    clear_days: int = setting(
        2, "it is no longer due after this many verdicts in a row are Not Required", "days", least=1
    )
    flapping_days: int = setting(
        7, "a cell that is due again within this many days is flapping", "days", least=0
    )
    forgotten_days: int = setting(
        30, "a cell without data for this many days is no longer listed", "days", least=1
    )


@dataclass(frozen=True)
class Limits:
    """Beyond these limits a run stops before it publishes anything."""

    largest_rejected_share: float = setting(
        1.0,
        "largest share of rejected rows of an input, not counting rows that the profile leaves out",
        SHARE,
        least=0,
        most=1,
    )
    largest_left_out_share: float = setting(
        0.1,
        "largest share of bad values of a column, not counting empty ones, `missing_texts` and "
        "sentinels; only columns with bad values in more than one row in a hundred are checked",
        SHARE,
        least=0,
        most=1,
    )
    smallest_match_rate: float = setting(
        0.0,
        "smallest share of customers with call statistics and with samples of their cell",
        SHARE,
        least=0,
        most=1,
    )
    largest_unjudged_share: float = setting(
        0.9, "largest share of cells without a verdict", SHARE, least=0, most=1
    )
