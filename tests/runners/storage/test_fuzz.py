"""Samples files with broken bytes: no traceback, and no row or value that goes wrong unseen.

Mutants of the body lie in one folder and are read by one job; what must come out of each is told
by Python's csv module and by the rules of the README, none of the library's code.
"""

import csv
import io
import random
import re
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from anomaly import InputError, parse_profile
from anomaly.cleaning.checks import check_samples, row_counts_by_outcome
from anomaly.errors import AnomalyError
from anomaly.schema.inputs import SAMPLES
from anomaly.summary.account import input_figures
from runners.engines.errors import reading_and_writing
from runners.storage.inputs import read_input
from tests.builders.small_inputs import profile_text

pytestmark = [pytest.mark.slow, pytest.mark.on_one_spark]

PROFILE = parse_profile(profile_text())
KPIS = ("s0", "s1", "s2")
HEADER = b"CellName,Note,s0,s1,s2"
LINES, BODY_MUTANTS, HEADER_MUTANTS = 10, 450, 100
TOKENS = (
    b'"', b'"', b'"', b",", b"\n", b"\r\n", b"\r", b"\n\n", b"\0", b"\\", b'""', b"", b" ", b"\t",
    b"#VALUE!", b"NaN", b"-inf", b"1e999", b"-", b"-1", b"-0", b"9" * 400, b"1e12", b"1.1e12",
    b"12d", b"0x1p3", b"1_0", b" 7 ", b"+.5", b"5.", b"null", b"N/A", b"'", b";", b"#",
    b'"a,b"', b'"4"', b'"a\nb"', b'"a""b"', b'"a"",b"', b'"4\\"', b'"4"5', b'5"4"',
    b"\xff", b"\xc3", b"\xe2\x82", b"\xef\xbb\xbf", b"\xc2\xa0", "\u00e9\u0663\u2028".encode(),
)  # fmt: skip
MISSING_TEXTS = {"", "n/a", "na", "null", "none", "nil", "-", "--", "?"}
STANDS_FOR_CR = "\ue000"
BLANK = "".join(map(chr, range(33)))
# With what nobody sees either: a field of it is empty.
UNSEEN = f"{BLANK}\u00a0\u2028\ufeff"
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


# --- mutations ----------------------------------------------------------------------------------


def flip_a_bit(source: random.Random, line: bytes) -> bytes:
    at = source.randrange(len(line))
    return line[:at] + bytes([line[at] ^ (1 << source.randrange(8))]) + line[at + 1 :]


def insert_a_token(source: random.Random, line: bytes) -> bytes:
    at = source.randint(0, len(line))
    return line[:at] + source.choice(TOKENS) + line[at:]


def delete_bytes(source: random.Random, line: bytes) -> bytes:
    at = source.randrange(len(line))
    return line[:at] + line[at + source.randint(1, 4) :]


def replace_a_field(source: random.Random, line: bytes) -> bytes:
    fields = line.split(b",")
    fields[source.randrange(len(fields))] = source.choice(TOKENS)
    return b",".join(fields)


def swap_fields(source: random.Random, line: bytes) -> bytes:
    fields = line.split(b",")
    return b",".join(source.sample(fields, len(fields)))


def quote_a_field(source: random.Random, line: bytes) -> bytes:
    fields = line.split(b",")
    at = source.randrange(len(fields))
    fields[at] = b'"' + fields[at] + b'"'
    return b",".join(fields)


def truncate_the_line(source: random.Random, line: bytes) -> bytes:
    return line[: source.randrange(len(line))]


Mutation = Callable[[random.Random, bytes], bytes]
MUTATIONS: tuple[Mutation, ...] = (
    flip_a_bit,
    insert_a_token,
    insert_a_token,
    delete_bytes,
    replace_a_field,
    replace_a_field,
    swap_fields,
    quote_a_field,
    truncate_the_line,
)


def mutated(source: random.Random, line: bytes, end: bytes) -> bytes:
    """A line after one to three mutations, at times twice; `end` ends the lines of its file."""
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        line = source.choice(MUTATIONS)(source, line or b"?")
    return line + end + line if source.random() < 0.1 else line


# --- mutants ------------------------------------------------------------------------------------

