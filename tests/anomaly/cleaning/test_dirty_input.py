"""Dirty input, kind by kind, read from files as a run reads them."""

import re
from itertools import product
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from pyspark.sql import DataFrame, SparkSession

from anomaly import ConfigurationError, InputError, load_profile, parse_profile
from anomaly.aggregation.averages import average_samples
from anomaly.cleaning.checks import check_calls, check_customers, check_samples, clean_rows
from anomaly.profile.model import Profile
from anomaly.schema.reasons import REASONS
from runners.engines.errors import reading_and_writing
from runners.storage.inputs import read_input

PROFILE = """
name = "dirty"
[inputs.samples]
{samples}
[inputs.samples.suspect_where]
{suspect}
[verdict]
minimum_defects = 1
[kpis.samples]
PRBUsageUL = {{ unit = "%", minimum = 0, maximum = 100 }}
maxUE_DL = {{ unit = "users", sentinels = [-1] }}
{kpis}
[kpis.call_statistics]
change_mou = {{ unit = "%" }}
[rules.PRBUsageUL]
bad_when = "above"
method = "mean"
"""
CHECKS = {
    "samples": check_samples,
    "customers": check_customers,
    "call_statistics": check_calls,
}
CUSTOMER = "Index,tenure,PhoneService,MultipleLines,InternetService,CellTower"


def profile_with(samples: str = "", suspect: str = "", kpis: str = "") -> Profile:
    return parse_profile(PROFILE.format(samples=samples, suspect=suspect, kpis=kpis))


def checked(
    spark: SparkSession,
    folder: Path,
    *contents: str | bytes,
    source: str = "samples",
    profile: Profile | None = None,
) -> DataFrame:
    """What cleaning makes of CSV files with these contents."""
    profile = profile or profile_with()
    for number, content in enumerate(contents):
        content = content.encode() if isinstance(content, str) else content
        (folder / f"{number}.csv").write_bytes(content)
    return CHECKS[source](read_input(spark, source, str(folder), profile), profile)


def outcomes(frame: DataFrame) -> list[object]:
    """For each row its reason, or else the reasons of its values, or else its values."""
    rows = frame.orderBy("source_file", "source_row_id").collect()
    return [
        row.row_reason
        or [(fault.column, fault.reason) for fault in row.faults or ()]
        or list(row["values"])
        for row in rows
    ]


def test_a_spreadsheet_error_in_latin_1_is_a_missing_value(spark, tmp_path):
    profile = profile_with('encoding = "ISO-8859-1"', kpis='"maxUE_UL+DL" = { name = "both" }')
    text = (
        "Time,CellName,PRBUsageUL,maxUE_DL,maxUE_UL+DL\n10:45,3BLTE,1,1,#\u00a1VALOR!\n"
        "11:00,3BLTE,1,1,9\n11:15,3BLTE,1,1,10\n"
    )
    frame = checked(spark, tmp_path, text.encode("latin-1"), profile=profile)
    assert outcomes(frame)[0] == [("maxUE_UL+DL", "spreadsheet_error")]
    (cell,) = average_samples(clean_rows(frame), profile).collect()
    assert cell.sample_count == 3
    assert cell.sample_means.asDict() == {"PRBUsageUL": 1.0, "maxUE_DL": 1.0, "both": 9.5}


