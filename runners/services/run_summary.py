"""The summary of a run, its figures by what they mean."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import Row

from anomaly.alarms.account import MINUTES_BETWEEN
from anomaly.schema.reasons import REASONS
from anomaly.schema.tables import CELL_LEVEL
from anomaly.summary.account import ALL_INPUTS, CUSTOMERS_READ, MATCHED_CUSTOMERS, NOT_JUDGED
from anomaly.thresholds.verdict import REQUIRED
from runners.services.origins import ORIGIN, Origin


@dataclass(frozen=True)
class AlarmFigures:
    """What was judged for alarms, how many were raised, and some of them: those that stand first.

    cell_days: judged periods of all cells, in days; begin and until are texts in UTC.
    """

    cell_days: float
    begin: str
    until: str
    raised: float
    standing: float
    named: Sequence[Row]


@dataclass(frozen=True)
class RunSummary:
    """What rows of a summary (tables.SUMMARY_COLUMNS) say; a count that is not there is 0."""

    rows: Sequence[Row]

    def of(self, section: str, subject: str | None = None) -> list[Row]:
        """The rows of a section, or those about one subject."""
        found = (row for row in self.rows if row.section == section)
        return [row for row in found if subject in (None, row.subject)]

    def total(self, section: str, subject: str, item: str) -> float:
        """A count, over all files where it is counted for each."""
        return sum(float(row.value) for row in self.of(section, subject) if row.item == item)

    def rows_in(self, source: str) -> float:
        """How many rows an input has."""
        return self.total("input", source, "rows in")

    def rows_clean(self, source: str) -> float:
        """How many rows of an input were used."""
        return self.total("input", source, "rows clean")

    def rejected_share(self, source: str) -> float:
        """Of the rows of an input; what the profile itself leaves out is no fault of the input."""
        faults = (code for code, one in REASONS.items() if one.rejects_row and one.is_fault)
        return sum(self.total("rejected", source, one) for one in faults) / self.rows_in(source)

    def left_out(self, source: str, column: str) -> float:
        """How many values of a column were left out for a fault."""
        faults = (code for code, one in REASONS.items() if one.is_fault and not one.rejects_row)
        return sum(self.total("missing_value", source, f"{column}: {one}") for one in faults)

    @property
    def match_rate(self) -> float:
        """The share of the customers that have samples and call statistics."""
        matched = self.total("join", ALL_INPUTS, MATCHED_CUSTOMERS)
        return matched / self.total("join", ALL_INPUTS, CUSTOMERS_READ)

    @property
    def unmatched(self) -> Mapping[str, list[Row]]:
        """Of each kind the keys without a partner, those with the most rows first."""
        kinds: dict[str, list[Row]] = defaultdict(list)
        for row in sorted(
            self.of("unmatched"), key=lambda row: (row.subject, -row.value, row.item)
        ):
            kinds[row.subject].append(row)
        return kinds

    @property
    def origins(self) -> Mapping[str, Origin]:
        """The files that each input had."""
        return {row.subject: Origin(row.subject, row.value, row.detail) for row in self.of(ORIGIN)}

    @property
    def towers(self) -> int:
        """How many there are."""
        return int(self.total("kpi", CELL_LEVEL, "rows"))

    @property
    def required(self) -> int:
        """How many towers need maintenance."""
        return int(self.total("verdict", CELL_LEVEL, REQUIRED))

    @property
    def not_judged(self) -> int:
        """How many towers have no verdict."""
        return int(self.total("verdict", CELL_LEVEL, NOT_JUDGED))

    @property
    def worst(self) -> list[Row]:
        """The towers to visit, worst first: rank, cell, what fails and why (value to detail)."""
        return sorted(self.of("worst"), key=lambda row: (row.value, row.subject))

    @property
    def cells_by_minutes(self) -> Mapping[int, float]:
        """How many cells send a sample every so many minutes."""
        return {int(row.item): row.value for row in self.of("alarms", MINUTES_BETWEEN)}

    @property
    def alarms(self) -> AlarmFigures | None:
        """The alarms; None where none were judged."""
        judged = {row.item: row for row in self.of("alarms", "judged")}
        if "cell days" not in judged:
            return None
        severe, light, standing = (
            self.total("alarms", "raised", item) for item in ("CRIT", "WARN", "standing")
        )
        return AlarmFigures(
            judged["cell days"].value,
            judged["from"].detail,
            judged["until"].detail,
            severe + light,
            standing,
            sorted(self.of("alarm"), key=lambda row: row.value),
        )
