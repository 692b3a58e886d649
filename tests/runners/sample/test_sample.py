"""The made-up inputs: exact schemas, the same rows whatever the partitioning, sound values."""

from collections.abc import Callable, Iterator
from math import log
from pathlib import Path
from statistics import median, stdev
from typing import Any

import pytest
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import AnomalyError
from runners import sample
from runners.sample import writing

pytestmark = pytest.mark.slow

SEED = 7

CUSTOMERS_SCHEMA = (
    "Index bigint, customerID string, gender string, SeniorCitizen bigint, Partner string, "
    "Dependents string, tenure bigint, PhoneService string, MultipleLines string, "
    "InternetService string, OnlineSecurity string, OnlineBackup string, "
    "DeviceProtection string, TechSupport string, StreamingTV string, StreamingMovies string, "
    "Contract string, PaperlessBilling string, PaymentMethod string, MonthlyCharges double, "
    "TotalCharges string, Churn bigint, CellTower string"
)

SAMPLES_SCHEMA = (
    "Time string, CellName string, PRBUsageUL double, PRBUsageDL double, meanThr_DL double, "
    "meanThr_UL double, maxThr_DL double, maxThr_UL double, meanUE_DL double, meanUE_UL double, "
    "maxUE_DL int, maxUE_UL int, maxUE_UL+DL int, Unusual int, Band string"
)

CALL_STATISTICS_SCHEMA = (
    "rev_Mean double, mou_Mean double, totmrc_Mean double, da_Mean double, ovrmou_Mean double, "
    "ovrrev_Mean double, vceovr_Mean double, datovr_Mean double, roam_Mean double, "
    "change_mou double, change_rev double, drop_vce_Mean double, drop_dat_Mean double, "
    "blck_vce_Mean double, blck_dat_Mean double, unan_vce_Mean double, unan_dat_Mean double, "
    "plcd_vce_Mean double, plcd_dat_Mean double, recv_vce_Mean double, recv_sms_Mean double, "
    "comp_vce_Mean double, comp_dat_Mean double, custcare_Mean double, ccrndmou_Mean double, "
    "cc_mou_Mean double, inonemin_Mean double, threeway_Mean double, mou_cvce_Mean double, "
    "mou_cdat_Mean double, mou_rvce_Mean double, owylis_vce_Mean double, mouowylisv_Mean double, "
    "iwylis_vce_Mean double, mouiwylisv_Mean double, peak_vce_Mean double, peak_dat_Mean double, "
    "mou_peav_Mean double, mou_pead_Mean double, opk_vce_Mean double, opk_dat_Mean double, "
    "mou_opkv_Mean double, mou_opkd_Mean double, drop_blk_Mean double, attempt_Mean double, "
    "complete_Mean double, callfwdv_Mean double, callwait_Mean double, churn bigint, "
    "months bigint, uniqsubs bigint, actvsubs bigint, new_cell string, crclscod string, "
    "asl_flag string, totcalls bigint, totmou double, totrev double, adjrev double, "
    "adjmou double, adjqty bigint, avgrev double, avgmou double, avgqty double, avg3mou bigint, "
    "avg3qty bigint, avg3rev bigint, avg6mou bigint, avg6qty bigint, avg6rev bigint, "
    "prizm_social_one string, area string, dualband string, refurb_new string, "
    "hnd_price double, phones bigint, models bigint, hnd_webcap string, truck bigint, rv bigint, "
    "ownrent string, lor bigint, dwlltype string, marital string, adults bigint, "
    "infobase string, income bigint, numbcars bigint, HHstatin string, dwllsize string, "
    "forgntvl bigint, ethnic string, kid0_2 string, kid3_5 string, kid6_10 string, "
    "kid11_15 string, kid16_17 string, creditcd string, eqpdays bigint, Customer_ID bigint"
)

