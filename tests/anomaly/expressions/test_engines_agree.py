"""What every engine answers alike, worked out by hand: TEST_ENGINE names the one that is asked."""

import hashlib
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from math import inf, isnan, nan

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.cleaning.checks import customer_number
from anomaly.cleaning.values import trimmed
from anomaly.expressions.arithmetic import (
    exact_mean,
    exact_sum_of_squares,
    ratio,
    rounded_for_quantiles,
)
from anomaly.expressions.arrays import field, let
from anomaly.expressions.frames import union
from anomaly.expressions.sql import try_cast
from anomaly.expressions.texts import java_text, measure_text
from anomaly.expressions.timestamps import instant, is_doubled, later_by, utc_text
from anomaly.pipeline.pseudonyms import KEY_BLOCKS, hash_customers, key_blocks


def value() -> Column:
    return F.col("value")


def frame_of(spark: SparkSession, values: Sequence[object], type_: str) -> DataFrame:
    return spark.createDataFrame([*enumerate(values)], f"place int, value {type_}")


def answers(
    spark: SparkSession, values: Sequence[object], type_: str, asked: Column
) -> list[object]:
    """What an expression makes of each value."""
    rows = frame_of(spark, values, type_).select("place", asked.alias("answer")).collect()
    return [row.answer for row in sorted(rows)]


def micros(*time: int) -> int:
    return round(datetime(*time, tzinfo=UTC).timestamp() * 1_000_000)


# --- texts --------------------------------------------------------------------------------------

# Ties go away from zero, although the binary number may be a little less: 1.005, 2.675, 45.55.
MEASURES = {
    45.55: "45.6", -45.55: "-45.6", 1.005: "1.01", 2.675: "2.68", 0.1245: "0.125", 100.5: "101",
    976.5: "977", 1000.5: "1,000", 1001.5: "1,002", 999.4: "999", 99.95: "100", 9.995: "10.0",
    0.00012345: "0.000123", 9.45e-6: "9.5e-06", 1.25e-6: "1.3e-06", 4e-9: "4.0e-09", 0.0: "0",
    -1e-10: "0", 7.0: "7", 1e12: "1,000,000,000,000",
}  # fmt: skip


def test_a_measure_has_three_digits(spark):
    texts = answers(spark, [*MEASURES], "double", measure_text(value(), F.lit("users")))
    # As keys 0.0 and -0.0 are one.
    assert texts == [f"{text} users" for text in MEASURES.values()]
    texts = answers(spark, [0.1245, 1.005, -0.0], "double", measure_text(value(), F.lit("share")))
    assert texts == ["12.5 %", "101 %", "0 %"]


def test_what_is_rounded_to_nothing_has_no_sign(spark):
    assert answers(spark, [-0.0, -1e-10], "double", measure_text(value(), F.lit(""))) == ["0", "0"]


JAVA_TEXTS = {
    5.0: "5.0", 45.5: "45.5", 0.001: "0.001", 9e-4: "9.0E-4", 1e-4: "1.0E-4", 0.0: "0.0",
    9999999.5: "9999999.5", 1e7: "1.0E7", 12345678.9: "1.23456789E7", -1.5e9: "-1.5E9",
    1e12: "1.0E12",
}  # fmt: skip


def test_a_double_is_written_as_java_does(spark):
    texts = answers(spark, [*JAVA_TEXTS], "double", java_text(value()))
    assert texts == [*JAVA_TEXTS.values()]


# --- numbers ------------------------------------------------------------------------------------


def test_a_mean_is_exact(spark):
    """Of large numbers that cancel out, and of more than a double could add up."""
    frame = frame_of(spark, [0.1, 0.2, 0.3, 1e12, -1e12, 7.25], "double")
    assert frame.agg(exact_mean(value())).first()[0] == 7.85 / 6
    many = spark.range(9_000).select(F.lit(1e12).alias("value"))
    assert many.agg(exact_mean(value())).first()[0] == 1e12


def test_a_sum_of_squares_is_exact(spark):
    """Of numbers with more digits than a double times 1e12 holds, and of the largest square."""
    frame = frame_of(spark, [3194.069414419103, 84167.88895465458, 0.25], "double")
    assert frame.agg(exact_sum_of_squares(value())).first()[0] == 87362.20836907369
    largest = frame_of(spark, [1e24, 1e24, None], "double")
    assert largest.agg(exact_sum_of_squares(value())).first()[0] == 2e24
    nothing = frame_of(spark, [None], "double")
    assert nothing.agg(exact_sum_of_squares(value())).first()[0] is None