def test_rows_are_counted_alike_whatever_is_made_of_them(spark, tmp_path):
    frame = checked(
        spark,
        tmp_path,
        "Time,CellName,PRBUsageUL,maxUE_DL\n10:45,3BLTE,11.6,4\n11:00,3BLTE,N/A,5\n"
        "11:15,3BLTE,12,#VALUE!\n11:30,3BLTE,abc,5\n",
    )
    assert frame.count() == frame.select("CellName").count() == clean_rows(frame).count() == 4
    assert outcomes(frame) == [
        [11.6, 4.0],
        [("PRBUsageUL", "missing_text")],
        [("maxUE_DL", "spreadsheet_error")],
        [("PRBUsageUL", "not_a_number")],
    ]
    raw = {row.raw_row for row in frame.where("faults IS NOT NULL").collect()}
    assert raw == {"11:00,3BLTE,N/A,5", "11:15,3BLTE,12,#VALUE!", "11:30,3BLTE,abc,5"}


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("inside", ["\r\n", "\n"])
def test_a_line_break_inside_quotes_makes_no_cell(spark, tmp_path, ending, inside):
    text = ending.join(
        (
            "Note,CellName,PRBUsageUL,maxUE_DL",
            f'"two{inside}9XLTE,1,1",3BLTE,5,6',
            "x,1ALTE,7,8",
            "",
        )
    )
    frame = checked(spark, tmp_path, text)
    rows = frame.orderBy("source_row_id").collect()
    assert [(row.CellName, *row["values"]) for row in rows] == [
        ("3BLTE", 5.0, 6.0),
        ("1ALTE", 7.0, 8.0),
    ]


HEADER = "Note,CellName,PRBUsageUL,maxUE_DL"
# What follows a quote that does not close: nothing in quotes, some of it, all of it.
FOLLOWING = {
    "plain": "x,2B,3,4\nx,3C,5,6\nx,4D,7,8\n",
    "quoted once": 'x,2B,3,4\n"x",3C,5,6\nx,4D,7,8\n',
    "quoted later": 'x,2B,3,4\nx,3C,"5",6\nx,4D,7,8\n',
    "quoted last": 'x,2B,3,4\nx,3C,5,"6"\nx,4D,7,8\n',
    "all quoted": '"x","2B","3","4"\n"x","3C","5","6"\n',
    "doubled": 'x,2B,3,4\n"say ""so""",3C,5,6\nx,4D,7,8\n',
    "one row": "x,2B,3,4\n",
    "one row of quotes": '"x","2B","3","4"\n',
}


OPEN = ('"x,1A,1,2', 'x,"1A,1,2', 'x,1A,"1,2', 'x,1A,1,"2', '"x","1A",1,"')


# A file each, because one that is refused ends the job; a tenth of them is for each edit.
@pytest.mark.parametrize(
    ("row", "following", "ending"),
    [
        pytest.param(*one, marks=() if number % 11 == 0 else pytest.mark.slow)
        for number, one in enumerate(product(OPEN, FOLLOWING.values(), ("\n", "\r\n")))
    ],
)
def test_a_quote_that_does_not_close_hides_no_rows(spark, tmp_path, row, following, ending):
    text = f"{HEADER}\nx,0Z,1,2\n{row}\n{following}".replace("\n", ending)
    rows = 2 + following.count("\n")
    try:
        # Sail refuses the file when it is read, Spark in the job.
        with reading_and_writing("samples"):
            found = outcomes(checked(spark, tmp_path, text))
    except InputError as error:
        assert re.fullmatch(
            r"cannot be read: file:\S*/0.csv: holds rows inside.* prints", str(error)
        )
    else:
        assert len(found) == rows
        assert found.count("malformed_line") == 1


def test_a_quote_that_does_not_close_in_the_last_row_rejects_it_or_closes_there(spark, tmp_path):
    for number, row in enumerate(('x,"1A,1,2', 'x,1A,1,"2')):
        (tmp_path / str(number)).mkdir()
        frame = checked(spark, tmp_path / str(number), f"{HEADER}\nx,0Z,1,2\n{row}\n")
        assert outcomes(frame) == [[1.0, 2.0], "malformed_line" if number == 0 else [1.0, 2.0]]


def test_a_line_break_in_a_value_that_is_read_rejects_the_row(spark, tmp_path):
    text = f'{HEADER}\nx,"3B\nLTE",1,2\nx," 3BLTE\n",1,2\n"a\n\nb; c, d\n",4D,5,6\n'
    frame = checked(spark, tmp_path, text)
    assert outcomes(frame) == ["malformed_line", [1.0, 2.0], [5.0, 6.0]]


