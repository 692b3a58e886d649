"""The caller of each row of the call statistics, and the draws for its amounts."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from runners.sample.customer_identity import CUSTOMERS_PER_UNIT, customer_number, customer_place
from runners.sample.draws import around_by, fine_uniform, normal, seeded_hash, shuffled, uniform
from runners.sample.expressions import whole
from runners.sample.faults import fault_code

# One hash gives four draws; their names say what each is mainly used for.
CALL_DRAWS = (
    ("placed", "completed", "received", "peak"),
    ("dropped", "blocked", "unanswered", "length"),
    ("data_user", "data_volume", "data_quality", "roaming"),
    ("change", "account", "handset", "household"),
)

# What differs between cells, equally for all their customers, and by how much.
CELL_FACTORS = ("volume", "dropped", "blocked", "incomplete")
CELL_DEVIATION = 0.12


def with_draws(rows: DataFrame, scale: int, seed: int) -> DataFrame:
    """Return for each row (id: bigint) its customer's number and fault, and its draws.

    Columns: known_number (bigint), fault (its code, int), habit of the customer and month (both
    standard normal), stranger (a hash), a uniform draw for each name of CALL_DRAWS and a factor
    around one for each of CELL_FACTORS.
    """
    return _draws(_keys(rows, scale, seed), seed)


def draw_of(name: str) -> Column:
    """Return a uniform draw by its name in CALL_DRAWS."""
    return F.col(f"{name}_draw")


def cell_factor(name: str) -> Column:
    """Return a factor by its name in CELL_FACTORS: the natural variation between cells."""
    return F.col(f"{name}_factor")


def _keys(rows: DataFrame, scale: int, seed: int) -> DataFrame:
    """Give each row a customer; along the customers their expected number falls from 40 to none."""
    total = CUSTOMERS_PER_UNIT * scale
    draw = fine_uniform(seeded_hash(seed, "customer", F.col("id")))
    rank = whole((1.0 - F.sqrt(1.0 - draw)) * total)
    return rows.select("id", shuffled(rank, total, seed).alias("position")).select(
        "*",
        customer_number(seed, F.col("position")).alias("known_number"),
        *customer_place(seed, F.col("position")),
    )


def _draws(keyed: DataFrame, seed: int) -> DataFrame:
    hashes = [f"hash_{place}" for place in range(len(CALL_DRAWS))]
    hashed = keyed.select(
        "*",
        fault_code(seed, F.col("unit"), F.col("cell")).alias("fault"),
        normal(seeded_hash(seed, "habit", F.col("position"))).alias("habit"),
        normal(seeded_hash(seed, "month", F.col("id"))).alias("month"),
        seeded_hash(seed, "stranger", F.col("id")).alias("stranger"),
        seeded_hash(seed, "calls", F.col("unit"), F.col("cell")).alias("calls"),
        *(seeded_hash(seed, name, F.col("id")).alias(name) for name in hashes),
    )
    return hashed.select(
        "known_number", "fault", "habit", "month", "stranger",
        *(
            uniform(F.col(source), slot).alias(f"{name}_draw")
            for source, names in zip(hashes, CALL_DRAWS, strict=True)
            for slot, name in enumerate(names)
        ),
        *(_natural(slot).alias(f"{name}_factor") for slot, name in enumerate(CELL_FACTORS)),
    )  # fmt: skip


def _natural(slot: int) -> Column:
    """A cell's factor around one; faulty cells are average except for their fault."""
    factor = around_by(uniform(F.col("calls"), slot), CELL_DEVIATION)
    return F.when(F.col("fault") == 0, factor).otherwise(1.0)