def test_a_quantile_is_of_numbers_of_four_digits(spark):
    numbers = [1234567.0, 0.00123456, -98765.0, 0.0, 1e12, 9.99996, None]
    rounded = [1235000.0, 0.001235, -98770.0, 0.0, 1e12, 10.0, None]
    assert answers(spark, numbers, "double", rounded_for_quantiles(value())) == rounded


def test_what_is_divided_by_nothing_is_missing(spark):
    wholes = [2.0, 0.0, -0.0, None, inf]
    assert answers(spark, wholes, "double", ratio(F.lit(1.0), value())) == [
        0.5,
        None,
        None,
        None,
        0,
    ]
    assert answers(spark, [4, 0], "int", ratio(F.lit(1), value())) == [0.25, None]


def test_percentiles_lie_between_values(spark):
    frame = frame_of(spark, [1.0, 2.0, None, 4.0, 8.0], "double")
    assert frame.agg(F.percentile(value(), [0.25, 0.5, 0.9])).first()[0] == pytest.approx(
        [1.75, 3.0, 6.8]
    )


def test_what_is_no_number_is_missing(spark):
    texts = ["1.5", " 15 ", "1e3", "+1", ".5", "x", "", "1,5", None]
    numbers = [1.5, 15.0, 1000.0, 1.0, 0.5, None, None, None, None]
    assert answers(spark, texts, "string", try_cast(value(), "double")) == numbers
    texts = ["7", "9223372036854775807", "9223372036854775808", "x"]
    assert answers(spark, texts, "string", try_cast(value(), "bigint")) == [
        7,
        2**63 - 1,
        None,
        None,
    ]


def test_null_is_first_and_nan_is_last(spark):
    frame = frame_of(spark, [1.0, None, nan, -inf, inf], "double")
    upwards = [row.place for row in frame.orderBy("value").collect()]
    downwards = [row.place for row in frame.orderBy(F.desc("value")).collect()]
    assert (upwards, downwards) == ([1, 3, 0, 4, 2], [2, 4, 0, 3, 1])
    listed = F.sort_array(F.collect_list("value"))
    *numbers, last = frame.agg(listed).first()[0]
    assert (numbers, isnan(last)) == ([-inf, 1.0, inf], True)


def test_whole_numbers_are_as_large_as_they_are(spark):
    """The largest sum that `exact_mean` may come to, and hours in microseconds."""
    frame = frame_of(spark, [9 * 10**18, 2 * 10**17], "bigint")
    assert frame.agg(F.sum("value")).first()[0] == 9_200_000_000_000_000_000


# --- texts of inputs ----------------------------------------------------------------------------


def test_a_customer_number_stands_behind_three_digits_or_what_is_none(spark):
    texts = ["1000042", "ABx0042", "\u00e4\u00f6x7", "A12B7", "AB10042", "a\nx1", "a\u2028x1"]
    found = answers(spark, texts, "string", customer_number(value(), 3).isNotNull())
    assert found == [True] * 3 + [False] * 4


def test_blanks_of_unicode_and_what_is_not_seen_are_no_part_of_a_text(spark):
    texts = ["\t\x001A \u00a0", "\ufeff1A\u200b", "1 A", " \u3000"]
    assert answers(spark, texts, "string", trimmed(value())) == ["1A", "1A", "1 A", ""]


def test_characters_are_those_of_unicode(spark):
    every = F.regexp_extract_all(value(), F.lit("(?s)."), 0)
    assert answers(spark, ["a\u00e4\n\U0001f600"], "string", every) == [
        ["a", "\u00e4", "\n", "\U0001f600"]
    ]


# --- times --------------------------------------------------------------------------------------

TIMES = {
    # In UTC, and by the clocks of Berlin, which are set forward at 2026-03-29 02:00 and back at
    # 2026-10-25 03:00.
    "2026-03-01 24:00": (micros(2026, 3, 2), micros(2026, 3, 1, 23)),
    "2026-07-01 24:00:00": (micros(2026, 7, 2), micros(2026, 7, 1, 22)),
    "2026-03-29 02:30": (micros(2026, 3, 29, 2, 30), None),
    "2026-03-29T03:30:00.25": (
        micros(2026, 3, 29, 3, 30) + 250_000,
        micros(2026, 3, 29, 1, 30) + 250_000,
    ),
    "2026-10-25 02:30": (micros(2026, 10, 25, 2, 30), micros(2026, 10, 25, 0, 30)),
    "2026-10-25 02:30+01:00": (micros(2026, 10, 25, 1, 30),) * 2,
    "2026-07-01 24:00+02:00": (micros(2026, 7, 1, 22),) * 2,
    "2026-07-01 9:05 Z": (micros(2026, 7, 1, 9, 5),) * 2,
    "1767225600": (micros(2026, 1, 1),) * 2,
    "1767225600123": (micros(2026, 1, 1) + 123_000,) * 2,
    "2026-02-30 10:00": (None, None),
    "2026-07-01 24:01": (None, None),
    "10:00": (None, None),
}


