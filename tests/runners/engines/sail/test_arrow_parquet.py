"""Parquet files that are read for Sail give the rows, values and types that Spark reads of them."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from anomaly.errors import InputError
from runners.engines.sail import arrow_parquet
from runners.engines.sail.arrow_parquet import parquet_to_parquet
from runners.engines.spark.reading import read_parquet
from runners.storage.files import File
from tests.runners.storage.test_input_files import NAMES

pytestmark = pytest.mark.classic
NOW = dt.datetime(2026, 3, 1, 10, 0, 0, 123456)
TODAY, SECOND = NOW.date(), NOW.replace(microsecond=0)
READABLE = {
    "bool": pa.array([True, None]),
    **{f"int{bits}": pa.array([-1, None], f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": pa.array([2**bits - 1, None], f"uint{bits}") for bits in (8, 16, 32, 64)},
    "float": pa.array([1.1, None], pa.float32()),
    "double": pa.array([float("nan"), -0.0]),
    "text": pa.array(["é", ""]),
    "large": pa.array(["x", None], pa.large_string()),
    "dictionary": pa.array(["x", None]).dictionary_encode(),
    "numbers": pa.array([7, None]).dictionary_encode(),
    "bytes": pa.array([b"\xff", None]),
    "sixteen": pa.array([b"x" * 16, None], pa.binary(16)),
    "not utf-8": pa.array([b"\xffx", b"\xed\xa0\x80"]).view(pa.string()),
    "nothing": pa.nulls(2),
    "date": pa.array([TODAY, None]),
    "date64": pa.array([TODAY, None], pa.date64()),
    "duration": pa.array([5, None], pa.duration("us")),
    "decimal": pa.array([Decimal("1.23"), None], pa.decimal128(5, 2)),
    "decimal 38": pa.array([Decimal("-1.23"), None], pa.decimal128(38, 2)),
    "decimal 256": pa.array([Decimal("1.23"), None], pa.decimal256(30, 2)),
    "nanoseconds": pa.array([NOW, None], pa.timestamp("ns")),
    "nanoseconds, UTC": pa.array([NOW, None], pa.timestamp("ns", "UTC")),
    "microseconds": pa.array([NOW, None], pa.timestamp("us")),
    "microseconds, UTC": pa.array([NOW, None], pa.timestamp("us", "Europe/Berlin")),
    "milliseconds": pa.array([SECOND, None], pa.timestamp("ms")),
    "seconds": pa.array([SECOND, None], pa.timestamp("s", "UTC")),
    "a.b": pa.array([1, None]),
}
UNREADABLE = {
    "time": pa.array([dt.time(1, 2), None]),
    "float16": pa.array([1.5, None]).cast(pa.float16()),
    "decimal": pa.array([Decimal(1), None], pa.decimal256(50, 2)),
}


def write(path: Path, columns: dict[str, object], **options: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pa.table(columns), path, **options)
    return str(path)


def plain(value: object) -> str:
    """A value as a text, by which NaN equals itself; instants of both engines are in UTC."""
    value = value.replace(tzinfo=None) if isinstance(value, dt.datetime) else value
    return repr(bytes(value) if isinstance(value, bytearray) else value)


def by_spark(spark, files: Sequence[str], wanted: Sequence[str]) -> list[object]:
    """Of each group its wanted columns with their types, and its rows."""
    groups = []
    for _, frame in read_parquet(spark, [File(file, 0) for file in files], "there"):
        names = [name for name in frame.columns if name.lower() in map(str.lower, wanted)]
        names += ["source_file", "source_row_id", "malformed_line"]
        # A point in a name is none between names.
        frame = frame.select(*(f"`{name}`" for name in names))
        kinds = {name: kind for name, kind in frame.dtypes if name in names[:-3]}
        rows = sorted(tuple(map(plain, row)) for row in frame.collect())
        groups.append((kinds, rows))
    return groups


def for_sail(spark, folder: Path, files: Sequence[str], wanted: Sequence[str]) -> list[object]:
    """The same; types are those that Spark has for what was written."""
    folder.mkdir()
    groups = []
    for group in parquet_to_parquet(files, wanted, folder):
        table = parquet.read_table(group.folder)
        names = table.column_names[:-3]
        kinds = {name: group.columns[name].dataType.simpleString() for name in names}
        written = spark.read.parquet(str(group.folder)).dtypes
        assert kinds.items() <= dict(written).items()
        rows = sorted(tuple(map(plain, row.values())) for row in table.to_pylist())
        groups.append((kinds, rows))
    return groups


@pytest.mark.parametrize("version", ["1.0", "2.6"])
def test_each_type_is_read_alike(spark, tmp_path, version):
    options = {} if version == "2.6" else {"coerce_timestamps": "us"}
    file = write(tmp_path / "a.parquet", READABLE, version=version, **options)
    wanted = [*READABLE]
    assert for_sail(spark, tmp_path / "out", [file], wanted) == by_spark(spark, [file], wanted)


def test_times_of_96_bits_are_read_alike(spark, tmp_path):
    times = pa.array([NOW, None, dt.datetime(1950, 1, 1), dt.datetime(2300, 1, 1)], "timestamp[us]")
    options = {"use_deprecated_int96_timestamps": True}
    file = write(tmp_path / "a.parquet", {"Time": times}, **options)
    expected = by_spark(spark, [file], ["Time"])
    assert for_sail(spark, tmp_path / "out", [file], ["time"]) == expected


def test_what_spark_writes_is_read_alike(spark, tmp_path):
    spark.range(2_000).selectExpr(
        "id", "CAST(id AS string) AS text", "timestamp_seconds(id) AS time", "id % 7 / 3D AS ratio",
        "CAST(timestamp_seconds(id) AS timestamp_ntz) AS local",
        "date_add(DATE'2026-01-01', CAST(id AS int)) AS day",
        "CAST(id AS decimal(9, 3)) AS price", "array(id) AS list", "CAST(NULL AS int) AS nothing",
    ).repartition(3).write.parquet(str(tmp_path / "in"))  # fmt: skip
    files = sorted(str(file) for file in (tmp_path / "in").glob("*.parquet"))
    wanted = ["ID", "text", "time", "ratio", "local", "day", "price", "nothing"]
    expected = by_spark(spark, files, wanted)
    assert for_sail(spark, tmp_path / "out", files, wanted) == expected


@pytest.mark.parametrize("kind", UNREADABLE)
def test_types_that_spark_does_not_read_are_refused(spark, tmp_path, kind):
    file = write(tmp_path / "a.parquet", {"x": [1, 2], kind: UNREADABLE[kind]})
    with pytest.raises(InputError, match="cannot be read"):
        by_spark(spark, [file], ["x"])
    told = f"cannot be read: file://{file}: illegal Parquet type .* of {kind}"
    with pytest.raises(InputError, match=told):
        parquet_to_parquet([file], ["x"], tmp_path)


@pytest.mark.parametrize("names", [["a", "A"], ["a", "a"]])
def test_names_that_are_there_twice_are_refused(spark, tmp_path, names):
    file = str(tmp_path / "a.parquet")
    parquet.write_table(pa.table([[1], [2]], names=names), file)
    with pytest.raises(InputError, match="cannot be read"):
        by_spark(spark, [file], ["a"])
    with pytest.raises(InputError, match=r"a.parquet: has columns twice.*: a$"):
        parquet_to_parquet([file], ["a"], tmp_path)


def decimals(precision: int, scale: int) -> pa.Array:
    return pa.array([Decimal(1), None], pa.decimal128(precision, scale))


PAIRS = {
    "the same": ({"a": [1, 2], "b": ["x", None]}, {"a": [3, 4], "b": ["y", None]}),
    "another order": ({"a": [1, 2], "b": ["x", None]}, {"b": ["y", None], "a": [3, 4]}),
    "one more column": ({"a": [1, 2]}, {"a": [3, 4], "b": ["y", None]}),
    "nothing in common": ({"a": [1, 2]}, {"b": ["y", None]}),
    "another case": ({"a": [1, 2], "B": ["x", None]}, {"A": [3, 4], "b": ["y", None]}),
    "another type": ({"a": [1, 2]}, {"a": ["x", None]}),
    "a larger type": ({"a": [1, 2]}, {"a": pa.array([3, 4], "int32")}),
    "another type, not read": ({"a": [1], "x": [1]}, {"a": [2], "x": ["1"]}),
    "nothing and texts": ({"a": pa.nulls(1)}, {"a": ["x"]}),
    "nothing and numbers": ({"a": pa.nulls(1)}, {"a": pa.array([1], "int32")}),
    "longer decimals": ({"a": decimals(5, 2)}, {"a": decimals(7, 2)}),
    "finer decimals": ({"a": decimals(5, 2)}, {"a": decimals(7, 3)}),
    "times of two units": (
        {"a": pa.array([NOW], "timestamp[us]")}, {"a": pa.array([SECOND], "timestamp[ms]")},
    ),
    "times with and without a zone": (
        {"a": pa.array([NOW], "timestamp[us]")}, {"a": pa.array([NOW], pa.timestamp("us", "UTC"))},
    ),
    "lists": ({"a": [1], "x": [[1]]}, {"a": [2], "x": [[2, 3]]}),
    "lists of other types": ({"a": [1], "x": [[1]]}, {"a": [2], "x": [["1"]]}),
    "structs": ({"a": [1], "x": [{"y": 1}]}, {"a": [2], "x": [{"z": "1"}]}),
    "structs of other types": ({"a": [1], "x": [{"y": 1}]}, {"a": [2], "x": [{"y": "1"}]}),
}  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS)
def test_files_are_merged_alike(spark, tmp_path, pair):
    files = [
        write(tmp_path / f"{number}.parquet", columns) for number, columns in enumerate(PAIRS[pair])
    ]
    expected = by_spark(spark, files, ["a", "b"])
    assert for_sail(spark, tmp_path / "out", files, ["a", "b"]) == expected


def test_addresses_are_those_that_spark_gives(spark, tmp_path):
    names = [name.replace(".csv", "").replace(".gz", "") for name in NAMES if ":" not in name]
    files = [
        write(tmp_path / f"{number}" / f"{name}.parquet", {"a": [number]})
        for number, name in enumerate(names)
    ]
    expected = by_spark(spark, files, ["a"])
    assert for_sail(spark, tmp_path / "out", files, ["a"]) == expected


@pytest.mark.parametrize("wanted", [[], ["b"], ["nowhere"]])
def test_rows_are_counted_whatever_is_read_of_them(spark, tmp_path, monkeypatch, wanted):
    monkeypatch.setattr(arrow_parquet, "ROWS_IN_GROUP", 7)
    columns = {"a": [*range(50)], "b": [str(number) for number in range(50)]}
    file = write(tmp_path / "a.parquet", columns, row_group_size=11)
    empty = write(tmp_path / "b.parquet", {name: some[:0] for name, some in columns.items()})
    found = for_sail(spark, tmp_path / "out", [file, empty], wanted)
    assert found == by_spark(spark, [file, empty], wanted)
    assert len(found[0][1]) == 50


@pytest.mark.parametrize(
    "content", [b"", b"x", b"PAR1 is not all that a Parquet file needs", b"PAR1" * 9, None]
)
def test_what_is_no_parquet_is_told_by_name(tmp_path, content):
    path = tmp_path / "1.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        InputError, match=r"^cannot be read: file:///.*/1\.parquet: .*not.* Parquet"
    ):
        parquet_to_parquet([str(path)], ["a"], tmp_path)


def test_a_file_with_damaged_rows_is_told_by_name(tmp_path):
    file = Path(write(tmp_path / "1.parquet", {"a": [str(number) for number in range(99_999)]}))
    content = bytearray(file.read_bytes())
    content[100:9_000] = b"\xff" * 8_900
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"1\.parquet: is not a Parquet file, or damaged: "):
        parquet_to_parquet([str(file)], ["a"], tmp_path)


def test_a_full_disk_is_no_fault_of_the_file(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    file = write(tmp_path / "1.parquet", {"a": [1]})
    monkeypatch.setattr(parquet.ParquetWriter, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        parquet_to_parquet([file], ["a"], tmp_path)
