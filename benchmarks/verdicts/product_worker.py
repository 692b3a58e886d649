"""Runs this library on one folder of inputs after the other, in one process.

python -m benchmarks.verdicts.product_worker PROFILE, in the library's own environment. Each line
of standard input is a folder; each line of standard output is what was published of its cells.
"""

import contextlib
import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet

from anomaly import Profile, load_profile
from runners.local import run_locally
from runners.storage.places import destination_of

INPUTS = ("customers", "samples", "call_statistics")
TABLE = "cell_tower_performance_data"
# Those that the profile publishes.
COLUMNS = (
    "CellName",
    "Maintainence_Required",
    "severity_rank",
    "failed_families",
    "verdict_reason",
)
RUN_DATE = date(2026, 1, 5)


def published_cells(profile: Profile, folder: Path) -> list[dict[str, Any]]:
    """Run the library and return the rows of the cell table."""
    with tempfile.TemporaryDirectory() as out:
        inputs = {name: str(folder / name) for name in INPUTS}
        run_locally(profile, inputs, destination_of(out), RUN_DATE)
        table = pyarrow.parquet.read_table(f"{out}/{TABLE}")
    rows: list[dict[str, Any]] = table.select(
        [name for name in COLUMNS if name in table.column_names]
    ).to_pylist()
    return rows


def main() -> None:
    """Answer until the input ends."""
    profile = load_profile(sys.argv[1])
    for line in sys.stdin:
        # Standard output is for answers alone.
        with contextlib.redirect_stdout(sys.stderr):
            rows = published_cells(profile, Path(line.strip()))
        print(json.dumps(rows), flush=True)


if __name__ == "__main__":
    main()
