"""A case: inputs of a day whose rows, values and faulty cell are known, and how they are written.

Mutations (tests.campaign.mutations) change the rows, the form of the files, or what is written,
and say how many rows and values they spoil.
"""

import bz2
import csv
import gzip
import io
import random
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

# A Monday, with which baselines begin to be used.
DAY, HISTORY_DAYS = date(2026, 3, 2), 3
FAULTY = "Málaga 4"
CELLS = ("1A", "1B", "1C", "2A", "2B", "2C", "3A", "3B", "3C", FAULTY)
CUSTOMERS = 4 * len(CELLS)
# Of a healthy cell and of the faulty one; single values lie up to a tenth above.
LOAD, FAULTY_LOAD = 10.0, 60.0
VOLUME, CALLS, DROPPED = 1234.5, 20.0, 2.0
SOURCES = ("customers", "samples", "calls")
SECTIONS = {"customers": "customers", "samples": "samples", "calls": "call_statistics"}
PROFILE = """
[join]
keep_cells_without_customers = true
keep_customers_without_samples = true
[verdict]
minimum_defects = 1
minimum_evaluated = 1
[limits]
largest_rejected_share = 0.05
smallest_match_rate = 0.95
[kpis.samples]
load = { unit = "%", minimum = 0, maximum = 100 }
volume = { unit = "MB", minimum = 0 }
[kpis.call_statistics]
calls = { unit = "calls", minimum = 0 }
dropped = { unit = "calls", minimum = 0 }
[rules.load]
bad_when = "above"
method = "static"
value = 30
[rules.volume]
bad_when = "both"
method = "median_iqr"
k = 10
ignore_below = 500
[rules.dropped]
bad_when = "above"
method = "static"
value = 5
[alarms]
period_minutes = 60
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
warn = 6
crit = 12
"""


