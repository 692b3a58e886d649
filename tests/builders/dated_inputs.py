"""Inputs of some days, a folder for each, in which each tower's verdict of each day is known."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

import duckdb

from anomaly import Profile, parse_profile
from tests.builders.small_inputs import write_csv

HOURS = 6
# A tower needs maintenance on a day on which its mean load is above 20.
PROFILE_TEXT = """
name = "dated"
[join]
keep_cells_without_customers = true
keep_customers_without_samples = true
[verdict]
minimum_defects = 1
minimum_evaluated = 1
[kpis.samples]
load = { unit = "%" }
[kpis.call_statistics]
calls = { unit = "calls" }
[rules.load]
bad_when = "above"
method = "static"
value = 20
[alarms]
period_minutes = 360
history_days = 7
baseline_days = 7
smoothed_periods = 1
largest_deviation = 100
raise_periods = 2
raise_within = 3
silent_periods = 2
clear_periods = 2
clear_level = 1
[alarms.kpis.load]
of = ["load"]
unit = "%"
meaning = "load of the cell"
bad_when = "above"
method = "median_iqr"
minimum_samples = 8
smallest_spread = 1
warn = 2
crit = 4
"""
DATED_PROFILE: Profile = parse_profile(PROFILE_TEXT)


def quoted(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def write_day(
    folder: Path, day: date, loads: Mapping[str, float | None], late: bool = False
) -> None:
    """The inputs of a day: four samples of each tower, all of its load; of None there are none.

    `late` adds the samples in a file of their own to what is there.
    """
    rows = [
        (f"{day} {hour:02}:00", cell, load)
        for cell, load in loads.items()
        if load is not None
        for hour in range(0, 24, HOURS)
    ]
    name = "late" if late else "samples"
    write_csv(folder / "samples" / str(day) / f"{name}.csv", ["Time", "CellName", "load"], rows)
    if not late:
        customers = folder / "customers" / str(day) / "customers.parquet"
        customers.parent.mkdir(parents=True)
        table = ", ".join(
            f"({number}, 5, 'Yes', 'No', 'DSL', {quoted(cell)})"
            for number, cell in enumerate(loads, 1)
        )
        names = "Index, tenure, PhoneService, MultipleLines, InternetService, CellTower"
        duckdb.sql(
            f"copy (select * from (values {table}) t({names})) to '{customers}' (format parquet)"
        )
        calls = [(f"100{number:04}", 7) for number, _ in enumerate(loads, 1)]
        write_csv(folder / "calls" / str(day) / "calls.csv", ["Customer_ID", "calls"], calls)


def write_days(
    folder: Path, first: date, loads: Mapping[str, Sequence[float | None]]
) -> dict[str, str]:
    """The inputs of days in turn; returns their places, {run_date} standing for the day."""
    for place in range(max(map(len, loads.values()))):
        day = first + timedelta(days=place)
        write_day(folder, day, {cell: values[place] for cell, values in loads.items()})
    places = {"customers": "customers", "samples": "samples", "call_statistics": "calls"}
    return {source: f"{folder}/{name}/{{run_date}}" for source, name in places.items()}