# How many times the usual of its band a faulty cell has: more than the first, less than the second.
# The load of one cell is not that of the next, so an ordinary cell is not exactly at 1.
ORDINARY = (0.5, 2.0)
LOW_THROUGHPUT = dict.fromkeys(("meanThr_DL", "meanThr_UL", "maxThr_DL", "maxThr_UL"), (0.07, 0.2))
EFFECTS: dict[str, dict[str, tuple[float, float]]] = {
    "congestion": {
        "PRBUsageDL": (10, 100),
        "PRBUsageUL": (5, 20),
        "meanUE_DL": (3, 5.5),
        "meanUE_UL": (3, 5.5),
        **dict.fromkeys(LOW_THROUGHPUT, (0.2, 0.6)),
    },
    "sleeping_cell": {
        "PRBUsageDL": (0.01, 0.06),
        "PRBUsageUL": (0.01, 0.06),
        "meanUE_DL": (0.01, 0.04),
        "meanUE_UL": (0.01, 0.04),
        **dict.fromkeys(LOW_THROUGHPUT, (0.004, 0.04)),
    },
    "uplink_interference": {
        "PRBUsageUL": (4, 20),
        "meanThr_UL": (0.08, 0.3),
        "maxThr_UL": (0.08, 0.3),
    },
    "call_drops": {"voice_dropped": (5, 8), "data_dropped": (4, 9)},
    "throughput_collapse": LOW_THROUGHPUT,
    "blocked_calls": {"voice_blocked": (4.5, 8), "data_blocked": (3.5, 9)},
    "calls_not_completed": {"incomplete": (2.3, 3.7)},
    "stopped_sending": {"samples": (0.3, 0.4)},
}
SAMPLE_MEASURES = (
    "PRBUsageUL", "PRBUsageDL", "meanThr_DL", "meanThr_UL", "maxThr_DL", "maxThr_UL",
    "meanUE_DL", "meanUE_UL",
)  # fmt: skip
CALL_MEASURES = ("voice_dropped", "data_dropped", "voice_blocked", "data_blocked", "incomplete")
MEASURES = (*SAMPLE_MEASURES, "samples", *CALL_MEASURES)
PER_BLOCK = ("per_block_dl", "per_block_ul")

Cells = list[dict[str, Any]]

TABLES = {
    "customers": (sample.customers, CUSTOMERS_SCHEMA),
    "samples": (sample.samples, SAMPLES_SCHEMA),
    "call_statistics": (sample.call_statistics, CALL_STATISTICS_SCHEMA),
}


@pytest.fixture(scope="module", autouse=True)
def quick_plans(spark: SparkSession) -> Iterator[None]:
    with sample.short_methods(spark):
        yield


