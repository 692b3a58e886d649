"""Made-up inputs of any size in the exact schemas of the real ones, with known faults.

Every value is a pure function of (seed, key, column): keys are hashed, hashes become uniform and
normal draws. So the rows depend neither on partitioning nor on the order of execution, which
`rand()` cannot promise. One scale unit is as large as the real data: 4,930 customers on 48 cells,
33 cells with about 37,000 samples, 100,000 rows of call statistics, and one cell of each fault.
"""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import exp
from pathlib import Path

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anomaly.errors import ConfigurationError


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CUSTOMERS_PER_UNIT = 4_930
CALL_ROWS_PER_UNIT = 100_000
QUARTER_HOURS = 96
DAYS = 12

# The cells of one unit in three groups. Unit 0 has the names of the real cells; unit n adds ten
# times n to the site number.
SHARED_CELLS = _words(
    "1A 1B 1C 3A 3B 3C 4A 4B 4C 6A 6B 6C 6U 6V 6W 7A 7B 7C 7U 7V 7W 8A 8B 8C 9A 9B 10A 10B 10C"
)
CELLS_WITHOUT_SAMPLES = _words("1U 1V 1W 3U 3V 3W 4U 4V 4W 8U 8V 8W 9C 9U 9V 9W 10U 10V 10W")
CELLS_WITHOUT_CUSTOMERS = _words("2A 5A 5B 5C")
CELLS = [*SHARED_CELLS, *CELLS_WITHOUT_SAMPLES, *CELLS_WITHOUT_CUSTOMERS]
SAMPLED_CELLS_PER_UNIT = len(SHARED_CELLS) + len(CELLS_WITHOUT_CUSTOMERS)
CUSTOMER_CELLS_PER_UNIT = len(SHARED_CELLS) + len(CELLS_WITHOUT_SAMPLES)
SITES_PER_UNIT = 10

# In the order of their codes, which start at 1; code 0 is a healthy cell.
FAULTS = {
    "congestion": "PRB usage and users far too high, throughput low",
    "sleeping_cell": "almost no users and no throughput",
    "uplink_interference": "PRBUsageUL high, meanThr_UL low",
    "call_drops": "the customers of the cell have many dropped and blocked calls",
}
CALL_DROPS = 4
# Distance between the faulty cells of a unit: four of them fit into the shared cells.
FAULT_STRIDE = 7

# What each fault (by code, healthy first) multiplies.
USERS_EFFECT = (1.0, 4.0, 0.02, 1.0, 1.0)
PRB_DL_EFFECT = (1.0, 40.0, 0.03, 1.0, 1.0)
PRB_UL_EFFECT = (1.0, 14.0, 0.03, 12.0, 1.0)
THROUGHPUT_DL_EFFECT = (1.0, 0.35, 0.02, 1.0, 1.0)
THROUGHPUT_UL_EFFECT = (1.0, 0.35, 0.02, 0.15, 1.0)
CALL_TROUBLE = 6.0

MISSING_SHARE = 0.002
KEPT_SHARE = 0.971
REPEATED_SHARE = 0.003
UNUSUAL_SHARE = 0.276
UNKNOWN_CUSTOMER_SHARE = 0.01

# Coprime to the row counts, so that multiplying by it (modulo the count) shuffles the rows.
SHUFFLE_PRIME = 1_000_003
CUSTOMER_ID_PRIME = 73_086_421_411
CUSTOMER_IDS = 10_000 * 26**5

CALL_STATISTICS_COLUMNS = _words("""
rev_Mean mou_Mean totmrc_Mean da_Mean ovrmou_Mean ovrrev_Mean vceovr_Mean datovr_Mean roam_Mean
change_mou change_rev drop_vce_Mean drop_dat_Mean blck_vce_Mean blck_dat_Mean unan_vce_Mean
unan_dat_Mean plcd_vce_Mean plcd_dat_Mean recv_vce_Mean recv_sms_Mean comp_vce_Mean
comp_dat_Mean custcare_Mean ccrndmou_Mean cc_mou_Mean inonemin_Mean threeway_Mean mou_cvce_Mean
mou_cdat_Mean mou_rvce_Mean owylis_vce_Mean mouowylisv_Mean iwylis_vce_Mean mouiwylisv_Mean
peak_vce_Mean peak_dat_Mean mou_peav_Mean mou_pead_Mean opk_vce_Mean opk_dat_Mean mou_opkv_Mean
mou_opkd_Mean drop_blk_Mean attempt_Mean complete_Mean callfwdv_Mean callwait_Mean churn months
uniqsubs actvsubs new_cell crclscod asl_flag totcalls totmou totrev adjrev adjmou adjqty avgrev
avgmou avgqty avg3mou avg3qty avg3rev avg6mou avg6qty avg6rev prizm_social_one area dualband
refurb_new hnd_price phones models hnd_webcap truck rv ownrent lor dwlltype marital adults
infobase income numbcars HHstatin dwllsize forgntvl ethnic kid0_2 kid3_5 kid6_10 kid11_15
kid16_17 creditcd eqpdays Customer_ID
""")

# One hash gives four draws; the names say what each draw decides first.
CALL_DRAWS = (
    ("placed", "completed", "received", "peak"),
    ("dropped", "blocked", "unanswered", "length"),
    ("data_user", "data_volume", "data_quality", "roaming"),
    ("change", "account", "handset", "household"),
)