def test_a_field_that_is_the_rest_of_a_large_file_ends_the_job(spark, tmp_path):
    text = f'{HEADER}\nx,1A,1,"2\n' + "x,2B,3,4\n" * 2_000_000
    refused = pytest.raises(InputError, match=r"cannot be read: .*: a quote does not close$")
    with refused, reading_and_writing("samples"):
        checked(spark, tmp_path, text).count()


@pytest.mark.parametrize("rows", [3, 60_000])
def test_a_quote_that_does_not_close_in_the_header_is_refused(spark, tmp_path, rows):
    text = 'CellName,PRBUsageUL,"maxUE_DL\n' + "2B,3,4\n" * rows
    with pytest.raises(InputError, match=r"0\.csv: a quote in its header does not close"):
        checked(spark, tmp_path, text)


def test_a_line_of_more_or_fewer_fields_is_rejected(spark, tmp_path):
    frame = checked(
        spark, tmp_path, "CellName,PRBUsageUL,maxUE_DL\n3BLTE,1,2,3\n3BLTE,1\n3BLTE,1,2\n"
    )
    assert outcomes(frame) == ["malformed_line", "malformed_line", [1.0, 2.0]]


def test_a_rejected_row_is_shown_as_it_was(spark, tmp_path):
    frame = checked(
        spark,
        tmp_path,
        'maxUE_DL,Time,CellName,PRBUsageUL\n"1,5",10:00,3BLTE,2\n7,late,"3 ""B"" LTE",2\n'
        "7,10:00,3BLTE,2,8,9\n7,10:00\n",
    )
    rows = frame.orderBy("source_row_id").collect()
    assert [row.raw_row for row in rows] == [
        '"1,5",10:00,3BLTE,2',
        '7,late,"3 ""B"" LTE",2',
        "7,10:00,3BLTE,2,8,9",
        "7,10:00",
    ]


def test_what_a_malformed_line_of_customers_says_of_persons_is_not_kept(spark, tmp_path):
    text = "Name,Index,tenure,PhoneService,MultipleLines,InternetService,CellTower\n"
    text += "Ann Smith,1,5,Yes,No,DSL,3BLTE,surplus\n"
    (row,) = checked(spark, tmp_path, text, source="customers").collect()
    assert (row.row_reason, row.raw_row) == ("malformed_line", "1,5,Yes,No,DSL,3BLTE")


def test_folders_and_names_keep_their_zeros(spark, tmp_path):
    for name in ("007", "1 A%2F2"):
        (tmp_path / f"CellName={name}").mkdir()
        content = f"PRBUsageUL,maxUE_DL\n1,{len(name)}\n"
        (tmp_path / f"CellName={name}" / "part.csv").write_text(content)
    frame = checked(spark, tmp_path)
    assert {row.CellName: row["values"].maxUE_DL for row in frame.collect()} == {
        "007": 3.0,
        "1 A/2": 7.0,
    }


def test_kpis_may_have_any_name(spark, tmp_path):
    kpis = '"RRC.SuccRate" = { name = "rrc" }\n"Drop Rate (%)" = { name = "drop" }'
    frame = checked(
        spark,
        tmp_path,
        "Drop Rate (%),RRC.SuccRate,CellName,maxUE_DL,PRBUsageUL\n4,3,3BLTE,2,1\n",
        profile=profile_with(kpis=kpis),
    )
    assert outcomes(frame) == [[1.0, 2.0, 3.0, 4.0]]


def test_two_kpis_of_one_published_name_are_refused():
    with pytest.raises(ConfigurationError, match=r"maxUE_UL_DL.*\(from maxUE_UL\+DL and maxUE_UL_"):
        profile_with(kpis='"maxUE_UL+DL" = { name = "maxUE_UL_DL" }\nmaxUE_UL_DL = {}')


