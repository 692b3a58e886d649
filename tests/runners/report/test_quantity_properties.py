"""A value with its unit is as near as its digits allow, on the page as in the tables."""

from decimal import Decimal

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pyspark.sql import functions as F

from anomaly.expressions.texts import measure_text
from runners.report.quantities import quantity

# Those with few digits are often halfway between two texts.
short = st.builds(
    lambda digits, power: digits / 10**power, st.integers(-99999, 99999), st.integers(0, 9)
)
sizes = st.one_of(short, st.floats(-1e6, 1e6), st.floats(1e-9, 1e-3))


@given(sizes)
def test_a_text_is_as_near_to_the_value_as_its_digits_allow(value):
    text = quantity(value, "").replace(",", "")
    last_place = Decimal(10) ** Decimal(text).as_tuple().exponent
    # Of any value nine digits behind the point count.
    assert abs(Decimal(text) - Decimal(value)) <= last_place / 2 + Decimal("5.01e-10")


@settings(max_examples=20)
# Halves that the stored binary numbers lie below.
@example([(9.95e-08, "users"), (2.5e-09, ""), (1.0005e-06, "")])
@given(
    st.lists(st.tuples(sizes, st.sampled_from(["users", "share", ""])), min_size=1, max_size=200)
)
def test_the_page_writes_a_value_as_the_sentences_of_the_tables_do(spark, values):
    rows = spark.createDataFrame(values, "value double, unit string")
    found = rows.select(measure_text(F.col("value"), F.col("unit")).alias("text")).collect()
    assert [quantity(*one) for one in values] == [row.text for row in found]
