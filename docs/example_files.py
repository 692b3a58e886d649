"""Makes the files that the guides work with, from sample data (`cell-tower-anomaly sample`).

python -m docs.example_files export SAMPLE FOLDER   three CSV files as another network exports them
python -m docs.example_files days SAMPLE FOLDER     dated samples of twelve days, a folder for each
"""

import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from zlib import crc32

from pyarrow.parquet import read_table

Row = dict[str, str]

LAST_DAY = date(2026, 11, 4)
DAYS = 12

# The columns of the export, by their names here.
SAMPLES = {
    "CellName": "Cellule",
    "Date": "Jour",
    "Time": "Début",
    "Band": "Bande",
    "PRBUsageDL": "Charge PRB DL %",
    "PRBUsageUL": "Charge PRB UL %",
    "meanThr_DL": "Débit moyen DL",
    "meanThr_UL": "Débit moyen UL",
    "maxThr_DL": "Débit max DL",
    "maxThr_UL": "Débit max UL",
    "meanUE_DL": "Abonnés actifs DL",
    "meanUE_UL": "Abonnés actifs UL",
    "maxUE_DL": "Abonnés max DL",
    "maxUE_UL": "Abonnés max UL",
    "maxUE_UL+DL": "Abonnés max",
}
CUSTOMERS = {
    "Index": "N° client",
    "customerID": "Contrat",
    "tenure": "Ancienneté",
    "PhoneService": "Téléphone",
    "MultipleLines": "Lignes",
    "InternetService": "Internet",
    "CellTower": "Cellule",
}
CALLS = {
    "Customer_ID": "Réf. client",
    "plcd_vce_Mean": "Voix tentés",
    "comp_vce_Mean": "Voix aboutis",
    "blck_vce_Mean": "Voix bloqués",
    "drop_vce_Mean": "Voix coupés",
    "plcd_dat_Mean": "Données tentés",
    "comp_dat_Mean": "Données aboutis",
    "blck_dat_Mean": "Données bloqués",
    "drop_dat_Mean": "Données coupés",
}
# What the export writes for a missing value.
MISSING = "n/d"

# A made-up fault, which `days` adds: congestion during a part of the last day.
FAULTY_CELL, FAULT_BEGIN, FAULT_END = "6BLTE", "08:00", "17:00"
FACTORS = {"PRBUsageDL": 12, "PRBUsageUL": 6, "meanThr_DL": 0.5, "meanUE_DL": 4, "maxUE_DL": 4}


def export(sample: Path, folder: Path) -> None:
    """Write the inputs with semicolons, decimal commas and other names, in Windows-1252."""
    last_day = (row for row in dated_samples(sample) if row["Date"] == str(LAST_DAY))
    customers = (
        {name: str(value) for name, value in row.items()}
        for row in read_table(sample / "customers").to_pylist()
    )
    _export(folder / "mesures.csv", SAMPLES, last_day)
    _export(folder / "clients.csv", CUSTOMERS, customers)
    _export(folder / "appels.csv", CALLS, csv_rows(sample / "call_statistics"))


def days(sample: Path, folder: Path) -> None:
    """Write the samples of each day, the other inputs as they are, and a ticket of the fault."""
    of_days = defaultdict(list)
    for row in dated_samples(sample):
        of_days[row["Date"]].append(_with_fault(row))
    for day, rows in of_days.items():
        _write(folder / "samples" / day / "samples.csv", rows)
    for name in ("customers", "call_statistics"):
        (folder / name).symlink_to((sample / name).resolve())
    begin, end = (f"{LAST_DAY} {time}" for time in (FAULT_BEGIN, FAULT_END))
    _write(folder / "tickets.csv", [{"CellName": FAULTY_CELL, "start": begin, "end": end}])


def dated_samples(sample: Path) -> Iterator[Row]:
    """The samples, which have no date, with one: the n-th of a cell and slot is n days old."""
    ages: defaultdict[tuple[str, str], int] = defaultdict(int)
    # Shuffled by a checksum: the order of rows and files differs from one writing to the next.
    rows = sorted(csv_rows(sample / "samples"), key=lambda row: crc32(repr(row).encode()))
    for row in rows:
        slot = row["CellName"], row["Time"]
        if ages[slot] < DAYS:
            yield {**row, "Date": str(LAST_DAY - timedelta(days=ages[slot]))}
        ages[slot] += 1


def csv_rows(folder: Path) -> Iterator[Row]:
    """The rows of all CSV files of a folder."""
    for path in sorted(folder.glob("*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            yield from csv.DictReader(file)


def _with_fault(row: Row) -> Row:
    is_faulty = (
        row["CellName"] == FAULTY_CELL
        and row["Date"] == str(LAST_DAY)
        and FAULT_BEGIN <= row["Time"] < FAULT_END
    )
    if not is_faulty:
        return row
    changed = {
        name: str(min(float(row[name]) * factor, 100))
        for name, factor in FACTORS.items()
        if row[name]
    }
    return {**row, **changed}


def _export(path: Path, names: Mapping[str, str], rows: Iterable[Row]) -> None:
    renamed = (
        {new: row[old].replace(".", ",") or MISSING for old, new in names.items()} for row in rows
    )
    _write(path, renamed, delimiter=";", encoding="cp1252")


def _write(path: Path, rows: Iterable[Row], delimiter: str = ",", encoding: str = "utf-8") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = list(rows)
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, rows[0], delimiter=delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    command, *places = sys.argv[1:]
    {"export": export, "days": days}[command](*map(Path, places))
