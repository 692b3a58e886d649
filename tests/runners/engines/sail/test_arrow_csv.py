"""CSV files that are read for Sail give the rows and values that Spark reads of them."""

import bz2
import gzip
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from anomaly.errors import InputError
from runners.engines import open_quotes
from runners.engines.sail import arrow_csv, text_blocks
from runners.engines.sail.arrow_csv import CsvFile, columns_read, csv_to_parquet
from runners.engines.sail.source_uri import source_uri
from runners.engines.sail.tidy_csv import TidyReader
from runners.engines.spark.literal_paths import literal, reader
from runners.storage.files import File
from tests.runners.engines.sail.both_readings import differences, for_sail
from tests.runners.storage.test_fuzz import body_mutant
from tests.runners.storage.test_input_files import NAMES

pytestmark = pytest.mark.classic
WANTED = ("a", "C")
# Each stands behind the header a,b,c.
BODIES = [
    "", "\n", "\n\n\r\n", "1,2,3", "1,2,3\n", "1,2,3\r\n4,5,6\n", "1,2\n1,2,3,4\n1,2,3\n", "1\n",
    ",,\n,\n,,,\n", "1,2,", "1,2,\n", "1,\n2,3\n", "  \n1,2,3\n\t\n \x0b\n", "1,2,3\n  ",
    " 1 , 2 , 3 \n", "1,2,3\t \r\n", ' 1 ," 2 ", 3\n', '" 1 ",2," 3 "\r\n', '"1",2,"3"\n',
    '"1" ,2,"3"\t\r\n', '"",2,""\n', '"1","2","3"', '"1,5","2","3,"\r\n', '"a ""b""",2,""""\n',
    '"""a""",2,"""\n', '1,2,"', '1,2,"x', '1,2,"x ', '1,2,"x""', '1,2,"x""y', '1,2,"x" ',
    '1,2,"x"y', '1,2,"x"y"', '1,2,"x" y"', '1,2,"x" y"z', '1,2,"x" yz ', '1,2,"x" "y',
    '1,2,"x" ""', '1,2,"x"y z ,4\n', '5" disk,2,3\n', '1,5" x 3",3\n', '"a"b,2,"c" d\n',
    '"a" "b",2,3\n', '"a\nb",2,3\n1,2,3\n', '1,"a\n\nb",3\n', '1,2,"a\n"\n', '1,2,"a\r\n"\r\n',
    '1,"2\n1,2,3\n', '1,2,"3\n1,2,3\n"4",5,6\n', '"1,2,3\n4,5,6\n', '1,"2\n', '1,2,"3\n',
    '1,"a\nb",3,4\n', '1,"a\nb\n', '1,2,"3\n\n', "1\r,2,3\n", "1\r\r\n", "\r1,2,3\n", "1,2\r,3\r",
    "1,\0,3\n", "1\0x,2\0,3\n", '1,"\0x",3\n', '1,2,"\0x"\r\n', '1,2,"\0""x"\n', "\0\n", "\0,2,3\n",
    "\x85\n\u2028\n1\u2028,2,\u00a03\u00a0\n", "é,ü,€\n😀,2,3\n", "1,2\x0c\n1,2\x0c", "1,2,3\x1a",
    "\ufeff1,2,3\n", "\\,\"\\\",3\n", "'1',2,'3'\n", "#1,2,3\n", "1;2;3\n", "a,b,c\na,b,c\n",
]  # fmt: skip
BAD_BYTES = [
    b"\xff,2,3\n", b"1\xc3,2,3\n", b"\xe2\x82,2,\xe2\x82x\n", b"\xed\xa0\x80,2,\xed\xa0x\n",
    b"\xf4\x90\x80\x80,2,\xf0\x9f\x98x\n", b"\xc0\x80,2,\xf8\x88\x80\x80\x80\n", b"1,2,\xe2\x82",
    b"1,2,\xed\xa0", b'"\xff",2,"\xc3"\n', b"1,\xff\n", b"\xed\xbf\xbf\xed\xa0,2,3\n1,2,3\n",
]  # fmt: skip


