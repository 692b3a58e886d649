"""Values and columns of numbers."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from tests.campaign.case import Case
from tests.campaign.mutations.kinds import FEW, add_column, map_column, of_kind, value_column, write


@of_kind("values")
def decimal_commas(case: Case) -> None:
    source, one, column = value_column(case)
    columns = ("load", "volume") if source == "samples" else ("calls", "dropped")
    for name in columns if case.source.random() < 0.5 else (column,):
        one.change(name, lambda text: text.replace(".", ","))
    if case.source.random() < 0.4:
        for name in columns:
            one.change(name, lambda text: text.replace(".", ","))
            if source == "samples" and case.history:
                case.history.change(name, lambda text: text.replace(".", ","))
        case.set(source, 'decimal = ","')
    else:
        case.refuse(must=True)


@of_kind("values")
def setting_without_decimal_commas(case: Case) -> None:
    source, _, _ = value_column(case)
    case.set(source, 'decimal = ","')
    case.refuse(must=True)


@of_kind("values")
def thousands(case: Case) -> None:
    mark = case.source.choice((",", " ", "\u00a0", "'", "\u202f", "_"))
    case.samples.change("volume", lambda text: f"{float(text):,.2f}".replace(",", mark))
    case.refuse(must=case.command != "alarms")


@of_kind("values")
def units(case: Case) -> None:
    _, one, column = value_column(case)
    unit = case.source.choice((" %", "%", " Mbps", "MB", "k", " d", "f", "D", "€"))
    before = case.source.random() < 0.2
    one.change(column, lambda text: f"{unit}{text}" if before else f"{text}{unit}")
    case.refuse(must=True)


@of_kind("values")
def same_number_written_otherwise(case: Case) -> None:
    _, one, column = value_column(case)
    forms: tuple[Callable[[str], str], ...] = (
        lambda text: f"{float(text):.6E}",
        lambda text: f"+{text}",
        lambda text: f"00{text}",
        lambda text: f"  {text}\t",
        lambda text: f"\u00a0{text}\u202f",
        lambda text: f"{text}000000000000000000",
        lambda text: f"{float(text):.9e}",
    )
    one.change(column, case.source.choice(forms))


@of_kind("values")
def few_texts(case: Case) -> None:
    source, one, column = value_column(case)
    texts = (
        "N/A", "", "null", "-", "?", "#VALUE!", "NaN", "inf", "-Infinity", "1e400", "1e13", "abc",
        "-1", "1e999", "12d", "0x1p3", "1_0", "1..2", "٣", "１２", "true", "1e", "--5", "=1+1",
        "1,5",        "9" * 400, "1" * 40000, "\x00", "\u200b", "1/2", "∞", "½", "1 2", "[1]",
    )  # fmt: skip
    text = case.source.choice(texts)
    one.change(column, lambda _: text, range(FEW))
    case.spoilt_values[source] += FEW
    if len(text) > 1000:
        case.spoilt_rows[source] += FEW


@of_kind("values")
def many_texts(case: Case) -> None:
    """A fifth of a column, of cells and customers alike."""
    _, one, column = value_column(case)
    text = case.source.choice(("abc", "1e13", "NaN", "#VALUE!", "-5", "40 %"))
    one.change(column, lambda _: text, range(0, len(one.rows), 5))
    case.refuse(must=True)


@of_kind("values")
def empty_column(case: Case) -> None:
    source, one, column = value_column(case)
    text = case.source.choice(("", "N/A", " "))
    one.change(column, lambda _: text)
    case.spoilt_values[source] += len(one.rows)
    case.is_judged = case.is_dated = column not in ("load",)
    case.refuse()


@of_kind("values")
def other_columns(case: Case) -> None:
    _, one = case.any_input()
    for _ in range(case.source.randint(1, 3)):
        place = case.source.randint(0, len(one.columns))
        add_column(one, case.source.choice(("Vendor", "x", "Vendor", "Remark 1")), "n", place)


@of_kind("values")
def reordered_columns(case: Case) -> None:
    _, one = case.any_input()
    order = case.source.sample(range(len(one.columns)), len(one.columns))
    one.columns = [one.columns[place] for place in order]
    one.header = [one.header[place] for place in order]
    one.rows = [
        [row[place] for place in order] if len(row) == len(order) else row for row in one.rows
    ]


@of_kind("values")
def header_in_other_letters(case: Case) -> None:
    _, one = case.any_input()
    forms: tuple[Callable[[str], str], ...] = (
        str.upper, str.lower, str.swapcase, lambda name: f" {name} ", lambda name: f"\t{name}",
    )  # fmt: skip
    form = case.source.choice(forms)
    one.header = [form(name) for name in one.header]


@of_kind("values")
def column_of_another_name(case: Case) -> None:
    source, one = case.any_input()
    needed = {"customers": "CellTower", "samples": "load", "calls": "Customer_ID"}
    column = case.source.choice((needed[source], one.columns[-1]))
    if column.startswith("more"):
        return
    name = case.source.choice((f"{column} (%)", f"{column}.x", f"my {column}", f"`{column}`", "Ω"))
    one.header[one.place(column)] = name
    if case.source.random() < 0.6:
        map_column(case, source, column, name)
    else:
        case.refuse(must=column != "volume" or case.command != "alarms")


@of_kind("values")
def column_twice(case: Case) -> None:
    _, one = case.any_input()
    column = case.source.choice([name for name in one.columns if not name.startswith("more")])
    name = case.source.choice((column, column.upper()))
    add_column(one, name, "7")
    case.refuse(must=column not in ("Note", "volume", "tenure"))


@of_kind("values")
def files_of_other_columns(case: Case) -> None:
    """A file in which a column of the KPIs is not there."""
    one = case.samples
    lines = "\n".join(["Time,CellName,load", "2026-03-02 05:00,9Z,10.5"])
    one.folder_edits.append(lambda folder: write(folder / "less.csv", lines.encode()))
    case.refuse(must=case.command != "alarms")
    case.more_rows["samples"] += 1
    case.alarms_known = False


@of_kind("values")
def parquet(case: Case) -> None:
    """Samples of other types, as warehouses write them."""
    one = case.samples
    if any(len(row) != len(one.header) for row in one.rows) or len(set(one.header)) != len(
        one.header
    ):
        return
    load = case.source.choice(("double", "float", "decimal(18, 4)", "varchar", "decimal(38, 10)"))
    time = case.source.choice(
        ("varchar", "timestamp", "timestamptz", "timestamp_ns", "timestamp_s")
    )
    names, one.names = one.names, []
    if time == "timestamp_ns":
        case.refuse()

    def convert(folder: Path) -> None:
        for name in names:
            duckdb.sql(
                f"set timezone = 'UTC'; copy (select * replace (Time::{time} as Time, "
                f"load::{load} as load, volume::double as volume) from read_csv('{folder}/{name}', "
                f"all_varchar = true)) to '{folder}/{name}.parquet' (format parquet)"
            )
            (folder / name).unlink()

    one.names = names
    if one.header == ["Time", "CellName", "Note", "load", "volume"] and names[0] == "one.csv":
        one.folder_edits.append(convert)
