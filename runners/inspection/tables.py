"""The tables that files hold: files with the same columns are one table."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from anomaly.cleaning.values import BLANKS
from anomaly.errors import InputError
from anomaly.profile.sections import InputRules
from runners.inspection.dialect import (
    Finding,
    find_decimal,
    find_delimiter,
    find_encoding,
    records,
    text_of,
)
from runners.storage.files import File
from runners.storage.local_files import LocalFiles

# Of a table rows of the first, the last and the middle file are looked at: the newest may differ.
FILES_OPENED = 3
PARQUET_ROWS = 10_000
MISSING = {"", *InputRules().missing_texts}


@dataclass(frozen=True)
class Part:
    """The first rows of a file; the dialect is None for Parquet, which needs none."""

    file: File
    header: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    dialect: "Dialect | None" = None


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written."""

    encoding: Finding
    delimiter: Finding
    decimal: Finding

    @property
    def values(self) -> tuple[str, str, str]:
        """The settings alone."""
        return self.encoding.value, self.delimiter.value, self.decimal.value


@dataclass(frozen=True)
class Table:
    """Files with the same columns, and the rows that were looked at, of some of them."""

    files: Sequence[File]
    parts: Sequence[Part]

    @property
    def dialect(self) -> Dialect | None:
        """The dialect of its first file."""
        return self.parts[0].dialect

    @property
    def decimal(self) -> str:
        """The decimal mark of its numbers."""
        return self.dialect.decimal.value if self.dialect else "."

    @property
    def header(self) -> tuple[str, ...]:
        """Its columns, in the order of the first file."""
        return self.parts[0].header

    @cached_property
    def texts(self) -> dict[str, list[str]]:
        """The texts of each column, trimmed; what stands for no value is empty."""
        columns: dict[str, list[str]] = {name: [] for name in self.header}
        for part in self.parts:
            for row in part.rows:
                by_name = dict(zip(part.header, row, strict=False))
                for name, texts in columns.items():
                    text = by_name.get(name, "").strip(BLANKS)
                    texts.append("" if text.lower() in MISSING else text)
        return columns

    @property
    def rows(self) -> int:
        """The number of rows that were looked at."""
        return sum(len(part.rows) for part in self.parts)


def tables_of(files: Sequence[File], rules: Collection[InputRules] = ()) -> list[Table]:
    """The tables of some files; of what fits them equally, the settings of `rules` are taken.

    Raises InputError for a file that cannot be read.
    """
    known = {name: settled(name, rules) for name in ("encoding", "delimiter", "decimal")}
    by_columns: dict[tuple[str, ...], list[Part]] = defaultdict(list)
    for file in files:
        part = _parquet_part(file) if file.kind == ".parquet" else _csv_part(file, known)
        by_columns[tuple(sorted(part.header))].append(part)
    return [Table([part.file for part in parts], _some(parts)) for parts in by_columns.values()]


def settled(name: str, rules: Iterable[InputRules]) -> list[str]:
    """The values that some rules have for a setting, except the default, which may be no choice."""
    values = dict.fromkeys(getattr(one, name) for one in rules)
    return [value for value in values if value != getattr(InputRules(), name)]


def _some(parts: Sequence[Part]) -> list[Part]:
    places = {0, len(parts) // 2, len(parts) - 1}
    return [parts[place] for place in sorted(places)][:FILES_OPENED]


def _csv_part(file: File, known: Mapping[str, Sequence[str]]) -> Part:
    start = LocalFiles().start(file)
    encoding = find_encoding(start, known["encoding"])
    text = text_of(start, encoding.value)
    delimiter = find_delimiter(text, known["delimiter"])
    header, *rows = records(text, delimiter.value) or [[]]
    if not header:
        raise InputError(f"{file}: is empty; a CSV file begins with the names of its columns")
    fields = (field for row in rows for field in row)
    decimal = find_decimal(fields, delimiter.value, known["decimal"])
    names = tuple(name.strip() for name in header)
    return Part(file, names, rows, Dialect(encoding, delimiter, decimal))


def _parquet_part(file: File) -> Part:
    try:
        from pyarrow import ArrowException, parquet
    except ModuleNotFoundError as error:
        missing = f"{file}: Parquet needs pyarrow; install it with: pip install pyarrow"
        raise InputError(missing) from error
    try:
        read = parquet.ParquetFile(file.address)
        first = next(read.iter_batches(PARQUET_ROWS), None)
    except (ArrowException, OSError) as error:
        raise InputError(f"{file}: cannot be read as Parquet: {error}") from error
    names = tuple(read.schema_arrow.names)
    values = [] if first is None else first.to_pydict().values()
    texts = ((("" if one is None else str(one)) for one in column) for column in values)
    return Part(file, names, [*zip(*texts, strict=True)])