def test_each_unusual_line_is_read_alike(spark, tmp_path):
    contents = {f"{number}.csv": f"a,b,c\n{body}".encode() for number, body in enumerate(BODIES)}
    contents |= {f"b{number}.csv": b"a,b,c\n" + body for number, body in enumerate(BAD_BYTES)}
    assert not differences(spark, tmp_path, contents, WANTED)


@pytest.mark.parametrize("delimiter", [";", "|", "\t", "\x1f", "é"])
def test_delimiters_are_read_alike(spark, tmp_path, delimiter):
    contents = {
        f"{number}.csv": f"a,b,c\n{body}".replace(",", delimiter).encode()
        for number, body in enumerate(BODIES[:40] if delimiter == "\t" else BODIES[:40:3])
    }
    assert not differences(spark, tmp_path, contents, WANTED, delimiter=delimiter)


HEADERS = [
    "a", '"a"', "A ,b", "a,a", "b,B,c,b", '"a","x, y","c"', "\ufeffa,c", '\ufeff"a",c',
    '"a\nx",c', "a,b,c,d,e,f,g,h", " c , a ,b", ",a", "x,y", 'a "x",c', "a\0,c",
]  # fmt: skip


def test_headers_are_read_alike(spark, tmp_path):
    contents = {
        f"{number}-{len(end)}.csv": f'{header}{end}1{end}1,2{end}{end} {end}"3",4{end}5'.encode()
        for number, header in enumerate(HEADERS)
        for end in ("\n", "\r\n")
    }
    assert not differences(spark, tmp_path, contents, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        ("UTF-16", "utf-16"), ("UTF-16", "utf-16-le"), ("UTF-16", "utf-16-be"),
        ("UTF-8", "utf-8-sig"), ("UTF-8", "utf-32"), ("latin_1", "latin-1"), ("cp1252", "cp1252"),
        ("Shift_JIS", "shift_jis"), ("GB18030", "gb18030"), ("IBM850", "cp850"),
    ],
)  # fmt: skip
def test_encodings_are_read_alike(spark, tmp_path, declared, written):
    contents = {
        f"{number}.csv": f"a,b,c\n{body}".encode(written, "replace")
        for number, body in enumerate(BODIES[::2])
    }
    assert not differences(spark, tmp_path, contents, WANTED, encoding=declared)


def test_single_bytes_that_are_no_character_are_read_alike(spark, tmp_path):
    text = b"".join(b"x%c,%d,3\n" % (code, code) for code in range(128, 256))
    # All of them known to the bundled Java, which has fewer than others.
    for number, encoding in enumerate(("cp1252", "cp1253", "iso8859-3", "iso8859-7", "ascii")):
        (tmp_path / str(number)).mkdir()
        contents = {f"{number}.csv": b"a,b,c\n" + text}
        assert not differences(spark, tmp_path / str(number), contents, WANTED, encoding)


def test_packed_files_are_read_alike(spark, tmp_path):
    texts = [f"a,b,c\n{body}".encode() for body in BODIES[3:30]]
    contents = {f"{number}.csv.gz": gzip.compress(text) for number, text in enumerate(texts)}
    contents |= {f"{number}.csv.bz2": bz2.compress(text) for number, text in enumerate(texts)}
    contents["two.CSV.gz"] = gzip.compress(texts[1]) + gzip.compress(b"\n7,8,9\n")
    assert not differences(spark, tmp_path, contents, WANTED)


PIECES = (
    '"', '"', '"', ",", ",", ",", "\n", "\n", "\r\n", "\r", "\0", " ", "  ", "\t", "a", "b", "x",
    '""', '"a",', '"a\nb"', '"a""b"', "é", "€", "\u2028", "\x0c", "\x1f", "1", "2", "1,2,3\n",
    '"1",2,"3"\n', "4,5,6\r\n",
)  # fmt: skip


def made_up(seed: int) -> str:
    """A text of pieces; half of them of few kinds, which meet more often."""
    source = random.Random(seed)
    pieces = PIECES if source.random() < 0.5 else source.sample(PIECES, 8)
    return "".join(source.choices(pieces, k=source.choice((2, 4, 8, 16, 30))))


