"""The averages per cell that the rivals judge, made without the product."""

import pandas as pd

from benchmarks.verdicts.catalogue import CALL_KPIS, SAMPLE_KPIS
from benchmarks.verdicts.inputs import Inputs


def cell_averages(inputs: Inputs) -> pd.DataFrame:
    """Return the averages of the cell table without the label, by cell; NaN without rows.

    A cell is there if it has samples or customers with call statistics. Each sample counts once,
    and so does each customer, however many rows of call statistics there are of him.
    """
    of_samples = inputs.samples.groupby("CellName")[[*SAMPLE_KPIS]].mean()
    of_customers = inputs.calls.groupby([inputs.cells_of_calls, inputs.callers])[
        [*CALL_KPIS]
    ].mean()
    of_calls = of_customers.groupby(level=0).mean()
    averages = of_samples.join(of_calls, how="outer").rename(columns=SAMPLE_KPIS | CALL_KPIS)
    return averages.rename_axis("CellName")
