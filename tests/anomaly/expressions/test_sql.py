"""Texts, names and numbers in SQL, as Spark reads them: none of them ends too early or changes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.expressions.sql import literal, quoted, text

# What a parser could take for more than a letter, beside letters of all alphabets.
marks = st.text(alphabet="'\"`\\$%_;-/*{}()u0041x\n\r\t\0\x1a ")
texts = st.one_of(st.text(), marks)
# Spark answers a query of literals without a job.
few = settings(max_examples=25)


@few
@given(st.lists(st.one_of(st.none(), texts), min_size=1, max_size=40))
def test_a_text_is_itself(spark, values):
    query = ", ".join(f"{text(value)} AS c{place}" for place, value in enumerate(values))
    assert [*spark.sql(f"SELECT {query}").first()] == values


@few
@given(st.lists(texts.filter(bool), min_size=1, max_size=40))
def test_the_name_of_a_column_is_itself(spark, names):
    query = ", ".join(f"1 AS {quoted(name)}" for name in names)
    assert spark.sql(f"SELECT {query}").columns == names


@few
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=40))
def test_a_number_is_itself_to_the_last_bit(spark, values):
    query = ", ".join(f"{literal(value)} AS c{place}" for place, value in enumerate(values))
    # As texts, which tell -0.0 from 0.0.
    assert [*map(repr, spark.sql(f"SELECT {query}").first())] == [*map(repr, values)]
