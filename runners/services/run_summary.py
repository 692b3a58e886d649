"""The figures of the summary of a run, by their meaning."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import Row

from anomaly.alarms.account import MINUTES_BETWEEN
from anomaly.schema.reasons import REASONS
from anomaly.schema.tables import CELL_LEVEL
from anomaly.summary.account import (
    AFFECTED,
    ALL_INPUTS,
    CUSTOMERS_READ,
    CUSTOMERS_TO_CALLS,
    MATCHED_CUSTOMERS,
    NEAR_MISS,
    NOT_JUDGED,
)
from anomaly.thresholds.compare import CRIT, NO_BASELINE, OK, WARN
from anomaly.thresholds.verdict import REQUIRED
from runners.services.origins import ORIGIN, Origin

# The section that says which engine made the tables, and why it was taken.
ENGINE = "engine"
# The section that says since when cells are due.
DUE = "due"
LARGEST_SHARE_WITHOUT_BASELINE = 0.5


@dataclass(frozen=True)
class AlarmFigures:
    """What was judged for alarms, how many were raised, and some of them, active ones first.

    cell_days: judged periods of all cells, in days; begin and until are texts in UTC.
    """

    cell_days: float
    begin: str
    until: str
    raised: float
    active: float
    named: Sequence[Row]


@dataclass(frozen=True)
class NamedCell:
    """A cell that a summary names: its rank, what fails, and why.

    customers: those with call statistics. since: the day since which it is due. Both are None where
    the summary does not say so.
    """

    rank: int
    name: str
    fails: str
    reason: str
    customers: int | None
    since: str | None


@dataclass(frozen=True)
class RunSummary:
    """The rows of a summary (tables.SUMMARY_COLUMNS); a count without a row is 0."""

    rows: Sequence[Row]

    def of(self, section: str, subject: str | None = None) -> list[Row]:
        """The rows of a section, of all subjects or of one."""
        return [row for row in self._by_section[section] if subject in (None, row.subject)]

    def total(self, section: str, subject: str, item: str) -> float:
        """A count, summed over the files if each has its own."""
        return sum(float(row.value) for row in self.of(section, subject) if row.item == item)

    def rows_in(self, source: str) -> float:
        """The number of rows of an input."""
        return self.total("input", source, "rows in")

    def rows_clean(self, source: str) -> float:
        """The number of clean rows of an input."""
        return self.total("input", source, "rows clean")

    def rejected_share(self, source: str) -> float:
        """The share of rejected rows of an input.

        Rows that the profile itself leaves out are not bad rows.
        """
        reasons = (code for code, one in REASONS.items() if one.rejects_row and one.is_fault)
        return sum(self.total("rejected", source, one) for one in reasons) / self.rows_in(source)

    def left_out(self, source: str, column: str) -> float:
        """The number of bad values of a column that were left out."""
        reasons = (code for code, one in REASONS.items() if one.is_fault and not one.rejects_row)
        return sum(self.total("missing_value", source, f"{column}: {one}") for one in reasons)

    def values_left_out(self, source: str) -> float:
        """The number of bad values of an input, over all of its columns."""
        reasons = {code for code, one in REASONS.items() if one.is_fault and not one.rejects_row}
        left_out = self.of("missing_value", source)
        return sum(float(row.value) for row in left_out if row.item.rpartition(": ")[2] in reasons)

    @cached_property
    def _by_section(self) -> Mapping[str, Sequence[Row]]:
        """The rows of each section; they are looked up hundreds of times."""
        sections: dict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            sections[row.section].append(row)
        return sections

    @property
    def match_rate(self) -> float:
        """The share of the customers that have samples and call statistics."""
        return self._share_matched(ALL_INPUTS)

    @property
    def match_rate_of_calls(self) -> float:
        """The share of the customers that have call statistics."""
        return self._share_matched(CUSTOMERS_TO_CALLS)

    def _share_matched(self, join: str) -> float:
        matched = self.total("join", join, MATCHED_CUSTOMERS)
        return matched / self.total("join", ALL_INPUTS, CUSTOMERS_READ)

    @property
    def unmatched(self) -> Mapping[str, list[Row]]:
        """The unmatched keys of each kind, those with the most rows first."""
        kinds: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(
            self.of("unmatched"), key=lambda row: (row.subject, -row.value, row.item)
        ):
            kinds[row.subject].append(row)
        return kinds

    @property
    def origins(self) -> Mapping[str, Origin]:
        """The files of each input."""
        return {row.subject: Origin(row.subject, row.value, row.detail) for row in self.of(ORIGIN)}

    @property
    def cell_count(self) -> int:
        """The number of cells."""
        return int(self.total("kpi", CELL_LEVEL, "rows"))

    @property
    def required(self) -> int:
        """The number of cells that need maintenance."""
        return int(self.total("verdict", CELL_LEVEL, REQUIRED))

    @property
    def not_judged(self) -> int:
        """The number of cells without a verdict."""
        return int(self.total("verdict", CELL_LEVEL, NOT_JUDGED))

    @property
    def worst(self) -> list[Row]:
        """The cells to visit, worst first: rank, cell, what fails and why (value to detail)."""
        return self._worst_first("worst")

    @property
    def to_visit(self) -> list[NamedCell]:
        """The cells that need maintenance, worst first."""
        return self._named("worst")

    @property
    def near_misses(self) -> list[NamedCell]:
        """The cells that need none, although KPIs of them are beyond their limits, worst first."""
        return self._named(NEAR_MISS)

    def _worst_first(self, section: str) -> list[Row]:
        return sorted(self.of(section), key=lambda row: (row.value, row.subject))

    def _named(self, section: str) -> list[NamedCell]:
        customers = {row.subject: int(row.value) for row in self.of(AFFECTED)}
        since = {row.subject: row.detail for row in self.of(DUE)}
        return [
            NamedCell(
                int(row.value),
                row.subject,
                row.item,
                row.detail,
                customers.get(row.subject),
                since.get(row.subject),
            )
            for row in self._worst_first(section)
        ]

    @property
    def day(self) -> str | None:
        """The day of the run, if a row says so."""
        return next((str(row.run_date) for row in self.rows if "run_date" in row), None)

    @property
    def cells_by_minutes(self) -> Mapping[int, float]:
        """The number of cells by the minutes between their samples."""
        return {int(row.item): row.value for row in self.of("alarms", MINUTES_BETWEEN)}

    @property
    def share_without_baseline(self) -> float:
        """The share of the values that could not be judged for alarms: too few baseline samples."""
        values = {
            status: sum(float(row.value) for row in self.of("alarm_kpi") if row.item == status)
            for status in (NO_BASELINE, OK, WARN, CRIT)
        }
        return values[NO_BASELINE] / (sum(values.values()) or 1)

    @property
    def lacks_baseline(self) -> bool:
        """Whether most values could not be judged for alarms, so that only silence raises them."""
        return self.share_without_baseline > LARGEST_SHARE_WITHOUT_BASELINE

    @property
    def alarms(self) -> AlarmFigures | None:
        """The alarms; None if none were judged."""
        judged = {row.item: row for row in self.of("alarms", "judged")}
        if "cell days" not in judged:
            return None
        critical, warnings, active = (
            self.total("alarms", "raised", item) for item in ("CRIT", "WARN", "standing")
        )
        return AlarmFigures(
            judged["cell days"].value,
            judged["from"].detail,
            judged["until"].detail,
            critical + warnings,
            active,
            sorted(self.of("alarm"), key=lambda row: row.value),
        )