# --- the four tables ----------------------------------------------------------------------------


def customers(
    spark: SparkSession, scale: int, seed: int, partitions: int | None = None
) -> DataFrame:
    """Return 4,930 customers per scale unit in the 23 columns of the real customer data.

    `partitions` says how many parts (and files) the rows are made in, never which rows.
    """
    total = CUSTOMERS_PER_UNIT * _checked_scale(scale)
    rows = spark.range(0, total, 1, partitions or _parts(scale, 0.1, at_least=1))
    position = _shuffled(F.col("id"), total, seed)
    drawn = rows.select(position.alias("position")).select(
        "position",
        *_customer_place(seed, F.col("position")),
        *(_hash(seed, stream, F.col("position")).alias(stream) for stream in ("person", "plan")),
        _hash(seed, "options", F.col("position")).alias("options"),
    )
    return _contracts(drawn).select(
        _customer_number(seed, F.col("position")).alias("Index"),
        _customer_id_text(seed, total).alias("customerID"),
        *_person_columns(),
        *_service_columns(),
        *_billing_columns(),
        _cell_name(F.col("unit"), F.col("cell")).alias("CellTower"),
    )


def samples(spark: SparkSession, scale: int, seed: int, partitions: int | None = None) -> DataFrame:
    """Return about 37,000 quarter-hour samples per scale unit, in shuffled order.

    As in the real data, a few rows are exact repeats of another. `Unusual` carries no information.
    `partitions` says how many parts (and files) the rows are made in, never which rows.
    """
    total = SAMPLED_CELLS_PER_UNIT * _checked_scale(scale) * QUARTER_HOURS * DAYS
    rows = spark.range(0, total, 1, partitions or _parts(scale, 0.5, at_least=2))
    shuffled = rows.select(_shuffled(F.col("id"), total, seed).alias("position"))
    return _sample_columns(_sample_load(_sample_keys(shuffled, seed), seed))


def call_statistics(
    spark: SparkSession, scale: int, seed: int, partitions: int | None = None
) -> DataFrame:
    """Return 100,000 rows of call statistics per scale unit in the 100 columns of the real file.

    A customer has 20 rows in the mean, at most about 60, and one in forty has none. Voice calls in
    and out of peak hours are those completed and those received, as in the real file.
    `partitions` says how many parts (and files) the rows are made in, never which rows.
    """
    total = CALL_ROWS_PER_UNIT * _checked_scale(scale)
    rows = spark.range(0, total, 1, partitions or _parts(scale, 1.0, at_least=2))
    drawn = _call_draws(_call_keys(rows, scale, seed), seed)
    amounts = _call_money(_call_minutes(_call_counts(drawn)))
    columns = {
        **_money_columns(),
        **_voice_columns(),
        **_data_columns(),
        **_service_use_columns(),
        **_account_columns(),
        **_handset_columns(),
        **_household_columns(),
        "Customer_ID": _call_customer_id(scale),
    }
    return amounts.select(*(columns[name].alias(name) for name in CALL_STATISTICS_COLUMNS))


def truth(spark: SparkSession, scale: int, seed: int) -> DataFrame:
    """Return the faulty cells (CellName, fault, detail): one of each kind per scale unit."""
    rows = spark.range(0, len(FAULTS) * _checked_scale(scale), 1, 1)
    unit = _quotient(F.col("id"), len(FAULTS))
    kind = F.col("id") % len(FAULTS)
    cell = (_first_fault(seed, unit) + kind * FAULT_STRIDE) % len(SHARED_CELLS)
    return rows.select(
        _cell_name(unit, cell).alias("CellName"),
        _item(list(FAULTS), kind).alias("fault"),
        _item(list(FAULTS.values()), kind).alias("detail"),
    )


# --- writing ------------------------------------------------------------------------------------


def write_sample(
    spark: SparkSession, scale: int, seed: int, out: str, file_format: str = "csv"
) -> None:
    """Write customers (always Parquet), samples, call_statistics and truth.csv below `out`.

    What stands under these names is replaced. `truth.csv` is one plain file on a local disk, and
    elsewhere (gs://) a folder of that name with one part.
    """
    if file_format not in ("csv", "parquet"):
        raise ConfigurationError("sample", [f"format is {file_format!r}: give csv or parquet"])
    root = out.rstrip("/")
    with short_methods(spark):
        _write(customers(spark, scale, seed), f"{root}/customers", "parquet")
        _write(samples(spark, scale, seed), f"{root}/samples", file_format)
        _write(call_statistics(spark, scale, seed), f"{root}/call_statistics", file_format)
        _write(truth(spark, scale, seed), f"{root}/truth.csv", "csv")
    _unfold(f"{root}/truth.csv")


@contextmanager
def short_methods(spark: SparkSession) -> Iterator[None]:
    """Have Spark cut its generated code into short methods, until the end of the block.

    The JVM never compiles a method above 8,000 bytes. Spark puts these wide rows into a single one
    by default, which is then interpreted: four to ten times as slow.
    """
    setting = "spark.sql.codegen.hugeMethodLimit"
    before = spark.conf.get(setting)
    spark.conf.set(setting, "8000")
    try:
        yield
    finally:
        spark.conf.set(setting, before or "65535")


def _write(table: DataFrame, path: str, file_format: str) -> None:
    writer = table.write.mode("overwrite").format(file_format)
    if file_format == "csv":
        writer = writer.options(header=True, nullValue="", emptyValue="")
    writer.save(path)