def write_parquet(spark: SparkSession, folder: Path, **columns: str) -> None:
    """A customer per file, with some columns in place of the usual ones."""
    usual = {
        "Index": "1L", "tenure": "5", "PhoneService": "'Yes'", "MultipleLines": "'No'",
        "InternetService": "'DSL'", "CellTower": "'3BLTE'",
    }  # fmt: skip
    selected = (f"{value} AS {name}" for name, value in (usual | columns).items())
    spark.range(1).selectExpr(*selected).coalesce(1).write.mode("append").parquet(str(folder))


def test_parquet_files_of_other_types_are_read_file_by_file(spark, tmp_path):
    write_parquet(spark, tmp_path, Index="1L", tenure="5")
    write_parquet(spark, tmp_path, Index="2L", tenure="6L")
    write_parquet(spark, tmp_path, Index="3L", tenure="'7'")
    # pandas writes whole numbers with a missing one as 4.0.
    write_parquet(spark, tmp_path, Index="4D", tenure="CAST(NULL AS double)")
    write_parquet(spark, tmp_path, Index="'0005'", tenure="8D")
    found = checked(spark, tmp_path, source="customers").collect()
    assert sorted((row.customerID, row.tenure, row.CellName) for row in found) == [
        (1, 5, "3BLTE"),
        (2, 6, "3BLTE"),
        (3, 7, "3BLTE"),
        (4, None, "3BLTE"),
        (5, 8, "3BLTE"),
    ]


def test_a_name_that_became_a_fraction_is_refused(spark, tmp_path):
    write_parquet(spark, tmp_path, CellTower="7D")
    with pytest.raises(InputError, match="column CellTower is of type double, so that 1 became"):
        checked(spark, tmp_path, source="customers")


def test_a_timestamp_of_nanoseconds_is_no_time_and_ignored_where_it_is_not_read(spark, tmp_path):
    instants = pyarrow.array([1], pyarrow.timestamp("ns"))
    values = {"CellName": ["3BLTE"], "PRBUsageUL": [1.0], "maxUE_DL": [2.0]}
    for name in ("Time", "Loaded"):
        (tmp_path / name).mkdir()
        table = pyarrow.table(values | {name: instants})
        parquet.write_table(table, tmp_path / name / "a.parquet", version="2.6")
    assert outcomes(checked(spark, tmp_path / "Loaded")) == [[1.0, 2.0]]
    (found,) = checked(spark, tmp_path / "Time").collect()
    assert (found.row_column, found.row_reason) == ("Time", "bad_time")


def test_customer_numbers_are_numbers_and_what_is_none_is_rejected(spark, tmp_path):
    frame = checked(
        spark,
        tmp_path,
        f"{CUSTOMER}\n0001,5,Yes,No,DSL,3BLTE\nA7,5,Yes,No,DSL,3BLTE\n2,5,Yes,No,DSL,\n",
        source="customers",
    )
    rows = frame.orderBy("source_row_id").collect()
    assert [(row.customerID, row.CellName, row.row_reason) for row in rows] == [
        (1, "3BLTE", None),
        (None, "3BLTE", "bad_customer_number"),
        (2, None, None),
    ]


def test_sentinels_are_no_values_and_negative_numbers_are(spark, tmp_path):
    samples = "CellName,PRBUsageUL,maxUE_DL\n3BLTE,1,-1\n3BLTE,1,10\n3BLTE,1,12\n"
    frame = checked(spark, tmp_path, samples)
    assert outcomes(frame)[0] == [("maxUE_DL", "sentinel")]
    (cell,) = average_samples(clean_rows(frame), profile_with()).collect()
    assert cell.sample_means.asDict() == {"PRBUsageUL": 1.0, "maxUE_DL": 11.0}
    (tmp_path / "calls").mkdir()
    calls = "Customer_ID,change_mou\n1000001,-5\n"
    assert outcomes(checked(spark, tmp_path / "calls", calls, source="call_statistics")) == [[-5.0]]


