"""Names of files, folders, inputs and outputs, and what else lies there."""

from collections.abc import Callable
from pathlib import Path

from tests.campaign.case import CELLS, Case, packed
from tests.campaign.mutations.kinds import of_kind, write

ODD_NAMES = (
    "samples[1]", "a{b}", "{a,b}", "x*", "who?", "per%20cent", "50%", "plus+", "h#sh", "-dash",
    " two  blanks ", "quo\"te'", "Málaga", "a,b;c", "[!a]", "back\\slash", "two\nlines", "~tilde",
    "$HOME", "a&b", "x" * 240, "\u202eright", "日本", "a=b", "e\u0301", "a.csv", "tab\t", "%41",
    "%zz", "file", "..a", "a..", "@2026-03-02", "(copy)", "!", "^", "`", "|", "\x7f", "\x01",
)  # fmt: skip
COLON_NAMES = ("PM_2026-03-02T00:15", "a:b", ":", "C:x")


@of_kind("file names")
def odd_file_name(case: Case) -> None:
    _, one = case.any_input()
    one.names[0] = f"{odd(case)}.csv"


@of_kind("file names")
def name_that_is_a_pattern_for_another(case: Case) -> None:
    case.samples.names = ["samples1.csv", "samples[1].csv", "samples?.csv"]


@of_kind("file names")
def name_with_a_colon(case: Case) -> None:
    case.samples.names[0] = f"{case.source.choice(COLON_NAMES)}.csv"
    case.refuse(must=True)


@of_kind("file names")
def odd_folder(case: Case) -> None:
    _, one = case.any_input()
    folders = "/".join(odd(case) for _ in range(case.source.randint(1, 2)))
    one.names = [f"{folders}/{name}" for name in one.names]


@of_kind("file names")
def other_extension(case: Case) -> None:
    _, one = case.any_input()
    endings = ("CSV", "Csv", "csv.gz", "CSV.gz", "csv.bz2", "Csv.bz2", "csv.gz")
    one.names[0] = f"one.{case.source.choice(endings)}"


@of_kind("file names")
def packed_in_capitals(case: Case) -> None:
    case.samples.names[1] = f"two.{case.source.choice(('CSV.GZ', 'csv.BZ2'))}"
    case.refuse(must=True)


@of_kind("file names")
def torn_archive(case: Case) -> None:
    """An archive that ends early, or whose bytes are others in the middle."""
    ending = case.source.choice((".gz", ".bz2"))
    case.samples.names[1] = f"two.csv{ending}"
    is_cut = case.source.random() < 0.6

    def tear(folder: Path) -> None:
        file = folder / f"two.csv{ending}"
        content = file.read_bytes()
        half = len(content) // 2
        rest = b"" if is_cut else bytes(99) + content[half + 99 :]
        file.write_bytes(content[:half] + rest)

    case.samples.folder_edits.append(tear)
    case.refuse(must=True)


@of_kind("file names")
def archive_of_two_parts(case: Case) -> None:
    """Archives may be put behind one another; the second has the third of the samples."""

    def join(folder: Path) -> None:
        second = folder / case.samples.names[1]
        lines = second.read_bytes().split(b"\n", 1)[1]
        first = folder / case.samples.names[0]
        (folder / "joined.csv.gz").write_bytes(
            packed("a.gz", first.read_bytes()) + packed("a.gz", lines)
        )
        first.unlink()
        second.unlink()

    case.samples.folder_edits.append(join)


@of_kind("file names")
def stray_file(case: Case) -> None:
    source, one = case.any_input()
    name = case.source.choice(
        ("x.xlsx", "notes.txt", "a.csv.zip", "one.csv~", "one.csv.tmp", "csv", "in/x.tsv", "x.json")
    )

    def add(folder: Path) -> None:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x,y\n1,2\n")

    one.folder_edits.append(add)
    if case.source.random() < 0.3:
        case.set(source, f'ignore = ["{Path(name).name}", "nothing"]')
    else:
        case.refuse(must=True)


@of_kind("file names")
def hidden_file(case: Case) -> None:
    _, one = case.any_input()
    name = case.source.choice(("_SUCCESS", ".one.csv.crc", ".DS_Store", "_old.csv"))
    one.folder_edits.append(lambda folder: write(folder / name, b"x"))


@of_kind("file names")
def dangling_link(case: Case) -> None:
    case.samples.folder_edits.append(lambda folder: (folder / "b.csv").symlink_to(folder / "gone"))
    case.refuse(must=True)


@of_kind("file names")
def copy_of_a_file(case: Case) -> None:
    _, one = case.any_input()
    name = case.source.choice(("copy.csv", "again/one.csv", "copy (1).CSV"))

    def copy(folder: Path) -> None:
        content = (folder / one.names[0]).read_bytes()
        write(folder / name, content)

    one.folder_edits.append(copy)
    case.refuse(must=True)


