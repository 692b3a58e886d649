"""The three inputs of a run in memory, read from and written to files."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.detection.kpis import KPIS
from benchmarks.processes import ROOT
from benchmarks.verdicts.catalogue import CALL_KPIS

REAL = ROOT.parent / "shared" / "data"
CUSTOMERS, SAMPLES, CALL_STATISTICS = "customers", "samples", "call_statistics"
# The number of a customer is the text of Customer_ID from its fourth character on.
BEFORE_NUMBER = 3


@dataclass(frozen=True)
class Inputs:
    """Customers, samples and call statistics, with the columns of their files."""

    customers: pd.DataFrame
    samples: pd.DataFrame
    calls: pd.DataFrame

    @property
    def callers(self) -> pd.Series:
        """The customer number of each row of the call statistics."""
        return self.calls["Customer_ID"].astype(str).str[BEFORE_NUMBER:].astype(int)

    @property
    def cells_of_calls(self) -> pd.Series:
        """The cell of each row of the call statistics, NaN where the caller is no customer."""
        return self.callers.map(self.customers.set_index("Index")["CellTower"])

    @property
    def customers_with_calls(self) -> pd.DataFrame:
        """The customers with call statistics; of the others the cell table shows nothing."""
        return self.customers[self.customers["Index"].isin(self.callers)]

    def write(self, folder: Path) -> None:
        """Write the inputs into a folder each, in Parquet."""
        frames = {
            CUSTOMERS: self.customers,
            SAMPLES: self.samples,
            CALL_STATISTICS: self.calls,
        }
        for name, frame in frames.items():
            (folder / name).mkdir()
            frame.to_parquet(folder / name / "rows.parquet", index=False)


def real_inputs(folder: Path = REAL) -> Inputs:
    """Read the real inputs."""
    samples = pd.read_csv(folder / "service_threshold_data.csv")
    # Numbers of users are whole, and what a fault makes of them is not.
    samples[KPIS] = samples[KPIS].astype(float)
    return Inputs(
        customers=pd.read_parquet(folder / "customers"),
        samples=samples,
        calls=pd.read_csv(folder / "call_statistics_first1136.csv"),
    )


def sample_inputs(folder: Path) -> Inputs:
    """Read what averages need of the inputs that `cell-tower-anomaly sample` has written."""
    return Inputs(
        customers=pd.read_parquet(folder / CUSTOMERS, columns=["Index", "CellTower"]),
        samples=pd.read_parquet(folder / SAMPLES),
        calls=pd.read_parquet(folder / CALL_STATISTICS, columns=["Customer_ID", *CALL_KPIS]),
    )