def test_suspect_rows_do_not_count(spark, tmp_path):
    profile = profile_with(suspect='Reliability = "< 50"\nsuspect = "= true"')
    frame = checked(
        spark,
        tmp_path,
        "CellName,PRBUsageUL,maxUE_DL,Reliability,suspect\n"
        "3BLTE,1,2,49,false\n3BLTE,1,2,50,TRUE\n3BLTE,1,2,50,false\n3BLTE,1,2,,\n",
        profile=profile,
    )
    assert outcomes(frame) == ["suspect", "suspect", [1.0, 2.0], [1.0, 2.0]]


def test_a_row_said_twice_counts_once_and_contradictions_do_not_count(spark, tmp_path):
    frame = checked(
        spark,
        tmp_path,
        "CellName,Time,PRBUsageUL,maxUE_DL\n"
        "3BLTE,2026-03-01 10:00,1,2\n3BLTE,2026-03-01 10:15,1,2\n3BLTE,10:00,1,2\n",
        "CellName,Time,PRBUsageUL,maxUE_DL\n"
        "3BLTE,2026-03-01T11:00+01:00,1.0,2\n3BLTE,2026-03-01 10:15:00,3,2\n3BLTE,10:00,1,2\n",
    )
    # Samples without a date are of unknown days: equal ones count.
    assert outcomes(frame) == [
        [1.0, 2.0], "contradicting_rows", [1.0, 2.0],
        "duplicate_row", "contradicting_rows", [1.0, 2.0],
    ]  # fmt: skip


def test_a_customer_counts_once(spark, tmp_path):
    rows = ["1,5,Yes,No,DSL,3BLTE", "01,5,Yes,No,DSL,3BLTE", "2,5,Yes,No,DSL,A", "2,5,Yes,No,DSL,B"]
    frame = checked(spark, tmp_path, "\n".join((CUSTOMER, *rows)), source="customers")
    found = [row.row_reason for row in frame.orderBy("source_row_id").collect()]
    assert found == [None, "duplicate_row", "contradicting_rows", "contradicting_rows"]


def test_times_are_instants_where_they_have_a_date(spark, tmp_path):
    times = [
        # 24:00 is the 00:00 of the day after; the hour that clocks repeat is there twice.
        "2026-03-01 24:00", "2026-03-02 00:00", "2026-10-25 02:30+02:00", "2026-10-25 02:30+01:00",
        "2026-03-29 02:30", "24:00", "", " N/A", "25:00", "2026-02-30 10:00", "01.03.2026 10:00",
    ]  # fmt: skip
    lines = [f"3BLTE,{time},1,2" for time in times]
    text = "\n".join(("CellName,Time,PRBUsageUL,maxUE_DL", *lines))
    frame = checked(spark, tmp_path, text)
    usable = [1.0, 2.0]
    assert outcomes(frame) == [
        usable, "duplicate_row", *[usable] * 6, *["bad_time"] * 3,
    ]  # fmt: skip


def test_decimal_commas_are_read_where_the_profile_says_so(spark, tmp_path):
    profile = profile_with('decimal = ","\ndelimiter = ";"')
    text = "CellName;PRBUsageUL;maxUE_DL\n3BLTE;11,5;2\n3BLTE;1.234;2\n"
    frame = checked(spark, tmp_path, text, profile=profile)
    assert outcomes(frame) == [[11.5, 2.0], [("PRBUsageUL", "not_a_number")]]
    (tmp_path / "quoted").mkdir()
    without = checked(spark, tmp_path / "quoted", 'CellName,PRBUsageUL,maxUE_DL\n3BLTE,"11,5",2\n')
    assert outcomes(without) == [[("PRBUsageUL", "not_a_number")]]


