"""The published lab: its KPIs, its rules, and the columns of its two tables, from its profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.lab_tables import lab_tables

CUSTOMER_TABLE = "customer_service_metrics_data"
CELL_TABLE = "cell_tower_performance_data"
CUSTOMER_KEYS = (
    "customerID",
    "CellName",
    "tenure",
    "PhoneService",
    "MultipleLines",
    "InternetService",
)
CELL_KEYS = ("CellName", "customerID_count")

# Customers with a number up to this one are left out.
LARGEST_UNUSED_NUMBER = 1000
# In the text of Customer_ID the customer number begins at this character, 7 characters at most.
NUMBER_START, NUMBER_LENGTH = 4, 7


@dataclass(frozen=True)
class Derived:
    """A KPI from two averages: first / second, NULL where that is 0, or first - second."""

    name: str
    is_ratio: bool
    first: str
    second: str


@dataclass(frozen=True)
class Rule:
    """The column of a KPI, the column of its flag, and on which side of the mean it is bad."""

    kpi: str
    flag: str
    is_bad_above: bool


@dataclass(frozen=True)
class Lab:
    """What the lab computes.

    sample_kpis, call_kpis: column of the input -> column of its average. The first rows_per_cell
    samples of a cell and the first rows_per_customer call statistics of a customer count.
    """

    sample_kpis: dict[str, str]
    call_kpis: dict[str, str]
    customer_derived: tuple[Derived, ...]
    cell_derived: tuple[Derived, ...]
    rules: tuple[Rule, ...]
    rows_per_cell: int
    rows_per_customer: int
    minimum_defects: int

    @property
    def averages(self) -> tuple[str, ...]:
        """The columns of all averages."""
        return (*self.sample_kpis.values(), *self.call_kpis.values())

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """The columns of each table, in their order."""
        flags = (*(rule.flag for rule in self.rules), "defected_count")
        of_customers = (*self.averages, *(kpi.name for kpi in self.customer_derived))
        of_cells = (*self.averages, *(kpi.name for kpi in self.cell_derived))
        return {
            CUSTOMER_TABLE: (*CUSTOMER_KEYS, *of_customers, *flags),
            CELL_TABLE: (*CELL_KEYS, *of_cells, *flags, "Maintainence_Required"),
        }


def read_lab() -> Lab:
    """The lab as its profile describes it."""
    profile = lab_tables()
    derived = profile["derived"]
    return Lab(
        sample_kpis=_kpis(profile["kpis"]["samples"]),
        call_kpis=_kpis(profile["kpis"]["call_statistics"]),
        customer_derived=_derived(derived, profile["customer_level"]["derived"]),
        cell_derived=_derived(derived, profile["cell_level"]["derived"]),
        rules=tuple(
            Rule(
                kpi if kpi in derived else f"avg_{kpi}",
                rule.get("flag", f"{kpi}_Thrsld"),
                rule["bad_when"] == "above",
            )
            for kpi, rule in profile["rules"].items()
        ),
        rows_per_cell=profile["inputs"]["samples"]["rows_per_key"],
        rows_per_customer=profile["inputs"]["call_statistics"]["rows_per_key"],
        minimum_defects=profile["verdict"]["minimum_defects"],
    )


def _kpis(of_input: dict[str, Any]) -> dict[str, str]:
    return {column: f"avg_{kpi.get('name', column)}" for column, kpi in of_input.items()}


def _derived(formulas: dict[str, Any], names: Sequence[str]) -> tuple[Derived, ...]:
    return tuple(
        Derived(
            name,
            formulas[name]["formula"] == "ratio",
            f"avg_{formulas[name]['first']}",
            f"avg_{formulas[name]['second']}",
        )
        for name in names
    )
