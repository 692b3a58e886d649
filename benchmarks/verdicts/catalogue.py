"""The KPIs of the cell table, and what the lab calls bad in them, as conf/lab.toml has it."""

from typing import Any

from benchmarks.lab_tables import lab_tables

_PROFILE = lab_tables()
_MEASURED: dict[str, dict[str, Any]] = _PROFILE["kpis"]

# What the published data mark by another way of writing the row; who learns from it finds that.
LABEL = "Unusual"
# The other 32 columns of the inputs whose averages the cell table holds, with their names there.
SAMPLE_KPIS = {
    column: kpi.get("name", column)
    for column, kpi in _MEASURED["samples"].items()
    if column != LABEL
}
CALL_KPIS = {
    column: kpi.get("name", column) for column, kpi in _MEASURED["call_statistics"].items()
}

# 1 for a KPI that the lab calls bad above the mean, -1 for one that it calls bad below.
LAB_DIRECTIONS = {
    kpi: 1 if rule["bad_when"] == "above" else -1 for kpi, rule in _PROFILE["rules"].items()
}
# Of these KPIs, those that are the ratio of two averages: their numerators and denominators.
LAB_RATIOS = {
    kpi: (formula["first"], formula["second"])
    for kpi, formula in _PROFILE["derived"].items()
    if kpi in LAB_DIRECTIONS
}
LAB_MINIMUM_DEFECTS: int = _PROFILE["verdict"]["minimum_defects"]
