"""Each step alone, on frames with columns of any name."""

import re
import statistics

import pytest
from pyspark.sql import functions as F

from anomaly import (
    ConfigurationError,
    InputError,
    above,
    average_kpis,
    below,
    by_factor,
    clean_samples,
    either_side,
    explain_flags,
    flag_outliers,
    mean,
    mean_std,
    median_iqr,
    median_mad,
    peer_baselines,
    quantile,
    static,
)

LOAD = "PRB.load (%)"
FLAG = f"{LOAD}_flag"
TYPES = f"site string, vendor string, `{LOAD}` double"


def of_two_vendors(spark):
    """Ten sites of A with loads from 1 to 10, ten of B from 101 to 110, and a sick one of each."""
    rows = [
        (f"{vendor}{n}", vendor, float(start + n))
        for vendor, start in (("A", 0), ("B", 100))
        for n in range(1, 11)
    ]
    return spark.createDataFrame([*rows, ("A sick", "A", 60.0), ("B sick", "B", 160.0)], TYPES)


@pytest.fixture
def with_ansi(spark):
    """Spark refuses a number that is too large, as version 4 does by default."""
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", "true")
    yield
    spark.conf.set("spark.sql.ansi.enabled", before)


def flagged_sites(flagged):
    return {row.site for row in flagged.collect() if row[FLAG] == 1}


# --- cleaning and averages ----------------------------------------------------------------------


def test_samples_of_any_columns_are_cleaned_as_a_run_cleans_them(spark):
    raw = spark.createDataFrame(
        [
            ("2026-03-01 10:00", "1A", " 5 ", "x"),
            ("2026-03-01 10:00", "1A", "5", "x"),
            ("2026-03-01 10:15", "1A", "N/A", "x"),
            ("2026-03-01 10:15", "2B", "7", "x"),
            ("2026-03-01 10:15", "2B", "8", "x"),
            ("25:00", "2B", "7", "x"),
            ("2026-03-01 10:30", " ", "7", "x"),
        ],
        f"ts string, `Cell Id` string, `{LOAD}` string, note string",
    )
    clean = clean_samples(raw, kpis=[LOAD], cell="Cell Id", time="ts")
    assert clean.columns == ["Cell Id", "ts", LOAD]
    rows = clean.select(F.date_format("ts", "HH:mm"), "Cell Id", f"`{LOAD}`").collect()
    # One of two copies; not the two that contradict each other, nor what has no time or cell.
    assert sorted(map(tuple, rows)) == [("10:00", "1A", 5.0), ("10:15", "1A", None)]


def test_without_a_time_each_row_with_a_cell_counts(spark):
    raw = spark.createDataFrame([("1A", "1"), ("1A", "1"), (None, "1")], "cell string, load string")
    rows = clean_samples(raw, kpis=["load"], cell="cell").collect()
    assert [tuple(row) for row in rows] == [("1A", 1.0)] * 2


def test_means_are_the_same_however_rows_are_split_and_say_of_how_many_they_are(spark):
    numbers = [0.1, 0.2, 0.3, 1e9, 7.7]
    rows = [("s", "A", number) for number in numbers] + [("s", "B", None), ("t", "B", 4.0)]
    frame = spark.createDataFrame(rows, TYPES)
    first, second = (
        sorted(map(tuple, average_kpis(frame.repartition(n), by=["vendor"], kpis=[LOAD]).collect()))
        for n in (1, 3)
    )
    assert first == second
    assert first == [("A", 5, pytest.approx(statistics.fmean(numbers), rel=1e-12)), ("B", 2, 4.0)]


# --- thresholds ---------------------------------------------------------------------------------


def test_outliers_are_flagged_among_all_rows_or_among_those_alike(spark):
    frame = of_two_vendors(spark)
    judged = {LOAD: above(median_iqr(k=3))}
    # Among all, half of the loads lie around 5 and half around 105: nothing is far from both.
    assert flagged_sites(flag_outliers(frame, kpis=judged)) == set()
    among_alike = frame.transform(flag_outliers, kpis=judged, by=["vendor"])
    assert flagged_sites(among_alike) == {"A sick", "B sick"}
    assert among_alike.columns == ["site", "vendor", LOAD, FLAG, "evidence"]
    assert among_alike.count() == frame.count()


def test_a_group_that_is_too_small_or_unknown_is_compared_with_all_rows(spark):
    frame = of_two_vendors(spark).union(
        spark.createDataFrame([("C1", "C", 1000.0), ("?", None, 1000.0), ("-", "", 5.0)], TYPES)
    )
    found = flag_outliers(frame, kpis={LOAD: above(median_iqr(k=3))}, by=["vendor"])
    counts = {row.site: row.evidence[0].baseline_count for row in found.collect()}
    assert [counts[site] for site in ("A sick", "B sick", "C1", "?", "-")] == [11, 11, 25, 25, 25]
    assert flagged_sites(found) == {"A sick", "B sick", "C1", "?"}


def test_several_columns_tell_like_rows_apart_and_a_missing_value_is_not_judged(spark):
    rows = [
        (f"s{n}", vendor, band, float(n)) for n in range(9) for vendor in "AB" for band in (1, 2)
    ]
    rows.append(("none", "A", 1, None))
    frame = spark.createDataFrame(rows, "site string, vendor string, band int, load double")
    found = flag_outliers(frame, kpis={"load": below(static(2.0))}, by=["vendor", "band"])
    flags = {row.site: row.load_flag for row in found.collect()}
    assert flags == {f"s{n}": int(n < 2) for n in range(9)} | {"none": None}
    (missing,) = explain_flags(found.where("site = 'none'"), keys=["site"]).collect()
    assert (missing.site, missing.kpi, missing.flag, missing.status) == (
        "none", "load", None, "NO_DATA",
    )  # fmt: skip
    around_median = {"load": either_side(quantile(0.5), ignore_below=1)}
    baselines = peer_baselines(frame, kpis=around_median, by=["vendor", "band"])
    found = {row.peers for row in baselines.collect()}
    assert found == {None, "A 1", "A 2", "B 1", "B 2"}