@pytest.mark.parametrize(("place", "zone"), [(0, "UTC"), (1, "Europe/Berlin")])
def test_a_time_is_an_instant_in_its_zone(spark, place, zone):
    found = answers(spark, [*TIMES], "string", F.unix_micros(instant(value(), zone)))
    assert dict(zip(TIMES, found, strict=True)) == {
        time: instants[place] for time, instants in TIMES.items()
    }


def test_an_hour_is_there_twice_where_clocks_are_set_back(spark):
    zone = "Europe/Berlin"
    times = ["2026-10-25 02:30", "2026-10-25 02:30+01:00", "2026-10-25 01:59"]
    of_zone = instant(value(), zone)
    assert answers(spark, times, "string", later_by(of_zone, zone)) == [60, None, None]
    assert answers(spark, times, "string", is_doubled(of_zone, zone)) == [True, True, False]
    # On Lord Howe Island it is half an hour.
    zone = "Australia/Lord_Howe"
    later = later_by(instant(value(), zone), zone)
    assert answers(spark, ["2026-04-05 01:45", "2026-04-05 01:15"], "string", later) == [30, None]


def test_the_text_of_an_instant_is_in_utc(spark):
    assert answers(spark, ["2026-10-25 02:30+02:00"], "string", utc_text(instant(value()))) == [
        "2026-10-25 00:30:00"
    ]


# --- structs and frames -------------------------------------------------------------------------


def test_a_missing_struct_has_no_fields(spark):
    """Whether it was missing from the start, or was made so by a condition."""
    structs = [("x",), None, ("y",)]
    type_ = "struct<name:string>"
    assert answers(spark, structs, type_, field(value(), "name")) == ["x", None, "y"]
    chosen = F.when(F.col("place") > 0, value()).alias("chosen")
    named = frame_of(spark, structs, type_).select("place", chosen)
    rows = named.select("place", field(F.col("chosen"), "name").alias("name")).collect()
    assert sorted(rows) == [(0, None), (1, None), (2, "y")]
    opened = let(F.when(F.col("place") > 0, value()), lambda one: one)["name"]
    assert answers(spark, [("x",), ("y",)], type_, opened) == [None, "y"]


def test_a_column_that_a_frame_lacks_has_its_fields_all_the_same(spark):
    structs = frame_of(spark, [("x",)], "struct<name:string>")
    rows = union([spark.range(1), structs], allow_missing=True).select("id", "value.name").collect()
    assert {(row.id, row.name) for row in rows} == {(0, None), (None, "x")}
    # Names that differ in case are one.
    upper = structs.withColumnRenamed("value", "VALUE")
    assert union([structs, upper], allow_missing=True).columns == ["place", "value"]


# --- pseudonyms ---------------------------------------------------------------------------------


def test_a_pseudonym_is_the_hmac_of_a_number(spark):
    """As `printf 42 | openssl dgst -sha256 -hmac 0123456789abcdef` has it; Python has the same."""
    key = b"0123456789abcdef"
    frame = spark.createDataFrame([(42,), (None,)], "customerID bigint")
    blocks = spark.createDataFrame([key_blocks(key)], KEY_BLOCKS)
    found = {row.customerID for row in hash_customers(frame, blocks).collect()}
    assert found == {hmac.new(key, b"42", hashlib.sha256).hexdigest(), None}


def test_rows_are_spread_by_the_same_hash(spark):
    """Of two columns; NULL leaves the hash as it is."""
    rows = [("1A", 7), ("\u00e4", None), (None, None)]
    frame = spark.createDataFrame(rows, "name string, number bigint")
    hashes = [row[0] for row in frame.select(F.xxhash64("name", "number")).collect()]
    alone = [row[0] for row in frame.select(F.xxhash64("name")).collect()]
    assert alone == [7612632227366639161, 7417751083862048809, 42]
    assert hashes[1:] == alone[1:]
