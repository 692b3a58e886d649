"""The real input files, which lie beside the repository."""

from pathlib import Path

REAL_DATA = Path(__file__).parents[3] / "shared"
INPUTS = {
    "customers": str(REAL_DATA / "data/customers"),
    "samples": str(REAL_DATA / "data/service_threshold_data.csv"),
    "call_statistics": str(REAL_DATA / "data/call_statistics_first1136.csv"),
}