Row = tuple[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class Mutant:
    """A file, and those of its rows (cell, values) that the mutation cannot have changed."""

    data: bytes
    untouched: tuple[Row, ...]


def row_of(number: int) -> Row:
    return f"L{number}", (number + 0.25, number * 1000.5, float(number + 7))


def line_of(number: int) -> bytes:
    """A line of the file before mutation; each other time is quoted."""
    cell, values = row_of(number)
    time = f'"{number:02d}:15, or so"' if number % 2 else f"{number:02d}:15"
    return ",".join((cell, time, *map(repr, values))).encode()


def own_line(seed: int) -> bytes:
    """A line that tells a mutant from its equals: copies of a file are refused."""
    return b"L-own,mutant %d,1,2,3" % seed


def body_mutant(seed: int) -> Mutant:
    """A whole header, one line that is mutated; one file in five ends in that line."""
    source = random.Random(seed)
    end = source.choice((b"\n", b"\n", b"\r\n"))
    lines = [line_of(number) for number in range(LINES)]
    touched = source.randrange(LINES)
    lines[touched] = mutated(source, lines[touched], end)
    behind = range(touched + 1, LINES)
    if source.random() < 0.2:
        behind = range(0)
        del lines[touched + 1 :]
    # A quote may rightly take in the lines behind it.
    quoted = b'"' in lines[touched]
    untouched = [*range(touched), *(() if quoted else behind)]
    return Mutant(
        end.join([HEADER, own_line(seed), *lines]), tuple(row_of(number) for number in untouched)
    )


def header_mutant(seed: int) -> bytes:
    source = random.Random(-seed)
    lines = [line_of(number) for number in range(3)]
    return b"\n".join([mutated(source, HEADER, b"\n"), own_line(seed), *lines])


# --- what is there, and what came out -----------------------------------------------------------


@dataclass
class Outcome:
    """What became of a file: clean rows in order, rows by reason, values left out by column."""

    clean: list[Row] = field(default_factory=list)
    rejected: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)


def records(data: bytes) -> list[list[str]] | None:
    """The records of a file, header first; None where parsers rightly differ about them.

    Of broken quotes (text behind a closing one, none that closes) each parser makes something
    else, and none is right.
    """
    text = data.decode("utf-8-sig", errors="replace")
    # A \r that ends no line is a character of its field, which the csv module would not have.
    text = re.sub("\r(?!\n)", STANDS_FOR_CR, text)
    try:
        read = [*csv.reader(io.StringIO(text, newline=""), strict=True)]
    except csv.Error:
        return None
    found = ([text.replace(STANDS_FOR_CR, "\r") for text in record] for record in read)
    # A line without a field is no row.
    return [record for record in found if len(record) > 1 or "".join(record).strip(BLANK)]


def number_in(text: str) -> float | None:
    """The number from 0 to 1e12 that a text holds, whatever is blank around it."""
    text = text.strip(BLANK)
    number = float(text) if NUMBER.fullmatch(text) else -1.0
    return number if 0 <= number <= 1e12 else None


def expected_outcome(header: list[str], rows: list[list[str]]) -> Outcome:
    """What the documented rules make of the records of a file."""
    outcome = Outcome()
    positions = {name.strip().lower(): at for at, name in enumerate(header)}
    for row in rows:
        if len(row) != len(header):
            outcome.rejected["malformed_line"] += 1
            continue
        cell = row[positions["cellname"]].strip(UNSEEN)
        if cell.lower() in MISSING_TEXTS:
            outcome.rejected["missing_key"] += 1
            continue
        if "\ufffd" in cell:
            outcome.rejected["bad_encoding"] += 1
            continue
        texts = {kpi: row[positions[kpi]] for kpi in KPIS}
        values = {kpi: number_in(text) for kpi, text in texts.items()}
        outcome.clean.append((cell, tuple(values.values())))
        outcome.left_out.update(
            kpi for kpi in KPIS if values[kpi] is None and texts[kpi].strip(UNSEEN)
        )
    return outcome


def file_name(uri: str) -> str:
    return uri.rpartition("/")[2]


def outcomes_by_file(checked) -> dict[str, Outcome]:
    """What the library made of each file, from its checked rows."""
    found: dict[str, Outcome] = defaultdict(Outcome)
    for row in checked.orderBy("source_row_id").collect():
        outcome = found[file_name(row.source_file)]
        if row.row_reason:
            outcome.rejected[row.row_reason] += 1
        else:
            outcome.clean.append((row.CellName, tuple(row["values"])))
            outcome.left_out.update(fault.column for fault in row.faults or ())
    return found


