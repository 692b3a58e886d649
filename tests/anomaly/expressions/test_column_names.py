"""Names of columns in SQL, as Spark reads them: none of them ends too early or changes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from anomaly.expressions.sql import quoted

# What a parser could take for more than a letter, beside letters of all alphabets.
marks = st.text(alphabet="'\"`\\$%_;-/*{}()u0041x\n\r\t\0\x1a ")
texts = st.one_of(st.text(), marks)


# Spark answers a query of literals without a job.
@settings(max_examples=25)
@given(st.lists(texts.filter(bool), min_size=1, max_size=40))
def test_the_name_of_a_column_is_itself(spark, names):
    query = ", ".join(f"1 AS {quoted(name)}" for name in names)
    assert spark.sql(f"SELECT {query}").columns == names