@dataclass
class Input:
    """The rows of an input, and the form of the files among which they are dealt in order.

    columns: the names of the contract; header: those that are written.
    """

    columns: list[str]
    rows: list[list[str]]
    names: list[str]
    header: list[str] = field(default_factory=list)
    encoding: str = "utf-8"
    delimiter: str = ","
    quoting: int = csv.QUOTE_MINIMAL
    line_end: str = "\n"
    # Of the text of the first file, and of the folder behind all that is written.
    text_edits: list[Callable[[str], str]] = field(default_factory=list)
    folder_edits: list[Callable[[Path], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.header = self.header or list(self.columns)

    def place(self, column: str) -> int:
        """Where a column of the contract stands."""
        return self.columns.index(column)

    def change(self, column: str, changed: Callable[[str], str], rows: range | None = None) -> None:
        """Change the texts of a column, of all rows or of some."""
        place = self.place(column)
        for number in rows if rows is not None else range(len(self.rows)):
            row = self.rows[number % len(self.rows)]
            row[place] = changed(row[place])

    def write(self, folder: Path) -> None:
        """Write the files, then what mutations make of them."""
        folder.mkdir(parents=True, exist_ok=True)
        each = -(-len(self.rows) // len(self.names)) or 1
        for number, name in enumerate(self.names):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            text = self.text(self.rows[number * each : (number + 1) * each])
            for edit in self.text_edits if number == 0 else ():
                text = edit(text)
            target.write_bytes(packed(name, self._bytes(text)))
        for edit_folder in self.folder_edits:
            edit_folder(folder)

    def text(self, rows: list[list[str]]) -> str:
        """Rows as the text of a file."""
        text = io.StringIO(newline="")
        writer = csv.writer(
            text, delimiter=self.delimiter, quoting=self.quoting, lineterminator=self.line_end
        )
        writer.writerows([self.header, *rows])
        return text.getvalue()

    def _bytes(self, text: str) -> bytes:
        try:
            return text.encode(self.encoding)
        except UnicodeEncodeError:
            # What another mutation wrote there has no letter in this encoding.
            return text.encode("utf-8-sig")


def packed(name: str, content: bytes) -> bytes:
    """The content of a file as the end of its name says."""
    packing: dict[str, Callable[[bytes], bytes]] = {".gz": gzip.compress, ".bz2": bz2.compress}
    return packing.get(Path(name).suffix.lower(), bytes)(content)


@dataclass
class Case:
    """Inputs, profile and command of one case, and what may become of them."""

    seed: int
    source: random.Random
    folder: Path
    command: str = "run"
    day: date = DAY
    zone: str = "UTC"
    inputs: dict[str, Input] = field(default_factory=dict)
    # Older samples, and whether the profile has alarms, which need them.
    history: Input | None = None
    has_alarms: bool = True
    settings: dict[str, list[str]] = field(default_factory=dict)
    profile: str = ""
    options: list[str] = field(default_factory=list)
    out: str = "out"
    out_edits: list[Callable[[Path], None]] = field(default_factory=list)
    # How each input is named in place of its folder.
    named: dict[str, Callable[[Path], str]] = field(default_factory=dict)
    mutations: list[str] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)
    # What may become of it: whether it may, or must, be refused; and at most how many rows and
    # values are spoilt, by input.
    may_refuse: bool = False
    must_refuse: bool = False
    spoilt_rows: Counter[str] = field(default_factory=Counter)
    spoilt_values: Counter[str] = field(default_factory=Counter)
    more_rows: Counter[str] = field(default_factory=Counter)
    # Whether the rows can be counted, the limit of rejected rows counts, the verdicts and the
    # alarms are known, and the samples have dates.
    is_counted: bool = True
    is_limited: bool = True
    is_judged: bool = True
    alarms_known: bool = True
    is_dated: bool = True

    @property
    def samples(self) -> Input:
        return self.inputs["samples"]

    def any_input(self) -> tuple[str, Input]:
        """An input, the samples as often as both others; of `alarms` the one that it reads."""
        if self.command == "alarms":
            return "samples", self.samples
        source = self.source.choice(("samples", "samples", "customers", "calls"))
        return source, self.inputs[source]

    def set(self, source: str, setting: str) -> None:
        """Add a line to the profile's section of an input."""
        self.settings.setdefault(f"inputs.{SECTIONS[source]}", []).append(setting)

    def refuse(self, must: bool = False) -> None:
        """Say that it may be refused, or has to be."""
        self.may_refuse, self.must_refuse = True, self.must_refuse or must

    def profile_text(self) -> str:
        """The profile with the settings of the case."""
        if self.profile:
            return self.profile
        sections = (f"[{name}]\n" + "\n".join(lines) for name, lines in self.settings.items())
        profile = PROFILE if self.has_alarms else PROFILE.split("[alarms]")[0]
        if self.zone != "UTC":
            profile = profile.replace("[alarms]", f'[alarms]\ntime_zone = "{self.zone}"')
        return "\n".join(['name = "campaign"', *sections, profile])

    def write(self) -> None:
        """Write inputs, history and profile below the folder of the case, which begins anew."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for source, one in self.inputs.items():
            one.write(self.place(source))
        self._write_history()
        (self.folder / "profile.toml").write_bytes(
            self.profile_text().encode("utf-8", "surrogatepass")
        )
        out = self.folder / self.out
        for edit in self.out_edits:
            out.mkdir(parents=True, exist_ok=True)
            edit(out)

    def _write_history(self) -> None:
        """Older samples, a folder for each day, in the form that the profile tells of samples."""
        if self.history is None:
            return
        older = self.folder / "in" / "older"
        for day in {row[0][:10] for row in self.history.rows}:
            replace(
                self.history,
                rows=[row for row in self.history.rows if row[0].startswith(day)],
                encoding=self.samples.encoding,
                delimiter=self.samples.delimiter,
            ).write(older / day)
            # Where backfill looks for it.
            (self.folder / "in" / "samples" / day).symlink_to(older / day)

    def place(self, source: str) -> Path:
        """The folder of the case's day of an input."""
        return self.folder / "in" / source / str(self.day)

    def arguments(self) -> list[str]:
        """The command line of the case."""
        places = {source: self.named.get(source, str)(self.place(source)) for source in self.inputs}
        history = ["--history", f"{self.folder}/in/older"] if self.is_dated else []
        common = ["--profile", f"{self.folder}/profile.toml", "--out", f"{self.folder}/{self.out}"]
        if self.command == "alarms":
            of_day = ["--samples", places["samples"], "--run-date", str(self.day)]
            return ["alarms", *common, *of_day, *history, *self.options]
        if self.command == "backfill":
            days = ["--from", str(self.day), "--to", str(self.day)]
            inputs = [
                part
                for source, place in places.items()
                for part in (f"--{source}", place.replace(str(self.day), "{run_date}"))
            ]
            return ["backfill", *common, *inputs, *days, *self.options]
        inputs = [part for source, place in places.items() for part in (f"--{source}", place)]
        of_day = ["--run-date", str(self.day), *history]
        return ["run", *common, *inputs, *of_day, *self.options]


SAMPLE_COLUMNS = ("Time", "CellName", "Note", "load", "volume")


def instants(day: date, zone: str) -> list[datetime]:
    """The hours of a day in a zone, as UTC."""
    begin, end = (
        datetime(one.year, one.month, one.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        for one in (day, day + timedelta(1))
    )
    return [begin + timedelta(hours=n) for n in range((end - begin) // timedelta(hours=1))]


def sample_rows(source: random.Random, day: date, zone: str, healthy: bool) -> list[list[str]]:
    """The samples of a day, hour by hour, with local times."""
    return [
        [
            f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}",
            cell,
            f"of {cell}",
            number(source, FAULTY_LOAD if cell == FAULTY and not healthy else LOAD),
            number(source, VOLUME),
        ]
        for instant in instants(day, zone)
        for cell in CELLS
    ]


def number(source: random.Random, least: float) -> str:
    """A number up to a tenth above another one, never a whole one."""
    return f"{least * (1 + 0.1 * source.random()):.2f}5"


def fill(case: Case) -> Case:
    """Give a case its inputs, and the history of its day, in which all cells are healthy."""
    source = case.source
    samples = sample_rows(source, case.day, case.zone, healthy=False)
    customers = [
        [str(1000 + number), "12", "Yes", "No", "DSL", CELLS[number % len(CELLS)]]
        for number in range(CUSTOMERS)
    ]
    calls = [
        [f"100{1000 + customer}", number(source, CALLS), number(source, DROPPED)]
        for customer in range(CUSTOMERS)
        for _ in range(2)
    ]
    names = ["Index", "tenure", "PhoneService", "MultipleLines", "InternetService", "CellTower"]
    case.inputs = {
        "customers": Input(names, customers, ["customers.csv"]),
        "samples": Input(list(SAMPLE_COLUMNS), samples, ["one.csv", "two.csv", "three.csv"]),
        "calls": Input(["Customer_ID", "calls", "dropped"], calls, ["calls.csv"]),
    }
    monday = case.day - timedelta(days=case.day.weekday())
    first = monday - timedelta(days=HISTORY_DAYS)
    before = (first + timedelta(days=n) for n in range((case.day - first).days))
    older = [row for day in before for row in sample_rows(source, day, case.zone, True)]
    case.history = Input(list(SAMPLE_COLUMNS), older, ["h.csv"])
    return case