def checked_folder(spark, folder, files: dict[str, bytes]):
    """The checked rows of files that are written into a folder, staged as a run does it."""
    source, target = folder / "in", str(folder / "checked")
    source.mkdir()
    for name, data in files.items():
        (source / name).write_bytes(data)
    with reading_and_writing(target):
        checked = check_samples(read_input(spark, SAMPLES, str(source), PROFILE), PROFILE)
        checked.write.parquet(target)
    return spark.read.schema(checked.schema).parquet(target)


def differences(found: dict[str, Outcome], files: dict[str, bytes]) -> list[str]:
    """The files of which the library made anything else than the independent parse does."""
    wrong = []
    for name, data in files.items():
        there = records(data)
        if there is None:
            continue
        expected = expected_outcome(there[0], there[1:])
        if found.get(name, Outcome()) != expected:
            wrong.append(f"{name}: {data!r}\n  expected {expected}\n  found    {found.get(name)}")
    return wrong


# --- tests --------------------------------------------------------------------------------------


def may_leave_a_quote_open(data: bytes) -> bool:
    """Whether a quote may take in the lines behind it: such a file may be refused."""
    return records(data) is None or any(line.count(b'"') % 2 for line in data.split(b"\n"))


@pytest.fixture(scope="module")
def all_mutants() -> dict[str, Mutant]:
    return {f"{seed}.csv": body_mutant(seed) for seed in range(BODY_MUTANTS)}


@pytest.fixture(scope="module")
def mutants(all_mutants) -> dict[str, Mutant]:
    return {name: one for name, one in all_mutants.items() if not may_leave_a_quote_open(one.data)}


@pytest.fixture(scope="module")
def checked(spark, mutants, tmp_path_factory):
    files = {name: mutant.data for name, mutant in mutants.items()}
    return checked_folder(spark, tmp_path_factory.mktemp("body"), files)


@pytest.fixture(scope="module")
def found(checked) -> dict[str, Outcome]:
    return outcomes_by_file(checked)


def test_rows_and_values_of_each_mutant_are_those_of_an_independent_parse(mutants, found):
    files = {name: mutant.data for name, mutant in mutants.items()}
    assert sum(records(data) is not None for data in files.values()) > BODY_MUTANTS / 2
    wrong = differences(found, files)
    assert not wrong, f"{len(wrong)} of {len(files)}:\n" + "\n".join(wrong)


def test_a_file_that_may_leave_a_quote_open_is_refused_by_name_or_loses_no_other_row(
    spark, all_mutants, mutants, tmp_path
):
    left = {name: one for name, one in all_mutants.items() if name not in mutants}
    refused, found = 0, None
    while found is None:
        files = {name: one.data for name, one in left.items()}
        folder = tmp_path / str(refused)
        folder.mkdir()
        try:
            found = outcomes_by_file(checked_folder(spark, folder, files))
        except AnomalyError as error:
            named = [name for name in left if f"/{name}: holds rows inside quotes" in str(error)]
            assert named, error
            refused += len(named)
            left = {name: one for name, one in left.items() if name not in named}
    wrong = [
        f"{one.data!r}: {found[name]}"
        for name, one in left.items()
        if not set(one.untouched) <= set(found[name].clean)
    ]
    assert not wrong, f"{len(wrong)} of {len(left)}:\n" + "\n".join(wrong)
    # Both come about.
    assert refused > 10
    assert len(left) > 10


def test_lines_that_no_mutation_touched_keep_their_values(mutants, found):
    lost = {name: set(one.untouched) - set(found[name].clean) for name, one in mutants.items()}
    assert {name: rows for name, rows in lost.items() if rows} == {}


def test_the_account_of_each_file_adds_up(mutants, checked, found):
    counted: dict[str, dict[str, float]] = defaultdict(dict)
    for row in (
        input_figures(row_counts_by_outcome({SAMPLES: checked}, PROFILE), PROFILE)
        .where("section = 'input'")
        .collect()
    ):
        counted[file_name(row.detail)][row.item] = row.value
    expected = {
        name: {
            "rows in": len(one.clean) + one.rejected.total(),
            "rows clean": len(one.clean),
            "rows rejected": one.rejected.total(),
        }
        for name, one in found.items()
    }
    assert counted == expected
    assert set(counted) <= set(mutants)