@of_kind("file names")
def empty_file(case: Case) -> None:
    _, one = case.any_input()
    one.folder_edits.append(lambda folder: write(folder / "0.csv", b""))
    case.refuse(must=True)


@of_kind("file names")
def file_of_a_header_alone(case: Case) -> None:
    _, one = case.any_input()
    header = one.delimiter.join(one.columns)
    one.folder_edits.append(lambda folder: write(folder / "0.csv", f"{header}\n".encode()))


@of_kind("file names")
def cells_in_folders(case: Case) -> None:
    """A folder for each cell, as Hive writes them, and no column."""
    one = case.samples
    place = one.place("CellName")
    by_cell = {cell: [row for row in one.rows if row[place] == cell] for cell in CELLS}
    if sum(map(len, by_cell.values())) != len(one.rows):
        return
    del one.columns[place], one.header[place]
    one.rows = [row[:place] + row[place + 1 :] for rows in by_cell.values() for row in rows]
    one.names = [f"CellName={cell}/part.csv" for cell in CELLS]


@of_kind("file names")
def folder_that_contradicts(case: Case) -> None:
    """A folder that names a column that the files have, too, with other values."""
    folder = case.source.choice(("CellName=all", "cellname=1A", "load=7", "Time=2026-03-02"))
    case.samples.names = [f"{folder}/{name}" for name in case.samples.names]
    case.refuse()


@of_kind("file names")
def folder_of_another_column(case: Case) -> None:
    _, one = case.any_input()
    folder = case.source.choice(("day=2026-03-02", "region=", "=x", "a=b=c", "Vendor=N/A", "x=%"))
    one.names = [f"{folder}/{name}" for name in one.names]


@of_kind("file names")
def folder_named_like_a_file(case: Case) -> None:
    """As Spark writes a CSV file: a folder day.csv with parts."""
    _, one = case.any_input()
    one.names = [f"day.csv/part-{number}.csv" for number, _ in enumerate(one.names)]
    one.folder_edits.append(lambda folder: write(folder / "day.csv" / "_SUCCESS", b""))


@of_kind("file names")
def named_otherwise(case: Case) -> None:
    """The same place, told in another way."""
    source, _ = case.any_input()
    ways: tuple[Callable[[Path], str], ...] = (
        lambda place: f"{place}/",
        lambda place: f"{place}//",
        lambda place: f"{place.parent}/../{place.parent.name}/{place.name}",
        lambda place: f"/{place}",
        lambda place: f"file://{place}",
        lambda place: f"{place}/.",
    )
    case.named[source] = case.source.choice(ways)


@of_kind("file names")
def named_wrongly(case: Case) -> None:
    source, _ = case.any_input()
    ways: tuple[Callable[[Path], str], ...] = (
        lambda place: f"{place}/*.csv",
        lambda place: f"{place}x",
        lambda place: "",
        lambda place: f"hdfs://nowhere.invalid{place}",
        lambda place: f"htp://{place}",
        lambda place: f"{place}/\x00",
        lambda place: f"~{place}",
    )
    case.named[source] = case.source.choice(ways)
    case.refuse(must=True)


@of_kind("file names")
def link_to_a_folder(case: Case) -> None:
    source, _ = case.any_input()

    def link(place: Path) -> str:
        target = place.parent / "a link to it"
        if not target.is_symlink():
            target.symlink_to(place)
        return str(target)

    if case.command != "backfill":
        case.named[source] = link


@of_kind("file names")
def odd_output(case: Case) -> None:
    case.out = case.source.choice(
        ("results [2026]", "Málaga/out", "50%", "a+b", "%41", "out {x}", "two  blanks", "a#b",
         "a?b", "日本", "run_date=2026-03-02", "x" * 200, "a\\b", "-out", "a,b", "a'b", "a;b")
    )  # fmt: skip


@of_kind("file names")
def output_with_stray_things(case: Case) -> None:
    names = (
        "notes.txt", "run_date=2026-03-01.bak/x.parquet", ".hidden/x", "_temporary/0/x", "tmp/x",
        "cell_tower_performance_data.bak/x", "rejected_rows.txt",
    )  # fmt: skip
    name = case.source.choice(names)
    case.out_edits.append(lambda out: write(out / name, b"x"))


@of_kind("file names")
def output_whose_table_is_something_else(case: Case) -> None:
    names = ("cell_tower_performance_data/x.txt", "run_summary", "rejected_rows/run_date=bad/x")
    name = case.source.choice(names)
    case.out_edits.append(lambda out: write(out / name, b"x"))
    case.refuse()


@of_kind("file names")
def output_that_cannot_be_written(case: Case) -> None:
    case.out = case.source.choice(("profile.toml", "profile.toml/out", "in", "in/samples", "\x00"))
    case.refuse(must=True)


def odd(case: Case) -> str:
    name = case.source.choice(ODD_NAMES)
    return f"n{name}" if name.startswith((".", "_")) else name