def _unfold(path: str) -> None:
    """Put the one part file of a local folder in the folder's place."""
    folder = Path(path.removeprefix("file://"))
    if not folder.is_dir():
        return
    (part,) = folder.glob("part-*")
    single = part.rename(folder.with_name(f".{folder.name}.part"))
    shutil.rmtree(folder)
    single.rename(folder)


# --- draws --------------------------------------------------------------------------------------


def _checked_scale(scale: int) -> int:
    if scale < 1:
        raise ConfigurationError("sample", [f"scale is {scale}: give a whole number from 1 on"])
    return scale


def _parts(scale: int, per_unit: float, at_least: int) -> int:
    return max(at_least, round(scale * per_unit))


def _hash(seed: int, stream: str, *keys: Column) -> Column:
    return F.xxhash64(F.lit(stream), F.lit(seed % 2**63).cast("long"), *keys)


def _uniform(hashed: Column, slot: int) -> Column:
    """One of the four coarse draws (65,536 steps in [0, 1)) that a hash holds."""
    return F.shiftrightunsigned(hashed, 16 * slot).bitwiseAND(65535) / 65536.0


def _fine_uniform(hashed: Column) -> Column:
    """One draw of 2^40 steps in [0, 1)."""
    return F.pmod(hashed, F.lit(2**40)) / float(2**40)


def _normal(hashed: Column) -> Column:
    """A draw that is nearly standard normal and never beyond 3.5: the sum of four uniform ones."""
    total = sum((_uniform(hashed, slot) for slot in range(1, 4)), _uniform(hashed, 0))
    return (total - 2.0) * 3**0.5


def _again(draw: Column, factor: int) -> Column:
    """A further draw from a draw, for columns that need not be independent of it."""
    return (draw * float(factor)) % 1.0


def _around(draw: Column, width: float) -> Column:
    """A factor around one, from a uniform draw."""
    return F.exp((draw - 0.5) * width)


def _quotient(number: Column, divisor: int) -> Column:
    return _whole(number / divisor)


def _item(values: Sequence[str | float | None], index: Column) -> Column:
    # One expression to parse: a literal for each value would be a call to the JVM for each.
    literals = ", ".join(_sql_literal(value) for value in values)
    return F.element_at(F.expr(f"array({literals})"), (index + 1).cast("int"))


def _sql_literal(value: str | float | None) -> str:
    if value is None:
        return "NULL"
    return f"{value!r}D" if isinstance(value, float) else repr(value)


def _pick(values: Sequence[str | float | None], draw: Column) -> Column:
    return _item(values, _whole(draw * len(values)))


def _chance(draw: Column, share: float) -> Column:
    return F.when(draw < share, "Yes").otherwise("No")


def _whole(number: Column) -> Column:
    return number.cast("long")


def _cut(number: Column, per_one: int = 100) -> Column:
    """Keep two decimals; `round` would make a big decimal of each value."""
    return _whole(number * per_one) / float(per_one)


def _shuffled(number: Column, total: int, seed: int, prime: int = SHUFFLE_PRIME) -> Column:
    """Map 0..total-1 one to one onto itself, out of order."""
    return (number * prime + seed % total) % total


# --- cells --------------------------------------------------------------------------------------


def _cell_name(unit: Column, cell: Column) -> Column:
    site = _item([int(name[:-1]) for name in CELLS], cell) + unit * SITES_PER_UNIT
    return F.concat(site.cast("string"), _item([name[-1] for name in CELLS], cell), F.lit("LTE"))


def _first_fault(seed: int, unit: Column) -> Column:
    return F.pmod(_hash(seed, "faults", unit), F.lit(len(SHARED_CELLS)))


def _fault_code(seed: int, unit: Column, cell: Column) -> Column:
    distance = F.pmod(cell - _first_fault(seed, unit), F.lit(len(SHARED_CELLS)))
    faulty = (
        (cell < len(SHARED_CELLS))
        & (distance % FAULT_STRIDE == 0)
        & (distance < FAULT_STRIDE * len(FAULTS))
    )
    return F.when(faulty, _quotient(distance, FAULT_STRIDE) + 1).otherwise(0).cast("int")


def _effect(multipliers: Sequence[float]) -> Column:
    return _item(multipliers, F.col("fault"))


# --- customers ----------------------------------------------------------------------------------


def _customer_place(seed: int, position: Column) -> tuple[Column, Column]:
    """The unit and the cell of a customer: the head of each unit's cells has twice the crowd."""
    unit = _quotient(position, CUSTOMERS_PER_UNIT)
    crowded_first = F.pow(_fine_uniform(_hash(seed, "place", position)), F.lit(1.2))
    rank = _whole(crowded_first * CUSTOMER_CELLS_PER_UNIT)
    shift = F.pmod(_hash(seed, "crowd", unit), F.lit(CUSTOMER_CELLS_PER_UNIT))
    cell = (rank * 7 + shift) % CUSTOMER_CELLS_PER_UNIT
    return unit.alias("unit"), cell.alias("cell")


def _customer_number(seed: int, position: Column) -> Column:
    """Seven numbers of each ten, with three gaps that the block's hash places."""
    block = _quotient(position, 7)
    place = position % 7
    hashed = _hash(seed, "gaps", block)
    gaps = [_whole(_uniform(hashed, slot) * 8) for slot in range(3)]
    number = block * 10 + place
    for gap in gaps:
        number = number + F.when(gap <= place, 1).otherwise(0)
    return number