@pytest.fixture(scope="module")
def written(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sample of scale 1 on disk, for all tests that look at values."""
    out = tmp_path_factory.mktemp("sample")
    sample.write_sample(spark, 1, SEED, str(out), "parquet")
    return out


def read(spark: SparkSession, written: Path, name: str) -> DataFrame:
    if name == "truth":
        return spark.read.csv(str(written / "truth.csv"), header=True)
    return spark.read.parquet(str(written / name))


@pytest.fixture(scope="module")
def cells(spark: SparkSession, written: Path) -> Cells:
    """Each sampled cell: its band, its fault (None where healthy), its means and its call rates."""
    by_cell = read(spark, written, "samples").groupBy(F.col("CellName").alias("name"))
    measured = by_cell.agg(
        F.max("Band").alias("band"),
        F.countDistinct("Band").alias("bands"),
        F.count("*").alias("samples"),
        *(F.avg(measure).alias(measure) for measure in SAMPLE_MEASURES),
        (F.avg("meanThr_DL") / F.avg("PRBUsageDL")).alias("per_block_dl"),
        (F.avg("meanThr_UL") / F.avg("PRBUsageUL")).alias("per_block_ul"),
    )
    truth = read(spark, written, "truth").select(F.col("CellName").alias("name"), "fault")
    rows = measured.join(truth, "name", "left").join(call_rates(spark, written), "name", "left")
    found = [row.asDict() for row in rows.collect()]
    assert {cell["bands"] for cell in found} == {1}
    return found


def call_rates(spark: SparkSession, written: Path) -> DataFrame:
    """Of the customers of each cell: mean calls of a row, and shares of those attempted."""
    calls = read(spark, written, "call_statistics")
    customers = read(spark, written, "customers")
    known = calls.join(customers, customer_number() == F.col("Index"))
    return known.groupBy(F.col("CellTower").alias("name")).agg(
        F.expr("avg(attempt_Mean) as calls"),
        F.expr("sum(drop_vce_Mean) / sum(plcd_vce_Mean) as voice_dropped"),
        F.expr("sum(drop_dat_Mean) / sum(plcd_dat_Mean) as data_dropped"),
        F.expr("sum(blck_vce_Mean) / sum(plcd_vce_Mean) as voice_blocked"),
        F.expr("sum(blck_dat_Mean) / sum(plcd_dat_Mean) as data_blocked"),
        F.expr("1 - sum(complete_Mean) / sum(attempt_Mean) as incomplete"),
    )


def usual(cells: Cells, measure: str, band: str) -> float:
    """The median of the healthy cells of a band; those without customers have no calls."""
    return median(
        cell[measure]
        for cell in cells
        if cell["fault"] is None and cell["band"] == band and cell[measure] is not None
    )


def customer_number() -> Column:
    return F.expr("cast(substring(cast(Customer_ID as string), 4) as bigint)")


def content(table: DataFrame) -> list[tuple[int, str]]:
    """Number of rows and a sum of row hashes: equal for equal rows in any order."""
    columns = [F.col(f"`{name}`") for name in table.columns]
    row_hash = F.xxhash64(*columns).cast("decimal(38,0)")
    return [(row[0], str(row[1])) for row in table.agg(F.count("*"), F.sum(row_hash)).collect()]


def schema_text(table: DataFrame) -> str:
    return ", ".join(f"{f.name} {f.dataType.simpleString()}" for f in table.schema.fields)


@pytest.mark.parametrize("name", TABLES)
def test_schema_is_exact_and_rows_depend_on_the_seed_alone(
    spark: SparkSession, written: Path, name: str
) -> None:
    make: Callable[..., DataFrame]
    make, schema = TABLES[name]
    reference = read(spark, written, name)
    repartitioned = make(spark, 1, SEED, partitions=3)
    other_seed = make(spark, 1, SEED + 1).select(*reference.columns[:3])
    assert schema_text(repartitioned) == schema
    assert content(repartitioned) == content(reference)
    assert content(other_seed) != content(reference.select(*other_seed.columns))


def test_customers_are_unique_and_spread_over_their_cells(
    spark: SparkSession, written: Path
) -> None:
    customers = read(spark, written, "customers")
    per_cell = customers.groupBy("CellTower").count()
    (counts,) = customers.agg(
        F.count("*").alias("rows"),
        F.countDistinct("Index").alias("numbers"),
        F.countDistinct("customerID").alias("texts"),
        F.max("Index").alias("greatest"),
        F.sum(F.expr("int(trim(TotalCharges) = '')")).alias("blanks"),
        F.sum(F.expr(r"int(customerID rlike '^[0-9]{4}-[A-Z]{5}$')")).alias("well_formed"),
    ).collect()
    (cells,) = per_cell.agg(F.count("*"), F.min("count"), F.max("count")).collect()
    assert counts.rows == counts.numbers == counts.texts == counts.well_formed == 4_930
    assert 6_900 < counts.greatest < 7_050
    assert 0 < counts.blanks < 25
    assert cells[0] == 48
    assert cells[1] > 40
    assert cells[2] > 1.5 * cells[1]


def test_samples_hold_together(spark: SparkSession, written: Path) -> None:
    samples = read(spark, written, "samples")
    wrong = F.expr(
        "meanThr_DL > maxThr_DL or meanThr_UL > maxThr_UL or meanUE_DL > maxUE_DL"
        " or meanUE_UL > maxUE_UL or `maxUE_UL+DL` != maxUE_UL + maxUE_DL"
        " or PRBUsageUL not between 0 and 100 or PRBUsageDL not between 0 and 100"
        " or least(meanThr_DL, meanThr_UL, meanUE_DL, meanUE_UL, maxUE_DL, maxUE_UL) < 0"
    )
    (figures,) = samples.agg(
        F.count("*").alias("rows"),
        F.countDistinct("CellName").alias("cells"),
        F.countDistinct("CellName", "Time").alias("slots"),
        F.sum(wrong.cast("int")).alias("wrong"),
        F.avg(F.col("PRBUsageUL").isNull().cast("int")).alias("missing"),
        F.corr("PRBUsageDL", "meanUE_DL").alias("together"),
        F.avg(F.expr("if(Time like '20:%', meanThr_DL, null)")).alias("evening"),
        F.avg(F.expr("if(Time like '04:%', meanThr_DL, null)")).alias("night"),
    ).collect()
    # 32 cells on twelve days and one on four; about 29 in a thousand rows are lost.
    assert abs(figures.rows - 0.971 * 96 * (32 * 12 + 4)) < 200
    assert (figures.cells, figures.slots) == (33, 33 * 96)
    assert figures.wrong == 0
    assert 0.001 < figures.missing < 0.004
    assert figures.together > 0.5
    assert figures.evening > 3 * figures.night


def test_call_statistics_hold_together(spark: SparkSession, written: Path) -> None:
    calls = read(spark, written, "call_statistics")
    wrong = F.expr(
        "comp_vce_Mean > plcd_vce_Mean or comp_dat_Mean > plcd_dat_Mean"
        " or abs(peak_vce_Mean + opk_vce_Mean - comp_vce_Mean - recv_vce_Mean) > 1e-6"
        " or abs(peak_dat_Mean + opk_dat_Mean - comp_dat_Mean) > 1e-6"
        " or abs(drop_blk_Mean - drop_vce_Mean - drop_dat_Mean - blck_vce_Mean - blck_dat_Mean)"
        " > 1e-6 or drop_vce_Mean > comp_vce_Mean or drop_dat_Mean > comp_dat_Mean"
        " or blck_vce_Mean + unan_vce_Mean > plcd_vce_Mean - comp_vce_Mean + 1e-6"
        " or blck_dat_Mean + unan_dat_Mean > plcd_dat_Mean - comp_dat_Mean + 1e-6"
        " or least(drop_dat_Mean, blck_dat_Mean, opk_vce_Mean, opk_dat_Mean) < 0"
    )
    (figures,) = calls.agg(
        F.count("*").alias("rows"),
        F.sum(wrong.cast("int")).alias("wrong"),
        F.avg(F.expr("int(plcd_dat_Mean = 0)")).alias("without_data"),
        F.avg(F.expr("int(roam_Mean is null)")).alias("missing"),
        F.min("Customer_ID").alias("least"),
        F.max("Customer_ID").alias("greatest"),
    ).collect()
    assert (figures.rows, figures.wrong) == (100_000, 0)
    assert 0.8 < figures.without_data < 0.95
    assert 0.001 < figures.missing < 0.01
    assert figures.least >= 1_000_000
    assert figures.greatest < 1_010_000


def test_nearly_all_customers_have_calls(spark: SparkSession, written: Path) -> None:
    customers = read(spark, written, "customers")
    calls = read(spark, written, "call_statistics")
    per_number = calls.groupBy(customer_number().alias("number")).agg(F.count("*").alias("rows"))
    (figures,) = (
        per_number.join(customers, F.col("number") == F.col("Index"), "full")
        .agg(
            F.sum(F.expr("int(number is null)")).alias("silent"),
            F.sum(F.expr("if(Index is null, rows, 0)")).alias("unknown"),
            F.avg(F.expr("if(Index is null, null, rows)")).alias("mean"),
        )
        .collect()
    )
    assert 0.01 * 4_930 < figures.silent < 0.06 * 4_930
    assert 0 < figures.unknown < 2_000
    assert 15 < figures.mean < 25


def test_truth_names_one_cell_of_each_fault(spark: SparkSession, written: Path) -> None:
    truth = read(spark, written, "truth")
    rows = truth.collect()
    sampled = read(spark, written, "samples").select("CellName").distinct()
    shared = sampled.join(
        read(spark, written, "customers"), F.col("CellName") == F.col("CellTower"), "left_semi"
    )
    assert truth.columns == ["CellName", "fault", "detail"]
    assert sorted(row.fault for row in rows) == sorted(EFFECTS)
    assert len({row.CellName for row in rows} & {row.CellName for row in shared.collect()}) == 8
    assert len({row.detail for row in rows}) == 8
    assert all(" " in row.detail for row in rows)


@pytest.mark.parametrize("fault", EFFECTS)
def test_a_fault_shows_in_what_it_changes_and_nowhere_else(cells: Cells, fault: str) -> None:
    (faulty,) = (cell for cell in cells if cell["fault"] == fault)
    against_band = {
        measure: faulty[measure] / usual(cells, measure, faulty["band"]) for measure in MEASURES
    }
    expected = {measure: EFFECTS[fault].get(measure, ORDINARY) for measure in MEASURES}
    wrong = {
        measure: (ratio, expected[measure])
        for measure, ratio in against_band.items()
        if not expected[measure][0] < ratio < expected[measure][1]
    }
    assert wrong == {}


def test_the_cell_that_stopped_sending_has_few_samples_in_every_quarter_hour(
    spark: SparkSession, written: Path, cells: Cells
) -> None:
    (name,) = (cell["name"] for cell in cells if cell["fault"] == "stopped_sending")
    samples = read(spark, written, "samples")
    of_slots = samples.where(F.col("CellName") == name).groupBy("Time").count()
    (figures,) = of_slots.agg(F.count("*"), F.min("count"), F.max("count")).collect()
    # Four days of twelve; now and then one is lost, or one comes twice.
    assert figures[0] == 96
    assert figures[1] >= 2
    assert figures[2] <= 6


def test_healthy_cells_differ_but_none_looks_faulty(cells: Cells) -> None:
    healthy = [cell for cell in cells if cell["fault"] is None]
    resource_blocks = [cell["PRBUsageUL"] for cell in healthy]
    assert len(healthy) == 25
    assert max(resource_blocks) > 3 * min(resource_blocks)
    assert max(max(cell["PRBUsageUL"], cell["PRBUsageDL"]) for cell in healthy) < 60
    for measure in ("calls", "voice_dropped", "voice_blocked", "incomplete"):
        logs = [
            log(cell[measure] / usual(cells, measure, cell["band"]))
            for cell in healthy
            if cell[measure] is not None
        ]
        assert 0.06 < stdev(logs) < 0.25
        assert max(map(abs, logs)) < log(2)


def test_bands_differ_as_a_whole(cells: Cells) -> None:
    low, high = (
        {measure: usual(cells, measure, band) for measure in (*MEASURES, *PER_BLOCK)}
        for band in ("L800", "L1800")
    )
    of_low_band = {cell["name"] for cell in cells if cell["band"] == "L800"}
    assert of_low_band == set(
        "1ALTE 1BLTE 1CLTE 2ALTE 3ALTE 3BLTE 3CLTE 4ALTE 4BLTE 4CLTE 5ALTE 5BLTE 5CLTE".split()
    )
    assert low["meanUE_DL"] == pytest.approx(1.8 * high["meanUE_DL"], rel=0.25)
    assert low["meanUE_UL"] == pytest.approx(1.8 * high["meanUE_UL"], rel=0.25)
    assert low["PRBUsageDL"] == pytest.approx(1.6 * high["PRBUsageDL"], rel=0.4)
    assert low["PRBUsageUL"] == pytest.approx(1.6 * high["PRBUsageUL"], rel=0.4)
    for measure in PER_BLOCK:
        assert low[measure] == pytest.approx(0.5 * high[measure], rel=0.15)
        worst_high = min(
            cell[measure] for cell in cells if cell["band"] == "L1800" and cell["fault"] is None
        )
        # Over all cells a sound cell of the low band would be the worst of all.
        assert low[measure] < 0.8 * worst_high


def test_larger_scale_keeps_the_rules(spark: SparkSession) -> None:
    scale = 3
    customers = sample.customers(spark, scale, SEED)
    (figures,) = customers.agg(
        F.countDistinct("Index"), F.countDistinct("customerID"), F.countDistinct("CellTower")
    ).collect()
    truth = sample.truth(spark, scale, SEED)
    known = truth.join(customers, F.col("CellName") == F.col("CellTower"), "left_semi")
    calls = sample.call_statistics(spark, scale, SEED).select("Customer_ID")
    joined = calls.where(F.col("Customer_ID") % 10 == 1).join(
        customers, customer_number() == F.col("Index"), "left"
    )
    (calls_figures,) = joined.agg(
        F.min(F.expr("cast(Customer_ID as string) like '100%'")),
        F.avg(F.col("Index").isNull().cast("int")),
    ).collect()
    assert tuple(figures) == (4_930 * scale, 4_930 * scale, 48 * scale)
    assert known.distinct().count() == 8 * scale
    assert calls_figures[0]
    assert calls_figures[1] < 0.03


def test_every_unit_has_the_bands_of_its_first_sites(spark: SparkSession) -> None:
    named = sample.samples(spark, 2, SEED).select("CellName", "Band").distinct().collect()
    sites = {(int(row.CellName[:-4]), row.Band) for row in named}
    low = {*range(1, 6), *range(11, 16)}
    assert sites == {(site, "L800" if site in low else "L1800") for site in range(1, 21)}


def test_writing_twice_gives_one_plain_truth_file(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for heavy in ("customers", "call_statistics"):
        monkeypatch.setattr(writing, heavy, sample.truth)
    for _ in range(2):
        sample.write_sample(spark, 1, SEED, str(tmp_path), "csv")
    names = sorted(path.name for path in tmp_path.iterdir())
    truth = (tmp_path / "truth.csv").read_text().splitlines()
    part = next((tmp_path / "samples").glob("[!._]*.csv"))
    header = part.read_text().splitlines()[0].split(",")
    assert names == ["call_statistics", "customers", "samples", "truth.csv"]
    assert truth[0] == "CellName,fault,detail"
    assert len(truth) == 9
    assert header == [field.split()[0] for field in SAMPLES_SCHEMA.split(", ")]


@pytest.mark.parametrize(("scale", "file_format"), [(0, "csv"), (1, "xml")])
def test_wrong_requests_are_refused(
    spark: SparkSession, tmp_path: Path, scale: int, file_format: str
) -> None:
    with pytest.raises(AnomalyError):
        sample.write_sample(spark, scale, SEED, str(tmp_path), file_format)