@pytest.mark.parametrize(
    ("decimal", "reasons"),
    [
        # The last of each may as well be decimals.
        (
            ",",
            {
                "1.234,5": "thousands_separator",
                "1.234.567": "thousands_separator",
                "-1 234,5": "thousands_separator",
                "1.234": "not_a_number",
            },
        ),
        (
            ".",
            {
                "1,234.5": "thousands_separator",
                "1,234,567": "thousands_separator",
                "1 234": "thousands_separator",
                "1\u202f234": "thousands_separator",
                "1'234.5": "thousands_separator",
                "1,234": "not_a_number",
                "1,23,4.5": "not_a_number",
            },
        ),
    ],
)
def test_marks_between_thousands_are_told(spark, tmp_path, decimal, reasons):
    profile = profile_with(f'decimal = "{decimal}"\ndelimiter = ";"')
    lines = ["CellName;PRBUsageUL;maxUE_DL", *(f"3BLTE;1;{value}" for value in reasons)]
    found = outcomes(checked(spark, tmp_path, "\n".join(lines), profile=profile))
    expected = [[("maxUE_DL", reason)] for reason in reasons.values()]
    assert dict(zip(reasons, found, strict=True)) == dict(zip(reasons, expected, strict=True))


def test_numbers_that_are_too_large_to_add_up_say_so(spark, tmp_path):
    profile = profile_with(kpis="bytes = { maximum = 1e18 }")
    values = ["1000000000000", "1000000000001", "-2e12", "5e15"]
    lines = [f"3BLTE,1,2,{value}" for value in values]
    text = "\n".join(("CellName,PRBUsageUL,maxUE_DL,bytes", *lines))
    too_large = [("bytes", "too_large")]
    found = outcomes(checked(spark, tmp_path, text, profile=profile))
    assert found == [[1.0, 2.0, 1e12], *[too_large] * 3]


def test_other_blanks_around_a_number_are_blanks(spark, tmp_path):
    text = "CellName,PRBUsageUL,maxUE_DL\n3BLTE,\u00a012.5\u202f,\ufeff7\n3BLTE,\u00a0,1 2\n"
    found = outcomes(checked(spark, tmp_path, text))
    assert found == [[12.5, 7.0], [("maxUE_DL", "not_a_number")]]


# Each is what people read as the name before it.
ONE_NAME = {
    "3ALTE": [
        "3ALTE\u00a0",
        "\u20073ALTE",
        "3A\u200bLTE",
        "\ufeff3ALTE",
        "３ＡＬＴＥ",
        "3ALTE\u3000",
    ],
    "Old Town 1": ["Old\u00a0Town\u202f1", "Old  Town\u2007 1", " Old Town\u20091", "Old\tTown 1"],
    "Málaga": ["Ma\u0301laga", "Ma\u0301laga\u200e"],
    "Huế": ["Hue\u0302\u0301", "Huê\u0301"],
    "Žilina \U0001f4f6": ["Z\u030cilina \U0001f4f6"],
    "Йод": ["И\u0306од"],
    # No letter is q with an accent.
    "q\u0301": ["q\u0301 "],
}


def test_names_that_look_the_same_are_one_cell_of_samples_and_customers(spark, tmp_path):
    meant = {one: name for name, others in ONE_NAME.items() for one in (name, *others)}
    lines = [f'"{one}",1,2' for one in meant]
    samples = checked(spark, tmp_path, "\n".join(("CellName,PRBUsageUL,maxUE_DL", *lines)))
    found = [row.CellName for row in samples.orderBy("source_row_id").collect()]
    assert dict(zip(meant, found, strict=True)) == meant
    (tmp_path / "customers").mkdir()
    rows = [f'{number},5,Yes,No,DSL,"{one}"' for number, one in enumerate(meant)]
    customers = checked(
        spark, tmp_path / "customers", "\n".join((CUSTOMER, *rows)), source="customers"
    )
    found = [row.CellName for row in customers.orderBy("source_row_id").collect()]
    assert dict(zip(meant, found, strict=True)) == meant


def test_names_that_look_different_stay_different(spark, tmp_path):
    names = ["3ALTE", "3alte", "3 ALTE", "Malaga", "Málaga", "3BLTE"]
    lines = [f"{name},1,2" for name in names]
    frame = checked(spark, tmp_path, "\n".join(("CellName,PRBUsageUL,maxUE_DL", *lines)))
    assert [row.CellName for row in frame.collect()] == names


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(spark, tmp_path, encoding):
    text = "CellName,PRBUsageUL,maxUE_DL\nZürich,1,2\n"
    text = "\ufeff" + text if encoding == "utf-16-le" else text
    frame = checked(spark, tmp_path, text.encode(encoding))
    assert [(row.CellName, *row["values"]) for row in frame.collect()] == [("Zürich", 1.0, 2.0)]