@pytest.mark.parametrize("seeds", [range(60), pytest.param(range(60, 700), marks=pytest.mark.slow)])
def test_texts_of_random_pieces_are_read_alike(spark, tmp_path, seeds):
    contents = {f"{seed}.csv": f"a,b,c\n{made_up(seed)}".encode() for seed in seeds}
    assert not differences(spark, tmp_path, contents, WANTED)


@pytest.mark.slow
@given(
    texts=st.lists(
        st.lists(st.sampled_from(PIECES), max_size=12).map("".join), min_size=1, max_size=30
    )
)
@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_alike(spark, tmp_path_factory, texts):
    contents = {f"{number}.csv": f"a,b,c\n{text}".encode() for number, text in enumerate(texts)}
    assert not differences(spark, tmp_path_factory.mktemp("texts"), contents, WANTED)


@pytest.mark.slow
def test_mutants_of_samples_are_read_alike(spark, tmp_path):
    contents = {f"{seed}.csv": body_mutant(seed).data for seed in range(450)}
    assert not differences(spark, tmp_path, contents, ("CellName", "s0", "s1", "s2"))


LINES = (
    "1,2,3", '"1","2","3"', '"a, b",2,"c ""d"""', "é,€,😀", "1,2", "1,2,3,4", "1 , 2 ,3 ", "\r", "",
    " ", '5" disk,2,3', '"a\r\nb",2,3', '1,"a\n",3', '"1" ,"2" x,3', ",,", "1,2,3\r", '"1",2,"3"\r',
)  # fmt: skip


@pytest.mark.slow
def test_a_file_of_many_blocks_is_read_alike(spark, tmp_path, monkeypatch):
    """Longer than what Spark reads at once, too."""
    monkeypatch.setattr(text_blocks, "BLOCK_BYTES", 300_000)
    source = random.Random(1)
    lines = source.choices(LINES, [3000, 3000, 1000, *[1] * (len(LINES) - 3)], k=400_000)
    contents = {"a.csv": ("a,b,c\n" + "\n".join(lines)).encode()}
    assert not differences(spark, tmp_path, contents, WANTED)


