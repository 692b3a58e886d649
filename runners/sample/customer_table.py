"""The customers, with the 23 columns of the real customer data."""

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from runners.sample.cells import cell_name
from runners.sample.customer_identity import (
    CUSTOMERS_PER_UNIT,
    customer_id,
    customer_number,
    customer_place,
)
from runners.sample.draws import again, around, chance, pick, seeded_hash, shuffled, uniform
from runners.sample.expressions import cut, whole
from runners.sample.scale import checked_scale, parts


def customers(
    spark: SparkSession, scale: int, seed: int, partitions: int | None = None
) -> DataFrame:
    """Return 4,930 customers per scale unit, with the 23 columns of the real customer data.

    `partitions` sets the number of partitions (and files); it does not change the rows.
    """
    total = CUSTOMERS_PER_UNIT * checked_scale(scale)
    rows = spark.range(0, total, 1, partitions or parts(scale, 0.1, at_least=1))
    position = F.col("position")
    drawn = rows.select(shuffled(F.col("id"), total, seed).alias("position")).select(
        "position",
        *customer_place(seed, position),
        *(
            seeded_hash(seed, stream, position).alias(stream)
            for stream in ("person", "plan", "options")
        ),
    )
    return _with_contract(drawn).select(
        customer_number(seed, position).alias("Index"),
        customer_id(seed, position).alias("customerID"),
        *_person_columns(),
        *_service_columns(),
        *_billing_columns(),
        cell_name(F.col("unit"), F.col("cell")).alias("CellTower"),
    )


def _with_contract(drawn: DataFrame) -> DataFrame:
    """Add the internet service, the phone service, the tenure and the monthly charge."""
    internet, phone, stay, novelty = (uniform(F.col("plan"), slot) for slot in range(4))
    # Most customers are new or loyal: the cosine has most values near its ends.
    months = whole((1.0 - F.cos(stay * 3.14159)) * 36.0) + 1
    served = drawn.select(
        "*",
        F.when(internet < 0.438, "Fiber optic").when(internet < 0.782, "DSL").otherwise("No")
        .alias("internet"),
        ((internet < 0.438) | (internet >= 0.782) | (phone >= 0.276)).alias("has_phone"),
        F.when(novelty < 0.0016, 0).otherwise(months).cast("long").alias("months"),
    )  # fmt: skip
    base = F.when(F.col("internet") == "Fiber optic", 70.0)
    base = base.when(F.col("internet") == "DSL", F.when(F.col("has_phone"), 45.0).otherwise(25.0))
    span = F.when(F.col("internet") == "No", 8.0).otherwise(48.0)
    steps = whole((base.otherwise(18.25) + span * uniform(F.col("options"), 3)) * 20.0)
    return served.select("*", (steps / 20.0).alias("monthly"))


def _person_columns() -> list[Column]:
    sex, senior, partner, dependents = (uniform(F.col("person"), slot) for slot in range(4))
    return [
        F.when(sex < 0.516, "Male").otherwise("Female").alias("gender"),
        F.when(senior < 0.16, 1).otherwise(0).cast("long").alias("SeniorCitizen"),
        chance(partner, 0.485).alias("Partner"),
        chance(dependents, 0.302).alias("Dependents"),
        F.col("months").alias("tenure"),
    ]


def _service_columns() -> list[Column]:
    several = chance(uniform(F.col("options"), 0), 0.474)
    lines = F.when(F.col("has_phone"), several).otherwise("No phone service")
    add_ons = {
        "OnlineSecurity": 0.37, "OnlineBackup": 0.44, "DeviceProtection": 0.44,
        "TechSupport": 0.37, "StreamingTV": 0.49, "StreamingMovies": 0.49,
    }  # fmt: skip
    draw = uniform(F.col("options"), 1)
    return [
        F.when(F.col("has_phone"), "Yes").otherwise("No").alias("PhoneService"),
        lines.alias("MultipleLines"),
        F.col("internet").alias("InternetService"),
        *(
            F.when(F.col("internet") == "No", "No internet service")
            .otherwise(chance(again(draw, 3 + 4 * place), share))
            .alias(name)
            for place, (name, share) in enumerate(add_ons.items())
        ),
    ]


def _billing_columns() -> list[Column]:
    draw = uniform(F.col("options"), 2)
    kinds = ["Month-to-month"] * 11 + ["One year"] * 4 + ["Two year"] * 5
    ways = ["Electronic check"] * 3 + ["Mailed check"] * 2
    ways += ["Bank transfer (automatic)"] * 2 + ["Credit card (automatic)"] * 2
    leaves = again(draw, 41) < F.when(draw < 0.55, 0.42).otherwise(0.08)
    total = cut(F.col("months") * F.col("monthly") * around(again(draw, 53), 0.12))
    return [
        pick(kinds, draw).alias("Contract"),
        chance(again(draw, 17), 0.59).alias("PaperlessBilling"),
        pick(ways, again(draw, 29)).alias("PaymentMethod"),
        F.col("monthly").alias("MonthlyCharges"),
        F.when(F.col("months") == 0, " ")
        .otherwise(F.regexp_replace(total.cast("string"), r"\.0$", ""))
        .alias("TotalCharges"),
        F.when(leaves, 1).otherwise(0).cast("long").alias("Churn"),
    ]