def test_baselines_tell_what_is_usual_of_each_group_and_kpi(spark):
    frame = of_two_vendors(spark).withColumn("double", 2 * F.col(f"`{LOAD}`"))
    judged = {LOAD: above(median_iqr(k=2)), "double": below(mean())}
    found = {
        (row.peers, row.kpi): row
        for row in peer_baselines(frame, kpis=judged, by=["vendor"]).collect()
    }
    assert set(found) == {(peers, kpi) for peers in (None, "A", "B") for kpi in judged}
    # Of 1 to 10 and 60: the median is 6, the quartiles are 3.5 and 8.5.
    load = found["A", LOAD]
    spread = (8.5 - 3.5) / 1.349
    assert (load["count"], load.baseline) == (11, 6.0)
    assert load.spread == pytest.approx(spread)
    assert (load.above, load.below) == (pytest.approx(6 + 2 * spread), None)
    mean_of_b = 2 * (sum(range(101, 111)) + 160) / 11
    double = found["B", "double"]
    assert (double.spread, double.above) == (None, None)
    assert (double.baseline, double.below) == pytest.approx((mean_of_b, mean_of_b))


@pytest.mark.parametrize("other", [mean(), mean_std(k=2)], ids=["mean", "mean_std"])
def test_values_too_large_to_be_added_up_are_found_beside_a_mean(spark, with_ansi, other):
    ranked = {
        "iqr": (median_iqr(k=2), 6.5e30),
        "mad": (median_mad(k=2), 6.5e30),
        "quantile": (quantile(0.5), 6.5e30),
        "static": (static(3e30), 3e30),
    }
    columns = ", ".join(f"{name} double" for name in (*ranked, "small"))
    rows = [(*[n * 1e30] * len(ranked), float(n)) for n in range(1, 13)]
    judged = {name: above(method) for name, (method, _) in ranked.items()}
    limits = peer_baselines(
        spark.createDataFrame(rows, columns), kpis=judged | {"small": above(other)}
    )
    found = {row.kpi: row.baseline for row in limits.collect()}
    expected = {name: centre for name, (_, centre) in ranked.items()} | {"small": 6.5}
    assert found == pytest.approx(expected)


def test_a_flag_is_explained_in_a_sentence(spark):
    flagged = flag_outliers(
        of_two_vendors(spark), kpis={LOAD: above(median_iqr(k=3))}, by=["vendor"]
    )
    explained = explain_flags(flagged, keys=["site", "vendor"])
    row = explained.where("site = 'A sick'").first()
    assert (row.vendor, row.kpi, row.status, row.flag, row.value) == ("A", LOAD, "CRIT", 1, 60.0)
    assert row.reason == (f"{LOAD} is 60 against the usual 6 (median of 11 A cells, limit 17.1)")
    assert explained.count() == 22


def test_factors_count_on_logarithms(spark):
    rows = [(f"s{n}", "A", value) for n, value in enumerate([9.0, 10.0, 11.0] * 4 + [0.5])]
    frame = spark.createDataFrame(rows, TYPES)
    threshold = below(median_iqr(k=5))
    found = flag_outliers(frame, kpis={LOAD: by_factor(threshold, offset=0.1)})
    assert flagged_sites(found) == {"s12"}
    assert flagged_sites(flag_outliers(frame, kpis={LOAD: below(median_iqr(k=20))})) == set()


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "missing"),
    [
        (lambda f: clean_samples(f, kpis=["load"], cell="cell"), "columns cell, load"),
        (lambda f: average_kpis(f, by=["region"], kpis=[LOAD]), "column region"),
        (lambda f: peer_baselines(f, kpis={"load": above(mean())}), "column load"),
        (
            lambda f: flag_outliers(f, kpis={"load": above(mean())}, by=["region"]),
            "columns region, load",
        ),
        (lambda f: explain_flags(f, keys=["site"]), "column evidence"),
    ],
)
def test_a_step_says_which_columns_are_missing_and_which_are_there(spark, step, missing):
    there = re.escape(f"Columns that are there: site, vendor, {LOAD}")
    with pytest.raises(InputError, match=rf"needs the {missing}\. {there}$"):
        step(of_two_vendors(spark))


@pytest.mark.parametrize(
    "step",
    [
        lambda f: average_kpis(f, by=["site"], kpis=["vendor", LOAD]),
        lambda f: peer_baselines(f, kpis={"vendor": above(mean())}),
        lambda f: flag_outliers(f, kpis={"vendor": above(mean())}),
    ],
)
def test_a_step_says_which_columns_hold_no_numbers(spark, step):
    said = r"needs numbers, and vendor is string\. clean_samples reads texts as numbers$"
    with pytest.raises(InputError, match=said):
        step(of_two_vendors(spark))


def test_a_threshold_that_contradicts_itself_is_refused(spark):
    with pytest.raises(ConfigurationError, match="k, warn_k and ignore_below must not be negative"):
        flag_outliers(of_two_vendors(spark), kpis={LOAD: above(median_iqr(k=-1))})