def read(path: Path, header: tuple[str, ...] = ("a", "b", "c")) -> object:
    return for_sail(File(str(path), 0), header, "UTF-8", ",", WANTED)


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=60), part=st.integers(1, 20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_where_a_text_is_cut_changes_nothing(tmp_path_factory, pieces, part):
    path = tmp_path_factory.mktemp("cut") / "a.csv"
    path.write_bytes(f"a,b,c\n{''.join(pieces)}".encode())
    whole = read(path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(text_blocks, "BLOCK_BYTES", part * 3)
        patched.setattr(arrow_csv, "SMALLEST_PART", part)
        assert read(path) == whole


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_arrow_parses_nothing_otherwise_than_our_own_parser(tmp_path_factory, pieces):
    path = tmp_path_factory.mktemp("fast") / "a.csv"
    path.write_bytes(f"a,b,c\n{''.join(pieces)}".encode())
    fast = read(path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(TidyReader, "values", lambda self, data: None)
        assert read(path) == fast


def test_ordinary_lines_are_left_to_arrow(tmp_path, monkeypatch):
    lines = ("1,2,3", '"1","2, or ""3""",""', "1 ,2,3", "é,,3")
    for number, line in enumerate(lines):
        for end in ("\n", "\r\n"):
            path = tmp_path / f"{number}.csv"
            path.write_text(f"a,b,c{end}" + f"{line}{end}" * 3, newline="")
            with monkeypatch.context() as patched:
                patched.setattr(arrow_csv._Reader, "_read_carefully", None)
                assert len(read(path)) == 3


def test_one_unusual_line_leaves_most_others_to_arrow(tmp_path, monkeypatch):
    careful, original = [], arrow_csv._Reader._read_carefully

    def told(self, data, is_last):
        careful.append(len(data))
        return original(self, data, is_last)

    monkeypatch.setattr(arrow_csv._Reader, "_read_carefully", told)
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n" + "1,2,3\n" * 300_000 + '5" disk,2\n' + "1,2,3\n" * 300_000)
    found = read(path)
    assert [row[-2:] for row in found if row[-2]] == [(True, '5" disk,2')]
    assert [row[2] for row in found] == [*range(600_001)]
    assert sum(careful) < 2 * arrow_csv.SMALLEST_PART


def test_addresses_are_those_that_spark_gives(spark, tmp_path):
    names = [
        *NAMES, "a\u00a0b\u2028c.csv", "\x7f\x80é😀.csv", "a^b`c|d~e<f>.csv", "a=b@c&d$e.csv",
        "\x01",
    ]  # fmt: skip
    paths = [f"{tmp_path}/{number}/{name}" for number, name in enumerate(names) if ":" not in name]
    for path in paths:
        Path(path).parent.mkdir(parents=True)
        packed = path.endswith(".gz")
        Path(path).write_bytes(gzip.compress(b"x") if packed else b"x")
    found = reader(spark).text([literal(spark, path) for path in paths])
    uris = {row[0] for row in found.selectExpr("input_file_name()").collect()}
    assert uris == {source_uri(path) for path in paths}


def test_each_file_becomes_one_of_its_columns_and_provenance(tmp_path):
    for name in ("x", "y"):
        (tmp_path / f"{name}.csv").write_text(f"a,b,A,c\n1,2,3,{name}\n")
    header, out = ("a", "b", "A", "c"), tmp_path / "out"
    out.mkdir()
    files = [CsvFile(f"{tmp_path}/{name}.csv") for name in ("x", "y")]
    csv_to_parquet(files, header, "UTF-8", ",", ("a", " C"), out)
    tables = [parquet.read_table(out / f"{number}.parquet") for number in (0, 1)]
    assert columns_read(header, ("a", "C")) == ["a", "A", "c"]
    provenance = ["source_file", "source_row_id", "malformed_line", "malformed_text"]
    assert tables[0].column_names == ["0", "2", "3", *provenance]
    assert [table["3"].to_pylist() for table in tables] == [["x"], ["y"]]


# The same in each process that collects tests.
CUT_OFF = gzip.compress(b"a,b\n1,2\n" * 9, mtime=0)[:-9]


@pytest.mark.parametrize(
    ("name", "content", "encoding", "told"),
    [
        ("a.csv.gz", CUT_OFF, "UTF-8", "a.csv.gz: cannot be read: "),
        ("a.csv.gz", b"a,b\n1,2\n", "UTF-8", "a.csv.gz: cannot be read: Not a gzipped"),
        ("a.csv.bz2", b"a,b\n1,2\n", "UTF-8", "a.csv.bz2: cannot be read: Invalid data"),
        ("a.csv", b"a,b\n1,2\n", "x-99", "a.csv: cannot be read as x-99: unknown encoding"),
        ("b.csv", None, "UTF-8", "b.csv: cannot be read: .*No such file"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_told_by_name(tmp_path, name, content, encoding, told):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    file = CsvFile(str(path), path.suffix.replace(".csv", ""))
    with pytest.raises(InputError, match=told):
        csv_to_parquet([file], ("a", "b"), encoding, ",", ("a",), tmp_path)


@pytest.mark.parametrize("rows", [300, 300_000])
def test_a_field_that_is_the_rest_of_a_file_is_refused(tmp_path, monkeypatch, rows):
    monkeypatch.setattr("runners.engines.sail.careful_records.MOST_CHARACTERS", 1000)
    assert open_quotes.MOST_CHARACTERS == 1 << 24
    (tmp_path / "a.csv").write_text('a,b,c\n1,2,"3\n' + "1,2,3\n" * rows)
    told = read(tmp_path / "a.csv")
    assert told == f"cannot be read: file://{tmp_path}/a.csv: a quote does not close"


def test_a_full_disk_is_no_fault_of_the_file(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a.csv").write_text("a,b,c\n1,2,3\n")
    monkeypatch.setattr(parquet.ParquetWriter, "write_table", full)
    with pytest.raises(OSError, match="No space left"):
        read(tmp_path / "a.csv")