def _numbers_end(scale: int) -> int:
    """The first number that no customer of this scale has."""
    return -(-CUSTOMERS_PER_UNIT * scale // 7) * 10


def _customer_id_text(seed: int, total: int) -> Column:
    """Four digits and five letters, such as 4906-ZHGPK; one to one, so unique."""
    code = _shuffled(F.col("position"), CUSTOMER_IDS, seed, CUSTOMER_ID_PRIME)
    digits = F.lpad(_quotient(code, 26**5).cast("string"), 4, "0")
    base_26 = F.conv((code % 26**5).cast("string"), 10, 26)
    letters = F.translate(
        F.lpad(base_26, 5, "0"), "0123456789ABCDEFGHIJKLMNOP", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    )
    return F.concat(digits, F.lit("-"), letters)


def _contracts(drawn: DataFrame) -> DataFrame:
    """Add the internet service, the phone service, the tenure and the monthly charge."""
    internet, phone = _uniform(F.col("plan"), 0), _uniform(F.col("plan"), 1)
    stay = _uniform(F.col("plan"), 2)
    # Customers are either new or loyal: both ends of the cosine are crowded.
    months = _whole((1.0 - F.cos(stay * 3.14159)) * 36.0) + 1
    new = _uniform(F.col("plan"), 3) < 0.0016
    served = drawn.select(
        "*",
        F.when(internet < 0.438, "Fiber optic").when(internet < 0.782, "DSL").otherwise("No")
        .alias("internet"),
        ((internet < 0.438) | (internet >= 0.782) | (phone >= 0.276)).alias("has_phone"),
        F.when(new, 0).otherwise(months).cast("long").alias("months"),
    )  # fmt: skip
    base = F.when(F.col("internet") == "Fiber optic", 70.0)
    base = base.when(F.col("internet") == "DSL", F.when(F.col("has_phone"), 45.0).otherwise(25.0))
    span = F.when(F.col("internet") == "No", 8.0).otherwise(48.0)
    steps = _whole((base.otherwise(18.25) + span * _uniform(F.col("options"), 3)) * 20.0)
    return served.select("*", (steps / 20.0).alias("monthly"))


def _person_columns() -> list[Column]:
    sex, senior, partner, dependents = (_uniform(F.col("person"), slot) for slot in range(4))
    return [
        F.when(sex < 0.516, "Male").otherwise("Female").alias("gender"),
        F.when(senior < 0.16, 1).otherwise(0).cast("long").alias("SeniorCitizen"),
        _chance(partner, 0.485).alias("Partner"),
        _chance(dependents, 0.302).alias("Dependents"),
        F.col("months").alias("tenure"),
    ]


def _service_columns() -> list[Column]:
    several = _chance(_uniform(F.col("options"), 0), 0.474)
    lines = F.when(F.col("has_phone"), several).otherwise("No phone service")
    add_ons = {
        "OnlineSecurity": 0.37, "OnlineBackup": 0.44, "DeviceProtection": 0.44,
        "TechSupport": 0.37, "StreamingTV": 0.49, "StreamingMovies": 0.49,
    }  # fmt: skip
    draw = _uniform(F.col("options"), 1)
    return [
        F.when(F.col("has_phone"), "Yes").otherwise("No").alias("PhoneService"),
        lines.alias("MultipleLines"),
        F.col("internet").alias("InternetService"),
        *(
            F.when(F.col("internet") == "No", "No internet service")
            .otherwise(_chance(_again(draw, 3 + 4 * place), share))
            .alias(name)
            for place, (name, share) in enumerate(add_ons.items())
        ),
    ]


def _billing_columns() -> list[Column]:
    draw = _uniform(F.col("options"), 2)
    kinds = ["Month-to-month"] * 11 + ["One year"] * 4 + ["Two year"] * 5
    ways = ["Electronic check"] * 3 + ["Mailed check"] * 2
    ways += ["Bank transfer (automatic)"] * 2 + ["Credit card (automatic)"] * 2
    leaves = _again(draw, 41) < F.when(draw < 0.55, 0.42).otherwise(0.08)
    total = _cut(F.col("months") * F.col("monthly") * _around(_again(draw, 53), 0.12))
    return [
        _pick(kinds, draw).alias("Contract"),
        _chance(_again(draw, 17), 0.59).alias("PaperlessBilling"),
        _pick(ways, _again(draw, 29)).alias("PaymentMethod"),
        F.col("monthly").alias("MonthlyCharges"),
        F.when(F.col("months") == 0, " ")
        .otherwise(F.regexp_replace(total.cast("string"), r"\.0$", ""))
        .alias("TotalCharges"),
        F.when(leaves, 1).otherwise(0).cast("long").alias("Churn"),
    ]


# --- samples ------------------------------------------------------------------------------------


def _sample_keys(shuffled: DataFrame, seed: int) -> DataFrame:
    """Turn positions into cell, quarter hour and draws; leave some out, let some repeat another."""
    repeat = _fine_uniform(_hash(seed, "repeat", F.col("position"))) < REPEATED_SHARE
    before = F.greatest(F.col("position") - 1, F.lit(0))
    keys = shuffled.select(F.when(repeat, before).otherwise(F.col("position")).alias("key"))
    kept = keys.where(_fine_uniform(_hash(seed, "kept", F.col("key"))) < KEPT_SHARE)
    number = _quotient(F.col("key"), QUARTER_HOURS * DAYS)
    place = number % SAMPLED_CELLS_PER_UNIT
    without_customers = place >= len(SHARED_CELLS)
    return kept.select(
        "key",
        _quotient(number, SAMPLED_CELLS_PER_UNIT).alias("unit"),
        (place + F.when(without_customers, len(CELLS_WITHOUT_SAMPLES)).otherwise(0)).alias("cell"),
        (_quotient(F.col("key"), DAYS) % QUARTER_HOURS).alias("slot"),
        *(
            _hash(seed, stream, F.col("key")).alias(stream)
            for stream in ("load", "usage", "peak", "label")
        ),
    )


def _day_shape() -> list[float]:
    """The load of each quarter hour, mean about one: quiet at five, busiest at half past eight."""

    def bump(hour: float, top: float, width: float) -> float:
        apart = min(abs(hour - top), 24.0 - abs(hour - top))
        return exp(-((apart / width) ** 2))

    hours = [slot / 4 for slot in range(QUARTER_HOURS)]
    return [round(0.25 + bump(h, 13, 4.5) + 1.6 * bump(h, 20.5, 2.8), 4) for h in hours]


def _sample_load(keyed: DataFrame, seed: int) -> DataFrame:
    """Add the fault and the load, which moves PRB usage, users and throughput together."""
    fault = _fault_code(seed, F.col("unit"), F.col("cell"))
    level = _normal(_hash(seed, "level", F.col("unit"), F.col("cell")))
    # A faulty cell has an ordinary level: an extreme one could hide its fault.
    spread = F.when(F.col("fault") == 0, 0.6).otherwise(0.1)
    load = F.exp(level * spread + _normal(F.col("load")) * 0.4)
    return keyed.select("*", fault.alias("fault")).select(
        "*", (_item(_day_shape(), F.col("slot")) * load).alias("traffic")
    )


def _sample_columns(loaded: DataFrame) -> DataFrame:
    traffic = F.col("traffic")
    usage = [_around(_uniform(F.col("usage"), slot), 1.0) for slot in range(4)]
    peak = [_uniform(F.col("peak"), slot) for slot in range(4)]
    active = [_around(_uniform(F.col("label"), slot), 0.8) for slot in (2, 3)]
    crowd = F.sqrt(traffic) + peak[2]
    amounts = loaded.select(
        "*",
        (traffic * usage[0] * 7.0 * _effect(PRB_UL_EFFECT)).alias("demand_ul"),
        (traffic * usage[1] * 2.0 * _effect(PRB_DL_EFFECT)).alias("demand_dl"),
        (traffic * usage[2] * 0.5 * _effect(THROUGHPUT_DL_EFFECT)).alias("rate_dl"),
        (traffic * usage[3] * 0.06 * _effect(THROUGHPUT_UL_EFFECT)).alias("rate_ul"),
        ((traffic * active[0] * 0.25 + 0.9) * _effect(USERS_EFFECT)).alias("users_dl"),
        ((traffic * active[1] * 0.1 + 0.9) * _effect(USERS_EFFECT)).alias("users_ul"),
    ).select(
        "*",
        F.ceil(F.col("users_dl") * (crowd * 1.4 + 1.2)).cast("int").alias("most_dl"),
        F.ceil(F.col("users_ul") * (crowd + peak[3] * 0.6 + 1.0)).cast("int").alias("most_ul"),
    )
    measured = {
        "PRBUsageUL": _share_in_use(F.col("demand_ul")),
        "PRBUsageDL": _share_in_use(F.col("demand_dl")),
        "meanThr_DL": F.col("rate_dl"),
        "meanThr_UL": F.col("rate_ul"),
        "maxThr_DL": F.col("rate_dl") * (peak[0] * 45.0 + 8.0),
        "maxThr_UL": F.col("rate_ul") * (peak[1] * 35.0 + 6.0),
        "meanUE_DL": F.col("users_dl"),
        "meanUE_UL": F.col("users_ul"),
    }
    return amounts.select(
        _item(_slot_texts(), F.col("slot")).alias("Time"),
        _cell_name(F.col("unit"), F.col("cell")).alias("CellName"),
        *_with_gaps(measured),
        F.col("most_dl").alias("maxUE_DL"),
        F.col("most_ul").alias("maxUE_UL"),
        (F.col("most_dl") + F.col("most_ul")).alias("maxUE_UL+DL"),
        F.when(_uniform(F.col("label"), 0) < UNUSUAL_SHARE, 1).otherwise(0).alias("Unusual"),
    )


def _share_in_use(demand: Column) -> Column:
    """Per cent of the resource blocks: nearly the demand while it is small, never above 100."""
    return (1.0 - F.exp(demand / -100.0)) * 100.0


def _with_gaps(measured: Mapping[str, Column]) -> list[Column]:
    """Keep three decimals; one draw says which column, if any, is missing in the row."""
    gap = _whole(_uniform(F.col("label"), 1) / MISSING_SHARE)
    return [
        F.when(gap != place, _cut(value, 1000)).alias(name)
        for place, (name, value) in enumerate(measured.items())
    ]


def _slot_texts() -> list[str]:
    return [f"{slot // 4:02d}:{slot % 4 * 15:02d}" for slot in range(QUARTER_HOURS)]


# --- call statistics ----------------------------------------------------------------------------


def _call_keys(rows: DataFrame, scale: int, seed: int) -> DataFrame:
    """Give each row a customer; along the customers their expected number falls from 40 to none."""
    total = CUSTOMERS_PER_UNIT * scale
    draw = _fine_uniform(_hash(seed, "customer", F.col("id")))
    rank = _whole((1.0 - F.sqrt(1.0 - draw)) * total)
    return rows.select("id", _shuffled(rank, total, seed).alias("position")).select(
        "*",
        _customer_number(seed, F.col("position")).alias("known_number"),
        *_customer_place(seed, F.col("position")),
    )


def _call_draws(keyed: DataFrame, seed: int) -> DataFrame:
    hashes = [f"hash_{place}" for place in range(len(CALL_DRAWS))]
    hashed = keyed.select(
        "*",
        _fault_code(seed, F.col("unit"), F.col("cell")).alias("fault"),
        _normal(_hash(seed, "habit", F.col("position"))).alias("habit"),
        _normal(_hash(seed, "month", F.col("id"))).alias("month"),
        _hash(seed, "stranger", F.col("id")).alias("stranger"),
        *(_hash(seed, name, F.col("id")).alias(name) for name in hashes),
    )
    return hashed.select(
        "known_number", "fault", "habit", "month", "stranger",
        *(
            _uniform(F.col(source), slot).alias(f"{name}_draw")
            for source, names in zip(hashes, CALL_DRAWS, strict=True)
            for slot, name in enumerate(names)
        ),
    )  # fmt: skip


def _draw(name: str) -> Column:
    return F.col(f"{name}_draw")


def _call_counts(drawn: DataFrame) -> DataFrame:
    """Add whole calls in three months, so that parts never exceed their whole."""
    silent = _draw("placed") < 0.045
    volume = F.exp(F.col("habit") * 0.7 + F.col("month") * 0.5)
    data_volume = F.exp(_draw("data_volume") * 5.0)
    trouble = F.when(F.col("fault") == CALL_DROPS, CALL_TROUBLE).otherwise(1.0)
    placed = drawn.select(
        "*",
        trouble.alias("trouble"),
        F.when(silent, 0).otherwise(_whole(volume * 390.0)).alias("placed"),
        F.when(_draw("data_user") < 0.88, 0).otherwise(_whole(data_volume)).alias("data_placed"),
    )
    completed = placed.select(
        "*",
        _whole(F.col("placed") * (_draw("completed") * 0.2 + 0.66)).alias("completed"),
        _whole(F.col("placed") * (_draw("received") * 0.55 + 0.2)).alias("received"),
        _whole(F.col("placed") * _draw("dropped") * F.col("trouble") * 0.075).alias("dropped"),
        _whole(F.col("data_placed") * (_draw("data_quality") * 0.2 + 0.8)).alias("data_completed"),
    )
    failed = F.col("placed") - F.col("completed")
    refused = F.col("placed") * _draw("blocked") * F.col("trouble") * 0.044
    answered = F.col("completed") + F.col("received")
    data_failed = F.col("data_placed") - F.col("data_completed")
    return completed.select(
        "*",
        F.least(failed, _whole(refused)).alias("blocked"),
        F.least(failed, _whole(F.col("placed") * _draw("unanswered") * 0.3)).alias("unanswered"),
        _whole(answered * (_draw("peak") * 0.35 + 0.5)).alias("peak"),
        answered.alias("answered"),
        _whole(F.col("data_completed") * _draw("peak")).alias("data_peak"),
        _whole(data_failed * _draw("unanswered") * F.least(F.col("trouble"), F.lit(2.0)) * 0.5)
        .alias("data_dropped"),
    )  # fmt: skip


def _call_minutes(counted: DataFrame) -> DataFrame:
    length = (_draw("length") * 1.6 + 1.1) / 3.0
    timed = counted.select(
        "*",
        (F.col("completed") * length).alias("minutes_out"),
        (F.col("received") * length * 1.1).alias("minutes_in"),
        (F.col("answered") * length).alias("minutes_answered"),
        (F.col("data_completed") * length).alias("data_minutes"),
    )
    return timed.select("*", ((F.col("minutes_out") + F.col("minutes_in")) * 1.5).alias("minutes"))


def _call_money(timed: DataFrame) -> DataFrame:
    abroad = F.greatest(_draw("roaming") - 0.74, F.lit(0.0))
    plans = (17.0, 22.5, 29.99, 30.0, 35.0, 39.99, 44.99, 49.99, 59.99, 75.0, 100.0, 150.0)
    beyond = F.greatest(F.col("minutes") * _draw("account") - 350.0, F.lit(0.0))
    priced = timed.select(
        "*",
        _cut(abroad * abroad * abroad * 1000.0).alias("roam"),
        _pick(plans, _draw("account")).alias("charge"),
        _cut(beyond * 0.4).alias("beyond"),
    )
    revenue = _cut(F.col("charge") + F.col("beyond") * 0.2 + F.col("roam") * 0.5 + 4.75)
    return priced.select("*", revenue.alias("revenue"))


def _monthly(calls: Column) -> Column:
    """The mean of three months, with its unending thirds as in the real file."""
    return calls / 3.0


def _money_columns() -> dict[str, Column]:
    bill = {
        "rev_Mean": F.col("revenue"),
        "mou_Mean": _cut(F.col("minutes")),
        "totmrc_Mean": F.col("charge"),
        "da_Mean": _whole(_again(_draw("account"), 7) * 9.0) * 0.2475,
        "ovrmou_Mean": F.col("beyond"),
        "ovrrev_Mean": _cut(F.col("beyond") * 0.2),
        "vceovr_Mean": _cut(F.col("beyond") * 0.19),
        "datovr_Mean": _cut(F.col("beyond") * 0.01),
        "roam_Mean": F.col("roam"),
    }
    # Skewed both ways around a slight fall, and larger for those who call more.
    swing = _draw("change") * 2.0 - 1.06
    change = {
        "change_mou": _cut(F.col("minutes") * swing * 0.6),
        "change_rev": _cut(F.col("revenue") * swing * 0.3),
    }
    billed = _again(_draw("account"), 97) >= 0.003
    compared = _again(_draw("change"), 89) >= 0.006
    return {
        **{name: F.when(billed, value) for name, value in bill.items()},
        **{name: F.when(compared, value) for name, value in change.items()},
    }


def _voice_columns() -> dict[str, Column]:
    off_peak = F.col("answered") - F.col("peak")
    own = _draw("household") * 0.4
    return {
        "drop_vce_Mean": _monthly(F.col("dropped")),
        "blck_vce_Mean": _monthly(F.col("blocked")),
        "unan_vce_Mean": _monthly(F.col("unanswered")),
        "plcd_vce_Mean": _monthly(F.col("placed")),
        "recv_vce_Mean": _monthly(F.col("received")),
        "comp_vce_Mean": _monthly(F.col("completed")),
        "mou_cvce_Mean": _cut(F.col("minutes_out")),
        "mou_rvce_Mean": _cut(F.col("minutes_in")),
        "peak_vce_Mean": _monthly(F.col("peak")),
        "mou_peav_Mean": _cut(F.col("minutes_answered") * (_draw("peak") * 0.35 + 0.5)),
        "opk_vce_Mean": _monthly(off_peak),
        "mou_opkv_Mean": _cut(F.col("minutes_answered") * (0.5 - _draw("peak") * 0.35)),
        "owylis_vce_Mean": _monthly(_whole(F.col("completed") * own)),
        "mouowylisv_Mean": _cut(F.col("minutes_out") * own),
        "iwylis_vce_Mean": _monthly(_whole(F.col("received") * own)),
        "mouiwylisv_Mean": _cut(F.col("minutes_in") * own),
        "inonemin_Mean": _monthly(_whole(F.col("received") * 0.5)),
    }


def _data_columns() -> dict[str, Column]:
    off_peak = F.col("data_completed") - F.col("data_peak")
    failed = F.col("data_placed") - F.col("data_completed") - F.col("data_dropped")
    blocked = _whole(failed * _draw("blocked") * 0.3)
    lost = F.col("dropped") + F.col("blocked") + F.col("data_dropped") + blocked
    return {
        "drop_dat_Mean": _monthly(F.col("data_dropped")),
        "blck_dat_Mean": _monthly(blocked),
        "unan_dat_Mean": _monthly(_whole(failed * 0.5)),
        "plcd_dat_Mean": _monthly(F.col("data_placed")),
        "comp_dat_Mean": _monthly(F.col("data_completed")),
        "mou_cdat_Mean": _cut(F.col("data_minutes")),
        "peak_dat_Mean": _monthly(F.col("data_peak")),
        "mou_pead_Mean": _cut(F.col("data_minutes") * _draw("peak")),
        "opk_dat_Mean": _monthly(off_peak),
        "mou_opkd_Mean": _cut(F.col("data_minutes") * (1.0 - _draw("peak"))),
        "drop_blk_Mean": _monthly(lost),
        "attempt_Mean": _monthly(F.col("placed") + F.col("data_placed")),
        "complete_Mean": _monthly(F.col("completed") + F.col("data_completed")),
    }


def _service_use_columns() -> dict[str, Column]:
    cared = _whole(F.greatest(_again(_draw("length"), 5) - 0.6, F.lit(0.0)) * 15.0)
    forwards = _again(_draw("roaming"), 61)
    waits = F.greatest(_again(_draw("received"), 3) - 0.38, F.lit(0.0))
    return {
        "recv_sms_Mean": _monthly(_whole(F.col("data_placed") * 0.05)),
        "custcare_Mean": _monthly(cared),
        "ccrndmou_Mean": _monthly(cared * 3),
        "cc_mou_Mean": _cut(cared * 0.9),
        "threeway_Mean": _monthly(_whole(_again(_draw("peak"), 3) * 1.6)),
        "callfwdv_Mean": _monthly(F.when(forwards < 0.011, _whole(forwards * 2000.0)).otherwise(0)),
        "callwait_Mean": _monthly(_whole(F.col("received") * waits * 0.13)),
    }


def _account_columns() -> dict[str, Column]:
    draw = _draw("account")
    months = _whole(_again(draw, 11) * 56.0) + 6
    quantity = F.col("answered") * 0.4
    subscribers = _whole(_again(draw, 31) * 2.4) + 1
    classes = ["A"] * 12 + ["B"] * 3 + ["C", "C", "BA", "AA", "U", "G", "D", "CA", "EA"]
    return {
        "churn": (_whole(_again(draw, 19) + 0.495)).cast("long"),
        "months": months,
        "uniqsubs": subscribers,
        "actvsubs": F.greatest(subscribers - _whole(_again(draw, 37) * 1.2), F.lit(0)),
        "new_cell": _pick(["N"] * 5 + ["Y"] * 4 + ["U"], _again(draw, 23)),
        "crclscod": _pick(classes, _again(draw, 43)),
        "asl_flag": _pick(["N"] * 9 + ["Y"], _again(draw, 29)),
        "totcalls": _whole(quantity * months),
        "totmou": _cut(F.col("minutes") * months),
        "totrev": _cut(F.col("revenue") * months),
        "adjrev": _cut(F.col("revenue") * months * 0.97),
        "adjmou": _cut(F.col("minutes") * months * 0.99),
        "adjqty": _whole(quantity * months * 0.99),
        "avgrev": _cut(F.col("revenue") * 0.97),
        "avgmou": _cut(F.col("minutes") * 0.99),
        "avgqty": _cut(quantity),
        "avg3mou": _whole(F.col("minutes")),
        "avg3qty": _whole(quantity),
        "avg3rev": _whole(F.col("revenue")),
        "avg6mou": _whole(F.col("minutes") * 0.98),
        "avg6qty": _whole(quantity * 0.98),
        "avg6rev": _whole(F.col("revenue") * 0.98),
    }


def _handset_columns() -> dict[str, Column]:
    draw = _draw("handset")
    areas = [
        "ATLANTIC SOUTH AREA", "CENTRAL/SOUTH TEXAS AREA", "CHICAGO AREA", "DALLAS AREA",
        "MIDWEST AREA", "NEW YORK CITY AREA", "NORTHWEST/ROCKY MOUNTAIN AREA",
        "PHILADELPHIA AREA", "SOUTH FLORIDA AREA", "SOUTHWEST AREA", "TENNESSEE AREA",
    ]  # fmt: skip
    prices = (9.989997864, 29.98999023, 59.98999023, 79.98999023, 99.98999023, 149.9899902, None)
    return {
        "area": _pick(areas, draw),
        "dualband": _pick(["Y"] * 12 + ["N"] * 7 + ["T"], _again(draw, 3)),
        "refurb_new": _pick(["N"] * 4 + ["R"], _again(draw, 5)),
        "hnd_price": _pick((*prices[:-1] * 8, None), _again(draw, 7)),
        "phones": _whole(_again(draw, 11) * 8.0) + 1,
        "models": _whole(_again(draw, 11) * 5.0) + 1,
        "hnd_webcap": _pick(["WCMB"] * 6 + ["NA"] * 3 + ["WC"], _again(draw, 13)),
        "eqpdays": _whole(_again(draw, 17) * 1100.0) - 3,
    }


def _household_columns() -> dict[str, Column]:
    draw = _draw("household")
    answered = draw < 0.98
    kids = ("kid0_2", "kid3_5", "kid6_10", "kid11_15", "kid16_17")
    sizes: list[str | None] = ["A", "A", "A", "A", "A", "B", "C", "D", "E", None, None]
    statuses: list[str | None] = ["C", "C", "C", "C", "I", "B", None, None]
    told = {
        "truck": _whole(_again(draw, 3) + 0.3),
        "rv": _whole(_again(draw, 5) + 0.15),
        "lor": _whole(_again(draw, 7) * 16.0),
        "adults": _whole(_again(draw, 11) * 5.0) + 1,
        "income": _whole(_again(draw, 13) * 9.0) + 1,
        "numbcars": _whole(_again(draw, 17) * 3.0) + 1,
        "forgntvl": _whole(_again(draw, 19) + 0.08),
        "marital": _pick(["M", "M", "M", "M", "U", "U", "U", "S", "S", "B", "A"], _again(draw, 23)),
        "ethnic": _pick(["N", "N", "N", "S", "H", "U", "G", "I", "J", "Z"], _again(draw, 29)),
        "creditcd": _pick(["Y", "Y", "Y", "N"], _again(draw, 31)),
        **{
            name: _pick(["U"] * 9 + ["Y"], _again(draw, 37 + 2 * place))
            for place, name in enumerate(kids)
        },
    }
    return {
        **{name: F.when(answered, value) for name, value in told.items()},
        "prizm_social_one": _pick(["S", "S", "S", "S", "U", "U", "C", "T", None], _again(draw, 47)),
        "ownrent": _pick(["O"] * 15 + ["R"] + [None] * 4, _again(draw, 53)),
        "dwlltype": _pick(["S", "S", "S", "M", None], _again(draw, 59)),
        "infobase": _pick(["M"] * 7 + [None], _again(draw, 61)),
        "HHstatin": _pick(statuses, _again(draw, 67)),
        "dwllsize": _pick(sizes, _again(draw, 71)),
    }


def _call_customer_id(scale: int) -> Column:
    """100, then the customer number with zeros in front: 1000042 at scale 1.

    All identifiers of a scale have the same width, the least that its numbers need.
    """
    first_unknown = _numbers_end(scale)
    unknown_count = first_unknown // 20
    stranger = F.pmod(F.col("stranger"), F.lit(unknown_count)) + first_unknown
    unknown = _again(_draw("handset"), 101) < UNKNOWN_CUSTOMER_SHARE
    number = F.when(unknown, stranger).otherwise(F.col("known_number"))
    width = max(4, len(str(first_unknown + unknown_count)))
    prefix: int = 100 * 10**width
    return number + prefix