def test_a_mutated_header_is_refused_or_read_by_its_names(spark, tmp_path):
    accepted, raised = {}, []
    for seed in range(HEADER_MUTANTS):
        data, file = header_mutant(seed), tmp_path / f"{seed}.csv"
        file.write_bytes(data)
        try:
            frame = check_samples(read_input(spark, SAMPLES, str(file), PROFILE), PROFILE)
        except AnomalyError as error:
            assert str(file) in str(error)
        except Exception as error:  # Whatever it is: each of them is told below.
            raised.append(f"{data.splitlines()[0]!r}: {type(error).__name__} {error}"[:300])
        else:
            assert frame.columns[:2] == ["CellName", "time"]
            accepted[file.name] = data
    (tmp_path / "accepted").mkdir()
    found = outcomes_by_file(checked_folder(spark, tmp_path / "accepted", accepted))
    wrong = raised + differences(found, accepted)
    assert not wrong, f"{len(wrong)} of {HEADER_MUTANTS}:\n" + "\n".join(wrong)
    assert 10 < len(accepted) < HEADER_MUTANTS


@pytest.mark.parametrize("fragment", [b"\xff", b"\xc3", b"\xe2\x82", b"\xed\xa0\x80"])
def test_a_name_in_another_encoding_is_no_new_cell(spark, tmp_path, fragment):
    data = HEADER + b"\nL1" + fragment + b",10:15,1,2,3\n"
    found = outcomes_by_file(checked_folder(spark, tmp_path, {"1.csv": data}))
    assert found == {"1.csv": Outcome(rejected=Counter(bad_encoding=1))}


MINIMAL_BODIES = {
    "a quoted text ends in a backslash": (
        [r'L1,"C:\",1,2,3', "L2,10:15,4,5,6", "L3,10:15,7,8,9"],
        [("L1", (1.0, 2.0, 3.0)), ("L2", (4.0, 5.0, 6.0)), ("L3", (7.0, 8.0, 9.0))],
    ),
    "a quoted text holds a doubled quote and a comma": (
        ['L1,"so ""late"", or so",1,2,3', "L2,10:15,4,5,6"],
        [("L1", (1.0, 2.0, 3.0)), ("L2", (4.0, 5.0, 6.0))],
    ),
    "a quoted name holds doubled quotes": (
        ['"L""1""",10:15,1,2,3'],
        [('L"1"', (1.0, 2.0, 3.0))],
    ),
}


@pytest.mark.parametrize("case", MINIMAL_BODIES)
def test_quoted_texts_are_read_as_rfc_4180_writes_them(spark, tmp_path, case):
    lines, rows = MINIMAL_BODIES[case]
    files = {"quotes.csv": "\n".join([HEADER.decode(), *lines]).encode()}
    found = outcomes_by_file(checked_folder(spark, tmp_path, files))
    assert found == {"quotes.csv": Outcome(rows)}


def test_lines_that_end_otherwise_than_the_header_are_rows_of_their_own(spark, tmp_path):
    body = b"\n".join(map(line_of, range(LINES)))
    found = outcomes_by_file(checked_folder(spark, tmp_path, {"ends.csv": HEADER + b"\r\n" + body}))
    assert found == {"ends.csv": Outcome([*map(row_of, range(LINES))])}


@pytest.mark.parametrize("names", ["", ",", "note,Note", '"note, free"'])
def test_columns_that_are_not_read_cost_no_row_whatever_their_names(spark, tmp_path, names):
    values = b"," if names in (",", "note,Note") else b""
    data = HEADER + b"," + names.encode() + b"\n" + line_of(1) + b"," + values
    found = outcomes_by_file(checked_folder(spark, tmp_path, {"more.csv": data}))
    assert found == {"more.csv": Outcome([row_of(1)])}


def test_a_column_that_is_read_and_is_there_twice_is_refused(spark, tmp_path):
    files = {"twice.csv": HEADER + b",cellname\n" + line_of(1) + b",L2"}
    with pytest.raises(InputError, match="column CellName is there 2 times"):
        checked_folder(spark, tmp_path, files)


@pytest.mark.parametrize("fields", [20_000, 30_000])
def test_a_line_of_very_many_fields_is_rejected_or_its_file_refused(spark, tmp_path, fields):
    line = b"L1" + b",1" * fields
    files = {"wide.csv": b"\n".join([HEADER, line_of(0), line, line_of(2)])}
    try:
        found = outcomes_by_file(checked_folder(spark, tmp_path, files))
    except AnomalyError as error:
        assert "wide.csv" in str(error)
    else:
        expected = Outcome([row_of(0), row_of(2)], Counter(malformed_line=1))
        assert found == {"wide.csv": expected}
