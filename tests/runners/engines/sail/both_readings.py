"""What Spark reads of CSV files, and what is read of them for Sail, in one form."""

import re
import tempfile
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from pyarrow import parquet

from anomaly.errors import InputError
from runners.engines.engine import CsvFormat
from runners.engines.errors import reading_and_writing
from runners.engines.sail.arrow_csv import CsvFile, columns_read, csv_to_parquet
from runners.engines.spark.reading import read_csv
from runners.storage.files import File, encoding_of, header_of
from runners.storage.local_files import LocalFiles

# What Spark 4 keeps at the end of a malformed last line; 3.5 and the reading for Sail cut it off.
KEPT_BY_SPARK_4 = re.compile(rb"\x0c|\r(?!\n)")
# Of each file its rows: values, number, whether malformed, and the text; or why it is refused.
Reading = list[tuple[object, ...]] | str


def ways_to_read(
    files: Iterable[File], declared: str, delimiter: str
) -> dict[tuple[object, ...], list[File]]:
    """The files by their headers, encodings, and whether a field may run on: as in a run."""
    groups = defaultdict(list)
    for file in files:
        start = LocalFiles().start(file)
        encoding = encoding_of(start, declared)
        header = header_of(file, start, encoding, delimiter)
        groups[header, encoding, LocalFiles().may_run_on(file, delimiter)].append(file)
    return groups


def for_sail(
    file: File, header: Sequence[str], encoding: str, delimiter: str, wanted: Collection[str]
) -> Reading:
    with tempfile.TemporaryDirectory() as folder:
        one = CsvFile(file.address, file.packing)
        try:
            csv_to_parquet([one], header, encoding, delimiter, wanted, Path(folder))
        except InputError as error:
            return str(error)
        table = parquet.read_table(f"{folder}/0.parquet").to_pydict()
    width = len(columns_read(header, wanted))
    *columns, uris, numbers, malformed, texts = table.values()
    assert len(columns) == width
    assert set(uris) <= {f"file://{file.address}"}
    return numbered(zip(*columns, numbers, malformed, texts, strict=True), width)


def by_spark(
    spark, files: Sequence[File], header, encoding, delimiter, wanted, runs_on
) -> dict[str, Reading]:
    """One job for all files; where it fails, one for each."""
    names = frozenset(name.strip().lower() for name in wanted)
    form = CsvFormat(tuple(header), encoding, delimiter, names)
    frame = read_csv(spark, files, form, lambda file: runs_on)
    places = [at for at, name in enumerate(header) if name.strip().lower() in names]
    found = defaultdict(list)
    try:
        with reading_and_writing("x"):
            for row in frame.collect():
                *values, uri, number, malformed, text = tuple(row)
                read = [values[place] for place in places]
                found[uri.removeprefix("file://")].append((*read, number, malformed, text))
    except InputError as error:
        if len(files) == 1:
            return {files[0].address: str(error)}
        readings = (
            by_spark(spark, [file], header, encoding, delimiter, wanted, runs_on) for file in files
        )
        return {address: reading for one in readings for address, reading in one.items()}
    return {file.address: numbered(found[file.address], len(places)) for file in files}


def numbered(rows: Iterable[tuple[object, ...]], width: int) -> list[tuple[object, ...]]:
    """Rows in their order, with numbers from 0 on: those of Spark count on over files."""
    ordered = sorted(rows, key=lambda row: row[width])
    first = ordered[0][width] if ordered else 0
    return [(*row[:width], row[width] - first, *row[width + 1 :]) for row in ordered]


def differences(
    spark,
    folder: Path,
    contents: dict[str, bytes],
    wanted: Collection[str],
    encoding: str = "UTF-8",
    delimiter: str = ",",
) -> list[str]:
    """The files of which not the same is read, each with both readings."""
    if spark.version >= "4":
        contents = {
            name: text for name, text in contents.items() if not KEPT_BY_SPARK_4.search(text)
        }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    files = LocalFiles().files(str(folder)) or []
    wrong = []
    for (header, charset, runs_on), group in ways_to_read(files, encoding, delimiter).items():
        found = {file: for_sail(file, header, charset, delimiter, wanted) for file in group}
        # Each that Spark should refuse by itself: a job that fails tells nothing of other files.
        refused = [file for file in group if isinstance(found[file], str)]
        read = [file for file in group if file not in refused]
        for files_of_job in filter(None, (read, *([file] for file in refused))):
            expected = by_spark(spark, files_of_job, header, charset, delimiter, wanted, runs_on)
            wrong += [
                f"{file.name} {contents[file.name]!r}\n  Spark    {expected[file.address]}"
                f"\n  for Sail {found[file]}"
                for file in files_of_job
                if found[file] != expected[file.address]
            ]
    return wrong