@pytest.mark.parametrize(
    "encoding",
    [
        "utf-8-sig",
        "utf-16-le",
        *(pytest.param(one, marks=pytest.mark.slow) for one in ("utf-16-be", "utf-32-le")),
    ],
)
@pytest.mark.parametrize(
    "header", ['"Time","CellName","PRBUsageUL","maxUE_DL"', '"CellName",Time,PRBUsageUL,"maxUE_DL"']
)
def test_a_byte_order_mark_before_quoted_names_is_none_of_them(spark, tmp_path, encoding, header):
    mark = "" if encoding == "utf-8-sig" else "\ufeff"
    (first, second) = ("25:00", "Zürich") if header.startswith('"Time') else ("Zürich", "25:00")
    text = f'{mark}{header}\r\n"{first}","{second}","1","2"\r\n'
    frame = checked(spark, tmp_path, text.encode(encoding))
    assert [(row.CellName, row.row_reason) for row in frame.collect()] == [("Zürich", "bad_time")]


SPELLINGS = [
    ("latin_1", "latin-1"), ("Latin-1", "latin-1"), ("iso8859_15", "iso8859-15"),
    ("utf_8", "utf-8"), ("utf-8-sig", "utf-8"), ("UTF8", "utf-8-sig"), ("cp1252", "cp1252"),
    ("utf_16", "utf-16-le"), ("utf-16", "utf-16-be"), ("U16", "utf-16"),
    ("utf_16_le", "utf-16-le"), ("utf-32", "utf-32-be"),
    ("cp858", "cp858"), ("gbk", "gbk"), ("Windows-1252", "cp1252"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("declared", "written"),
    [
        pytest.param(*one, marks=() if number % 5 == 0 else pytest.mark.slow)
        for number, one in enumerate(SPELLINGS)
    ],
)
def test_an_encoding_may_be_spelt_as_python_does(spark, tmp_path, declared, written):
    text = "CellName,PRBUsageUL,maxUE_DL\nZürich,1,2\n"
    frame = checked(
        spark, tmp_path, text.encode(written), profile=profile_with(f'encoding = "{declared}"')
    )
    assert [(row.CellName, *row["values"]) for row in frame.collect()] == [("Zürich", 1.0, 2.0)]


def test_a_cell_name_of_another_encoding_is_rejected(spark, tmp_path):
    text = "CellName,PRBUsageUL,maxUE_DL\nZürich,1,2\nBern,3,4\n"
    frame = checked(spark, tmp_path, text.encode("latin-1"))
    assert outcomes(frame) == ["bad_encoding", [3.0, 4.0]]


def test_a_header_of_another_encoding_is_refused(spark, tmp_path):
    text = "CellName,PRBUsageUL,maxUE_DL,Müll\nBern,3,4,\n"
    with pytest.raises(InputError, match=r"0\.csv: its header is not UTF-8; set `encoding`"):
        checked(spark, tmp_path, text.encode("latin-1"))


def test_a_header_of_a_related_encoding_is_refused_by_its_control_characters(spark, tmp_path):
    text = "CellName,PRBUsageUL,maxUE_DL,Zajętość\nBern,3,4,\n".encode("cp1250")
    with pytest.raises(InputError, match=r"0\.csv: its header is not ISO-8859-2; set `encoding`"):
        checked(spark, tmp_path, text, profile=profile_with('encoding = "iso-8859-2"'))


def test_an_encoding_of_the_profile_is_any_that_java_knows(spark, tmp_path):
    text = "CellName,PRBUsageUL,maxUE_DL\nŽilina €,1,2\n"
    profile = profile_with('encoding = "windows-1252"')
    frame = checked(spark, tmp_path, text.encode("windows-1252"), profile=profile)
    assert [row.CellName for row in frame.collect()] == ["Žilina €"]


def test_lines_that_end_with_cr_alone_are_refused(spark, tmp_path):
    with pytest.raises(InputError, match=r"0\.csv: its lines end with CR alone; end them"):
        checked(spark, tmp_path, "CellName,PRBUsageUL,maxUE_DL\rBern,3,4\r")


def test_columns_are_found_by_name_in_each_file(spark, tmp_path):
    frame = checked(
        spark,
        tmp_path,
        "cellname,PRBUSAGEUL,Maxue_dl\n3BLTE,1,2\n",
        '" maxUE_DL ",x,x,PRBUsageUL,"CellName"\n4,a,b,3,3BLTE\n',
    )
    assert outcomes(frame) == [[1.0, 2.0], [3.0, 4.0]]


def test_a_column_that_is_there_twice_is_refused(spark, tmp_path):
    with pytest.raises(InputError, match=r"0.csv\): column maxUE_DL is there 2 times"):
        checked(spark, tmp_path, "CellName,PRBUsageUL,maxUE_DL,maxue_dl\n3BLTE,1,2,3\n")


def test_a_file_that_is_delivered_twice_is_refused(spark, tmp_path):
    text = "CellName,PRBUsageUL,maxUE_DL\n3BLTE,1,2\n"
    with pytest.raises(InputError, match=r"1.csv is a copy of .*0.csv; remove one"):
        checked(spark, tmp_path, text, text)


def test_hours_without_rows_may_be_alike(spark, tmp_path):
    header = "CellName,PRBUsageUL,maxUE_DL\n"
    rows = f"{header}3BLTE,1,2\n"
    assert outcomes(checked(spark, tmp_path, header, header, rows)) == [[1.0, 2.0]]


def test_a_last_field_in_quotes_ends_at_the_end_of_its_line(spark, tmp_path):
    lines = ("PRBUsageUL,maxUE_DL,CellName,Time", '1,2,"3BLTE","2026-03-01 10:00"', "")
    frame = checked(spark, tmp_path, "\r\n".join(lines), "\n".join(lines))
    assert outcomes(frame) == [[1.0, 2.0], "duplicate_row"]


def test_values_no_kpi_can_have_are_missing(spark, tmp_path):
    values = ["100.5", "-0.1", "NaN", "inf", "-Infinity", "1e400", "100", "0"]
    lines = [f"3BLTE,{value},2" for value in values]
    frame = checked(spark, tmp_path, "\n".join(("CellName,PRBUsageUL,maxUE_DL", *lines)))
    expected = ["out_of_range"] * 2 + ["not_finite"] * 4
    assert outcomes(frame)[:6] == [[("PRBUsageUL", reason)] for reason in expected]
    assert outcomes(frame)[6:] == [[100.0, 2.0], [0.0, 2.0]]


@pytest.mark.parametrize(
    "wrong",
    [
        'decimal = ";"',
        'delimiter = "||"',
        'decimal = ","',
        'encoding = "utf-99"',
        'encoding = "utf-7"',
        'encoding = "hex"',
        'encoding = "rot13"',
        'encoding = "cp037"',
        'encoding = ""',
        'encoding = "punycode"',
        r'encoding = "a\u0000"',
    ],
)
def test_a_way_to_read_that_cannot_be_is_refused(wrong):
    with pytest.raises(
        ConfigurationError, match=r"\[inputs.samples\] (decimal|delimiter|encoding)"
    ):
        profile_with(wrong)


def test_the_documentation_lists_each_reason():
    page = (Path(__file__).parents[3] / "docs/reference/rejected-rows.md").read_text()
    assert [code for code in REASONS if f"`{code}`" not in page] == []


def test_the_default_profile_rejects_duplicates():
    assert all(rules.reject_duplicates for rules in load_profile("default").inputs.values())
