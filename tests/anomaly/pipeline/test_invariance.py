"""The same rows come out however the inputs are split, ordered and read."""

import random
from datetime import date

import pytest

from anomaly import Run, detect, parse_profile
from runners.storage.inputs import read_input
from tests.builders.kept import kept
from tests.builders.small_inputs import SmallInputs, families_text

pytestmark = [pytest.mark.slow, pytest.mark.on_each_spark]

SOURCES = ("customers", "samples", "call_statistics")


def tables(spark, inputs, partitions):
    """Both tables as sorted texts of rows: every column, evidence included, to the last bit."""
    profile = parse_profile(families_text())
    customers, samples, calls = (
        read_input(spark, source, inputs[source], profile).repartition(partitions)
        for source in SOURCES
    )
    results = detect(
        samples,
        customers=customers,
        calls=calls,
        profile=profile,
        run=Run(date(2026, 11, 1), "same"),
        keep=kept,
    )
    both = results.customers, results.cells
    return [sorted(map(repr, table.collect())) for table in both]


@pytest.fixture(scope="module")
def expected(spark, tmp_path_factory):
    return tables(spark, SmallInputs().write(tmp_path_factory.mktemp("one")), 1)


@pytest.mark.parametrize(("partitions", "files", "ansi"), [(3, 1, "true"), (17, 4, "false")])
def test_rows_do_not_depend_on_partitions_files_or_ansi(
    spark, tmp_path, expected, partitions, files, ansi
):
    inputs = SmallInputs().write(tmp_path, files=files, order=random.Random(files))
    before = spark.conf.get("spark.sql.ansi.enabled")
    spark.conf.set("spark.sql.ansi.enabled", ansi)
    try:
        found = tables(spark, inputs, partitions)
    finally:
        spark.conf.set("spark.sql.ansi.enabled", before)
    assert len(found[0]) > 40
    assert len(found[1]) == 12
    assert found == expected
